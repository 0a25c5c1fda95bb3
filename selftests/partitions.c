// SPDX-License-Identifier: GPL-2.0
/*
 * Partitions: who was granted one may work in it, nobody else; and what is in one can't be reached from another,
 * whatever is guessed.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/wait.h>

#include "device.h"
#include "ktap.h"
#include "nltest.h"
#include "traffic.h"

#define WAIT_MS		20000
#define USER		4321
#define OTHER		4322
#define GUESSES		3000

static struct nl_sock s;
static struct nl_msg m;
static struct end a, b;

static void setup(void)
{
	need_cards(2);
	if (!s.family)
		REQUIRE_EQ(nl_open(&s), 0);
}

static int grant(uint8_t cmd, uint32_t dev, uint32_t partition, uint32_t uid)
{
	struct nl_attrs at;

	nl_begin(&m, cmd);
	nl_put_u32(&m, PNIC_A_GRANT_DEV_INDEX, dev);
	nl_put_u32(&m, PNIC_A_GRANT_PARTITION, partition);
	nl_put_u32(&m, PNIC_A_GRANT_UID, uid);
	return nl_do(&s, &m, &at);
}

static void add(uint32_t dev, uint32_t partition, uint32_t uid)
{
	REQUIRE_EQ(grant(PNIC_CMD_GRANT_ADD, dev, partition, uid), 0);
}

static void del(uint32_t dev, uint32_t partition, uint32_t uid)
{
	REQUIRE_EQ(grant(PNIC_CMD_GRANT_DEL, dev, partition, uid), 0);
}

/* A context in @partition as @uid, in a child: 0 or the errno. */
static int try_as(uint32_t uid, uint32_t dev, uint32_t partition)
{
	int status, fd;
	pid_t pid = fork();

	REQUIRE_OK(pid);
	if (!pid) {
		if (setgroups(0, NULL) || setgid(uid) || setuid(uid))
			_exit(254);
		fd = dev_open(dev);
		if (fd < 0)
			_exit(253);
		_exit(dev_ctx(fd, partition) ? errno : 0);
	}
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	REQUIRE(WIFEXITED(status));
	return WEXITSTATUS(status);
}

KTAP_TEST(granted_and_taken_back)
{
	setup();
	CHECK_EQ(try_as(USER, 0, 0), 0);
	CHECK_EQ(try_as(USER, 0, 5), EPERM);
	CHECK_EQ(try_as(0, 0, 5), 0);
	add(0, 5, USER);
	CHECK_EQ(try_as(USER, 0, 5), 0);
	SUBTEST("not another partition, user or card") {
		CHECK_EQ(try_as(USER, 0, 4), EPERM);
		CHECK_EQ(try_as(USER, 0, 6), EPERM);
		CHECK_EQ(try_as(OTHER, 0, 5), EPERM);
		CHECK_EQ(try_as(USER, 1, 5), EPERM);
	}
	SUBTEST("twice, and what there isn't") {
		CHECK_EQ(grant(PNIC_CMD_GRANT_ADD, 0, 5, USER), -EEXIST);
		CHECK(strstr(s.msg, "already"));
		CHECK_EQ(grant(PNIC_CMD_GRANT_DEL, 0, 5, OTHER), -ENOENT);
		CHECK(strstr(s.msg, "was not granted"));
		CHECK_EQ(grant(PNIC_CMD_GRANT_ADD, 0, 5, UINT32_MAX), -EINVAL);
		CHECK_EQ(s.bad_type, PNIC_A_GRANT_UID);
		CHECK_EQ(grant(PNIC_CMD_GRANT_ADD, 0, 0, USER), -ERANGE);
		CHECK_EQ(grant(PNIC_CMD_GRANT_ADD, 0, 65536, USER), -ERANGE);
		CHECK_EQ(grant(PNIC_CMD_GRANT_ADD, 77, 5, USER), -ENODEV);
	}
	SUBTEST("it outlives a reset") {
		REQUIRE_OK(nltest_reset(0));
		CHECK_EQ(try_as(USER, 0, 5), 0);
	}
	del(0, 5, USER);
	CHECK_EQ(try_as(USER, 0, 5), EPERM);
	CHECK_EQ(grant(PNIC_CMD_GRANT_DEL, 0, 5, USER), -ENOENT);
}

/* Every number there is. */
KTAP_TEST(numbers_cannot_be_guessed)
{
	int status, fd, good = 0;
	uint32_t i;
	pid_t pid;

	setup();
	add(0, 777, USER);
	add(0, 778, OTHER);
	pid = fork();
	REQUIRE_OK(pid);
	if (!pid) {
		if (setgroups(0, NULL) || setgid(USER) || setuid(USER))
			_exit(254);
		fd = dev_open(0);
		for (i = 1; i <= 65535; i++) {
			if (!dev_ctx(fd, i)) {
				if (i != 777)
					_exit(1);
				good++;
				close(fd);
				fd = dev_open(0);
			} else if (errno != EPERM) {
				_exit(2);
			}
		}
		_exit(good == 1 ? 0 : 3);
	}
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	del(0, 777, USER);
	del(0, 778, OTHER);
}

struct seen {
	unsigned int n, wrong;
	uint64_t last;
};

static void look(const struct nl_attrs *at, void *arg)
{
	uint64_t rank = (uint64_t)nl_num(at, PNIC_A_GRANT_PARTITION) << 32 | (uint32_t)nl_num(at, PNIC_A_GRANT_UID);
	struct seen *seen = arg;

	seen->n++;
	seen->wrong += rank <= seen->last || nl_num(at, PNIC_A_GRANT_DEV_INDEX);
	seen->last = rank;
}

/* More than a message holds; in order; none lost; and an end to it. */
KTAP_TEST(many_grants)
{
	struct seen seen = { 0 };
	uint32_t i, n;
	int err = 0;

	setup();
	for (n = 0; n < 5000 && !err; n++)
		err = grant(PNIC_CMD_GRANT_ADD, 0, 1 + n * 7919 % 60000, 100000 + n);
	CHECK_EQ(err, -ENOSPC);
	CHECK_EQ(--n, 4096);
	nl_begin(&m, PNIC_CMD_GRANT_GET);
	nl_put_u32(&m, PNIC_A_GRANT_DEV_INDEX, 0);
	CHECK_EQ(nl_dump(&s, &m, look, &seen), 0);
	CHECK_EQ(seen.n, n);
	CHECK_EQ(seen.wrong, 0);
	for (i = 0; i < n; i++)
		del(0, 1 + i * 7919 % 60000, 100000 + i);
	seen = (struct seen) { 0 };
	nl_begin(&m, PNIC_CMD_GRANT_GET);
	CHECK_EQ(nl_dump(&s, &m, look, &seen), 0);
	CHECK_EQ(seen.n, 0);
}

KTAP_TEST(not_by_users)
{
	int status;
	pid_t pid;

	setup();
	pid = fork();
	REQUIRE_OK(pid);
	if (!pid) {
		struct nl_sock own = { 0 };

		if (setgroups(0, NULL) || setgid(USER) || setuid(USER) || nl_open(&own))
			_exit(254);
		s = own;
		if (grant(PNIC_CMD_GRANT_ADD, 0, 5, USER) != -EPERM || grant(PNIC_CMD_GRANT_DEL, 0, 5, USER) != -EPERM)
			_exit(1);
		nl_begin(&m, PNIC_CMD_GRANT_GET);
		_exit(nl_dump(&s, &m, NULL, NULL) == -EPERM ? 0 : 2);
	}
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(try_as(USER, 0, 5), EPERM);
}

static void open_in(uint32_t here, uint32_t there)
{
	struct end_attr attr = { .size = 65536, .rnr_timeout_us = 1000 };

	attr.partition = here;
	REQUIRE_EQ(end_open(&a, 0, &attr), 0);
	attr.partition = there;
	REQUIRE_EQ(end_open(&b, 1, &attr), 0);
	memset(b.mem, 0x77, b.size);
}

static int write_key(uint64_t key)
{
	REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem, 64, a.mr->key, (uintptr_t)b.mem, key, 1, PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
	return end_status(&a, WAIT_MS);
}

/* The right key, address and endpoint of another partition's are as wrong as any. */
KTAP_TEST(nothing_crosses)
{
	static const uint32_t pairs[][2] = { { 5, 6 }, { 0, 5 }, { 5, 0 }, { 1, 65535 } };
	unsigned int i;
	uint64_t old;

	setup();
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		SUBTEST("from %u to %u", pairs[i][0], pairs[i][1]) {
			open_in(pairs[i][0], pairs[i][1]);
			CHECK_EQ(write_key(b.mr->key), PNIC_ST_REMOTE_EP);
			REQUIRE_EQ(pnic_post_read(a.ep, b.addr, a.mem, 64, a.mr->key, (uintptr_t)b.mem, b.mr->key, 1, 0), 0);
			REQUIRE_EQ(pnic_post_fetch_add(a.ep, b.addr, 8, (uintptr_t)b.mem, b.mr->key, 1, 1, 0), 0);
			REQUIRE_EQ(pnic_post_recv(b.ep, b.mem, 64, b.mr->key, 1), 0);
			pnic_ring_recv(b.ep);
			REQUIRE_EQ(pnic_post_send(a.ep, b.addr, a.mem, 64, a.mr->key, 1, 0), 0);
			pnic_ring(a.ep);
			CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_REMOTE_EP);
			CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_REMOTE_EP);
			CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_REMOTE_EP);
			CHECK_EQ(byte_check(b.mem, b.size, 0x77), b.size);
			end_close(&a);
			end_close(&b);
		}
	}
	SUBTEST("within one it works") {
		open_in(9, 9);
		CHECK_EQ(write_key(b.mr->key), PNIC_ST_OK);
		end_close(&a);
		end_close(&b);
	}
	SUBTEST("keys guessed, with the right index") {
		uint64_t state = 99, key;

		open_in(9, 9);
		old = b.mr->key;
		memset(b.mem, 0x77, b.size);
		for (i = 0; i < GUESSES; i++) {
			do
				key = (random_u64(&state) & ~0xffffffull) | (old & 0xffffff);
			while (key == old);
			REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem, 64, a.mr->key, (uintptr_t)b.mem, key, i, 0), 0);
			if (i % 64 != 63 && i != GUESSES - 1)
				continue;
			pnic_ring(a.ep);
			for (key = 0; key <= i % 64; key++)
				CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_REMOTE_KEY);
		}
		CHECK_EQ(byte_check(b.mem, b.size, 0x77), b.size);
		CHECK_EQ(write_key(old), PNIC_ST_OK);
		end_close(&a);
		end_close(&b);
	}
}

KTAP_MAIN()
