// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink family pnic: requests and dumps with attributes that are right, wrong, too many and too short; see fuzz.h.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/pnic_netlink.h>

#include "../nl.h"

#define MESSAGES_MAX	24u
#define ANSWERS_MAX	40u	/* of one dump: it may be left in the middle */
#define NOBODY		65534
#define BURST		253u	/* and more, where a request's number is: a burst */
#define TOGETHER	16u	/* messages of a burst in one datagram */
#define LONGEST		4096u	/* one of them; far from it */

/* How an attribute is made, if it is made as it should be. */
enum how { H_DEV, H_U8, H_U32, H_UINT, H_FLAG, H_TEXT, H_KNOBS, H_RECORD };

struct attr {
	uint8_t type, how;
	uint32_t max;
};

#define KNOBS	{ PNIC_A_POLICY_DEV_INDEX, H_DEV, 0 }, { PNIC_A_POLICY_REVISION, H_U32, 20 }

static const struct request {
	uint8_t cmd;
	struct attr attr[8];		/* ended by a type of 0 */
} requests[] = {
	{ PNIC_CMD_DEV_GET, { { PNIC_A_DEV_INDEX, H_DEV, 0 } } },
	{ PNIC_CMD_LINK_GET, { { PNIC_A_LINK_DEV_INDEX, H_DEV, 0 }, { PNIC_A_LINK_TAKE_MARGIN_MIN, H_FLAG, 0 } } },
	{ PNIC_CMD_LINK_SET, { { PNIC_A_LINK_DEV_INDEX, H_DEV, 0 }, { PNIC_A_LINK_ADMIN_UP, H_U8, 1 } } },
	{ PNIC_CMD_LANE_GET, { { PNIC_A_LANE_DEV_INDEX, H_DEV, 0 }, { PNIC_A_LANE_INDEX, H_U32, 459 },
			       { PNIC_A_LANE_DIRECTION, H_U32, 1 }, { PNIC_A_LANE_FIRST, H_U32, 459 },
			       { PNIC_A_LANE_LAST, H_U32, 459 }, { PNIC_A_LANE_ABNORMAL, H_FLAG, 0 } } },
	{ PNIC_CMD_PLAN_GET, { { PNIC_A_PLAN_DEV_INDEX, H_DEV, 0 }, { PNIC_A_PLAN_POLICY, H_KNOBS, 0 } } },
	{ PNIC_CMD_LANE_SET, { { PNIC_A_PLAN_DEV_INDEX, H_DEV, 0 }, { PNIC_A_PLAN_LANE, H_U32, 459 },
			       { PNIC_A_PLAN_ACTION, H_U32, 3 }, { PNIC_A_PLAN_PREVIEW, H_FLAG, 0 },
			       { PNIC_A_PLAN_FORCE, H_FLAG, 0 }, { PNIC_A_PLAN_EXPECT_GENERATION, H_U32, 50 } } },
	{ PNIC_CMD_UNDO, { { PNIC_A_PLAN_DEV_INDEX, H_DEV, 0 }, { PNIC_A_PLAN_PREVIEW, H_FLAG, 0 } } },
	{ PNIC_CMD_POLICY_GET, { { PNIC_A_POLICY_DEV_INDEX, H_DEV, 0 } } },
	{ PNIC_CMD_POLICY_SET, { KNOBS, { PNIC_A_POLICY_MANAGE, H_U8, 1 }, { PNIC_A_POLICY_STANDBY, H_U8, 1 },
				 { PNIC_A_POLICY_RESET, H_FLAG, 0 } } },
	{ PNIC_CMD_POLICY_SET, { KNOBS, { PNIC_A_POLICY_WATCH_PPB, H_U32, 1000000000 },
				 { PNIC_A_POLICY_RETIRE_PPB, H_U32, 1000000000 },
				 { PNIC_A_POLICY_FAIL_PPB, H_U32, 1000000000 },
				 { PNIC_A_POLICY_MIN_ERRORS, H_U32, 65535 } } },
	{ PNIC_CMD_POLICY_SET, { KNOBS, { PNIC_A_POLICY_COMMON_PCT, H_U32, 100 },
				 { PNIC_A_POLICY_COMMON_CDB, H_U32, 10000 },
				 { PNIC_A_POLICY_CLUSTER_MIN, H_U32, 4096 },
				 { PNIC_A_POLICY_CLUSTER_MS, H_U32, 3600000 },
				 { PNIC_A_POLICY_MARGIN_FLOOR, H_U32, 4096 } } },
	{ PNIC_CMD_POLICY_SET, { KNOBS, { PNIC_A_POLICY_QUARANTINE_MS, H_U32, 86400000 },
				 { PNIC_A_POLICY_QUARANTINE_MAX_MS, H_U32, 86400000 },
				 { PNIC_A_POLICY_CALM_MS, H_U32, 3600000 },
				 { PNIC_A_POLICY_GROW_MS, H_U32, 86400000 },
				 { PNIC_A_POLICY_HORIZON_S, H_U32, 31536000 } } },
	{ PNIC_CMD_POLICY_SET, { KNOBS, { PNIC_A_POLICY_BUDGET_MS, H_U32, 60000 },
				 { PNIC_A_POLICY_SETTLE_US, H_U32, 1000000 },
				 { PNIC_A_POLICY_POLL_MS, H_U32, 3600000 },
				 { PNIC_A_POLICY_TEST_MBITS, H_U32, 1048576 } } },
	{ PNIC_CMD_HISTORY_GET, { { PNIC_A_HISTORY_DEV_INDEX, H_DEV, 0 }, { PNIC_A_HISTORY_SINCE, H_UINT, 1000 } } },
	{ PNIC_CMD_CABLE_GET, { { PNIC_A_CABLE_DEV_INDEX, H_DEV, 0 } } },
	{ PNIC_CMD_CABLE_SET, { { PNIC_A_CABLE_DEV_INDEX, H_DEV, 0 }, { PNIC_A_CABLE_CABLE_SERIAL, H_TEXT, 0 },
				{ PNIC_A_CABLE_LANES, H_U32, 460 }, { PNIC_A_CABLE_RECORD, H_RECORD, 0 },
				{ PNIC_A_CABLE_RECORD, H_RECORD, 0 } } },
	{ PNIC_CMD_COUNTERS_GET, { { PNIC_A_COUNTERS_DEV_INDEX, H_DEV, 0 } } },
	{ PNIC_CMD_RES_GET, { { PNIC_A_RES_DEV_INDEX, H_DEV, 0 } } },
	{ PNIC_CMD_OBJECT_GET, { { PNIC_A_OBJECT_DEV_INDEX, H_DEV, 0 }, { PNIC_A_OBJECT_KIND, H_U32, 5 } } },
	{ PNIC_CMD_GRANT_GET, { { PNIC_A_GRANT_DEV_INDEX, H_DEV, 0 } } },
	{ PNIC_CMD_GRANT_ADD, { { PNIC_A_GRANT_DEV_INDEX, H_DEV, 0 }, { PNIC_A_GRANT_PARTITION, H_U32, 65535 },
				{ PNIC_A_GRANT_UID, H_U32, 100 } } },
	{ PNIC_CMD_GRANT_DEL, { { PNIC_A_GRANT_DEV_INDEX, H_DEV, 0 }, { PNIC_A_GRANT_PARTITION, H_U32, 65535 },
				{ PNIC_A_GRANT_UID, H_U32, 100 } } },
};

#define REQUESTS	(sizeof(requests) / sizeof(requests[0]))

/* What is counted: a message each. */
static const char *const kinds[] = {
	"dev_get", "link_get", "link_set", "lane_get", "plan_get", "lane_set", "undo", "policy_get", "policy_set_kind",
	"policy_set_errors", "policy_set_common", "policy_set_quarantine", "policy_set_budget", "history_get", "cable_get",
	"cable_set", "counters_get", "res_get", "object_get", "grant_get", "grant_add", "grant_del",
};

_Static_assert(REQUESTS == sizeof(kinds) / sizeof(kinds[0]), "a name for each request");

static struct nl_sock sock;
static struct nl_msg msg;
static char cable[33];			/* serial number of the cable, as it was read */

static uint32_t number(struct fuzz_feed *f, uint32_t max)
{
	uint8_t how = fuzz_u8(f);

	if (how >= 240)
		return fuzz_edge(f);
	return how & 1 ? fuzz_u16(f) % (max + 1ull) : fuzz_u64(f) % (max + 1ull);
}

static void put_record(struct fuzz_feed *f)
{
	size_t at = nl_nest(&msg, PNIC_A_CABLE_RECORD);
	uint8_t how = fuzz_u8(f);

	nl_put_u32(&msg, PNIC_A_RECORD_LANE, number(f, 459));
	if (how & 1)
		nl_put_u32(&msg, PNIC_A_RECORD_LOSSES, number(f, 65535));
	if (how & 2)
		nl_put_flag(&msg, PNIC_A_RECORD_KNOWN_BAD);
	if (how & 4)
		nl_put_u32(&msg, PNIC_A_RECORD_AGE_HOURS, number(f, 1000000));
	if (how & 8)
		nl_put_u32(&msg, fuzz_u8(f), fuzz_edge(f));
	nl_nest_end(&msg, at);
}

static void put_knobs(struct fuzz_feed *f)
{
	size_t at = nl_nest(&msg, PNIC_A_PLAN_POLICY);
	uint8_t n = fuzz_u8(f) % 6;

	while (n--)
		nl_put_u32(&msg, PNIC_A_POLICY_WATCH_PPB + fuzz_u8(f) % 18, number(f, 100000));
	nl_nest_end(&msg, at);
}

static void put_right(struct fuzz_feed *f, const struct attr *a)
{
	uint8_t dev;

	switch (a->how) {
	case H_DEV:
		dev = fuzz_u8(f);
		nl_put_u32(&msg, a->type, dev < 240 ? dev & 1 : fuzz_edge(f));
		break;
	case H_U8:
		nl_put_u8(&msg, a->type, number(f, a->max));
		break;
	case H_U32:
		nl_put_u32(&msg, a->type, number(f, a->max));
		break;
	case H_UINT:
		nl_put_u64(&msg, a->type, number(f, a->max));
		break;
	case H_FLAG:
		nl_put_flag(&msg, a->type);
		break;
	case H_TEXT:
		nl_put_str(&msg, a->type, fuzz_u8(f) < 230 ? cable : "another cable");
		break;
	case H_KNOBS:
		put_knobs(f);
		break;
	default:
		put_record(f);
		break;
	}
}

static void put_wrong(struct fuzz_feed *f, uint8_t type)
{
	uint8_t how = fuzz_u8(f), bytes[64];
	size_t at, i, len = how >> 2;

	for (i = 0; i < len; i++)
		bytes[i] = fuzz_u8(f);
	if (how & 1)
		type = fuzz_u8(f);
	if (how & 2) {
		nl_put(&msg, type, bytes, len);
		return;
	}
	at = nl_nest(&msg, type);
	nl_put(&msg, fuzz_u8(f), bytes, len);
	nl_nest_end(&msg, at);
}

static void take_answers(unsigned int what)
{
	static char buf[32 << 10];
	struct nlmsghdr *h = (void *)buf;
	unsigned int i;
	ssize_t n;

	for (i = 0; i < ANSWERS_MAX; i++) {
		n = recv(sock.fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n <= 0)
			break;
		if (n >= (ssize_t)NLMSG_LENGTH(4) && h->nlmsg_type == NLMSG_ERROR)
			fuzz_answered(what, -*(int *)NLMSG_DATA(h));
		if (h->nlmsg_type == NLMSG_DONE)
			break;
	}
}

static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

/*
 * Into @msg. @spoiled: one thing or another is wrong with it, but for what only asks. Gives the byte of which most that is
 * odd about it was made.
 */
static uint8_t make_message(struct fuzz_feed *f, uint8_t which, bool spoiled)
{
	const struct request *r = &requests[which % REQUESTS];
	uint8_t how = fuzz_u8(f), wrong = 0;
	const struct attr *a;

	if (spoiled) {
		/* No dumps, and nothing odd about the header. */
		how = 8 | (how & 1);
		wrong = 1 + fuzz_u8(f) % 4;
	}

	nl_begin(&msg, how < 250 ? r->cmd : fuzz_u8(f));
	msg.hdr.nlmsg_type = sock.family;
	msg.hdr.nlmsg_flags = NLM_F_REQUEST | (how & 1 ? NLM_F_ACK : 0);
	if (how % 8 == 2)
		msg.hdr.nlmsg_flags |= NLM_F_DUMP;
	else if (how % 32 == 3)
		msg.hdr.nlmsg_flags |= fuzz_u16(f);
	for (a = r->attr; a->type; a++) {
		uint8_t what = fuzz_u8(f);

		if (wrong == 1 && a == r->attr)
			nl_put_u32(&msg, a->type, 2 + fuzz_u8(f));
		else if (wrong > 1 && wrong - 1 == a - r->attr + 1)
			put_wrong(f, a->type);
		else if (what < 180 || a == r->attr)
			put_right(f, a);
		else if (what < 205)
			put_wrong(f, a->type);
	}
	if (how >= 240 || (wrong > 1 && wrong - 2 >= a - r->attr))
		put_wrong(f, how);
	msg.hdr.nlmsg_len = msg.len;
	if (how % 64 == 5)
		msg.hdr.nlmsg_len += (int8_t)fuzz_u8(f);
	msg.hdr.nlmsg_seq = ++sock.seq;
	return how;
}

static void one_message(struct fuzz_feed *f, uint8_t which)
{
	uint8_t how = make_message(f, which, false);
	ssize_t n = sendto(sock.fd, &msg.hdr, msg.len, MSG_DONTWAIT, (const void *)&kernel, sizeof(kernel));

	fuzz_called(which % REQUESTS, n < 0 ? errno : 0);
	/* Left where it is, now and then: the next dump begins while one is under way. */
	if (how % 16 != 7)
		take_answers(which % REQUESTS);
}

/* What came for messages from number @first on. */
static void take_all(uint32_t first, const uint8_t *which, unsigned int n)
{
	static char buf[2 * TOGETHER][512];
	struct mmsghdr m[2 * TOGETHER] = {};
	struct iovec iov[2 * TOGETHER];
	const struct nlmsghdr *h;
	int i, got;

	for (i = 0; i < (int)(2 * TOGETHER); i++) {
		iov[i] = (struct iovec){ buf[i], sizeof(buf[i]) };
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	got = recvmmsg(sock.fd, m, 2 * TOGETHER, MSG_DONTWAIT, NULL);
	for (i = 0; i < got; i++) {
		h = (const void *)buf[i];
		if (m[i].msg_len >= NLMSG_LENGTH(4) && h->nlmsg_type == NLMSG_ERROR && h->nlmsg_seq - first < n)
			fuzz_answered(which[h->nlmsg_seq - first], -*(const int *)NLMSG_DATA(h));
	}
}

/* Many messages out of a few bytes, that are refused as a rule; several in a datagram, as the kernel takes them too. */
static void burst(struct fuzz_feed *f)
{
	static char datagram[TOGETHER * LONGEST];
	unsigned int n = 1 + fuzz_u8(f), i, count;
	uint64_t seed = fuzz_u64(f);
	uint8_t which[TOGETHER];
	uint32_t first;
	size_t len;
	ssize_t ret;

	while (n) {
		first = sock.seq + 1;
		len = 0;
		for (count = 0; n && count < TOGETHER; n--, count++) {
			uint8_t bytes[100];
			struct fuzz_feed chance = fuzz_chance(&seed, bytes, sizeof(bytes));

			which[count] = fuzz_u8(&chance) % REQUESTS;
			make_message(&chance, which[count], true);
			if (msg.len > LONGEST)
				_exit(5);	/* which is a finding */
			memcpy(datagram + len, &msg.hdr, msg.len);
			len += NLMSG_ALIGN(msg.len);
		}
		ret = sendto(sock.fd, datagram, len, MSG_DONTWAIT, (const void *)&kernel, sizeof(kernel));
		for (i = 0; i < count; i++)
			fuzz_called(which[i], ret < 0 ? errno : 0);
		take_all(first, which, count);
	}
}

static void run(struct fuzz_feed *f)
{
	unsigned int i;

	if (sock.fd < 0)
		sock.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (sock.fd < 0)
		return;
	for (i = 0; fuzz_more(f) && i < MESSAGES_MAX; i++) {
		uint8_t which = fuzz_u8(f);

		if (which < BURST)
			one_message(f, which);
		else
			burst(f);
	}
}

/* Byte by byte what run() and burst() read. */
static uint32_t make_burst(uint64_t seed, uint8_t *bytes)
{
	fuzz_chance(&seed, bytes, 10);
	bytes[0] = BURST;
	return 10;
}

static void over(void)
{
	if (sock.fd >= 0)
		close(sock.fd);
	sock.fd = -1;
}

static bool begin(unsigned int process)
{
	struct nl_attrs out;
	bool ok;

	if (nl_open(&sock))
		return false;
	nl_begin(&msg, PNIC_CMD_DEV_GET);
	nl_put_u32(&msg, PNIC_A_DEV_INDEX, 0);
	ok = !nl_do(&sock, &msg, &out);
	if (ok && nl_has(&out, PNIC_A_DEV_CABLE_SERIAL))
		strncpy(cable, nl_str(&out, PNIC_A_DEV_CABLE_SERIAL), sizeof(cable) - 1);
	close(sock.fd);
	sock.fd = -1;
	/* One in four may not change anything. */
	if (process % 4 == 3 && (setgid(NOBODY) || setuid(NOBODY)))
		return false;
	return ok;
}

const struct fuzz_target fuzz_netlink = {
	.name = "netlink",
	.kinds = kinds,
	.num_kinds = REQUESTS,
	.main = REQUESTS,
	.begin = begin,
	.run = run,
	.burst = make_burst,
	.over = over,
};
