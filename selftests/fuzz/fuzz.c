// SPDX-License-Identifier: GPL-2.0
/*
 * The fuzzer as a test program: what once reached something new is run again, then it looks for more for a while. The
 * kernel must have nothing to say, nothing may hang or be left, and no user may cost the others the card.
 *
 * FUZZ_SECONDS for each interface (5), FUZZ_PROCESSES (4), FUZZ_SEED (1), FUZZ_CORPUS: a folder with ioctl.txt and
 * netlink.txt (beside the program), FUZZ_KEEP: a folder for new programs (none).
 */
#include "fuzz.h"

#include "../bench/figure.h"
#include "../device.h"
#include "../ktap.h"
#include "../nltest.h"

#define WAIT_MS	60000
#define LIMIT_S	300		/* without what it was asked to take */

static const char *file(const char *folder, const char *name, char *path, size_t size)
{
	if (!folder)
		return NULL;
	snprintf(path, size, "%s/%s.txt", folder, name);
	return path;
}

/* Beside the program, where it was installed. */
static const char *corpus_folder(char *path, size_t size)
{
	const char *given = getenv("FUZZ_CORPUS");
	ssize_t n;

	if (given)
		return given;
	n = readlink("/proc/self/exe", path, size - 16);
	if (n <= 0)
		return NULL;
	path[n] = 0;
	strcpy(strrchr(path, '/'), "/fuzz-corpus");
	return path;
}

/* The card serves both: a descriptor goes through. */
static bool serves(unsigned int nic)
{
	uint64_t end = now_ns() + ktap_slow() * WAIT_MS * 1000000ull;
	struct raw_ep r;
	bool ok = false;

	while (!ok && now_ns() < end) {
		if (raw_open(&r, nic)) {
			sleep_ms(100);
			continue;
		}
		ok = !raw_nop(&r, 1);
		raw_close(&r);
	}
	return ok;
}

static void one_figure(const struct fuzz_target *t, const char *what, double value, const char *meaning)
{
	char key[96];

	snprintf(key, sizeof(key), "fuzz_%s_%s", t->name, what);
	figure(key, value, meaning);
}

/* Of each kind: how many, how many of them the kernel did not refuse, and for people what they cost. */
static void figures_of_kinds(const struct fuzz_target *t, const struct fuzz_result *r)
{
	char what[64];
	unsigned int k;

	for (k = 0; k < t->num_kinds; k++) {
		const struct fuzz_count *c = &r->kind[k];

		snprintf(what, sizeof(what), "calls_%s", t->kinds[k]);
		one_figure(t, what, c->calls, k < t->main ? "calls of that kind" : "calls around it");
		snprintf(what, sizeof(what), "accepted_%s", t->kinds[k]);
		one_figure(t, what, c->accepted, "of them not refused");
		if (c->calls)
			ktap_say("%s: %.0f ms in all, %.1f us each", t->kinds[k], c->ns / 1e6, c->ns / 1e3 / c->calls);
	}
	ktap_say("closing: %.0f ms, %llu times; looking at coverage: %.0f ms", r->ns_over / 1e6,
		 (unsigned long long)r->lives, r->ns_cover / 1e6);
}

static void figures(const struct fuzz_target *t, const struct fuzz_result *r)
{
	one_figure(t, "calls", r->calls, "calls of the kernel");
	one_figure(t, "main_calls", r->main, t == &fuzz_ioctl ? "of them ioctls" : "of them messages");
	figures_of_kinds(t, r);
	one_figure(t, "programs", r->programs, "programs that were run");
	one_figure(t, "places", r->places, r->kcov ? "places in the module that were reached" : "kinds of answers");
	one_figure(t, "corpus", r->corpus, "programs that reached something new");
	one_figure(t, "kcov", r->kcov, "guided by what the kernel says of coverage");
	one_figure(t, "findings", r->finding[0] != 0, "found");
	ktap_say("%u processes died of their own memory", r->died);
}

static struct nl_msg msg;

static void begin_policy(uint32_t dev)
{
	nl_begin(&msg, PNIC_CMD_POLICY_SET);
	nl_put_u32(&msg, PNIC_A_POLICY_DEV_INDEX, dev);
}

static void tell(void)
{
	struct nl_sock s;

	REQUIRE_EQ(nl_open(&s), 0);
	CHECK_EQ(nl_do(&s, &msg, NULL), 0);
	nl_close(&s);
}

/*
 * The lane manager looks at its lanes once an hour: each look takes a slow kernel most of a second, several
 * times as much as all that the fuzzer has it do meanwhile.
 */
static void calm(void)
{
	uint32_t dev;

	for (dev = 0; dev < 2; dev++) {
		begin_policy(dev);
		nl_put_u32(&msg, PNIC_A_POLICY_POLL_MS, 3600000);
		tell();
	}
}

/* An administrator's wishes are taken back: the link is up again, and the knobs are as they were. */
static void undo(void)
{
	uint32_t dev;

	for (dev = 0; dev < 2; dev++) {
		begin_policy(dev);
		nl_put_flag(&msg, PNIC_A_POLICY_RESET);
		tell();
		nl_begin(&msg, PNIC_CMD_LINK_SET);
		nl_put_u32(&msg, PNIC_A_LINK_DEV_INDEX, dev);
		nl_put_u8(&msg, PNIC_A_LINK_ADMIN_UP, 1);
		tell();
	}
}

static void fuzz(const struct fuzz_target *t, unsigned int seconds)
{
	char folder[256], corpus[300], keep[300];
	struct resources before, now;
	struct fuzz_result r;
	unsigned int nic;

	if (!dev_present(2))
		SKIP("two cards are needed");
	alarm(seconds + ktap_slow() * LIMIT_S);
	REQUIRE(serves(0) && serves(1));
	REQUIRE_OK(resources_read(&before));
	calm();
	fuzz_run(t, file(corpus_folder(folder, sizeof(folder)), t->name, corpus, sizeof(corpus)),
		 seconds ? file(getenv("FUZZ_KEEP"), t->name, keep, sizeof(keep)) : NULL, seconds,
		 bench_setting("FUZZ_PROCESSES", 4), bench_setting("FUZZ_SEED", 1), &r);
	figures(t, &r);
	if (r.finding[0])
		ktap_failed(__FILE__, __LINE__, "%s", r.finding);
	CHECK_GT(r.calls, 0);
	CHECK_GT(r.places, 0);
	undo();
	for (nic = 0; nic < 2; nic++)
		CHECK(serves(nic));
	if (!resources_settle(&before, &now, ktap_slow() * WAIT_MS))
		ktap_failed(__FILE__, __LINE__, "something is left; before:\n%safter:\n%s", before.text, now.text);
}

/* Nothing that a user may say is nonsense of the card's. */
static void fuzz_ioctls(unsigned int seconds)
{
	long resets = driver_counter("resets"), nonsense = driver_counter("nonsense");

	fuzz(&fuzz_ioctl, seconds);
	CHECK_EQ(driver_counter("resets"), resets);
	CHECK_EQ(driver_counter("nonsense"), nonsense);
}

KTAP_TEST(ioctl_corpus)
{
	fuzz_ioctls(0);
}

KTAP_TEST(ioctl)
{
	fuzz_ioctls(bench_setting("FUZZ_SECONDS", 5));
}

KTAP_TEST(netlink_corpus)
{
	fuzz(&fuzz_netlink, 0);
}

KTAP_TEST(netlink)
{
	fuzz(&fuzz_netlink, bench_setting("FUZZ_SECONDS", 5));
}

KTAP_MAIN()
