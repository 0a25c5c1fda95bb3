// SPDX-License-Identifier: GPL-2.0
/*
 * What a process must not be able to do to others: reach their queues, doorbells and memory, by any number that it
 * makes up, by keys of others, by descriptors that change while the card reads them; steer the link without leave.
 * Whatever is tried, memory that nobody gave away is compared byte by byte. (fairness.c: take the card from them.)
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "device.h"
#include "ktap.h"
#include "nltest.h"
#include "traffic.h"

#define PAGE		4096ul
#define WAIT_MS		20000
#define USER		4321	/* who means harm */

static void child_is_well(pid_t pid)
{
	int status;

	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
}

/* --- queues and doorbells of others ---- */

#define SECRET		0x5ec2e75ec2e75ec2ull
#define OBJECTS		24u
#define OFFSETS		(0x1000ul + 4096)	/* pages: all that stand for something else than a ring */

/* An owner's queues, in which nothing moves unless somebody else moves it. */
static void own_queues(struct raw_ep *r)
{
	struct pnic_sqe nop = {
		.opcode = PNIC_OP_NOP, .flags = PNIC_SQF_SIGNALED, .num_slots = 1, .cookie = htole64(SECRET),
	};
	unsigned int i;

	REQUIRE_OK(raw_open(r, 0));
	for (i = 0; i < r->ep.sq_slots; i++)
		r->sq[i] = nop;
	for (i = 0; i < r->ep.rq_length / 8; i++)
		((uint64_t *)r->rq)[i] = htole64(SECRET);
	for (i = 0; i < r->cq.ring_length / 8; i++)
		((uint64_t *)r->ring)[i] = htole64(SECRET);
}

static unsigned int count_secrets(const void *p, size_t length)
{
	const uint64_t *w = p;
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < length / 8; i++)
		n += le64toh(w[i]) == SECRET;
	return n;
}

/* Whatever can be mapped at @offset is looked at, and written full. What can't be, can't be. */
static bool reach(int fd, uint64_t offset, size_t length, unsigned int *secrets)
{
	volatile uint64_t *p = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	size_t i;

	if (p == MAP_FAILED) {
		p = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, offset);
		if (p == MAP_FAILED)
			return false;
		*secrets += count_secrets((const void *)p, length);
		munmap((void *)p, length);
		return true;
	}
	*secrets += count_secrets((const void *)p, length);
	for (i = 0; i < length / 8; i++)
		p[i] = htole64(i % 3 ? 1 : PNIC_DB_CQ_ARM | 1);
	munmap((void *)p, length);
	return true;
}

static void reach_for(const struct raw_ep *r)
{
	struct pnic_ioc_cq_create cq[OBJECTS];
	struct pnic_ioc_ep_create ep[OBJECTS];
	unsigned int i, secrets = 0, mapped = 0;
	uint64_t page, off;
	int fd;

	REQUIRE_OK(dev_become(USER));
	fd = dev_open(0);
	REQUIRE_OK(fd);
	/* Before it has anything, and when its own numbers are like the owner's. */
	CHECK(!reach(fd, r->cq.ring_offset, r->cq.ring_length, &secrets));
	CHECK(!reach(fd, r->ep.db_offset, PAGE, &secrets));
	CHECK(!reach(fd, r->ep.wake_offset, PAGE, &secrets));
	REQUIRE_OK(dev_ctx(fd, 0));
	for (i = 0; i < OBJECTS; i++) {
		REQUIRE_OK(dev_cq(fd, r->cq.entries, &cq[i]));
		REQUIRE_OK(dev_ep(fd, cq[i].handle, cq[i].handle, &ep[i]));
	}
	CHECK_NE(ep[0].db_offset, r->ep.db_offset);
	CHECK(!reach(fd, r->ep.db_offset, PAGE, &secrets));
	CHECK(!reach(fd, r->ep.wake_offset, PAGE, &secrets));
	for (page = 0; page < OFFSETS; page++)
		mapped += reach(fd, page * PAGE, PAGE, &secrets);
	/* Its own: the status page, the context's, one of doorbells and one to wake the card. */
	CHECK_EQ(mapped, 4);
	/* Rings lie behind: all around those it has, and where the owner's are. */
	for (i = 0, mapped = 0; i < OBJECTS; i++) {
		for (off = 0; off < 64 * PAGE; off += PAGE) {
			reach(fd, cq[i].ring_offset + off, cq[i].ring_length, &secrets);
			reach(fd, ep[i].sq_offset + off, ep[i].sq_length, &secrets);
		}
		mapped += reach(fd, ep[i].rq_offset, ep[i].rq_length, &secrets);
	}
	CHECK_EQ(mapped, OBJECTS);
	reach(fd, r->cq.ring_offset, r->cq.ring_length, &secrets);
	reach(fd, r->ep.sq_offset, r->ep.sq_length, &secrets);
	reach(fd, r->ep.rq_offset, r->ep.rq_length, &secrets);
	CHECK_EQ(secrets, 0);
	/* Handles are of a file, too. */
	CHECK_ERRNO(dev_handle(fd, PNIC_IOC_EP_RESET, r->ep.handle + 1000), ENOENT);
	close(fd);
}

/* Another user, with as many queues as it likes, maps whatever there is, reads it and writes it full. */
KTAP_TEST(queues_of_others)
{
	struct pnic_cqe cqe;
	struct raw_ep r;
	unsigned int i;
	pid_t pid;

	need_cards(2);
	own_queues(&r);
	pid = ktap_fork();
	REQUIRE_OK(pid);
	if (!pid) {
		reach_for(&r);
		ktap_child_exit();
	}
	child_is_well(pid);
	/* Nothing of the owner's was rung or written. */
	CHECK_ERRNO(raw_poll(&r, &cqe, 200), ETIME);
	CHECK_EQ(count_secrets(r.rq, r.ep.rq_length), r.ep.rq_length / 8);
	for (i = 0; i < r.ep.sq_slots; i++)
		CHECK_EQ(le64toh(r.sq[i].cookie), SECRET);
	/* And all of it still works. */
	memset(r.ring, 0, r.cq.ring_length);
	for (i = 0; i < 3 * r.cq.entries; i++)
		REQUIRE_OK(raw_nop(&r, i + 1));
	raw_close(&r);
}

/* The card's registers and memory lie in sysfs as well: that is root's. */
static void other_ways(void)
{
	static const char *const files[] = { "resource0", "resource2", "resource4", "config", "reset", "remove", "rom" };
	char path[128], pci[32];
	uint8_t bytes[256];
	unsigned int i;
	int fd;

	REQUIRE_OK(dev_pci(0, pci, sizeof(pci)));
	REQUIRE_OK(dev_become(USER));
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", pci, files[i]);
		CHECK(open(path, O_RDWR) < 0);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		/* What everybody may read of the configuration ends before any capability. */
		CHECK_STREQ(files[i], "config");
		CHECK_LE(read(fd, bytes, sizeof(bytes)), 64);
		close(fd);
	}
	CHECK(open("/sys/kernel/debug/pnic", O_RDONLY) < 0);
	CHECK(open("/dev/mem", O_RDWR) < 0);
}

KTAP_TEST(registers)
{
	pid_t pid;

	need_cards(2);
	pid = ktap_fork();
	REQUIRE_OK(pid);
	if (!pid) {
		other_ways();
		ktap_child_exit();
	}
	child_is_well(pid);
}

/* --- keys ---- */

#define MEM		65536ul
#define AT		16384ul		/* the region's place in the memory of who means harm */
#define LEN		4096u
#define OWN		0x3c		/* what is around it */
#define NEAR		0x5e		/* of others on the same card */
#define FAR		0x6d		/* of others behind the link */

static struct end a, b, near, far;
static struct pnic_mr *ra, *rb;		/* [AT, AT + LEN) of a.mem and b.mem */

static void open_all(uint32_t far_partition)
{
	const struct end_attr attr = { .size = MEM, .rnr_timeout_us = 1000 };
	const struct end_attr other = { .size = MEM, .rnr_timeout_us = 1000, .partition = far_partition };

	need_cards(2);
	REQUIRE_EQ(end_open(&a, 0, &attr), 0);
	REQUIRE_EQ(end_open(&b, 1, &attr), 0);
	REQUIRE_EQ(end_open(&near, 0, &attr), 0);
	REQUIRE_EQ(end_open(&far, 1, &other), 0);
	/* All of its own memory but the region in the middle is unknown to the card. */
	CHECK_EQ(pnic_mr_dereg(a.mr), 0);
	CHECK_EQ(pnic_mr_dereg(b.mr), 0);
	a.mr = NULL;
	b.mr = NULL;
	REQUIRE_EQ(pnic_mr_reg(a.ctx, a.mem + AT, LEN, ALL_RIGHTS, &ra), 0);
	REQUIRE_EQ(pnic_mr_reg(b.ctx, b.mem + AT, LEN, ALL_RIGHTS, &rb), 0);
	memset(a.mem, OWN, MEM);
	memset(b.mem, OWN, MEM);
	memset(near.mem, NEAR, MEM);
	memset(far.mem, FAR, MEM);
}

static void close_all(void)
{
	end_close(&a);
	end_close(&b);
	end_close(&near);
	end_close(&far);
	ra = NULL;
	rb = NULL;
}

static void all_of(const char *what, const uint8_t *p, size_t len, uint8_t byte)
{
	size_t at = byte_check(p, len, byte);

	if (at != len)
		ktap_failed(__FILE__, __LINE__, "%s: byte %zu is 0x%02x", what, at, p[at]);
}

/* Eight bytes of another's memory in a row have not come here by chance. */
static void nothing_of(const char *what, const uint8_t *p, size_t len)
{
	static const uint8_t bytes[] = { OWN, NEAR, FAR };
	unsigned int i, run;
	size_t k;

	for (i = 0; i < sizeof(bytes); i++)
		for (k = 0, run = 0; k < len; k++) {
			run = p[k] == bytes[i] ? run + 1 : 0;
			if (run == 8) {
				ktap_failed(__FILE__, __LINE__, "%s: bytes 0x%02x at %zu", what, bytes[i], k);
				return;
			}
		}
}

/* Nothing outside of the two regions has changed, and nothing of it is in them. */
static void around(void)
{
	all_of("before the region", a.mem, AT, OWN);
	all_of("behind the region", a.mem + AT + LEN, MEM - AT - LEN, OWN);
	all_of("before the far region", b.mem, AT, OWN);
	all_of("behind the far region", b.mem + AT + LEN, MEM - AT - LEN, OWN);
	all_of("another's on this card", near.mem, MEM, NEAR);
	all_of("another's on the far card", far.mem, MEM, FAR);
}

/* The key of another context's region, of the same user and partition, is none where memory of one's own is asked for. */
KTAP_TEST(local_keys_of_others)
{
	struct pnic_buf bufs[2];
	unsigned int i, n = 0;

	open_all(0);
	bufs[0] = (struct pnic_buf) { .addr = a.mem + AT, .key = ra->key, .length = 8 };
	bufs[1] = (struct pnic_buf) { .addr = near.mem, .key = near.mr->key, .length = 8 };
	REQUIRE_EQ(pnic_post_write(a.ep, b.addr, near.mem, 64, near.mr->key, (uintptr_t)b.mem + AT, rb->key, n++, 0), 0);
	REQUIRE_EQ(pnic_post_write_imm(a.ep, b.addr, near.mem, 64, near.mr->key, (uintptr_t)b.mem + AT, rb->key, 1, n++,
				       0), 0);
	REQUIRE_EQ(pnic_post_writev(a.ep, b.addr, bufs, 2, (uintptr_t)b.mem + AT, rb->key, n++, 0), 0);
	REQUIRE_EQ(pnic_post_send(a.ep, b.addr, near.mem, 64, near.mr->key, n++, 0), 0);
	REQUIRE_EQ(pnic_post_read(a.ep, b.addr, near.mem, 64, near.mr->key, (uintptr_t)b.mem + AT, rb->key, n++, 0), 0);
	REQUIRE_EQ(pnic_post_readv(a.ep, b.addr, bufs, 2, (uintptr_t)b.mem + AT, rb->key, n++, 0), 0);
	pnic_ring(a.ep);
	for (i = 0; i < n; i++)
		CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_LOCAL_KEY);
	/* Where a message of others goes to. */
	REQUIRE_EQ(pnic_post_recv(a.ep, near.mem, 64, near.mr->key, 1), 0);
	pnic_ring_recv(a.ep);
	REQUIRE_EQ(pnic_post_send(b.ep, a.addr, b.mem + AT, 64, rb->key, 2, 0), 0);
	pnic_ring(b.ep);
	CHECK_EQ(end_status(&b, WAIT_MS), PNIC_ST_REMOTE_KEY);
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_LOCAL_KEY);
	around();
	all_of("the region", a.mem + AT, LEN, OWN);
	all_of("the far region", b.mem + AT, LEN, OWN);
	close_all();
}

/* Right number, right address, and a tag that is made up. First those near what is known of earlier ones. */
static uint64_t guess(uint64_t key, const uint64_t *old, unsigned int nold, unsigned int i, uint64_t *state)
{
	uint64_t tag = key >> 24, index = key & 0xffffff, t;

	if (i < 40)
		t = tag ^ 1ull << i;
	else if (i < 40 + nold)
		t = old[i - 40] >> 24;
	else if (i < 40 + nold + 512)
		t = (old[nold - 1] >> 24) + (i - 40 - nold) - 256;
	else
		t = random_u64(state) >> 24;
	return (t & 0xffffffffffull) << 24 | index;
}

#define GUESSES		60000u
#define OLD		32u

/*
 * Searching for the tag of a region whose number and address are known. One guess in 2^40 is right: that one of these
 * hits a driver that draws well has a chance of 60000 / 2^40, or 1 in 18 million.
 */
KTAP_TEST(keys_guessed)
{
	uint64_t old[OLD], state = now_ns() | 1, key, got;
	unsigned int i, k, batch;
	struct pnic_mr *mr;

	open_all(0);
	/* Keys that the victim had before are known to everybody. */
	for (i = 0; i < OLD; i++) {
		REQUIRE_EQ(pnic_mr_reg(far.ctx, far.mem, LEN, ALL_RIGHTS, &mr), 0);
		old[i] = mr->key;
		CHECK_EQ(pnic_mr_dereg(mr), 0);
	}
	CHECK_EQ(pnic_mr_dereg(far.mr), 0);
	far.mr = NULL;
	REQUIRE_EQ(pnic_mr_reg(far.ctx, far.mem, MEM, ALL_RIGHTS, &mr), 0);
	key = mr->key;
	memset(a.mem + AT, 0, LEN);
	for (i = 0; i < GUESSES; i += batch) {
		for (batch = 0; batch < 128 && i + batch < GUESSES; batch++) {
			got = guess(key, old, OLD, i + batch, &state);
			REQUIRE_EQ(pnic_post_write(a.ep, far.addr, a.mem + AT, 64, ra->key, (uintptr_t)far.mem, got, i, 0), 0);
		}
		pnic_ring(a.ep);
		for (k = 0; k < batch; k++)
			REQUIRE_EQ(end_status(&a, WAIT_MS), PNIC_ST_REMOTE_KEY);
	}
	memset(a.mem + AT, OWN, LEN);
	around();
	/* All of this was about the right place. */
	REQUIRE_EQ(pnic_post_write(a.ep, far.addr, a.mem + AT, 64, ra->key, (uintptr_t)far.mem, key, 1, PNIC_SQF_SIGNALED), 0);
	pnic_ring(a.ep);
	CHECK_EQ(end_status(&a, WAIT_MS), PNIC_ST_OK);
	all_of("written with the key", far.mem, 64, OWN);
	close_all();
}

#define KEYS		512u
#define TAG_BITS	40u

/*
 * The shortest linear recurrence that makes a sequence of bits (Berlekamp and Massey). Of bits that are drawn it is half
 * as long as the sequence; that it differs from that by k or more has a chance below 2^(2 - 2k). Of what a generator
 * made that only shifts, adds without carry or counts it is as long as that generator's state.
 */
static unsigned int complexity(const uint8_t *s, unsigned int n)
{
	uint8_t c[KEYS] = { 1 }, was[KEYS] = { 1 }, t[KEYS];
	unsigned int i, k, len = 0, since = 1;
	uint8_t d;

	for (i = 0; i < n; i++) {
		for (k = 0, d = 0; k <= len; k++)
			d ^= c[k] & s[i - k];
		if (!d) {
			since++;
			continue;
		}
		memcpy(t, c, sizeof(t));
		for (k = 0; k + since < n; k++)
			c[k + since] ^= was[k];
		if (2 * len <= i) {
			len = i + 1 - len;
			memcpy(was, t, sizeof(was));
			since = 1;
		} else {
			since++;
		}
	}
	return len;
}

/*
 * What one has seen of keys says nothing of the next. Chances that this fails with tags that are drawn: below one in
 * 10^12 for the complexities (40 sequences, k = 25), and the same for the counts (40 bits and their 780 pairs, none more
 * than 8.2 standard deviations off).
 */
KTAP_TEST(keys_are_drawn)
{
	uint64_t tag[KEYS];
	uint8_t bits[KEYS];
	unsigned int i, k, l, n;
	struct pnic_mr *mr;
	double far_off;

	open_all(0);
	for (i = 0; i < KEYS; i++) {
		REQUIRE_EQ(pnic_mr_reg(a.ctx, a.mem, LEN, 0, &mr), 0);
		tag[i] = mr->key >> 24;
		CHECK_EQ(pnic_mr_dereg(mr), 0);
	}
	far_off = 8.2 * sqrt(KEYS) / 2;
	for (k = 0; k < TAG_BITS; k++) {
		for (i = 0; i < KEYS; i++)
			bits[i] = tag[i] >> k & 1;
		n = complexity(bits, KEYS);
		if (n + 25 < KEYS / 2 || n > KEYS / 2 + 25)
			ktap_failed(__FILE__, __LINE__, "bit %u of tags has a linear complexity of %u in %u", k, n, KEYS);
		for (l = k; l < TAG_BITS; l++) {
			for (i = 0, n = 0; i < KEYS; i++)
				n += (tag[i] >> k & 1) ^ (l == k ? 0 : tag[i] >> l & 1);
			if (fabs(n - KEYS / 2.0) > far_off)
				ktap_failed(__FILE__, __LINE__, "bits %u and %u of tags: %u of %u", k, l, n, KEYS);
		}
	}
	close_all();
}

/* --- descriptors that change while the card reads them ---- */

#define RACES		600u
#define BATCH		24u

/* What a word of a descriptor is changed into, at random. */
struct field {
	uint64_t good[3], bad[6];
	unsigned int ngood, nbad;
};

#define GOOD(f, v)	((f)->good[(f)->ngood++] = (v))
#define BAD(f, v)	((f)->bad[(f)->nbad++] = (v))

struct race {
	uint64_t *ring;			/* what is changed: words of descriptors of @words */
	unsigned int words, total;
	struct field field[32];		/* of the words of one, or of a few that differ */
	bool stop;
	uint64_t changes;
};

static uint64_t one_of(const struct field *f, uint64_t *state)
{
	bool good = !f->nbad || random_below(state, 4);

	return good ? f->good[random_below(state, f->ngood)] : f->bad[random_below(state, f->nbad)];
}

static void *change(void *arg)
{
	struct race *r = arg;
	uint64_t state = 7;
	unsigned int i;

	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		for (i = 0; i < 256; i++) {
			unsigned int at = random_below(&state, r->total);

			__atomic_store_n(&r->ring[at], htole64(one_of(&r->field[at % r->words], &state)),
					 __ATOMIC_RELAXED);
		}
		__atomic_fetch_add(&r->changes, 256, __ATOMIC_RELAXED);
	}
	return NULL;
}

static uint64_t head(uint8_t op, uint8_t flags, uint8_t num_sge, uint8_t num_slots, uint32_t length)
{
	return op | flags << 8 | num_sge << 16 | (uint64_t)num_slots << 24 | (uint64_t)length << 32;
}

/* Each word right or wrong by itself, so that what is read is right, wrong or a mixture. */
static void send_fields(struct field *f, uint64_t key)
{
	const uint8_t sig = PNIC_SQF_SIGNALED;

	GOOD(&f[0], head(PNIC_OP_WRITE, sig, 0, 1, 512));
	GOOD(&f[0], head(PNIC_OP_READ, sig, 1, 1, 512));
	GOOD(&f[0], head(PNIC_OP_FETCH_ADD, sig, 0, 1, 8));
	BAD(&f[0], head(PNIC_OP_WRITE, sig, 1, 1, 2 * LEN));
	BAD(&f[0], head(PNIC_OP_READ, sig, 1, 1, 0x7fffffff));
	BAD(&f[0], head(PNIC_OP_SEND, sig, 1, 1, 600));
	BAD(&f[0], head(PNIC_OP_WRITE, sig, 2, 2, 512));
	BAD(&f[0], head(PNIC_OP_WRITE, sig | PNIC_SQF_INLINE, 0, 3, 144));
	BAD(&f[0], head(PNIC_OP_SEND, sig | PNIC_SQF_INLINE, 0, 1, 0xffff));
	GOOD(&f[1], 1);
	GOOD(&f[2], b.addr.nic | (uint64_t)b.addr.ep << 32);
	BAD(&f[2], far.addr.nic | (uint64_t)far.addr.ep << 32);
	BAD(&f[2], near.addr.nic | (uint64_t)near.addr.ep << 32);
	BAD(&f[2], b.addr.nic | 0xffffffull << 32);
	BAD(&f[2], 0xabcdef | (uint64_t)b.addr.ep << 32);
	GOOD(&f[3], (uintptr_t)b.mem + AT);
	GOOD(&f[3], (uintptr_t)b.mem + AT + LEN - 512);
	BAD(&f[3], (uintptr_t)b.mem + AT + LEN - 8);
	BAD(&f[3], (uintptr_t)b.mem + AT - 8);
	BAD(&f[3], (uintptr_t)b.mem);
	BAD(&f[3], (uintptr_t)far.mem);
	GOOD(&f[4], rb->key);
	BAD(&f[4], far.mr->key);
	BAD(&f[4], near.mr->key);
	BAD(&f[4], rb->key ^ 1ull << 30);
	GOOD(&f[5], 0);
	GOOD(&f[6], (uintptr_t)a.mem + AT);
	GOOD(&f[6], (uintptr_t)a.mem + AT + LEN - 512);
	BAD(&f[6], (uintptr_t)a.mem + AT + LEN - 8);
	BAD(&f[6], (uintptr_t)a.mem);
	BAD(&f[6], (uintptr_t)near.mem);
	GOOD(&f[7], key);
	BAD(&f[7], near.mr->key);
	BAD(&f[7], key ^ 1ull << 30);
}

/* A slot of two buffers, and a descriptor before it that has them. */
static void list_fields(struct field *f, uint64_t key)
{
	struct field *list = f + 8;
	unsigned int i;

	send_fields(f, key);
	f[0] = (struct field) { 0 };
	GOOD(&f[0], head(PNIC_OP_WRITE, PNIC_SQF_SIGNALED, 2, 2, 512));
	GOOD(&f[0], head(PNIC_OP_READ, PNIC_SQF_SIGNALED, 2, 2, 512));
	BAD(&f[0], head(PNIC_OP_WRITE, PNIC_SQF_SIGNALED, 1, 2, 512));
	BAD(&f[0], head(PNIC_OP_WRITE, PNIC_SQF_SIGNALED, 1, 1, 512));
	BAD(&f[0], head(PNIC_OP_READ, PNIC_SQF_SIGNALED, 2, 2, 2 * LEN));
	for (i = 0; i < 8; i += 4) {
		GOOD(&list[i], (uintptr_t)a.mem + AT + 256 * i);
		BAD(&list[i], (uintptr_t)a.mem + AT + LEN - 8);
		BAD(&list[i], (uintptr_t)near.mem);
		GOOD(&list[i + 1], key);
		BAD(&list[i + 1], near.mr->key);
		GOOD(&list[i + 2], 256);
		BAD(&list[i + 2], 2 * LEN);
		BAD(&list[i + 2], 512);
		GOOD(&list[i + 3], 0);
		BAD(&list[i + 3], 1);
	}
}

/*
 * Takes completions until the ring is empty. False: the card could not read on, and the endpoint stopped. What the
 * processes are told counts as well: each descriptor has its one completion, with a status that there is.
 */
static bool drain(struct raw_ep *r, unsigned int *seen)
{
	struct pnic_cqe cqe;
	uint32_t status;

	for (;;) {
		REQUIRE_OK(raw_poll(r, &cqe, WAIT_MS));
		status = le32toh(cqe.peer_status) >> PNIC_CQE_HIGH_SHIFT;
		if (status > PNIC_ST_REMOTE_MOVED) {
			ktap_failed(__FILE__, __LINE__, "status %u", status);
			ktap_leave();
		}
		seen[status]++;
		if (status == PNIC_ST_OVERRUN)
			return false;
		if (!((le32toh(cqe.peer_status) ^ r->sq_tail) & PNIC_CQE_LOW24))
			return true;
	}
}

static void say_seen(const struct race *race, const unsigned int *seen)
{
	unsigned int i;

	ktap_say("%llu words changed", (unsigned long long)race->changes);
	for (i = 0; i <= PNIC_ST_REMOTE_MOVED; i++)
		if (seen[i])
			ktap_say("%u times %s", seen[i], pnic_status_str(i));
}

static void post_changing(struct raw_ep *r)
{
	r->sq_tail += BATCH;
	__atomic_store_n(&r->db[r->ep.sq_slot], r->sq_tail, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (r->db[PNIC_DB_SLOT_PARK] & PNIC_DB_PARKED)
		*r->wake = 1;
}

static void revive(struct raw_ep *r)
{
	struct pnic_cqe cqe;

	REQUIRE_OK(dev_handle(r->fd, PNIC_IOC_EP_RESET, r->ep.handle));
	r->sq_tail = 0;
	while (!raw_poll(r, &cqe, 0))
		;
}

/* Whoever shares a card or a link with it goes on, and gets no message that it was not sent. */
static void others_work(void)
{
	CHECK(end_quiet(&near, 1));
	CHECK(end_quiet(&far, 1));
	REQUIRE_EQ(pnic_post_write(near.ep, b.addr, near.mem, 0, 0, 0, 0, 5, PNIC_SQF_SIGNALED), 0);
	pnic_ring(near.ep);
	CHECK_EQ(end_status(&near, WAIT_MS), PNIC_ST_OK);
}

/* A context that is made by hand, for its rings, and may use the region of @a's memory: its key. */
static uint64_t by_hand(struct raw_ep *r)
{
	struct pnic_ioc_mr_reg mr;

	REQUIRE_OK(raw_open_rnr(r, 0, 0));
	REQUIRE_OK(dev_mr(r->fd, a.mem + AT, LEN, ALL_RIGHTS, &mr));
	return mr.key;
}

/*
 * Every word of every descriptor in a send ring changes all the time. Whatever the card makes of it, and whenever it
 * looks, it is what one descriptor or another could have asked for: no byte of others is read or written, neither here
 * nor at the far end, in this partition or another.
 */
KTAP_TEST(changing_send_ring)
{
	unsigned int seen[PNIC_ST_REMOTE_MOVED + 1] = { 0 }, i, bad = 0;
	struct race race = { .words = 32 };
	pthread_t thread;
	struct raw_ep r;
	uint64_t key;

	open_all(7);
	key = by_hand(&r);
	list_fields(race.field, key);
	send_fields(race.field + 16, key);
	send_fields(race.field + 24, key);
	race.ring = (uint64_t *)r.sq;
	race.total = r.ep.sq_slots * 8;
	for (i = 0; i < race.total; i++)
		race.ring[i] = htole64(race.field[i % race.words].good[0]);
	for (i = 0; i < 16; i++)
		REQUIRE_EQ(pnic_post_recv(far.ep, far.mem, 4096, far.mr->key, i), 0);
	pnic_ring_recv(far.ep);
	REQUIRE_EQ(pthread_create(&thread, NULL, change, &race), 0);
	memset(a.mem + AT, 1, LEN);
	memset(b.mem + AT, 2, LEN);
	for (i = 0; i < RACES && !ktap.level[0].failures; i++) {
		post_changing(&r);
		if (!drain(&r, seen))
			revive(&r);
		around();
		nothing_of("the region", a.mem + AT, LEN);
		nothing_of("the far region", b.mem + AT, LEN);
	}
	race.stop = true;
	pthread_join(thread, NULL);
	say_seen(&race, seen);
	/* It was a mixture indeed. */
	for (i = 1; i <= PNIC_ST_REMOTE_MOVED; i++)
		bad += seen[i] != 0;
	CHECK_GT(seen[PNIC_ST_OK], 0);
	CHECK_GE(bad, 6);
	others_work();
	raw_close(&r);
	close_all();
}

static void recv_fields(struct field *f, uint64_t key)
{
	GOOD(&f[0], 1);
	GOOD(&f[1], (uintptr_t)a.mem + AT);
	GOOD(&f[1], (uintptr_t)a.mem + AT + LEN - 512);
	BAD(&f[1], (uintptr_t)a.mem + AT + LEN - 8);
	BAD(&f[1], (uintptr_t)a.mem + AT - 8);
	BAD(&f[1], (uintptr_t)near.mem);
	GOOD(&f[2], key);
	BAD(&f[2], near.mr->key);
	BAD(&f[2], key ^ 1ull << 30);
	GOOD(&f[3], 512);
	GOOD(&f[3], LEN);
	BAD(&f[3], 8);
	BAD(&f[3], 0xffffffff);
	BAD(&f[3], 512 | 1ull << 32);
}

/* The same of receive entries, while somebody sends. */
KTAP_TEST(changing_receive_ring)
{
	unsigned int seen[PNIC_ST_REMOTE_MOVED + 1] = { 0 }, i, k, rq_tail = 0, bad = 0;
	struct race race = { .words = 4 };
	struct pnic_addr to;
	struct pnic_cqe cqe;
	pthread_t thread;
	struct raw_ep r;

	open_all(7);
	recv_fields(race.field, by_hand(&r));
	to = (struct pnic_addr) { a.addr.nic, r.ep.epn };
	race.ring = (uint64_t *)r.rq;
	race.total = r.ep.rq_entries * 4;
	for (i = 0; i < race.total; i++)
		race.ring[i] = htole64(race.field[i % race.words].good[0]);
	memset(a.mem + AT, 1, LEN);
	memset(b.mem + AT, 2, LEN);
	REQUIRE_EQ(pthread_create(&thread, NULL, change, &race), 0);
	for (i = 0; i < RACES && !ktap.level[0].failures; i++) {
		rq_tail += BATCH / 2;
		__atomic_store_n(&r.db[r.ep.rq_slot], rq_tail, __ATOMIC_RELEASE);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (r.db[PNIC_DB_SLOT_PARK] & PNIC_DB_PARKED)
			*r.wake = 1;
		for (k = 0; k < BATCH / 2; k++)
			REQUIRE_EQ(pnic_post_send(b.ep, to, b.mem + AT, 500, rb->key, k, PNIC_SQF_SIGNALED), 0);
		pnic_ring(b.ep);
		for (k = 0; k < BATCH / 2; k++) {
			seen[end_status(&b, WAIT_MS)]++;
			REQUIRE_OK(raw_poll(&r, &cqe, WAIT_MS));
		}
		around();
		nothing_of("the region", a.mem + AT, LEN);
	}
	race.stop = true;
	pthread_join(thread, NULL);
	say_seen(&race, seen);
	for (k = 1; k <= PNIC_ST_REMOTE_MOVED; k++)
		bad += seen[k] != 0;
	CHECK_GT(seen[PNIC_ST_OK], 0);
	CHECK_GE(bad, 3);
	others_work();
	raw_close(&r);
	close_all();
}

/* --- who may steer the link ---- */

#define COMMANDS	64u

/* The commands of the family, by the specification that they are made from. */
struct command {
	char name[32];
	uint8_t number;
	bool admin, dump, only_told;
};

static struct command commands[COMMANDS];
static unsigned int ncommands;

static void read_spec(void)
{
	char path[256] = "", line[256], *slash;
	bool inside = false;
	struct command *c;
	FILE *f;

	REQUIRE_OK(readlink("/proc/self/exe", path, sizeof(path) - 1));
	slash = strrchr(path, '/');
	snprintf(slash, sizeof(path) - (slash - path), "/spec/pnic.yaml");
	f = fopen(path, "r");
	REQUIRE(f);
	ncommands = 0;
	c = commands - 1;
	while (fgets(line, sizeof(line), f)) {
		if (line[0] != ' ' && line[0] != '\n')
			inside = !strncmp(line, "operations:", 11);
		if (!inside)
			continue;
		if (!strncmp(line, "    -", 5)) {
			REQUIRE(ncommands < COMMANDS);
			c = &commands[ncommands++];
			*c = (struct command) { .number = ncommands };
		} else if (ncommands && sscanf(line, "      name: %31s", c->name) == 1) {
			continue;
		} else if (!strncmp(line, "      flags:", 12)) {
			c->admin = strstr(line, "admin-perm");
		} else if (!strncmp(line, "      notify:", 13) || !strncmp(line, "      event:", 12)) {
			c->only_told = true;
		} else if (!strncmp(line, "      do:", 9)) {
			c->dump = false;
		} else if (!strncmp(line, "      dump:", 11)) {
			c->dump = true;
		}
	}
	fclose(f);
	/* Numbers are by place: the last command that takes a request shows that they are right. */
	for (c = commands; c < commands + ncommands; c++)
		if (!strcmp(c->name, "grant-del"))
			CHECK_EQ(c->number, PNIC_CMD_GRANT_DEL);
	CHECK_EQ(ncommands, PNIC_CMD_MAX);
}

static bool changes(const char *name)
{
	size_t n = strlen(name);

	return !strcmp(name, "undo") || (n > 4 && (!strcmp(name + n - 4, "-set") || !strcmp(name + n - 4, "-add") ||
						   !strcmp(name + n - 4, "-del")));
}

static struct nl_sock s;
static struct nl_msg m;

static int ask(const struct command *c)
{
	struct nl_attrs at;

	nl_begin(&m, c->number);
	nl_put_u32(&m, PNIC_A_DEV_INDEX, 0);
	return c->dump ? nl_dump(&s, &m, NULL, NULL) : nl_do(&s, &m, &at);
}

static void all_refused(void)
{
	const struct command *c;
	int err;

	for (c = commands; c < commands + ncommands; c++) {
		if (!c->admin)
			continue;
		err = ask(c);
		if (err != -EPERM)
			ktap_failed(__FILE__, __LINE__, "%s: %d", c->name, err);
	}
}

static void open_family(void)
{
	memset(&s, 0, sizeof(s));
	REQUIRE_EQ(nl_open(&s), 0);
}

/* Root in a namespace of its own making. False: this kernel has none for users. */
static bool own_namespace(int more)
{
	char map[64];

	REQUIRE_OK(dev_become(USER));
	if (unshare(CLONE_NEWUSER | more))
		return false;
	/* Its files in /proc are its own again. */
	REQUIRE_OK(prctl(PR_SET_DUMPABLE, 1));
	snprintf(map, sizeof(map), "0 %u 1", USER);
	REQUIRE_OK(write_file("/proc/self/setgroups", "deny"));
	REQUIRE_OK(write_file("/proc/self/uid_map", map));
	REQUIRE_EQ(getuid(), 0);
	return true;
}

static void as_user(void)
{
	REQUIRE_OK(dev_become(USER));
	open_family();
	all_refused();
}

static void in_namespace(void)
{
	if (!own_namespace(0))
		return;
	open_family();
	all_refused();
}

static void in_own_network(void)
{
	if (!own_namespace(CLONE_NEWNET))
		return;
	open_family();
	all_refused();
}

/* A socket that root opened, in the hands of a user. */
static void by_roots_socket(void)
{
	open_family();
	REQUIRE_OK(dev_become(USER));
	all_refused();
}

/* And one that a user opened, which root is made to write to. */
static void by_users_socket(void)
{
	REQUIRE_OK(setresuid(0, USER, 0));
	open_family();
	REQUIRE_OK(setresuid(0, 0, 0));
	all_refused();
}

/* All that root is but for one capability. */
static void root_without_it(void)
{
	struct __user_cap_header_struct who = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2];

	REQUIRE_OK(syscall(SYS_capget, &who, caps));
	caps[0].effective &= ~(1u << CAP_NET_ADMIN);
	REQUIRE_OK(syscall(SYS_capset, &who, caps));
	open_family();
	all_refused();
}

static const struct {
	const char *who;
	void (*tries)(void);
} intruders[] = {
	{ "a user", as_user },
	{ "root of a user namespace", in_namespace },
	{ "root of a user namespace with a network of its own", in_own_network },
	{ "a user with a socket of root's", by_roots_socket },
	{ "root with a socket of a user's", by_users_socket },
	{ "root without the capability", root_without_it },
};

/* The revision of the policy, and whether the link is switched on; it is up, now or soon. */
static void state(uint64_t *of)
{
	struct nl_attrs at;

	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_POLICY_GET, 0, &at), 0);
	of[0] = nl_num(&at, PNIC_A_POLICY_REVISION);
	REQUIRE_EQ(nltest_get(&s, &m, PNIC_CMD_LINK_GET, 0, &at), 0);
	of[1] = nl_num(&at, PNIC_A_LINK_ADMIN_UP);
	CHECK(nltest_wait_link(&s, &m, 0, PNIC_LINK_STATUS_UP));
}

/* A change that whoever asks for it undoes. */
static void something_to_undo(void)
{
	REQUIRE_EQ(nltest_policy_reset(&s, &m, 0), 0);
	REQUIRE_EQ(nltest_policy_set(&s, &m, 0, PNIC_A_POLICY_SETTLE_US, 1500, NULL), 0);
}

/* Each command that changes something, or shows whom what was granted to. */
KTAP_TEST(commands_of_administrators)
{
	uint64_t before[2], after[2];
	const struct command *c;
	unsigned int i, n = 0;
	pid_t pid;

	need_cards(2);
	read_spec();
	open_family();
	for (c = commands; c < commands + ncommands; c++) {
		n += c->admin;
		if (c->only_told)
			continue;
		if (changes(c->name) && !c->admin)
			ktap_failed(__FILE__, __LINE__, "%s is for everybody", c->name);
		/* They are refused for who asks, not for what is asked. */
		CHECK_NE(ask(c), -EPERM);
	}
	CHECK_GE(n, 8);
	/* Root has undone what there was to undo. Here is something for the others. */
	something_to_undo();
	state(before);
	for (i = 0; i < sizeof(intruders) / sizeof(intruders[0]); i++)
		SUBTEST("%s", intruders[i].who) {
			pid = ktap_fork();
			REQUIRE_OK(pid);
			if (!pid) {
				intruders[i].tries();
				ktap_child_exit();
			}
			child_is_well(pid);
		}
	state(after);
	CHECK_EQ(after[0], before[0]);
	CHECK_EQ(after[1], before[1]);
	CHECK_EQ(nltest_policy_reset(&s, &m, 0), 0);
	nl_close(&s);
}

KTAP_MAIN()
