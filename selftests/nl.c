// SPDX-License-Identifier: GPL-2.0
/* Netlink by bare system calls, see nl.h. */
#include "nl.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MS	60000

/* Answers lie here until the thread's next call. */
static __thread char in[256 * 1024] __attribute__((aligned(8)));

/* ---- making messages ---- */

void nl_begin(struct nl_msg *m, uint8_t cmd)
{
	struct genlmsghdr g = { .cmd = cmd, .version = PNIC_FAMILY_VERSION };

	memset(&m->hdr, 0, sizeof(m->hdr));
	memcpy(m->buf + NLMSG_HDRLEN, &g, sizeof(g));
	m->len = NLMSG_HDRLEN + GENL_HDRLEN;
}

void nl_put(struct nl_msg *m, uint16_t type, const void *data, size_t len)
{
	struct nlattr a = { .nla_type = type, .nla_len = NLA_HDRLEN + len };

	if (m->len + NLA_HDRLEN + NLA_ALIGN(len) > sizeof(m->buf)) {
		fprintf(stderr, "netlink: the message is too long\n");
		abort();
	}
	memset(m->buf + m->len, 0, NLA_HDRLEN + NLA_ALIGN(len));
	memcpy(m->buf + m->len, &a, sizeof(a));
	if (len)
		memcpy(m->buf + m->len + NLA_HDRLEN, data, len);
	m->len += NLA_HDRLEN + NLA_ALIGN(len);
}

void nl_put_u8(struct nl_msg *m, uint16_t type, uint8_t v)
{
	nl_put(m, type, &v, sizeof(v));
}

void nl_put_u32(struct nl_msg *m, uint16_t type, uint32_t v)
{
	nl_put(m, type, &v, sizeof(v));
}

void nl_put_u64(struct nl_msg *m, uint16_t type, uint64_t v)
{
	nl_put(m, type, &v, sizeof(v));
}

void nl_put_str(struct nl_msg *m, uint16_t type, const char *v)
{
	nl_put(m, type, v, strlen(v) + 1);
}

void nl_put_flag(struct nl_msg *m, uint16_t type)
{
	nl_put(m, type, NULL, 0);
}

size_t nl_nest(struct nl_msg *m, uint16_t type)
{
	size_t at = m->len;

	nl_put(m, type | NLA_F_NESTED, NULL, 0);
	return at;
}

void nl_nest_end(struct nl_msg *m, size_t at)
{
	struct nlattr *a = (struct nlattr *)(m->buf + at);

	a->nla_len = m->len - at;
}

/* ---- taking them apart ---- */

size_t nl_len(const struct nlattr *attr)
{
	return attr->nla_len - NLA_HDRLEN;
}

static const void *data_of(const struct nlattr *attr)
{
	return (const char *)attr + NLA_HDRLEN;
}

void nl_parse(const struct nlattr *first, size_t len, struct nl_attrs *out)
{
	const struct nlattr *a = first;

	memset(out->at, 0, sizeof(out->at));
	out->first = first;
	out->len = len;
	while (len >= NLA_HDRLEN && a->nla_len >= NLA_HDRLEN && a->nla_len <= len) {
		uint16_t type = a->nla_type & NLA_TYPE_MASK;
		size_t step = NLA_ALIGN(a->nla_len);

		if (type < NL_ATTRS && !out->at[type])
			out->at[type] = a;
		if (step >= len)
			break;
		len -= step;
		a = (const struct nlattr *)((const char *)a + step);
	}
}

void nl_parse_nest(const struct nlattr *nest, struct nl_attrs *out)
{
	nl_parse(data_of(nest), nl_len(nest), out);
}

const struct nlattr *nl_next(const struct nl_attrs *a, uint16_t type, const struct nlattr *prev)
{
	const char *end = (const char *)a->first + a->len;
	const char *p = (const char *)a->first;

	if (prev)
		p = (const char *)prev + NLA_ALIGN(prev->nla_len);
	for (; p + NLA_HDRLEN <= end; p += NLA_ALIGN(((const struct nlattr *)p)->nla_len)) {
		const struct nlattr *at = (const struct nlattr *)p;

		if (at->nla_len < NLA_HDRLEN)
			break;
		if ((at->nla_type & NLA_TYPE_MASK) == type)
			return at;
	}
	return NULL;
}

uint64_t nl_value(const struct nlattr *attr)
{
	uint64_t v64;
	uint32_t v32;

	switch (nl_len(attr)) {
	case 1:
		return *(const uint8_t *)data_of(attr);
	case 4:
		memcpy(&v32, data_of(attr), 4);
		return v32;
	case 8:
		memcpy(&v64, data_of(attr), 8);
		return v64;
	}
	return 0;
}

uint64_t nl_num(const struct nl_attrs *a, uint16_t type)
{
	return a->at[type] ? nl_value(a->at[type]) : 0;
}

int32_t nl_int(const struct nl_attrs *a, uint16_t type)
{
	return (int32_t)nl_num(a, type);
}

const char *nl_str(const struct nl_attrs *a, uint16_t type)
{
	return a->at[type] ? data_of(a->at[type]) : "";
}

bool nl_has(const struct nl_attrs *a, uint16_t type)
{
	return a->at[type];
}

static void parse_message(const struct nlmsghdr *h, struct nl_attrs *out)
{
	const struct genlmsghdr *g = NLMSG_DATA(h);

	out->cmd = g->cmd;
	nl_parse((const struct nlattr *)((const char *)g + GENL_HDRLEN),
		 h->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN, out);
}

/* ---- errors ---- */

/* The type of the attribute of @m that is at @offset, also within a nest. */
static uint32_t type_at(const struct nl_msg *m, uint32_t offset)
{
	if (!m || offset + NLA_HDRLEN > m->len)
		return 0;
	return ((const struct nlattr *)(m->buf + offset))->nla_type & NLA_TYPE_MASK;
}

static void parse_extack(struct nl_sock *s, const struct nl_msg *m, const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);
	size_t skip = sizeof(*e);
	struct nl_attrs a;

	s->msg[0] = 0;
	s->bad_type = 0;
	s->miss_type = 0;
	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		skip += e->msg.nlmsg_len - NLMSG_HDRLEN;
	nl_parse((const struct nlattr *)((const char *)e + NLMSG_ALIGN(skip)),
		 h->nlmsg_len - NLMSG_HDRLEN - NLMSG_ALIGN(skip), &a);
	snprintf(s->msg, sizeof(s->msg), "%s", nl_str(&a, NLMSGERR_ATTR_MSG));
	if (nl_has(&a, NLMSGERR_ATTR_OFFS))
		s->bad_type = type_at(m, nl_num(&a, NLMSGERR_ATTR_OFFS));
	s->miss_type = nl_num(&a, NLMSGERR_ATTR_MISS_TYPE);
}

/* A dump's end has its error in another place. */
static int parse_done(struct nl_sock *s, const struct nlmsghdr *h)
{
	struct nl_attrs a;
	int err = 0;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(err)))
		return 0;
	memcpy(&err, NLMSG_DATA(h), sizeof(err));
	if (h->nlmsg_flags & NLM_F_ACK_TLVS) {
		nl_parse((const struct nlattr *)((const char *)NLMSG_DATA(h) + NLMSG_ALIGN(sizeof(err))),
			 h->nlmsg_len - NLMSG_LENGTH(sizeof(err)), &a);
		snprintf(s->msg, sizeof(s->msg), "%s", nl_str(&a, NLMSGERR_ATTR_MSG));
	}
	return err;
}

/* ---- the socket ---- */

static int receive(struct nl_sock *s, int timeout_ms)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	ssize_t n;

	do
		n = poll(&p, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	if (!n)
		return -ETIME;
	do
		n = recv(s->fd, in, sizeof(in), 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (int)n;
}

static int transmit(struct nl_sock *s, struct nl_msg *m, uint16_t flags)
{
	m->hdr.nlmsg_len = m->len;
	m->hdr.nlmsg_type = s->family;
	m->hdr.nlmsg_flags = NLM_F_REQUEST | flags;
	m->hdr.nlmsg_seq = ++s->seq;
	s->msg[0] = 0;
	s->bad_type = 0;
	s->miss_type = 0;
	s->interrupted = false;
	s->answers = 0;
	return send(s->fd, m->buf, m->len, 0) < 0 ? -errno : 0;
}

int nl_do(struct nl_sock *s, struct nl_msg *m, struct nl_attrs *out)
{
	int err = transmit(s, m, NLM_F_ACK), n, left;
	static __thread char kept[sizeof(in)] __attribute__((aligned(8)));
	const struct nlmsghdr *h;

	if (out)
		memset(out, 0, sizeof(*out));
	while (!err) {
		n = receive(s, ANSWER_MS);
		if (n < 0)
			return n;
		for (h = (void *)in, left = n; NLMSG_OK(h, (unsigned int)left); h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_seq != s->seq)
				continue;
			if (h->nlmsg_type == NLMSG_ERROR) {
				parse_extack(s, m, h);
				return ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
			}
			s->answers++;
			memcpy(kept, h, h->nlmsg_len);
			if (out)
				parse_message((void *)kept, out);
		}
	}
	return err;
}

int nl_dump_begin(struct nl_sock *s, struct nl_msg *m)
{
	return transmit(s, m, NLM_F_DUMP | NLM_F_ACK);
}

int nl_dump_next(struct nl_sock *s, void (*each)(const struct nl_attrs *a, void *arg), void *arg)
{
	const struct nlmsghdr *h;
	struct nl_attrs a;
	int n, left, err;

	n = receive(s, ANSWER_MS);
	if (n < 0)
		return n;
	for (h = (void *)in, left = n; NLMSG_OK(h, (unsigned int)left); h = NLMSG_NEXT(h, left)) {
		if (h->nlmsg_seq != s->seq)
			continue;
		s->interrupted |= h->nlmsg_flags & NLM_F_DUMP_INTR;
		if (h->nlmsg_type == NLMSG_DONE) {
			err = parse_done(s, h);
			return err ? err : 1;
		}
		if (h->nlmsg_type == NLMSG_ERROR) {
			parse_extack(s, NULL, h);
			err = ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
			return err ? err : 1;
		}
		s->answers++;
		parse_message(h, &a);
		if (each)
			each(&a, arg);
	}
	return 0;
}

int nl_dump(struct nl_sock *s, struct nl_msg *m, void (*each)(const struct nl_attrs *a, void *arg),
	    void *arg)
{
	int err = nl_dump_begin(s, m);

	while (!err)
		err = nl_dump_next(s, each, arg);
	return err > 0 ? 0 : err;
}

static void take_groups(struct nl_sock *s, const struct nl_attrs *family)
{
	static const char * const names[] = { PNIC_MCGRP_LANES, PNIC_MCGRP_LINK, PNIC_MCGRP_HEALTH };
	const struct nlattr *each = NULL;
	struct nl_attrs list, group;
	int i;

	if (!nl_has(family, CTRL_ATTR_MCAST_GROUPS))
		return;
	nl_parse_nest(family->at[CTRL_ATTR_MCAST_GROUPS], &list);
	for (i = 1; i < NL_ATTRS; i++) {
		each = list.at[i];
		if (!each)
			continue;
		nl_parse_nest(each, &group);
		for (int k = 0; k < 3; k++)
			if (!strcmp(nl_str(&group, CTRL_ATTR_MCAST_GRP_NAME), names[k]))
				s->group[k] = nl_num(&group, CTRL_ATTR_MCAST_GRP_ID);
	}
}

int nl_open(struct nl_sock *s)
{
	static const int one = 1;
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	static struct nl_msg m;
	struct nl_attrs a;
	uint16_t id;
	int err;

	memset(s, 0, sizeof(*s));
	s->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (s->fd < 0)
		return -errno;
	if (bind(s->fd, (void *)&addr, sizeof(addr)) ||
	    setsockopt(s->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)) ||
	    setsockopt(s->fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one))) {
		err = -errno;
		close(s->fd);
		return err;
	}
	s->family = GENL_ID_CTRL;
	nl_begin(&m, CTRL_CMD_GETFAMILY);
	nl_put_str(&m, CTRL_ATTR_FAMILY_NAME, PNIC_FAMILY_NAME);
	err = nl_do(s, &m, &a);
	if (err) {
		close(s->fd);
		return err;
	}
	memcpy(&id, data_of(a.at[CTRL_ATTR_FAMILY_ID]), sizeof(id));
	s->family = id;
	take_groups(s, &a);
	return 0;
}

void nl_close(struct nl_sock *s)
{
	if (s->fd > 0)
		close(s->fd);
	s->fd = -1;
}

/* ---- events ---- */

int nl_join(struct nl_sock *s, int group)
{
	int id = s->group[group];

	return setsockopt(s->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &id, sizeof(id)) ? -errno : 0;
}

int nl_event(struct nl_sock *s, int timeout_ms, struct nl_attrs *out)
{
	int n = receive(s, timeout_ms);

	if (n < 0)
		return n;
	parse_message((void *)in, out);
	return 0;
}
