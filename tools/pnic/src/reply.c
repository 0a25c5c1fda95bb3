// SPDX-License-Identifier: GPL-2.0
/* What comes back for a request, see reply.h. */
#include "reply.h"

#include <errno.h>
#include <string.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "decode.h"

#define MAX_ERRNO	4095

/* Calls @fn for each attribute in [p, p + len); stops at what makes no sense. */
static void each_attr(struct reply *r, const char *p, size_t len,
		      void (*fn)(struct reply *r, unsigned int type, const char *p, size_t len))
{
	struct nlattr a;

	while (len >= NLA_HDRLEN) {
		memcpy(&a, p, sizeof(a));
		if (a.nla_len < NLA_HDRLEN || a.nla_len > len)
			return;
		fn(r, a.nla_type & NLA_TYPE_MASK, p + NLA_HDRLEN, a.nla_len - NLA_HDRLEN);
		if ((size_t)NLA_ALIGN(a.nla_len) >= len)
			return;
		p += NLA_ALIGN(a.nla_len);
		len -= NLA_ALIGN(a.nla_len);
	}
}

static void policy_attr(struct reply *r, unsigned int type, const char *p, size_t len)
{
	if (len != 8)
		return;
	if (type == NL_POLICY_TYPE_ATTR_MIN_VALUE_U)
		memcpy(&r->low, p, 8);
	if (type == NL_POLICY_TYPE_ATTR_MAX_VALUE_U) {
		memcpy(&r->high, p, 8);
		r->has_range = true;
	}
}

static void error_attr(struct reply *r, unsigned int type, const char *p, size_t len)
{
	switch (type) {
	case NLMSGERR_ATTR_MSG:
		decode_text(r->text, sizeof(r->text), p, len);
		break;
	case NLMSGERR_ATTR_OFFS:
		if (len == 4)
			memcpy(&r->attr_offset, p, 4);
		break;
	case NLMSGERR_ATTR_MISS_TYPE:
		if (len == 4)
			memcpy(&r->attr_missing, p, 4);
		break;
	case NLMSGERR_ATTR_POLICY:
		each_attr(r, p, len, policy_attr);
		break;
	}
}

/* Anything that is no errno is some failure. */
static int errno_of(int32_t error)
{
	return error >= -MAX_ERRNO && error <= 0 ? -error : EPROTO;
}

static int take_error(struct reply *r, const struct nlmsghdr *h, const char *p, size_t len)
{
	struct nlmsgerr err;
	size_t skip = sizeof(err);

	if (len < sizeof(err))
		return -1;
	memcpy(&err, p, sizeof(err));
	r->done = true;
	r->error = errno_of(err.error);
	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return 0;
	/* The request's body comes back with an error, unless it is left off. */
	if (!(h->nlmsg_flags & NLM_F_CAPPED) && err.error)
		skip += NLMSG_ALIGN(err.msg.nlmsg_len - NLMSG_HDRLEN);
	if (skip <= len)
		each_attr(r, p + skip, len - skip, error_attr);
	return 0;
}

static int take_done(struct reply *r, const struct nlmsghdr *h, const char *p, size_t len)
{
	int32_t error;

	r->done = true;
	if (len < sizeof(error))
		return 0;
	memcpy(&error, p, sizeof(error));
	r->error = errno_of(error);
	if (h->nlmsg_flags & NLM_F_ACK_TLVS)
		each_attr(r, p + sizeof(error), len - sizeof(error), error_attr);
	return 0;
}

static int take(struct reply *r, const struct nlmsghdr *h, const char *p, size_t len)
{
	reply_fn *fn = r->fn;
	struct genlmsghdr g;

	if (r->seq && h->nlmsg_seq != r->seq)
		return 0;	/* left over from a request that was given up */
	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		r->interrupted = true;
	if (h->nlmsg_type == NLMSG_ERROR)
		return take_error(r, h, p, len);
	if (h->nlmsg_type == NLMSG_DONE)
		return take_done(r, h, p, len);
	if (h->nlmsg_type == GENL_ID_CTRL)
		fn = r->ctrl;
	else if (h->nlmsg_type != r->family)
		return 0;
	if (len < GENL_HDRLEN)
		return -1;
	memcpy(&g, p, sizeof(g));
	r->status = fn ? fn(r->arg, g.cmd, p + GENL_HDRLEN, len - GENL_HDRLEN) : 0;
	return 0;
}

int reply_datagram(struct reply *r, const void *buf, size_t len)
{
	const char *p = buf;
	struct nlmsghdr h;

	while (len && !r->status) {
		if (len < NLMSG_HDRLEN)
			return -1;
		memcpy(&h, p, sizeof(h));
		if (h.nlmsg_len < NLMSG_HDRLEN || h.nlmsg_len > len)
			return -1;
		if (take(r, &h, p + NLMSG_HDRLEN, h.nlmsg_len - NLMSG_HDRLEN))
			return -1;
		if (NLMSG_ALIGN(h.nlmsg_len) >= len)
			break;
		p += NLMSG_ALIGN(h.nlmsg_len);
		len -= NLMSG_ALIGN(h.nlmsg_len);
	}
	return 0;
}
