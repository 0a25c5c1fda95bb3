// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: grants of partitions to users by netlink: grant-get, grant-add, grant-del.
 *
 * Users are numbers of the initial user namespace, as devices belong to the initial network
 * namespace.
 */
#include "pnic_grant.h"
#include "pnic_nl.h"

/**
 * struct grant_ctx - where a dump is
 * @at: the device
 * @partition: the next grant of it
 * @uid: the same
 */
struct grant_ctx {
	unsigned long at;
	u32 partition;
	u32 uid;
};

static int grant_fill(struct sk_buff *skb, struct pnic_dev *pd, const void *what)
{
	const struct grant_ctx *g = what;

	if (nla_put_u32(skb, PNIC_A_GRANT_DEV_INDEX, pd->minor) ||
	    nla_put_u32(skb, PNIC_A_GRANT_PARTITION, g->partition) ||
	    nla_put_u32(skb, PNIC_A_GRANT_UID, g->uid))
		return -EMSGSIZE;
	return 0;
}

static int grant_dump_dev(struct sk_buff *skb, struct netlink_callback *cb, struct pnic_dev *pd,
			  struct grant_ctx *ctx)
{
	int err;

	while (pnic_grant_next(pd, &ctx->partition, &ctx->uid)) {
		err = pnic_nl_put(skb, genl_info_dump(cb), cb, pd, grant_fill, ctx);
		if (err)
			return err;
		/* The number that isn't a user's is the last, and never granted. */
		ctx->uid++;
	}
	return 0;
}

int pnic_nl_grant_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct grant_ctx *ctx = (void *)cb->ctx;
	struct pnic_dev *pd;
	int err = 0;

	BUILD_BUG_ON(sizeof(*ctx) > sizeof(cb->ctx));

	while (!err) {
		pd = pnic_nl_dump_enter(cb, &ctx->at, PNIC_NL_ANY);
		if (IS_ERR_OR_NULL(pd)) {
			err = PTR_ERR_OR_ZERO(pd);
			break;
		}
		err = grant_dump_dev(skb, cb, pd, ctx);
		pnic_nl_dump_leave(pd);
		if (err)
			break;
		ctx->at++;
		ctx->partition = 0;
		ctx->uid = 0;
	}
	return err == -EMSGSIZE && skb->len ? skb->len : err;
}

static int grant_change(struct genl_info *info,
			int (*change)(struct pnic_dev *pd, u32 partition, kuid_t uid))
{
	kuid_t uid;

	if (GENL_REQ_ATTR_CHECK(info, PNIC_A_GRANT_PARTITION) ||
	    GENL_REQ_ATTR_CHECK(info, PNIC_A_GRANT_UID))
		return -EINVAL;
	uid = KUIDT_INIT(nla_get_u32(info->attrs[PNIC_A_GRANT_UID]));
	if (!uid_valid(uid)) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[PNIC_A_GRANT_UID],
				    "that is no user's number");
		return -EINVAL;
	}
	return change(pnic_nl_dev(info), nla_get_u32(info->attrs[PNIC_A_GRANT_PARTITION]), uid);
}

int pnic_nl_grant_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err = grant_change(info, pnic_grant_add);

	if (err == -EEXIST)
		NL_SET_ERR_MSG(info->extack, "the user has that partition already");
	else if (err == -ENOSPC)
		NL_SET_ERR_MSG(info->extack, "the device has no room for more grants");
	return err;
}

int pnic_nl_grant_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err = grant_change(info, pnic_grant_del);

	if (err == -ENOENT)
		NL_SET_ERR_MSG(info->extack, "the user was not granted that partition");
	return err;
}
