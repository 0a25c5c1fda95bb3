// SPDX-License-Identifier: GPL-2.0
/*
 * Shares: how much of a card one user can have.
 *
 * A file is limited by itself, but a user can open many. So what all files of one user hold is
 * counted, of each kind, and a user without CAP_SYS_RESOURCE gets no more than half of what the
 * card has: one alone can't keep everybody else away from it. Whose a file is was settled when it
 * was opened.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/slab.h>

#include "pnic_object.h"

/**
 * struct pnic_user - somebody with open files
 * @node: in pd->users
 * @uid: who
 * @files: how many, at least one; with pd->users_lock
 * @held: what they hold, by enum pnic_share
 */
struct pnic_user {
	struct list_head node;
	kuid_t uid;
	unsigned int files;
	atomic_t held[PNIC_SHARES];
};

void pnic_share_init(struct pnic_dev *pd)
{
	mutex_init(&pd->users_lock);
	INIT_LIST_HEAD(&pd->users);
}

static struct pnic_user *pnic_share_user(struct pnic_dev *pd, kuid_t uid)
{
	struct pnic_user *user;

	list_for_each_entry(user, &pd->users, node)
		if (uid_eq(user->uid, uid))
			return user;
	user = kzalloc(sizeof(*user), GFP_KERNEL);
	if (!user)
		return NULL;
	user->uid = uid;
	list_add(&user->node, &pd->users);
	return user;
}

/* A file is opened by the caller: 0 or -ENOMEM. */
int pnic_share_join(struct pnic_file *pf)
{
	struct pnic_dev *pd = pf->pd;

	mutex_lock(&pd->users_lock);
	pf->user = pnic_share_user(pd, current_euid());
	if (pf->user)
		pf->user->files++;
	mutex_unlock(&pd->users_lock);
	return pf->user ? 0 : -ENOMEM;
}

/* It holds nothing any more. */
void pnic_share_leave(struct pnic_file *pf)
{
	struct pnic_dev *pd = pf->pd;

	mutex_lock(&pd->users_lock);
	if (!--pf->user->files) {
		list_del(&pf->user->node);
		kfree(pf->user);
	}
	mutex_unlock(&pd->users_lock);
	pf->user = NULL;
}

static u32 pnic_share_all(const struct pnic_caps *caps, enum pnic_share what)
{
	switch (what) {
	case PNIC_SHARE_CTX:
		return caps->max_ctx;
	case PNIC_SHARE_DB:
		return caps->db_pages;
	case PNIC_SHARE_MR:
		return caps->max_mr;
	case PNIC_SHARE_CQ:
		return caps->max_cq;
	case PNIC_SHARE_EP:
		return caps->max_ep;
	case PNIC_SHARE_SRQ:
		return caps->max_srq;
	case PNIC_SHARE_CTR:
		return caps->max_ctr;
	case PNIC_SHARES:
		break;
	}
	return 0;
}

/* One more: 0, or -ENOSPC when that is too much for one user. */
int pnic_share_take(struct pnic_file *pf, enum pnic_share what)
{
	u32 most = max(pnic_share_all(&pf->pd->caps, what) / 2, 1U);

	if (atomic_inc_return(&pf->user->held[what]) <= most || capable(CAP_SYS_RESOURCE))
		return 0;
	atomic_dec(&pf->user->held[what]);
	return -ENOSPC;
}

void pnic_share_give(struct pnic_file *pf, enum pnic_share what)
{
	atomic_dec(&pf->user->held[what]);
}
