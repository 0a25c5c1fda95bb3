// SPDX-License-Identifier: GPL-2.0
/* The made-up kernel as a socket, see fake.h. */
#include "fake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "../src/sock.h"

#define FAMILY	31
#define QUEUE	64
#define DEVS	2

struct sock {
	struct bytes queue[QUEUE];	/* datagrams; an empty one: events were lost */
	unsigned int first, last;
	unsigned int dumps;
	int pipe[2];
};

/* A request, its attributes by number. */
struct request {
	struct nlmsghdr h;
	uint8_t cmd;
	bool has[64];
	uint32_t value[64];
	char text[64];
	size_t offset[64];
};

struct sock *sock_open(char *why, size_t size)
{
	struct sock *s = calloc(1, sizeof(*s));

	(void)why;
	(void)size;
	if (s && pipe(s->pipe))
		abort();
	return s;
}

void sock_close(struct sock *s)
{
	while (s->first < s->last)
		bytes_free(&s->queue[s->first++ % QUEUE]);
	close(s->pipe[0]);
	close(s->pipe[1]);
	free(s);
}

int sock_family(struct sock *s, const char *name)
{
	(void)s;
	(void)name;
	return fake_is("nofamily") ? -ENOENT : FAMILY;
}

int sock_fd(struct sock *s)
{
	return s->pipe[0];
}

static struct bytes *datagram(struct sock *s)
{
	if (s->last - s->first == QUEUE)
		abort();
	return &s->queue[s->last++ % QUEUE];
}

/* --- events ---------------------------------------------------------------------------------- */

int sock_group(struct sock *s, const char *family, const char *group)
{
	(void)s;
	if (!strcmp(family, "nlctrl"))
		return 1;
	return group[0] == 'h' ? 4 : group[1] == 'a' ? 2 : 3;
}

static void lane_events(struct sock *s)
{
	uint64_t seq = FAKE_HISTORY + 1;
	unsigned int i, k;

	for (i = 0; i < (fake_is("anew") ? 3 : 2); i++, seq += 4) {
		if (fake_is("anew") && i)
			seq = i == 1 ? 1 : 7;
		struct lane_event e = { .generation = 13, .first_seq = seq, .last_seq = seq + 3 };

		encode_has_all(&lane_event_set, &e);
		if (fake_is("gap") && i)
			e.first_seq += 2;
		for (k = 0; k < 8; k++) {
			struct change *c = list_add(&e.changes, sizeof(*c));

			encode_has_all(&change_set, c);
			c->lane = 40 + k;
			c->was = PNIC_LANE_STATUS_ACTIVE;
			c->status = PNIC_LANE_STATUS_FAILED;
			c->has &= ~(1ull << PNIC_A_CHANGE_LOGICAL);
		}
		message_data(datagram(s), FAMILY, 0, 0, PNIC_CMD_LANE_NTF, &lane_event_set, &e);
		fields_clear(&lane_event_set, &e);
	}
}

static void controller(struct sock *s, uint8_t cmd)
{
	struct genlmsghdr g = { .cmd = cmd, .version = 1 };
	struct bytes *b = datagram(s);
	size_t at = message_begin(b, GENL_ID_CTRL, 0, 0);

	bytes_add(b, &g, sizeof(g));
	encode_string(b, CTRL_ATTR_FAMILY_NAME, "pnic");
	message_end(b, at);
}

int sock_join(struct sock *s, int group)
{
	struct health h = { .alarms = 3, .raised = 2, .cleared = 4 };
	struct policy p = {};
	struct link l = {};
	struct dev d = {};
	static bool once;

	encode_has_all(&health_set, &h);
	snprintf(h.text, sizeof(h.text), "clean the connector");
	fake_policy(&p, 0);
	fake_link(&l, 0);
	fake_dev(&d, 0);
	if (fake_is("lossy") && group == 2)
		datagram(s);
	if (group == 2)
		lane_events(s);
	if (group == 3) {
		message_data(datagram(s), FAMILY, 0, 0, PNIC_CMD_LINK_NTF, &link_set, &l);
		message_data(datagram(s), FAMILY, 0, 0, PNIC_CMD_POLICY_NTF, &policy_set, &p);
	}
	if (group == 4) {
		message_data(datagram(s), FAMILY, 0, 0, PNIC_CMD_HEALTH_NTF, &health_set, &h);
		message_data(datagram(s), FAMILY, 0, 0, PNIC_CMD_DEV_NTF, &dev_set, &d);
	}
	if (fake_is("reload") && group == 1 && !once) {
		once = true;
		controller(s, CTRL_CMD_DELFAMILY);
		controller(s, CTRL_CMD_NEWFAMILY);
	}
	fields_clear(&link_set, &l);
	return 0;
}

/* --- requests -------------------------------------------------------------------------------- */

static int read_request(struct request *r, const char *msg, size_t len)
{
	size_t at = NLMSG_HDRLEN + GENL_HDRLEN;
	struct nlattr a;
	unsigned int type;

	memset(r, 0, sizeof(*r));
	if (len < at)
		return -1;
	memcpy(&r->h, msg, sizeof(r->h));
	r->cmd = msg[NLMSG_HDRLEN];
	while (at + NLA_HDRLEN <= len) {
		memcpy(&a, msg + at, sizeof(a));
		type = a.nla_type & NLA_TYPE_MASK;
		if (a.nla_len < NLA_HDRLEN || at + a.nla_len > len || type >= 64)
			return -1;
		r->has[type] = true;
		r->offset[type] = at;
		if (a.nla_len >= NLA_HDRLEN + 4)
			memcpy(&r->value[type], msg + at + NLA_HDRLEN, 4);
		else if (a.nla_len == NLA_HDRLEN + 1)
			r->value[type] = (unsigned char)msg[at + NLA_HDRLEN];
		if (r->cmd == PNIC_CMD_CABLE_SET && type == PNIC_A_CABLE_CABLE_SERIAL)
			snprintf(r->text, sizeof(r->text), "%.*s", (int)(a.nla_len - NLA_HDRLEN),
				 msg + at + NLA_HDRLEN);
		at += NLA_ALIGN(a.nla_len);
	}
	return 0;
}

/* An answer of one message; frees what @obj holds. */
static void answer(struct bytes *b, const struct request *r, const struct field_set *set, void *obj)
{
	if (fake_is("bare"))
		*(uint64_t *)obj &= 1ull << set->fields[0].attr;
	message_data(b, FAMILY, r->h.nlmsg_flags & NLM_F_DUMP ? NLM_F_MULTI : 0, r->h.nlmsg_seq,
		     r->cmd, set, obj);
	fields_clear(set, obj);
}

static void answer_lanes(struct sock *s, struct bytes *b, const struct request *r)
{
	const bool range = r->has[PNIC_A_LANE_FIRST];
	uint32_t i;

	for (i = 0; i < fake_lanes(); i++) {
		struct lane l = {};

		fake_lane(&l, r->value[PNIC_A_LANE_DEV_INDEX], i, r->value[PNIC_A_LANE_DIRECTION]);
		if (range && (i < r->value[PNIC_A_LANE_FIRST] || i > r->value[PNIC_A_LANE_LAST]))
			continue;
		if (r->has[PNIC_A_LANE_ABNORMAL] && (l.status == PNIC_LANE_STATUS_ACTIVE ||
						     l.status == PNIC_LANE_STATUS_SPARE))
			continue;
		/* A dump of many messages comes in several datagrams. */
		if (b->n > 16384)
			b = datagram(s);
		answer(b, r, &lane_set, &l);
	}
}

static bool refuse_change(struct bytes *b, const struct request *r)
{
	const uint32_t seq = r->h.nlmsg_seq;

	if (fake_is("user")) {
		message_error(b, seq, EPERM, NULL, 0);
		return true;
	}
	if (r->cmd == PNIC_CMD_LANE_SET && r->value[PNIC_A_PLAN_LANE] >= fake_lanes()) {
		message_error(b, seq, ERANGE, "no such lane", r->offset[PNIC_A_PLAN_LANE]);
		return true;
	}
	if (r->cmd == PNIC_CMD_LANE_SET && r->value[PNIC_A_PLAN_LANE] == 5 &&
	    !r->has[PNIC_A_PLAN_FORCE]) {
		message_error(b, seq, EBUSY, "the margin would fall from 6 to 4", 0);
		return true;
	}
	if (r->cmd == PNIC_CMD_POLICY_SET && r->has[PNIC_A_POLICY_WATCH_PPB] &&
	    r->value[PNIC_A_POLICY_WATCH_PPB] > 2400000) {
		message_error(b, seq, EINVAL, "watch-ppb is past retire-ppb",
			      r->offset[PNIC_A_POLICY_WATCH_PPB]);
		return true;
	}
	if (r->cmd == PNIC_CMD_GRANT_ADD && r->value[PNIC_A_GRANT_PARTITION] == 7) {
		message_error(b, seq, EEXIST, "the user has that partition already", 0);
		return true;
	}
	if (r->cmd == PNIC_CMD_GRANT_DEL && r->value[PNIC_A_GRANT_PARTITION] != 7) {
		message_error(b, seq, ENOENT, "the user was not granted that partition", 0);
		return true;
	}
	if (r->cmd == PNIC_CMD_CABLE_SET && strcmp(r->text, "CB-0042/A")) {
		message_error(b, seq, EINVAL, "the record is of another cable",
			      r->offset[PNIC_A_CABLE_CABLE_SERIAL]);
		return true;
	}
	return false;
}

/* Requests that answer with one message, or none. */
static void answer_change(struct bytes *b, const struct request *r)
{
	struct policy policy = {};
	struct plan plan = {};

	switch (r->cmd) {
	case PNIC_CMD_PLAN_GET:
	case PNIC_CMD_LANE_SET:
	case PNIC_CMD_UNDO:
		fake_plan(&plan, r->value[PNIC_A_PLAN_DEV_INDEX]);
		plan.preview = r->cmd == PNIC_CMD_PLAN_GET || r->has[PNIC_A_PLAN_PREVIEW];
		answer(b, r, &plan_set, &plan);
		break;
	case PNIC_CMD_POLICY_SET:
		fake_policy(&policy, r->value[PNIC_A_POLICY_DEV_INDEX]);
		policy.revision++;
		answer(b, r, &policy_set, &policy);
		break;
	}
}

union any {
	struct dev dev;
	struct link link;
	struct policy policy;
	struct history history;
	struct cable cable;
	struct counters counters;
	struct res res;
	struct object object;
	struct grant grant;
};

/* Tables with a row or some for each device. */
static void answer_rows(struct bytes *b, const struct request *r, uint32_t dev)
{
	union any any = {};
	uint64_t seq;
	uint32_t i;

	switch (r->cmd) {
	case PNIC_CMD_DEV_GET:
		fake_dev(&any.dev, dev);
		answer(b, r, &dev_set, &any);
		break;
	case PNIC_CMD_LINK_GET:
		fake_link(&any.link, dev);
		answer(b, r, &link_set, &any);
		break;
	case PNIC_CMD_POLICY_GET:
		fake_policy(&any.policy, dev);
		answer(b, r, &policy_set, &any);
		break;
	case PNIC_CMD_HISTORY_GET:
		for (seq = r->value[PNIC_A_HISTORY_SINCE] + 1; seq <= FAKE_HISTORY + 8; seq++) {
			fake_history(&any.history, dev, seq);
			answer(b, r, &history_set, &any);
		}
		break;
	case PNIC_CMD_CABLE_GET:
		fake_cable(&any.cable, dev);
		answer(b, r, &cable_set, &any);
		break;
	case PNIC_CMD_COUNTERS_GET:
		fake_counters(&any.counters, dev);
		answer(b, r, &counters_set, &any);
		break;
	case PNIC_CMD_RES_GET:
		for (i = 0; i < 2; i++) {
			fake_res(&any.res, dev, i);
			answer(b, r, &res_set, &any);
		}
		break;
	case PNIC_CMD_GRANT_GET:
		for (i = 0; i < 2; i++) {
			fake_grant(&any.grant, dev, i);
			answer(b, r, &grant_set, &any);
		}
		break;
	case PNIC_CMD_OBJECT_GET:
		fake_object(&any.object, dev, r->value[PNIC_A_OBJECT_KIND], 1);
		answer(b, r, &object_set, &any);
		break;
	}
}

static void answer_request(struct sock *s, const struct request *r)
{
	struct bytes *b = datagram(s);
	const bool dump = r->h.nlmsg_flags & NLM_F_DUMP;
	unsigned int flags = 0;
	uint32_t dev;

	if (fake_is("busy") && dump && s->dumps++ < 2)
		flags = NLM_F_DUMP_INTR;
	if (r->cmd == PNIC_CMD_LANE_SET || r->cmd == PNIC_CMD_UNDO || r->cmd == PNIC_CMD_LINK_SET ||
	    r->cmd == PNIC_CMD_POLICY_SET || r->cmd == PNIC_CMD_CABLE_SET ||
	    r->cmd == PNIC_CMD_GRANT_ADD || r->cmd == PNIC_CMD_GRANT_DEL) {
		if (refuse_change(b, r))
			return;
	}
	answer_change(b, r);
	if (r->cmd == PNIC_CMD_LANE_GET)
		answer_lanes(s, b, r);
	for (dev = 0; dev < DEVS && !fake_is("none"); dev++)
		/* dev-index is attribute 1 of every set. */
		if (!r->has[1] || r->value[1] == dev)
			answer_rows(b, r, dev);
	b = &s->queue[(s->last - 1) % QUEUE];
	if (dump)
		message_done(b, flags, r->h.nlmsg_seq);
	else
		message_error(b, r->h.nlmsg_seq, 0, NULL, 0);
}

/* Noise in place of attributes; the end of the reply is left as it is, or the tool would wait. */
static void garble(struct bytes *b)
{
	static unsigned int seed;
	size_t i;

	if (!seed)
		seed = getenv("PNIC_FAKE_SEED") ? atoi(getenv("PNIC_FAKE_SEED")) : 1;
	for (i = NLMSG_HDRLEN + GENL_HDRLEN; i < b->n; i++)
		if (!(rand_r(&seed) % 16))
			b->p[i] = rand_r(&seed);
}

int sock_send(struct sock *s, const void *msg, size_t len)
{
	struct request r;

	if (read_request(&r, msg, len))
		return -EINVAL;
	answer_request(s, &r);
	if (fake_is("garbage") && r.cmd != PNIC_CMD_DEV_GET)
		garble(&s->queue[s->first % QUEUE]);
	return 0;
}

ssize_t sock_recv(struct sock *s, void *buf, size_t size, int timeout_ms)
{
	struct bytes *b;
	ssize_t n;

	/* For ever is not waited: that was the last event. */
	if (s->first == s->last)
		return timeout_ms < 0 || timeout_ms > 1000 ? -ESHUTDOWN : -EAGAIN;
	b = &s->queue[s->first++ % QUEUE];
	n = b->n;
	if (!n)
		return -ENOBUFS;
	if ((size_t)n > size)
		return -EMSGSIZE;
	memcpy(buf, b->p, n);
	bytes_free(b);
	return n;
}
