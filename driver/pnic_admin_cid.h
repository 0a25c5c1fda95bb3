/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ids of admin commands: a slot number and a generation, so that the answer to a
 * command that was given up is never taken for that of its successor. Pure, so that the host
 * tests have it too.
 */
#ifndef PNIC_ADMIN_CID_H
#define PNIC_ADMIN_CID_H

#define PNIC_ADMIN_LOG		6
#define PNIC_ADMIN_SLOTS	64	/* 1 << PNIC_ADMIN_LOG */
#define PNIC_ADMIN_GEN_MASK	(0xffff >> PNIC_ADMIN_LOG)

/**
 * struct pnic_cid_slot - one command that may be under way
 * @cid: of the command that uses the slot
 * @stale: of a command that was given up and whose answer may still come
 * @busy: somebody waits for @cid
 * @answered: its answer is there
 * @has_stale: @stale means something
 */
struct pnic_cid_slot {
	u16 cid;
	u16 stale;
	bool busy;
	bool answered;
	bool has_stale;
};

/**
 * enum pnic_cid_verdict - what a completion's id means
 * @PNIC_CID_OURS: the answer that somebody waits for
 * @PNIC_CID_LATE: that of a command that was given up
 * @PNIC_CID_UNKNOWN: nobody asked
 */
enum pnic_cid_verdict {
	PNIC_CID_OURS,
	PNIC_CID_LATE,
	PNIC_CID_UNKNOWN,
};

static inline unsigned int pnic_cid_index(u16 cid)
{
	return cid & (PNIC_ADMIN_SLOTS - 1);
}

/* Slot @index begins its next command: gives the id. */
static inline u16 pnic_cid_begin(struct pnic_cid_slot *slot, unsigned int index)
{
	u16 gen = ((slot->cid >> PNIC_ADMIN_LOG) + 1) & PNIC_ADMIN_GEN_MASK;

	slot->cid = gen << PNIC_ADMIN_LOG | index;
	slot->busy = true;
	slot->answered = false;
	/* After so many commands the id comes again; its late answer won't. */
	if (slot->has_stale && slot->stale == slot->cid)
		slot->has_stale = false;
	return slot->cid;
}

/* The waiter leaves; without an answer the id is remembered. */
static inline void pnic_cid_end(struct pnic_cid_slot *slot)
{
	if (!slot->answered) {
		slot->stale = slot->cid;
		slot->has_stale = true;
	}
	slot->busy = false;
}

/* A completion with @cid came for @slot. */
static inline enum pnic_cid_verdict pnic_cid_judge(struct pnic_cid_slot *slot, u16 cid)
{
	if (slot->busy && !slot->answered && slot->cid == cid) {
		slot->answered = true;
		return PNIC_CID_OURS;
	}
	if (slot->has_stale && slot->stale == cid) {
		slot->has_stale = false;
		return PNIC_CID_LATE;
	}
	return PNIC_CID_UNKNOWN;
}

#endif /* PNIC_ADMIN_CID_H */
