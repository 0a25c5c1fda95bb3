// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: the generic netlink family: its devices, the hooks around requests, and how messages are
 * made.
 *
 * Requests run in parallel. The hook before one looks the device up, holds it, waits a moment for
 * a reset that is under way and keeps the next one away (pd->reg_lock); the hook after it lets go.
 * A wait holds up the other families as well, when one of them comes or goes: whoever wants to wait
 * longer asks again. A dump does the same around each of its parts, so that nothing is held while
 * user space reads; what changes in between shows as NLM_F_DUMP_INTR.
 */
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "pnic_nl.h"

/* How long a request waits for a reset to be over. */
#define PNIC_NL_WAIT		HZ

/* Devices that requests find, by number. Its lock keeps one that is found from being freed. */
static DEFINE_XARRAY(pnic_nl_devs);
/* Count what changes under a dump: devices, what processes have of them, and grants. */
static atomic_t pnic_nl_devs_seq = ATOMIC_INIT(0);
static atomic_t pnic_nl_files_seq = ATOMIC_INIT(0);
static atomic_t pnic_nl_grants_seq = ATOMIC_INIT(0);

void pnic_nl_changed(void)
{
	atomic_inc(&pnic_nl_files_seq);
}

void pnic_nl_grants_changed(void)
{
	atomic_inc(&pnic_nl_grants_seq);
}

/* ---- devices ---- */

int pnic_nl_add(struct pnic_dev *pd)
{
	int err = xa_err(xa_store(&pnic_nl_devs, pd->minor, pd, GFP_KERNEL));

	if (err)
		return err;
	atomic_inc(&pnic_nl_devs_seq);
	pnic_nl_dev_ntf(pd);
	return 0;
}

void pnic_nl_del(struct pnic_dev *pd)
{
	xa_erase(&pnic_nl_devs, pd->minor);
	atomic_inc(&pnic_nl_devs_seq);
}

/* The first device from *@at on, at most @last, with a reference; NULL: there is none. */
static struct pnic_dev *pnic_nl_find(struct net *net, unsigned long *at, unsigned long last)
{
	struct pnic_dev *pd;

	if (!net_eq(net, &init_net))
		return NULL;
	xa_lock(&pnic_nl_devs);
	pd = xa_find(&pnic_nl_devs, at, last, XA_PRESENT);
	if (pd)
		get_device(&pd->dev);
	xa_unlock(&pnic_nl_devs);
	return pd;
}

static int pnic_nl_check(struct pnic_dev *pd, enum pnic_nl_need need,
			 struct netlink_ext_ack *extack)
{
	if ((need == PNIC_NL_LANES || need == PNIC_NL_LINK) && !pd->lanes) {
		NL_SET_ERR_MSG(extack, "the card has no lane management");
		return -EOPNOTSUPP;
	}
	if ((need == PNIC_NL_CARD || need == PNIC_NL_LINK) &&
	    pnic_state(pd) != PNIC_STATE_READY) {
		NL_SET_ERR_MSG_FMT(extack, "the card does not serve: %s",
				   pnic_state_name(pnic_state(pd)));
		return -EIO;
	}
	return 0;
}

/* As pnic_dev_enter(), which waits longer than a request of netlink may, and says why not. */
static int pnic_nl_lock(struct pnic_dev *pd, struct netlink_ext_ack *extack)
{
	int err = pnic_dev_enter_within(pd, PNIC_NL_WAIT);

	if (err == -ETIMEDOUT) {
		NL_SET_ERR_MSG(extack, "the card is being reset: try again");
		return -EBUSY;
	}
	if (err == -ENODEV)
		NL_SET_ERR_MSG(extack, "the device is gone");
	return err;
}

/* The same if the device has what is needed. */
static int pnic_nl_enter(struct pnic_dev *pd, enum pnic_nl_need need,
			 struct netlink_ext_ack *extack)
{
	int err;

	if (need == PNIC_NL_ANY)
		return down_read_killable(&pd->reg_lock) ? -EINTR : 0;
	err = pnic_nl_lock(pd, extack);
	if (err)
		return err;
	err = pnic_nl_check(pd, need, extack);
	if (err)
		pnic_dev_leave(pd);
	return err;
}

/* ---- hooks ---- */

static enum pnic_nl_need pnic_nl_need_of(u8 cmd)
{
	switch (cmd) {
	case PNIC_CMD_DEV_GET:
	case PNIC_CMD_GRANT_ADD:
	case PNIC_CMD_GRANT_DEL:
		return PNIC_NL_ANY;
	case PNIC_CMD_COUNTERS_GET:
		return PNIC_NL_CARD;
	case PNIC_CMD_POLICY_GET:
	case PNIC_CMD_POLICY_SET:
	case PNIC_CMD_CABLE_GET:
	case PNIC_CMD_CABLE_SET:
		return PNIC_NL_LANES;
	}
	return PNIC_NL_LINK;
}

struct pnic_dev *pnic_nl_dev(const struct genl_info *info)
{
	return info->user_ptr[0];
}

int pnic_nl_pre_dev(const struct genl_split_ops *ops, struct sk_buff *skb, struct genl_info *info)
{
	struct pnic_dev *pd;
	unsigned long at;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, PNIC_NL_A_DEV))
		return -EINVAL;
	at = nla_get_u32(info->attrs[PNIC_NL_A_DEV]);
	pd = pnic_nl_find(genl_info_net(info), &at, at);
	if (!pd) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[PNIC_NL_A_DEV], "no such device");
		return -ENODEV;
	}
	err = pnic_nl_enter(pd, pnic_nl_need_of(ops->cmd), info->extack);
	if (err) {
		put_device(&pd->dev);
		return err;
	}
	info->user_ptr[0] = pd;
	return 0;
}

void pnic_nl_post_dev(const struct genl_split_ops *ops, struct sk_buff *skb,
		      struct genl_info *info)
{
	struct pnic_dev *pd = pnic_nl_dev(info);

	pnic_dev_leave(pd);
	put_device(&pd->dev);
}

/* ---- messages ---- */

void pnic_nl_say(struct netlink_ext_ack *extack, const char *text)
{
	if (extack)
		extack->_msg = text;
}

static struct nlattr *pnic_nl_dump_attr(struct netlink_callback *cb)
{
	struct nlattr **attrs = genl_info_dump(cb)->attrs;

	/* There are none where the policy has none. */
	return attrs ? attrs[PNIC_NL_A_DEV] : NULL;
}

/* By what the dump shows; the core takes 0 for one that nothing is counted for. */
void pnic_nl_dump_seq(struct netlink_callback *cb)
{
	unsigned int seq = 1;

	if (!pnic_nl_dump_attr(cb))
		seq += atomic_read(&pnic_nl_devs_seq);
	switch (genl_info_dump(cb)->genlhdr->cmd) {
	case PNIC_CMD_RES_GET:
	case PNIC_CMD_OBJECT_GET:
		seq += atomic_read(&pnic_nl_files_seq);
		break;
	case PNIC_CMD_GRANT_GET:
		seq += atomic_read(&pnic_nl_grants_seq);
		break;
	}
	cb->seq = seq ?: 1;
}

int pnic_nl_put(struct sk_buff *skb, const struct genl_info *info, struct netlink_callback *cb,
		struct pnic_dev *pd, pnic_nl_fill fill, const void *what)
{
	void *hdr = __genlmsg_iput(skb, info, cb ? NLM_F_MULTI : 0);
	int err;

	if (!hdr)
		return -EMSGSIZE;
	err = fill(skb, pd, what);
	if (err) {
		genlmsg_cancel(skb, hdr);
		return err;
	}
	/* Not before: a change is told of once, and this message may have been cancelled. */
	if (cb) {
		pnic_nl_dump_seq(cb);
		genl_dump_check_consistent(cb, hdr);
	}
	genlmsg_end(skb, hdr);
	return 0;
}

int pnic_nl_reply(struct genl_info *info, pnic_nl_fill fill, const void *what, size_t size)
{
	struct sk_buff *msg = genlmsg_new(size, GFP_KERNEL);

	return msg ? pnic_nl_answer(info, msg, fill, what) : -ENOMEM;
}

int pnic_nl_answer(struct genl_info *info, struct sk_buff *msg, pnic_nl_fill fill,
		   const void *what)
{
	int err = pnic_nl_put(msg, info, NULL, pnic_nl_dev(info), fill, what);

	if (err) {
		nlmsg_free(msg);
		return err;
	}
	return genlmsg_reply(msg, info);
}

void pnic_nl_notify(struct pnic_dev *pd, u8 cmd, unsigned int group, pnic_nl_fill fill,
		    const void *what, size_t size)
{
	struct genl_info info;
	struct sk_buff *msg;

	if (!genl_has_listeners(&pnic_nl_family, &init_net, group))
		return;
	genl_info_init_ntf(&info, &pnic_nl_family, cmd);
	msg = genlmsg_new(size, GFP_KERNEL);
	if (msg && !pnic_nl_put(msg, &info, NULL, pd, fill, what)) {
		/* Listeners that have no room for it are told so by the core: ENOBUFS. */
		genlmsg_multicast_netns(&pnic_nl_family, &init_net, msg, 0, group, GFP_KERNEL);
		return;
	}
	nlmsg_free(msg);
	/* As if they had no room. */
	genl_set_err(&pnic_nl_family, &init_net, 0, group, -ENOBUFS);
}

/* ---- dumps ---- */

/* The one device of a dump: that it isn't there is an error at the beginning only. */
static struct pnic_dev *pnic_nl_dump_one(struct netlink_callback *cb, struct nlattr *attr,
					 unsigned long *at, enum pnic_nl_need need)
{
	unsigned long index = nla_get_u32(attr);
	struct pnic_dev *pd;
	int err;

	if (*at > index)
		return NULL;
	*at = index;
	pd = pnic_nl_find(sock_net(cb->skb->sk), at, index);
	if (!pd) {
		NL_SET_ERR_MSG_ATTR(cb->extack, attr, "no such device");
		return ERR_PTR(-ENODEV);
	}
	err = pnic_nl_enter(pd, need, cb->extack);
	if (!err)
		return pd;
	put_device(&pd->dev);
	return ERR_PTR(err);
}

struct pnic_dev *pnic_nl_dump_enter(struct netlink_callback *cb, unsigned long *at,
				    enum pnic_nl_need need)
{
	struct nlattr *attr = pnic_nl_dump_attr(cb);
	struct pnic_dev *pd;
	int err;

	pnic_nl_dump_seq(cb);
	if (attr)
		return pnic_nl_dump_one(cb, attr, at, need);
	for (;;) {
		pd = pnic_nl_find(sock_net(cb->skb->sk), at, ULONG_MAX);
		if (!pd)
			return NULL;
		err = pnic_nl_enter(pd, need, NULL);
		if (!err)
			return pd;
		put_device(&pd->dev);
		if (err == -EINTR)
			return ERR_PTR(err);
		++*at;
	}
}

void pnic_nl_dump_leave(struct pnic_dev *pd)
{
	pnic_dev_leave(pd);
	put_device(&pd->dev);
}

/**
 * struct pnic_nl_devs_ctx - where a dump of devices is
 * @at: the next device
 */
struct pnic_nl_devs_ctx {
	unsigned long at;
};

/* These dumps have no policy, and then the core lets everything pass. */
static int pnic_nl_dump_bare(struct netlink_callback *cb)
{
	if (!nlmsg_attrlen(cb->nlh, GENL_HDRLEN))
		return 0;
	NL_SET_ERR_MSG_ATTR(cb->extack, nlmsg_attrdata(cb->nlh, GENL_HDRLEN),
			    "a dump of all devices takes no attribute");
	return -EINVAL;
}

int pnic_nl_dump_devs(struct sk_buff *skb, struct netlink_callback *cb, enum pnic_nl_need need,
		      int (*make)(struct pnic_dev *pd, void *what), pnic_nl_fill fill, size_t size)
{
	struct pnic_nl_devs_ctx *ctx = (void *)cb->ctx;
	struct pnic_dev *pd;
	void *what;
	int err;

	BUILD_BUG_ON(sizeof(*ctx) > sizeof(cb->ctx));
	err = pnic_nl_dump_bare(cb);
	if (err)
		return err;
	what = kzalloc(size, GFP_KERNEL);
	if (!what)
		return -ENOMEM;
	for (; !err; ctx->at++) {
		pd = pnic_nl_dump_enter(cb, &ctx->at, need);
		if (IS_ERR_OR_NULL(pd)) {
			err = PTR_ERR_OR_ZERO(pd);
			break;
		}
		if (!make(pd, what))
			err = pnic_nl_put(skb, genl_info_dump(cb), cb, pd, fill, what);
		pnic_nl_dump_leave(pd);
		if (err)
			break;
	}
	kfree(what);
	return err == -EMSGSIZE && skb->len ? skb->len : err;
}

/* ---- the family ---- */

int pnic_nl_init(void)
{
	BUILD_BUG_ON(PNIC_A_DEV_INDEX != PNIC_NL_A_DEV);
	BUILD_BUG_ON(PNIC_A_LINK_DEV_INDEX != PNIC_NL_A_DEV);
	BUILD_BUG_ON(PNIC_A_LANE_DEV_INDEX != PNIC_NL_A_DEV);
	BUILD_BUG_ON(PNIC_A_PLAN_DEV_INDEX != PNIC_NL_A_DEV);
	BUILD_BUG_ON(PNIC_A_POLICY_DEV_INDEX != PNIC_NL_A_DEV);
	BUILD_BUG_ON(PNIC_A_HISTORY_DEV_INDEX != PNIC_NL_A_DEV);
	BUILD_BUG_ON(PNIC_A_CABLE_DEV_INDEX != PNIC_NL_A_DEV);
	BUILD_BUG_ON(PNIC_A_COUNTERS_DEV_INDEX != PNIC_NL_A_DEV);
	BUILD_BUG_ON(PNIC_A_RES_DEV_INDEX != PNIC_NL_A_DEV);
	BUILD_BUG_ON(PNIC_A_OBJECT_DEV_INDEX != PNIC_NL_A_DEV);
	BUILD_BUG_ON(PNIC_A_GRANT_DEV_INDEX != PNIC_NL_A_DEV);
	return genl_register_family(&pnic_nl_family);
}

void pnic_nl_exit(void)
{
	genl_unregister_family(&pnic_nl_family);
}
