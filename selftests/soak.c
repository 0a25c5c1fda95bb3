// SPDX-License-Identifier: GPL-2.0
/*
 * Everything at once, for as long as one likes: processes are killed wherever they are, cards are removed and found
 * again, freeze, fail and are pulled out for a moment, lanes die and frames get lost; and all the time verified traffic
 * goes on, is torn down, and comes back. In the end nothing is left of it.
 *
 * DURATION in seconds (15), SEED (1).
 */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/figure.h"
#include "pcitest.h"
#include "steer.h"
#include "traffic.h"

#define RESCAN		"/sys/bus/pci/rescan"
#define LIVES		2u
#define VICTIMS		4u
#define MEM		(192u << 10)
#define LANES		460u
#define DARK_MAX		24u	/* lanes that are bad at one time: there are 35 spares */

static struct life *lives[LIVES];
static struct victim {
	pid_t pid;
	uint64_t born;
} victims[VICTIMS];
static struct {
	unsigned long kills, unplugs, deaths, faults, frames, cuts;
} done;
static uint64_t state;
static unsigned int dark[2];

static uint32_t below(uint32_t n)
{
	return random_below(&state, n);
}

/* --- who is killed ---- */

/* Registers, opens, sends, closes; none of it has to work. */
static void one_errand(uint64_t *dice)
{
	struct end_attr attr = { .size = MEM, .rnr_timeout_us = 50000 };
	struct pnic_mr *mr[4] = {};
	struct end a, b;
	unsigned int i;

	if (end_open(&a, random_below(dice, 2), &attr))
		return;
	if (end_open(&b, random_below(dice, 2), &attr)) {
		end_close(&a);
		return;
	}
	for (i = 0; i < 4; i++)
		if (pnic_mr_reg(a.ctx, a.mem + i * 4096, MEM / 2, ALL_RIGHTS & ~random_below(dice, 8), &mr[i]))
			mr[i] = NULL;
	for (i = 0; i < 50; i++) {
		pnic_post_write(a.ep, b.addr, a.mem, 1 + random_below(dice, MEM), a.mr->key, (uintptr_t)b.mem,
				b.mr->key, i, PNIC_SQF_SIGNALED);
		pnic_post_recv(b.ep, b.mem, 4096, b.mr->key, i);
		pnic_ring_recv(b.ep);
		pnic_post_send(a.ep, b.addr, a.mem, random_below(dice, 4096), a.mr->key, i, 0);
		pnic_ring(a.ep);
		end_status(&a, random_below(dice, 20));
		if (pnic_ctx_dead(a.ctx) || pnic_ctx_dead(b.ctx))
			break;
	}
	for (i = 0; i < 4; i++)
		if (mr[i])
			pnic_mr_dereg(mr[i]);
	end_close(&b);
	end_close(&a);
}

static void start_victim(struct victim *v, uint64_t seed)
{
	fflush(stdout);
	v->born = now_ns();
	v->pid = fork();
	if (v->pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(0);
	/* Never idle, and there to be killed: what else happens doesn't wait for it. */
	errno = 0;
	if (nice(10) < 0 && errno)
		_exit(1);
	for (;;)
		one_errand(&seed);
}

/* Wherever it is. If it has ended by itself, a bug of the library's ended it. */
static void kill_victim(struct victim *v)
{
	int status = 0;

	if (v->pid <= 0)
		return;
	kill(v->pid, SIGKILL);
	REQUIRE_EQ(waitpid(v->pid, &status, 0), v->pid);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		ktap_failed(__FILE__, __LINE__, "a process ended by itself: %#x", status);
	v->pid = 0;
	done.kills++;
}

/* --- what happens ---- */

static void both_there(void)
{
	pci_wait_serves(0);
	pci_wait_serves(1);
}

static void unplug(unsigned int nic)
{
	uint64_t end = now_ns() + PCI_WAIT_MS * 1000000ull;

	REQUIRE_OK(write_file(pci_path(nic, "remove"), "1"));
	sleep_ms(below(30));
	REQUIRE_OK(write_file(RESCAN, "1"));
	while (!dev_present(2) && now_ns() < end)
		sleep_ms(5);
	REQUIRE(dev_present(2));
	done.unplugs++;
	both_there();
}

/* The model puts a card that was pulled out back with all lanes as they are. */
static void death(unsigned int nic)
{
	switch (below(3)) {
	case 0:
		STEER("{\"cmd\":\"fatal\",\"nic\":%u,\"code\":4,\"info\":%u}", nic, below(1000));
		break;
	case 1:
		STEER("{\"cmd\":\"freeze\",\"nic\":%u,\"on\":true}", nic);
		sleep_ms(below(3000));
		STEER("{\"cmd\":\"freeze\",\"nic\":%u,\"on\":false}", nic);
		break;
	default:
		STEER("{\"cmd\":\"surprise\",\"nic\":%u,\"on\":true}", nic);
		sleep_ms(below(200));
		STEER("{\"cmd\":\"surprise\",\"nic\":%u,\"on\":false}", nic);
		break;
	}
	done.deaths++;
	both_there();
}

static void lane_fault(unsigned int nic)
{
	unsigned int lane = below(LANES);

	if (dark[nic] >= DARK_MAX) {
		STEER("{\"cmd\":\"heal\",\"nic\":%u,\"lane\":\"all\"}", nic);
		dark[nic] = 0;
		return;
	}
	switch (below(4)) {
	case 0:
	case 1:
		STEER("{\"cmd\":\"kill\",\"nic\":%u,\"lane\":%u}", nic, lane);
		break;
	case 2:
		STEER("{\"cmd\":\"degrade\",\"nic\":%u,\"lane\":%u,\"db\":%u.%u}", nic, lane, below(6), below(10));
		break;
	default:
		STEER("{\"cmd\":\"drift\",\"nic\":%u,\"lane\":%u,\"db_per_hour\":%u}", nic, lane, below(3));
		break;
	}
	dark[nic]++;
	done.faults++;
}

static void frame_fault(unsigned int nic)
{
	STEER("{\"cmd\":\"%s\",\"nic\":%u,\"frames\":%u}", below(2) ? "drop" : "corrupt", nic, 1 + below(20));
	done.frames++;
}

static void cut(unsigned int nic)
{
	STEER("{\"cmd\":\"cut\",\"nic\":%u,\"on\":true}", nic);
	sleep_ms(below(1000));
	STEER("{\"cmd\":\"cut\",\"nic\":%u,\"on\":false}", nic);
	done.cuts++;
}

/* Two hours are to see 1,000 kills, 200 unplugs, 200 deaths and 10,000 lane faults, so lanes go a few at a time. */
static void something(void)
{
	unsigned int dice = below(1000), nic = below(2), n;

	if (dice < 25)
		unplug(nic);
	else if (dice < 60)
		death(nic);
	else if (dice < 66)
		cut(nic);
	else if (dice < 100)
		frame_fault(nic);
	else if (dice < 250)
		kill_victim(&victims[below(VICTIMS)]);
	else
		for (n = 1 + below(4); n; n--)
			lane_fault(nic);
}

static void lives_go_on(void)
{
	unsigned int i;

	for (i = 0; i < LIVES; i++)
		pci_life_resumes(lives[i]);
}

static void clean_up(void)
{
	unsigned int i;

	for (i = 0; i < VICTIMS; i++)
		kill_victim(&victims[i]);
	for (i = 0; i < 2; i++)
		STEER("{\"cmd\":\"heal\",\"nic\":%u,\"lane\":\"all\"}", i);
	both_there();
	lives_go_on();
}

KTAP_TEST(everything)
{
	unsigned int i, seconds = bench_setting("DURATION", 15);
	unsigned long patterns = 0, resets = 0, rounds = 0;
	uint64_t begun, next_look;

	alarm(seconds + ktap_slow() * 600);
	pci_begin();
	NEED_MODEL();
	state = bench_setting("SEED", 1) * 7919ull;
	for (i = 0; i < LIVES; i++)
		lives[i] = pci_life();
	begun = now_ns();
	next_look = begun;
	while (now_ns() - begun < seconds * 1000000000ull) {
		for (i = 0; i < VICTIMS; i++)
			if (!victims[i].pid)
				start_victim(&victims[i], random_u64(&state));
		something();
		if (!(++rounds % 25))
			ktap_say("%lu s: %lu killed, %lu unplugged, %lu dead, %lu lane faults",
				 (unsigned long)((now_ns() - begun) / 1000000000), done.kills, done.unplugs,
				 done.deaths, done.faults);
		/* It stands still now and then, but not for long. */
		if (now_ns() > next_look) {
			lives_go_on();
			next_look = now_ns() + 5000000000ull;
		}
		sleep_ms(below(60));
	}
	clean_up();
	for (i = 0; i < LIVES; i++) {
		patterns += lives[i]->good;
		resets += lives[i]->resets + lives[i]->gone;
		pci_life_over(lives[i]);
	}
	pci_end();
	figure("soak_kills", done.kills, "processes killed");
	figure("soak_unplugs", done.unplugs, "cards removed and found again");
	figure("soak_deaths", done.deaths, "cards that failed, froze or were pulled out");
	figure("soak_lane_faults", done.faults, "lanes that were made worse");
	figure("soak_frame_faults", done.frames, "times that frames were lost or damaged");
	figure("soak_cuts", done.cuts, "cuts of the cable");
	figure("soak_patterns", patterns, "patterns that went there and back whole, 128 KiB each");
	figure("soak_contexts_lost", resets, "contexts of the traffic that were taken, and told so");
}

KTAP_MAIN()
