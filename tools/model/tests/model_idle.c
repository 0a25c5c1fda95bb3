// SPDX-License-Identifier: GPL-2.0
/*
 * An idle model must not burn a core: processor time counted over a second.
 *
 * Bounds are of time used, not of time passed, so a busy machine doesn't matter.
 */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "driver/hw/pnic_regs.h"
#include "selftests/ktap.h"
#include "server.h"

#define SECOND	1000000000ull

static struct vclient cl[8];

static void nap(unsigned int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000l };

	nanosleep(&ts, NULL);
}

static uint64_t used_in_a_second(struct server *s)
{
	uint64_t before;

	nap(200);
	before = server_cpu_ns(s);
	nap(1000);
	return server_cpu_ns(s) - before;
}

static void check_idle(const char *const *args, unsigned int nics, unsigned int percent)
{
	struct server s;
	char path[128];
	uint64_t used;
	unsigned int i;

	REQUIRE(server_start(&s, "pnic-model", args));
	used = used_in_a_second(&s);
	ktap_say("without a client: %.2f %% of a core", used * 100.0 / SECOND);
	CHECK_LT(used, SECOND * percent / 100);
	for (i = 0; i < nics; i++) {
		server_nic_path(&s, i, path, sizeof(path));
		CHECK_EQ(vc_start(&cl[i], path), 0);
		CHECK_EQ(vc_get(&cl[i], PNIC_BAR_REGS, PNIC_REG_ID, 4), PNIC_ID_MAGIC);
	}
	used = used_in_a_second(&s);
	ktap_say("with %u clients: %.2f %% of a core", nics, used * 100.0 / SECOND);
	CHECK_LT(used, SECOND * percent / 100);
	for (i = 0; i < nics; i++)
		vc_close(&cl[i]);
	CHECK_EQ(server_stop(&s), 0);
}

KTAP_TEST(parked)
{
	static const char *const args[] = { "--nics", "2", NULL };

	check_idle(args, 2, 2);
}

KTAP_TEST(parked_with_a_switch)
{
	static const char *const args[] = { "--nics", "4", NULL };

	check_idle(args, 4, 2);
}

KTAP_TEST(trapped_doorbells)
{
	static const char *const args[] = { "--nics", "2", "--doorbells", "trapped", NULL };

	check_idle(args, 2, 2);
}

/* Nothing can wake it for a doorbell, so it looks a thousand times a second. */
KTAP_TEST(without_park)
{
	static const char *const args[] = { "--nics", "2", "--no-park", NULL };

	check_idle(args, 2, 5);
}

/* A kernel that doesn't tell of slices has none to ask for. */
KTAP_TEST(short_slices)
{
	static const char *const args[] = { "--nics", "2", NULL };
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = { 0 };
	struct server s;

	if (!syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) && !attr.runtime)
		SKIP("the kernel has no slices of a process's own");
	REQUIRE(server_start(&s, "pnic-model", args));
	REQUIRE_EQ(syscall(SYS_sched_getattr, s.pid, &attr, sizeof(attr), 0), 0);
	CHECK_EQ(attr.runtime, 100000);
	CHECK_EQ(server_stop(&s), 0);
}

/* Before everybody else, if that is allowed; else it serves all the same. */
KTAP_TEST(realtime)
{
	static const char *const args[] = { "--nics", "2", "--realtime", NULL };
	struct sched_param none = { 0 }, first = { .sched_priority = 1 };
	struct server s;
	int status = -1;
	bool may;

	may = !sched_setscheduler(0, SCHED_RR, &first);
	REQUIRE_EQ(sched_setscheduler(0, SCHED_OTHER, &none), 0);
	REQUIRE(server_start(&s, "pnic-model", args));
	CHECK_EQ(sched_getscheduler(s.pid), may ? SCHED_RR : SCHED_OTHER);
	CHECK_EQ(server_stop(&s), 0);
	check_idle(args, 2, 2);
	if (!may || geteuid())
		return;
	/* Without the right. */
	s.pid = ktap_fork();
	REQUIRE_GE(s.pid, 0);
	if (!s.pid) {
		struct rlimit rl = { 0 };

		if (setrlimit(RLIMIT_RTPRIO, &rl) || prctl(PR_CAPBSET_DROP, CAP_SYS_NICE, 0, 0, 0))
			_exit(1);
		REQUIRE(server_start(&s, "pnic-model", args));
		CHECK_EQ(sched_getscheduler(s.pid), SCHED_OTHER);
		CHECK_EQ(server_stop(&s), 0);
		ktap_child_exit();
	}
	REQUIRE_EQ(waitpid(s.pid, &status, 0), s.pid);
	CHECK_EQ(status, 0);
}

KTAP_MAIN()
