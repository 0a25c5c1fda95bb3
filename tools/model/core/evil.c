// SPDX-License-Identifier: GPL-2.0
/*
 * A card that doesn't do what it should: what it writes is nonsense, twice there or not at all, it
 * interrupts without end, touches memory that it was told nothing of, reads as all ones, dies.
 *
 * A kind of wrong is done a number of times, by pm_card_garble(), or by the roll of dice, by
 * pm_card_evil(). Those who write entries and answer reads ask pm_card_take_garble() each time;
 * the dice are of a seed, so that the same questions get the same answers.
 */
#include <stdlib.h>

#include "card_priv.h"

#define MILLION		1000000u
#define STORM_ROUNDS	32
/* Where memory is in the guests that this is for; their IOMMU maps at the other end of 4 GiB. */
#define STRAY_SPAN	(2u << 30)

static const char *const names[PM_GARBLES] = {
	[PM_GARBLE_ACQE_CID]	= "acqe_cid",
	[PM_GARBLE_ACQE_STATUS]	= "acqe_status",
	[PM_GARBLE_ACQE_OPCODE]	= "acqe_opcode",
	[PM_GARBLE_ACQE_HEAD]	= "acqe_head",
	[PM_GARBLE_ACQE_RESULT]	= "acqe_result",
	[PM_GARBLE_ACQE_RANDOM]	= "acqe_random",
	[PM_GARBLE_ACQE_PHASE]	= "acqe_phase",
	[PM_GARBLE_ACQE_TWICE]	= "acqe_twice",
	[PM_GARBLE_ACQE_LOST]	= "acqe_lost",
	[PM_GARBLE_EQE_TYPE]	= "eqe_type",
	[PM_GARBLE_EQE_ID]	= "eqe_id",
	[PM_GARBLE_EQE_RANDOM]	= "eqe_random",
	[PM_GARBLE_EQE_PHASE]	= "eqe_phase",
	[PM_GARBLE_EQE_TWICE]	= "eqe_twice",
	[PM_GARBLE_EQE_LOST]	= "eqe_lost",
	[PM_GARBLE_CQE]		= "cqe",
	[PM_GARBLE_CQE_RANDOM]	= "cqe_random",
	[PM_GARBLE_CQE_PHASE]	= "cqe_phase",
	[PM_GARBLE_CQE_TWICE]	= "cqe_twice",
	[PM_GARBLE_CQE_LOST]	= "cqe_lost",
	[PM_GARBLE_BUF]		= "buf",
	[PM_GARBLE_REG_ONES]	= "reg_ones",
	[PM_GARBLE_REG_RANDOM]	= "reg_random",
	[PM_GARBLE_IRQ_LOST]	= "irq_lost",
	[PM_GARBLE_IRQ_STORM]	= "irq_storm",
	[PM_GARBLE_STRAY]	= "stray",
	[PM_GARBLE_DIE]		= "die",
	[PM_GARBLE_RESET_STUCK]	= "reset_stuck",
	[PM_GARBLE_READY_STUCK]	= "ready_stuck",
};

const char *pm_garble_name(unsigned int what)
{
	return what < PM_GARBLES ? names[what] : NULL;
}

bool pm_garble_find(const char *name, size_t len, enum pm_garble *what)
{
	unsigned int i;

	for (i = 0; i < PM_GARBLES; i++)
		if (strlen(names[i]) == len && !memcmp(names[i], name, len)) {
			*what = i;
			return true;
		}
	return false;
}

bool pm_garble_kinds(const char *text, uint64_t *kinds)
{
	enum pm_garble what;
	size_t len;

	*kinds = 0;
	if (!strcmp(text, "none"))
		return true;
	if (!strcmp(text, "all")) {
		*kinds = ((1ull << PM_GARBLES) - 1) & ~(1ull << PM_GARBLE_STRAY);
		return true;
	}
	for (;; text += len + 1) {
		len = strcspn(text, ",");
		if (!pm_garble_find(text, len, &what))
			return false;
		*kinds |= 1ull << what;
		if (!text[len])
			return true;
	}
}

void pm_card_garble(struct pm_card *c, enum pm_garble what, unsigned int n)
{
	c->garble[what] = n;
}

void pm_card_evil(struct pm_card *c, uint64_t kinds, uint32_t ppm, uint64_t seed)
{
	struct pm_evil *e = &c->evil;

	memset(e, 0, sizeof(*e));
	e->kinds = kinds;
	e->ppm = ppm;
	pm_rng_init(&e->rng, seed, "evil", c->index);
}

void pm_card_evil_deeds(const struct pm_card *c, uint64_t deeds[PM_GARBLES],
			struct pm_evil_strays *strays)
{
	memcpy(deeds, c->evil.deeds, sizeof(c->evil.deeds));
	*strays = c->evil.strays;
}

bool pm_card_take_garble(struct pm_card *c, enum pm_garble what)
{
	struct pm_evil *e = &c->evil;

	e->dice = false;
	if (c->garble[what]) {
		c->garble[what]--;
	} else if (e->kinds >> what & 1) {
		if (pm_rng_below(&e->rng, MILLION) >= e->ppm)
			return false;
		e->dice = true;
	} else {
		return false;
	}
	e->deeds[what]++;
	return true;
}

/* A number that is likely to hurt, near @right or at an end of something. */
static uint32_t hurtful(struct pm_evil *e, uint32_t right)
{
	static const uint32_t ends[] = {
		0, 1, 0x7f, 0x80, 0xff, 0x100, 0xfff, 0x1000, 0x7fff, 0x8000, 0xffff, 0x10000, 0xffffff,
		0x1000000, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff,
	};

	switch (pm_rng_below(&e->rng, 4)) {
	case 0:
		return right + 1 + pm_rng_below(&e->rng, 4);
	case 1:
		return right - 1 - pm_rng_below(&e->rng, 4);
	case 2:
		return ends[pm_rng_below(&e->rng, sizeof(ends) / sizeof(ends[0]))];
	default:
		return pm_rng_u64(&e->rng);
	}
}

/* After pm_card_take_garble(): what a field says that was to say @right. Counted, it is @wrong. */
static uint32_t odd(struct pm_card *c, uint32_t right, uint32_t wrong)
{
	return c->evil.dice ? hurtful(&c->evil, right) : wrong;
}

/* All of an entry of @size bytes but the word with the phase, which is the last. */
static void scramble(struct pm_card *c, void *entry, size_t size)
{
	struct pm_evil *e = &c->evil;
	uint8_t *p = entry;
	size_t i;

	if (pm_rng_below(&e->rng, 2)) {
		for (i = 0; i < size - 4; i++)
			p[i] = pm_rng_u64(&e->rng);
		return;
	}
	for (i = 0; i < 1 + pm_rng_below(&e->rng, 4); i++)
		p[pm_rng_below(&e->rng, size - 4)] ^= 1u << pm_rng_below(&e->rng, 8);
}

/* The word with the phase lies last in all three kinds of entry. */
static void flip(void *entry, size_t size, uint32_t phase)
{
	uint32_t word;

	memcpy(&word, (uint8_t *)entry + size - 4, 4);
	word ^= htole32(phase);
	memcpy((uint8_t *)entry + size - 4, &word, 4);
}

void pm_card_garble_acqe(struct pm_card *c, struct pnic_acqe *e)
{
	if (pm_card_take_garble(c, PM_GARBLE_ACQE_CID))
		e->cid = htole16(odd(c, le16toh(e->cid), le16toh(e->cid) ^ 0x5aa5));
	if (pm_card_take_garble(c, PM_GARBLE_ACQE_STATUS))
		e->status = odd(c, e->status, 0xee);
	if (pm_card_take_garble(c, PM_GARBLE_ACQE_OPCODE))
		e->opcode = odd(c, e->opcode, 0xee);
	if (pm_card_take_garble(c, PM_GARBLE_ACQE_HEAD))
		e->asq_head = htole32(odd(c, le32toh(e->asq_head), 0x80000000u));
	if (pm_card_take_garble(c, PM_GARBLE_ACQE_RESULT))
		e->result[0] = htole64((uint64_t)odd(c, 0, 0) << 32 |
				       odd(c, le64toh(e->result[0]), 0xfffffff0u));
	if (pm_card_take_garble(c, PM_GARBLE_ACQE_RANDOM))
		scramble(c, e, sizeof(*e));
	if (pm_card_take_garble(c, PM_GARBLE_ACQE_PHASE))
		flip(e, sizeof(*e), PNIC_PHASE);
}

void pm_card_garble_eqe(struct pm_card *c, struct pnic_eqe *e)
{
	if (pm_card_take_garble(c, PM_GARBLE_EQE_TYPE))
		e->type = odd(c, e->type, 0xee);
	if (pm_card_take_garble(c, PM_GARBLE_EQE_ID))
		e->id = htole32(odd(c, le32toh(e->id), 0xfffffff0u));
	if (pm_card_take_garble(c, PM_GARBLE_EQE_RANDOM))
		scramble(c, e, sizeof(*e));
	if (pm_card_take_garble(c, PM_GARBLE_EQE_PHASE))
		flip(e, sizeof(*e), PNIC_PHASE);
}

void pm_card_garble_cqe(struct pm_card *c, struct pnic_cqe *e)
{
	if (pm_card_take_garble(c, PM_GARBLE_CQE))
		e->ep_flags ^= htole32(PNIC_CQE_LOW24);
	if (pm_card_take_garble(c, PM_GARBLE_CQE_RANDOM))
		scramble(c, e, sizeof(*e));
	if (pm_card_take_garble(c, PM_GARBLE_CQE_PHASE))
		flip(e, sizeof(*e), PNIC_CQE_PHASE);
}

uint32_t pm_card_garble_reg(struct pm_card *c, uint32_t val)
{
	if (pm_card_take_garble(c, PM_GARBLE_REG_ONES))
		return UINT32_MAX;
	if (pm_card_take_garble(c, PM_GARBLE_REG_RANDOM))
		return odd(c, val, 0x5aa5a55au);
	return val;
}

/* Some words of an answer of @len bytes that was written to @addr. */
void pm_card_garble_buf(struct pm_card *c, uint64_t addr, size_t len)
{
	struct pm_evil *e = &c->evil;
	unsigned int n;

	if (len < 4 || !pm_card_take_garble(c, PM_GARBLE_BUF))
		return;
	for (n = 1 + pm_rng_below(&e->rng, 8); n; n--) {
		uint64_t at = addr + 4ull * pm_rng_below(&e->rng, len / 4);
		uint32_t word = 0;

		if (pm_dma_read(c, at, &word, 4)) {
			word = htole32(hurtful(e, le32toh(word)));
			pm_dma_write(c, at, &word, 4);
		}
	}
}

/* The host's answer to an access that the card has no business with is counted. */
static void stray(struct pm_card *c)
{
	struct pm_evil *e = &c->evil;
	bool write = pm_rng_below(&e->rng, 2);
	size_t len = 8;
	uint64_t junk = pm_rng_u64(&e->rng);
	void *p = c->ops->dma(c->host, pm_rng_below(&e->rng, STRAY_SPAN) & ~7u, &len, write);

	if (!p || len < 8) {
		e->strays.refused++;
		return;
	}
	e->strays.through++;
	if (write)
		memcpy(p, &junk, 8);
}

static void die(struct pm_card *c)
{
	struct pm_evil *e = &c->evil;

	if (pm_rng_below(&e->rng, 2))
		pm_card_freeze(c, true);
	else
		pm_card_fatal(c, hurtful(e, PNIC_FATAL_DMA), hurtful(e, 0));
}

/* Once in each turn in which the card has completed commands. */
void pm_card_garble_turn(struct pm_card *c)
{
	if (c->ops && pm_card_take_garble(c, PM_GARBLE_STRAY))
		stray(c);
	if (pm_card_take_garble(c, PM_GARBLE_DIE))
		die(c);
}

/* True: the interrupt is lost. */
bool pm_card_garble_irq(struct pm_card *c)
{
	unsigned int i, v;

	if (pm_card_take_garble(c, PM_GARBLE_IRQ_LOST))
		return true;
	if (c->ops && pm_card_take_garble(c, PM_GARBLE_IRQ_STORM))
		for (i = 0; i < STORM_ROUNDS; i++)
			for (v = 0; v < PM_VECTORS; v++)
				c->ops->irq(c->host, v);
	return false;
}
