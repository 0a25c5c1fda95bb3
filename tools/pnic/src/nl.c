// SPDX-License-Identifier: GPL-2.0
/* The connection to the driver, and running a request; the requests are in nl_ops.c. */
#include "nl_run.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/genetlink.h>
#include <netlink/genl/genl.h>

#include "decode.h"

#define BUFFER		(1 << 20)
/* A request is answered before send returns; only a kernel in trouble takes longer. */
#define ANSWER_MS	60000
/* A table that changes all the time is shown as it is. */
#define TRIES		8
/* A card that is being reset: the driver waits a second each time. */
#define RESET_TRIES	10
#define RESET_TEXT	"the card is being reset"

/* Room for what every request has besides its attributes. */
#define HEADERS		64

int drv_fail(struct drv *n, int code, const char *fmt, ...)
{
	va_list ap;

	n->code = code;
	va_start(ap, fmt);
	vsnprintf(n->error, sizeof(n->error), fmt, ap);
	va_end(ap);
	return -1;
}

int drv_open(struct drv *n)
{
	char why[128];
	int family;

	memset(n, 0, sizeof(*n));
	n->sock = sock_open(why, sizeof(why));
	if (!n->sock)
		return drv_fail(n, 0, "%s", why);
	n->buf = malloc(BUFFER);
	if (!n->buf) {
		drv_close(n);
		return drv_fail(n, 0, "out of memory");
	}
	family = sock_family(n->sock, PNIC_FAMILY_NAME);
	if (family < 0) {
		drv_close(n);
		return drv_fail(n, ENOENT, "the kernel has no pnic driver loaded (modprobe pnic)");
	}
	n->family = family;
	return 0;
}

void drv_close(struct drv *n)
{
	if (n->sock)
		sock_close(n->sock);
	free(n->buf);
	n->sock = NULL;
	n->buf = NULL;
}

struct nl_msg *drv_message(struct drv *n, uint8_t cmd, size_t room)
{
	struct nl_msg *msg = nlmsg_alloc_size(HEADERS + room);

	if (!msg ||
	    !genlmsg_put(msg, 0, 0, n->family, 0, NLM_F_REQUEST, cmd, PNIC_FAMILY_VERSION)) {
		nlmsg_free(msg);
		drv_fail(n, 0, "out of memory");
		return NULL;
	}
	return msg;
}

/* --- whom the kernel blames ------------------------------------------------------------------- */

static const struct field_set *set_of(uint8_t cmd)
{
	switch (cmd) {
	case PNIC_CMD_DEV_GET:
		return &dev_set;
	case PNIC_CMD_LINK_GET:
	case PNIC_CMD_LINK_SET:
		return &link_set;
	case PNIC_CMD_LANE_GET:
		return &lane_set;
	case PNIC_CMD_PLAN_GET:
	case PNIC_CMD_LANE_SET:
	case PNIC_CMD_UNDO:
		return &plan_set;
	case PNIC_CMD_POLICY_GET:
	case PNIC_CMD_POLICY_SET:
		return &policy_set;
	case PNIC_CMD_HISTORY_GET:
		return &history_set;
	case PNIC_CMD_CABLE_GET:
	case PNIC_CMD_CABLE_SET:
		return &cable_set;
	case PNIC_CMD_COUNTERS_GET:
		return &counters_set;
	case PNIC_CMD_RES_GET:
		return &res_set;
	case PNIC_CMD_OBJECT_GET:
		return &object_set;
	case PNIC_CMD_GRANT_GET:
	case PNIC_CMD_GRANT_ADD:
	case PNIC_CMD_GRANT_DEL:
		return &grant_set;
	}
	return NULL;
}

/* The field of the attribute that stands at @offset of [p, p + len), itself or in a nest. */
static const struct field *field_at(const struct field_set *set, const char *p, size_t len,
				    size_t offset)
{
	const struct field *f;
	struct nlattr a;
	size_t size;

	while (set && len >= NLA_HDRLEN) {
		memcpy(&a, p, sizeof(a));
		size = NLA_ALIGN(a.nla_len);
		if (a.nla_len < NLA_HDRLEN || a.nla_len > len)
			return NULL;
		f = field_of(set, a.nla_type & NLA_TYPE_MASK);
		if (!offset)
			return f;
		if (offset < size)
			return f ? field_at(f->sub, p + NLA_HDRLEN, a.nla_len - NLA_HDRLEN,
					    offset - NLA_HDRLEN) : NULL;
		if (size > len)
			return NULL;
		offset -= size;
		p += size;
		len -= size;
	}
	return NULL;
}

static const struct field *blamed(struct nl_msg *msg, const struct reply *r)
{
	struct nlmsghdr *h = nlmsg_hdr(msg);
	struct genlmsghdr *g = nlmsg_data(h);
	const struct field_set *set = set_of(g->cmd);
	const size_t skip = NLMSG_HDRLEN + GENL_HDRLEN;

	if (!set)
		return NULL;
	if (r->attr_offset >= skip)
		return field_at(set, (char *)h + skip, h->nlmsg_len - skip, r->attr_offset - skip);
	return r->attr_missing ? field_of(set, r->attr_missing) : NULL;
}

/* The kernel's words as they came; and what it pointed at, which is not in them. */
static int refused(struct drv *n, struct nl_msg *msg, const struct reply *r)
{
	const struct field *f = blamed(msg, r);
	char who[128] = "";

	if (f && r->has_range)
		snprintf(who, sizeof(who), " [%s: %llu to %llu]", f->name,
			 (unsigned long long)r->low, (unsigned long long)r->high);
	else if (f)
		snprintf(who, sizeof(who), " [%s]", f->name);
	if (r->text[0])
		return drv_fail(n, r->error, "%s%s", r->text, who);
	if (r->error == EPERM)
		return drv_fail(n, r->error, "Operation not permitted (it needs CAP_NET_ADMIN)");
	return drv_fail(n, r->error, "%s%s", strerror(r->error), who);
}

/* --- running --------------------------------------------------------------------------------- */

static int receive(struct drv *n, struct reply *r)
{
	ssize_t len;

	while (!r->done && !r->status) {
		do
			len = sock_recv(n->sock, n->buf, BUFFER, ANSWER_MS);
		while (len == -EINTR);
		if (len == -EAGAIN)
			return drv_fail(n, 0, "the kernel does not answer");
		if (len < 0)
			return drv_fail(n, -len, "no answer of the kernel: %s", strerror(-len));
		if (reply_datagram(r, n->buf, len))
			return drv_fail(n, 0, "the kernel's answer makes no sense");
	}
	return r->status;
}

/* Once; 1: the table changed while it was dumped. */
static int ask_once(struct drv *n, struct nl_msg *msg, bool dump, reply_fn *fn, void *arg)
{
	struct reply r = { .family = n->family, .fn = fn, .arg = arg };
	struct nlmsghdr *h = nlmsg_hdr(msg);
	int ret;

	r.seq = ++n->seq ? n->seq : ++n->seq;
	h->nlmsg_seq = r.seq;
	h->nlmsg_flags |= dump ? NLM_F_DUMP : NLM_F_ACK;
	n->error[0] = 0;
	n->code = 0;
	ret = sock_send(n->sock, h, h->nlmsg_len);
	if (ret)
		return drv_fail(n, -ret, "cannot send to the kernel: %s", strerror(-ret));
	if (receive(n, &r))
		return -1;
	if (r.error)
		return refused(n, msg, &r);
	return r.interrupted;
}

/* The same, and patient while the card is being reset. */
static int run_once(struct drv *n, struct nl_msg *msg, bool dump, reply_fn *fn, void *arg)
{
	int ret, i = 0;

	do
		ret = ask_once(n, msg, dump, fn, arg);
	while (ret < 0 && n->code == EBUSY && !strncmp(n->error, RESET_TEXT, strlen(RESET_TEXT)) &&
	       ++i < RESET_TRIES);
	return ret;
}

struct collector {
	struct drv *n;
	const struct field_set *set;
	struct list *list;
};

static int collect(void *arg, uint8_t cmd, const void *attrs, size_t len)
{
	struct collector *c = arg;
	char why[128];
	void *obj;

	(void)cmd;
	obj = list_add(c->list, c->set->size);
	if (!obj)
		return drv_fail(c->n, 0, "out of memory");
	if (decode(c->set, attrs, len, obj, why, sizeof(why)))
		return drv_fail(c->n, 0, "the kernel's answer makes no sense: %s", why);
	return 0;
}

int drv_list(struct drv *n, struct nl_msg *msg, bool dump, const struct field_set *set,
	    struct list *list)
{
	struct collector c = { n, set, list };
	int ret = 1, i;

	if (!msg)
		return -1;
	for (i = 0; i < TRIES && ret > 0; i++) {
		fields_clear_list(set, list);
		ret = run_once(n, msg, dump, collect, &c);
	}
	nlmsg_free(msg);
	return ret < 0 ? -1 : 0;
}

int drv_one(struct drv *n, struct nl_msg *msg, const struct field_set *set, void *obj)
{
	struct list list = {};

	if (drv_list(n, msg, false, set, &list)) {
		fields_clear_list(set, &list);
		return -1;
	}
	if (!list.n)
		return drv_fail(n, 0, "the kernel's answer is empty");
	/* The first one's contents become the caller's. */
	memcpy(obj, list.items, set->size);
	memset(list.items, 0, set->size);
	fields_clear_list(set, &list);
	return 0;
}

int drv_nothing(struct drv *n, struct nl_msg *msg)
{
	int ret;

	if (!msg)
		return -1;
	ret = run_once(n, msg, false, NULL, NULL);
	nlmsg_free(msg);
	return ret < 0 ? -1 : 0;
}

/* --- events ---------------------------------------------------------------------------------- */

int drv_join(struct drv *n, enum drv_group group)
{
	static const char *const names[] = { PNIC_MCGRP_LANES, PNIC_MCGRP_LINK, PNIC_MCGRP_HEALTH };
	int id = sock_group(n->sock, PNIC_FAMILY_NAME, names[group]);
	int ret = id < 0 ? id : sock_join(n->sock, id);

	if (ret)
		return drv_fail(n, -ret, "cannot listen to the group %s: %s", names[group],
			       strerror(-ret));
	return 0;
}

int drv_join_ctrl(struct drv *n)
{
	int id = sock_group(n->sock, "nlctrl", "notify");
	int ret = id < 0 ? id : sock_join(n->sock, id);

	return ret ? drv_fail(n, -ret, "cannot listen to the controller: %s", strerror(-ret)) : 0;
}

struct event_reader {
	reply_fn *fn;
	void *arg;
	int came;
};

static int on_event(void *arg, uint8_t cmd, const void *attrs, size_t len)
{
	struct event_reader *e = arg;

	e->came = EVENTS_SOME;
	return e->fn(e->arg, cmd, attrs, len);
}

/* A family has come or gone; is it ours? */
static int on_family(void *arg, uint8_t cmd, const void *attrs, size_t len)
{
	const char *p = attrs, name[] = PNIC_FAMILY_NAME;
	struct event_reader *e = arg;
	struct nlattr a;

	while (len >= NLA_HDRLEN) {
		memcpy(&a, p, sizeof(a));
		if (a.nla_len < NLA_HDRLEN || a.nla_len > len)
			return 0;
		if (a.nla_type == CTRL_ATTR_FAMILY_NAME && a.nla_len == NLA_HDRLEN + sizeof(name) &&
		    !memcmp(p + NLA_HDRLEN, name, sizeof(name))) {
			if (cmd == CTRL_CMD_DELFAMILY)
				e->came = EVENTS_UNLOADED;
			if (cmd == CTRL_CMD_NEWFAMILY)
				e->came = EVENTS_LOADED;
			return 0;
		}
		if ((size_t)NLA_ALIGN(a.nla_len) >= len)
			return 0;
		p += NLA_ALIGN(a.nla_len);
		len -= NLA_ALIGN(a.nla_len);
	}
	return 0;
}

int drv_events(struct drv *n, int timeout_ms, reply_fn *fn, void *arg)
{
	struct event_reader e = { .fn = fn, .arg = arg };
	struct reply r = {
		.family = n->family, .fn = on_event, .ctrl = on_family, .arg = &e,
	};
	ssize_t len;

	len = sock_recv(n->sock, n->buf, BUFFER, timeout_ms);
	if (len == -EAGAIN || len == -EINTR)
		return EVENTS_NONE;
	if (len < 0)
		return drv_fail(n, -len, "reading events: %s", strerror(-len));
	if (reply_datagram(&r, n->buf, len))
		return drv_fail(n, 0, "an event of the kernel makes no sense");
	return r.status ? -1 : e.came;
}
