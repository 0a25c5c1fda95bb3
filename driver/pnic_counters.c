// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: counters over resets, see pnic_counters.h.
 *
 * What the card said last is added to the base when it is reset; what it counted since then is
 * lost with it. The lane manager has it asked once in KEEP_PERIOD.
 */
#include <linux/slab.h>

#include "pnic_counters.h"

#define KEEP_PERIOD	HZ

/**
 * struct pnic_counts_kept - what is known of the card's counters
 * @lock: protects what follows; held while the card is asked
 * @base: counted before the last reset
 * @last: as the card said last
 * @read_at: jiffies when it did
 * @raw: on its way
 */
struct pnic_counts_kept {
	struct mutex lock;	/* see above */
	u64 base[PNIC_COUNTS];
	u64 last[PNIC_COUNTS];
	unsigned long read_at;
	struct pnic_counters raw;
};

int pnic_counters_alloc(struct pnic_dev *pd)
{
	pd->counts = kzalloc(sizeof(*pd->counts), GFP_KERNEL);
	if (!pd->counts)
		return -ENOMEM;
	mutex_init(&pd->counts->lock);
	return 0;
}

void pnic_counters_free(struct pnic_dev *pd)
{
	kfree(pd->counts);
	pd->counts = NULL;
}

void pnic_counters_reset(struct pnic_dev *pd)
{
	struct pnic_counts_kept *kept = pd->counts;
	size_t i;

	mutex_lock(&kept->lock);
	for (i = 0; i < PNIC_COUNTS; i++)
		kept->base[i] += kept->last[i];
	memset(kept->last, 0, sizeof(kept->last));
	mutex_unlock(&kept->lock);
}

/* With the lock. A card that counts backwards is not believed. */
static int counters_update(struct pnic_dev *pd)
{
	struct pnic_counts_kept *kept = pd->counts;
	const __le64 *raw = (const __le64 *)&kept->raw;
	size_t i;
	int err;

	kept->read_at = jiffies;
	err = pnic_cmd_counters(pd, &kept->raw);
	if (err)
		return err;
	for (i = 0; i < PNIC_COUNTS; i++)
		kept->last[i] = max(kept->last[i], le64_to_cpu(raw[i]));
	return 0;
}

int pnic_counters_read(struct pnic_dev *pd, struct pnic_counts *out)
{
	struct pnic_counts_kept *kept = pd->counts;
	size_t i;
	int err;

	if (mutex_lock_killable(&kept->lock))
		return -EINTR;
	err = counters_update(pd);
	for (i = 0; i < PNIC_COUNTS && !err; i++)
		out->value[i] = kept->base[i] + kept->last[i];
	mutex_unlock(&kept->lock);
	return err;
}

void pnic_counters_keep(struct pnic_dev *pd)
{
	struct pnic_counts_kept *kept = pd->counts;

	mutex_lock(&kept->lock);
	if (time_after(jiffies, kept->read_at + KEEP_PERIOD))
		counters_update(pd);
	mutex_unlock(&kept->lock);
}
