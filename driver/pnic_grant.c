// SPDX-License-Identifier: GPL-2.0
/*
 * Grants: which user may make contexts in which partition of a card.
 *
 * The administrator's table, changed by netlink (pnic_nl_grant.c) and asked when a context is made.
 * It belongs to the device and survives resets of the card. A context that exists stays in
 * its partition when its user's grant is taken back.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/slab.h>

#include "pnic_grant.h"
#include "pnic_nl.h"

#define PNIC_GRANTS_MAX		4096

/**
 * struct pnic_grant - a user and a partition
 * @node: in pd->grants, by partition and user
 * @partition: its number
 * @uid: the user
 */
struct pnic_grant {
	struct list_head node;
	u32 partition;
	kuid_t uid;
};

void pnic_grant_init(struct pnic_dev *pd)
{
	mutex_init(&pd->grant_lock);
	INIT_LIST_HEAD(&pd->grants);
}

void pnic_grant_free_all(struct pnic_dev *pd)
{
	struct pnic_grant *g, *next;

	list_for_each_entry_safe(g, next, &pd->grants, node) {
		list_del(&g->node);
		kfree(g);
	}
}

/* As a number in the order of the table. */
static u64 pnic_grant_rank(u32 partition, kuid_t uid)
{
	return (u64)partition << 32 | __kuid_val(uid);
}

/* The first one of @rank or more, or the head's place. With pd->grant_lock. */
static struct pnic_grant *pnic_grant_from(struct pnic_dev *pd, u64 rank)
{
	struct pnic_grant *g;

	list_for_each_entry(g, &pd->grants, node)
		if (pnic_grant_rank(g->partition, g->uid) >= rank)
			return g;
	return NULL;
}

static struct pnic_grant *pnic_grant_find(struct pnic_dev *pd, u32 partition, kuid_t uid)
{
	struct pnic_grant *g = pnic_grant_from(pd, pnic_grant_rank(partition, uid));

	return g && g->partition == partition && uid_eq(g->uid, uid) ? g : NULL;
}

/*
 * May the caller make a context in @partition? 0 is everybody's. The capability last: to have used
 * it, or to have been refused it, is noted.
 */
bool pnic_grant_allows(struct pnic_dev *pd, u32 partition)
{
	bool found;

	if (!partition)
		return true;
	mutex_lock(&pd->grant_lock);
	found = pnic_grant_find(pd, partition, current_euid());
	mutex_unlock(&pd->grant_lock);
	return found || capable(CAP_NET_ADMIN);
}

/* -EEXIST, -ENOSPC, -ENOMEM */
int pnic_grant_add(struct pnic_dev *pd, u32 partition, kuid_t uid)
{
	struct pnic_grant *g, *next;
	int err = 0;

	g = kzalloc(sizeof(*g), GFP_KERNEL);
	if (!g)
		return -ENOMEM;
	g->partition = partition;
	g->uid = uid;
	mutex_lock(&pd->grant_lock);
	next = pnic_grant_from(pd, pnic_grant_rank(partition, uid));
	if (pnic_grant_find(pd, partition, uid))
		err = -EEXIST;
	else if (pd->num_grants >= PNIC_GRANTS_MAX)
		err = -ENOSPC;
	else
		list_add_tail(&g->node, next ? &next->node : &pd->grants);
	if (!err) {
		pd->num_grants++;
		pnic_nl_grants_changed();
	}
	mutex_unlock(&pd->grant_lock);
	if (err)
		kfree(g);
	return err;
}

/* -ENOENT */
int pnic_grant_del(struct pnic_dev *pd, u32 partition, kuid_t uid)
{
	struct pnic_grant *g;

	mutex_lock(&pd->grant_lock);
	g = pnic_grant_find(pd, partition, uid);
	if (g) {
		list_del(&g->node);
		pd->num_grants--;
		pnic_nl_grants_changed();
	}
	mutex_unlock(&pd->grant_lock);
	kfree(g);
	return g ? 0 : -ENOENT;
}

/* The first one from (*@partition, *@uid) on, which it is set to. False: there is none. */
bool pnic_grant_next(struct pnic_dev *pd, u32 *partition, u32 *uid)
{
	struct pnic_grant *g;

	mutex_lock(&pd->grant_lock);
	g = pnic_grant_from(pd, (u64)*partition << 32 | *uid);
	if (g) {
		*partition = g->partition;
		*uid = __kuid_val(g->uid);
	}
	mutex_unlock(&pd->grant_lock);
	return g;
}
