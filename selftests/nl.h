/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The netlink family pnic by bare system calls, so that a test can send what no library would.
 *
 * A request is made attribute by attribute in a struct nl_msg and sent by nl_do() or nl_dump(); what
 * comes back is parsed into tables of attributes. Functions give 0, or -errno as the kernel
 * gave it; extack of the last answer is in the socket.
 */
#ifndef PNIC_SELFTESTS_NL_H
#define PNIC_SELFTESTS_NL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/pnic_netlink.h>

#define NL_ATTRS	64

/* A socket, and what was said of the last request. */
struct nl_sock {
	int fd;
	uint16_t family;
	uint32_t seq;
	uint32_t group[3];		/* ids of lanes, link, health */
	char msg[256];			/* extack: words */
	uint32_t bad_type;		/* type of the attribute that is to blame, 0: none named */
	uint32_t miss_type;		/* of the one that is missing */
	bool interrupted;		/* a dump had NLM_F_DUMP_INTR */
	unsigned int answers;
};

/* A message that is made. */
struct nl_msg {
	size_t len;
	union {
		struct nlmsghdr hdr;
		char buf[200 * 1024];
	};
};

/* A message that came: attributes by type, NULL where there is none. */
struct nl_attrs {
	uint8_t cmd;
	const struct nlattr *at[NL_ATTRS];
	const struct nlattr *first;	/* all of them, for those that come more than once */
	size_t len;
};

enum { NL_LANES, NL_LINK, NL_HEALTH };

/* 0, or -errno: -ENOENT without the family. */
int nl_open(struct nl_sock *s);
void nl_close(struct nl_sock *s);

void nl_begin(struct nl_msg *m, uint8_t cmd);
void nl_put(struct nl_msg *m, uint16_t type, const void *data, size_t len);
void nl_put_u8(struct nl_msg *m, uint16_t type, uint8_t v);
void nl_put_u32(struct nl_msg *m, uint16_t type, uint32_t v);
void nl_put_u64(struct nl_msg *m, uint16_t type, uint64_t v);
void nl_put_str(struct nl_msg *m, uint16_t type, const char *v);
void nl_put_flag(struct nl_msg *m, uint16_t type);
size_t nl_nest(struct nl_msg *m, uint16_t type);
void nl_nest_end(struct nl_msg *m, size_t at);

/* Sends and waits for the answer; @out is good until the next call, and may be NULL. */
int nl_do(struct nl_sock *s, struct nl_msg *m, struct nl_attrs *out);
/* @each gets every message. */
int nl_dump(struct nl_sock *s, struct nl_msg *m, void (*each)(const struct nl_attrs *a, void *arg),
	    void *arg);
/* The two halves of nl_dump(): one recv() a call, 1 when it is over. */
int nl_dump_begin(struct nl_sock *s, struct nl_msg *m);
int nl_dump_next(struct nl_sock *s, void (*each)(const struct nl_attrs *a, void *arg), void *arg);

int nl_join(struct nl_sock *s, int group);
/* An event, waited for: 0, -ETIME, or what the socket says: -ENOBUFS. */
int nl_event(struct nl_sock *s, int timeout_ms, struct nl_attrs *out);

void nl_parse(const struct nlattr *first, size_t len, struct nl_attrs *out);
void nl_parse_nest(const struct nlattr *nest, struct nl_attrs *out);
/* The next attribute of that type after @prev (NULL: the first), NULL: there is none. */
const struct nlattr *nl_next(const struct nl_attrs *a, uint16_t type, const struct nlattr *prev);
size_t nl_len(const struct nlattr *attr);
/* 0 without the attribute; of u8, u32 and uint. */
uint64_t nl_num(const struct nl_attrs *a, uint16_t type);
uint64_t nl_value(const struct nlattr *attr);
int32_t nl_int(const struct nl_attrs *a, uint16_t type);
const char *nl_str(const struct nl_attrs *a, uint16_t type);
bool nl_has(const struct nl_attrs *a, uint16_t type);

#endif /* PNIC_SELFTESTS_NL_H */
