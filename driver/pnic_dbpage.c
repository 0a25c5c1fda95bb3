// SPDX-License-Identifier: GPL-2.0
/*
 * Doorbell pages: pages of BAR 4 that belong to a context, and the slots in them.
 *
 * Called by pnic_cq.c and pnic_ep.c, which need slots, and by pnic_ctx.c. A context gets
 * its first page with its first queue and another one when all are full; it
 * keeps them until it ends. All with pf->lock.
 */
#include <linux/slab.h>

#include "pnic_object.h"

static void pnic_dbpage_free(struct pnic_file *pf, struct pnic_dbpage *db)
{
	struct pnic_dev *pd = pf->pd;

	pnic_mmap_del(pf, &db->wake);
	pnic_mmap_del(pf, &db->db);
	list_del(&db->node);
	xa_erase(&pd->db_ids, db->id);
	atomic_dec(&pd->stats.db_pages);
	pnic_share_give(pf, PNIC_SHARE_DB);
	kfree(db);
}

static int pnic_dbpage_maps(struct pnic_file *pf, struct pnic_dbpage *db)
{
	struct pnic_dev *pd = pf->pd;
	unsigned long base = PHYS_PFN(pd->db_base);
	int err;

	db->db = (struct pnic_mapping) {
		.kind = PNIC_MAP_DB, .pages = 1, .pfn = base + db->id,
	};
	db->wake = (struct pnic_mapping) {
		.kind = PNIC_MAP_WAKE, .pages = 1, .pfn = base + pd->caps.db_pages + db->id,
	};
	err = pnic_mmap_add(pf, &db->db);
	if (!err)
		err = pnic_mmap_add(pf, &db->wake);
	return err;
}

static struct pnic_dbpage *pnic_dbpage_new(struct pnic_file *pf)
{
	struct pnic_dev *pd = pf->pd;
	struct pnic_dbpage *db;
	int err;

	if (!pf->ctx)
		return ERR_PTR(-ENXIO);
	db = kzalloc(sizeof(*db), GFP_KERNEL_ACCOUNT);
	if (!db)
		return ERR_PTR(-ENOMEM);
	err = pnic_share_take(pf, PNIC_SHARE_DB);
	if (err)
		goto free;
	err = xa_alloc(&pd->db_ids, &db->id, pf, XA_LIMIT(0, pd->caps.db_pages - 1), GFP_KERNEL);
	if (err) {
		pnic_share_give(pf, PNIC_SHARE_DB);
		goto free;
	}
	list_add_tail(&db->node, &pf->dbpages);
	atomic_inc(&pd->stats.db_pages);
	bitmap_set(db->used, 0, PNIC_DB_SLOT_FIRST);

	err = pnic_dbpage_maps(pf, db);
	if (!err)
		err = pnic_cmd_bind_db(pd, pf->ctx, db->id);
	if (!err)
		return db;
	/* A page that the card may think bound stays ours until the reset. */
	if (pnic_cmd_unconfirmed(err))
		bitmap_fill(db->used, PNIC_DB_SLOTS);
	else
		pnic_dbpage_free(pf, db);
	return ERR_PTR(err);

free:
	kfree(db);
	return ERR_PTR(err == -EBUSY ? -ENOSPC : err);
}

static bool pnic_dbpage_take(struct pnic_dbpage *db, unsigned int count, u16 *slots)
{
	unsigned int i, slot = 0;

	if (bitmap_weight(db->used, PNIC_DB_SLOTS) + count > PNIC_DB_SLOTS)
		return false;
	for (i = 0; i < count; i++) {
		slot = find_next_zero_bit(db->used, PNIC_DB_SLOTS, slot);
		__set_bit(slot, db->used);
		slots[i] = slot;
	}
	return true;
}

/* @count slots in one page. */
int pnic_dbpage_get(struct pnic_file *pf, unsigned int count, struct pnic_dbpage **found,
		    u16 *slots)
{
	struct pnic_dbpage *db;

	list_for_each_entry(db, &pf->dbpages, node) {
		if (pnic_dbpage_take(db, count, slots)) {
			*found = db;
			return 0;
		}
	}
	db = pnic_dbpage_new(pf);
	if (IS_ERR(db))
		return PTR_ERR(db);
	pnic_dbpage_take(db, count, slots);
	*found = db;
	return 0;
}

void pnic_dbpage_put(struct pnic_dbpage *db, u16 slot)
{
	__clear_bit(slot, db->used);
}

/* The context ends in good order. Stops where the card doesn't confirm. */
int pnic_dbpage_unbind_all(struct pnic_file *pf)
{
	struct pnic_dbpage *db, *next;
	int err;

	list_for_each_entry_safe(db, next, &pf->dbpages, node) {
		err = pnic_cmd_unbind_db(pf->pd, pf->ctx, db->id);
		if (err)
			return err;
		pnic_dbpage_free(pf, db);
	}
	return 0;
}

/* The card was reset: nothing is bound. */
void pnic_dbpage_free_all(struct pnic_file *pf)
{
	struct pnic_dbpage *db, *next;

	list_for_each_entry_safe(db, next, &pf->dbpages, node)
		pnic_dbpage_free(pf, db);
}
