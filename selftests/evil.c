// SPDX-License-Identifier: GPL-2.0
/*
 * A card that means harm: everything that it says, does and leaves undone can be wrong at any moment, by the roll of
 * dice (the model's "evil"). Meanwhile contexts come and go on it and verified traffic tries to live. The kernel must
 * not crash, hang, leak or believe what isn't so; data whose transfer is said to have worked is right; and as
 * soon as the card behaves it works again.
 *
 * SEED is that of the dice (1), EVIL_MS how long each kind is at it.
 */
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "bench/figure.h"
#include "device.h"
#include "klog.h"
#include "ktap.h"
#include "life.h"
#include "steer.h"
#include "traffic.h"

#define RECOVER_MS	60000	/* from the end of the evil until the card serves again */
#define CALL_MS		60000	/* no call takes longer, whatever the card does */
#define LIFE_MS		60000
#define LIMIT_S		300	/* for one kind */
#define DRIVER		"/sys/bus/pci/drivers/pnic/"

static struct resources before;

static long lost_interrupts(void)
{
	return driver_counter("lost_interrupts");
}

/* One look: a context with its queues can be made, and does work; and the card says so when it has done something. */
static bool serves(unsigned int nic)
{
	long lost = lost_interrupts();
	struct raw_ep r;
	bool ok;

	if (raw_open(&r, nic))
		return false;
	ok = !raw_nop(&r, 1);
	raw_close(&r);
	return ok && lost_interrupts() == lost;
}

static void recovered(unsigned int nic)
{
	uint64_t t = now_ns(), end = t + ktap_slow() * RECOVER_MS * 1000000ull;
	bool ok;

	while (!(ok = serves(nic)) && now_ns() < end)
		sleep_ms(100);
	if (!ok)
		ktap_failed(__FILE__, __LINE__, "card %u does not serve again", nic);
	else if (now_ns() - t > 1000000000ull)
		ktap_say("card %u served again after %llu ms", nic, (unsigned long long)(now_ns() - t) / 1000000);
}

static void begin(void)
{
	alarm(ktap_slow() * LIMIT_S);
	need_cards(2);
	NEED_MODEL();
	STEER("{\"cmd\":\"evil\",\"nic\":0,\"kinds\":\"none\"}");
	recovered(0);
	recovered(1);
	REQUIRE_OK(resources_read(&before));
}

static void nothing_left(void)
{
	struct resources now;

	if (!resources_settle(&before, &now, 20000))
		ktap_failed(__FILE__, __LINE__, "something is left; before:\n%safter:\n%s", before.text, now.text);
}

static void evil_on(const char *kinds, unsigned int ppm)
{
	unsigned int seed = bench_setting("SEED", 1);

	STEER("{\"cmd\":\"evil\",\"nic\":0,\"kinds\":\"%s\",\"ppm\":%u,\"seed\":%u}", kinds, ppm, seed);
}

/* How many deeds of @kind there were; of all kinds, if it is "all". */
static double evil_off(const char *kind)
{
	double n = 0;

	STEER("{\"cmd\":\"evil\",\"nic\":0,\"kinds\":\"none\"}");
	if (!strcmp(kind, "all"))
		return 1;
	modelctl_number(kind, &n);
	return n;
}

/* --- who is attacked ---- */

/* Everything that the ABI makes on card 0. Any of it may fail, none of it may take for ever. */
static void one_context(uint64_t *state)
{
	struct pnic_ioc_cq_create cq;
	struct pnic_ioc_ep_create ep;
	struct pnic_ioc_mr_reg mr;
	struct raw_ep r;
	uint64_t t = now_ns();
	int fd;

	if (!raw_open(&r, 0)) {
		r.db[r.cq.db_slot] = PNIC_DB_CQ_ARM | r.cq_head;
		for (t = now_ns(); now_ns() - t < 20000000ull && raw_nop(&r, 7);)
			;
		if (!dev_mr(r.fd, before.text, sizeof(before.text), PNIC_MRF_LOCAL_WRITE, &mr) && random_below(state, 2))
			dev_handle(r.fd, PNIC_IOC_MR_DEREG, mr.handle);
		if (random_below(state, 2))
			dev_handle(r.fd, PNIC_IOC_EP_RESET, r.ep.handle);
		raw_close(&r);
	}
	fd = dev_open(0);
	if (fd >= 0 && !dev_ctx(fd, 0) && !dev_cq(fd, 64, &cq) && !dev_ep(fd, cq.handle, cq.handle, &ep))
		dev_handle(fd, PNIC_IOC_EP_DESTROY, ep.handle);
	close(fd);
	if (now_ns() - t > ktap_slow() * CALL_MS * 1000000ull)
		ktap_failed(__FILE__, __LINE__, "a handful of calls took %llu s",
			    (unsigned long long)(now_ns() - t) / 1000000000);
}

/* Link, counters, objects: what an administrator looks at has the card asked, too. */
static void one_look(void)
{
	struct pnic_ioc_link_info link;
	int fd = dev_open(0);

	if (fd >= 0) {
		dev_link(fd, &link);
		close(fd);
	}
}

static void provoke(unsigned int ms)
{
	uint64_t end = now_ns() + ms * 1000000ull, state = bench_setting("SEED", 1) * 77777ull + 1;

	while (now_ns() < end) {
		one_context(&state);
		one_look();
	}
}

/* How many times the believer has opened, transferred and closed, in memory that it shares. */
static unsigned int *lives;

#define LIVES	3

/* Of its rings no completion gives more back than was in use. */
static bool rings_sane(const struct pnic_ep *ep)
{
	return ep->sq_tail - ep->sq_head <= ep->sq_slots && ep->rq_tail - ep->rq_head <= ep->rq_entries;
}

/* A library that gets completions which mean nothing: it may say anything, and neither crash nor hang. */
static void believe_nothing(void)
{
	const struct end_attr attr = { .size = 65536, .rnr_timeout_us = 100000 };
	struct pnic_wc wc[8];
	struct end a, b;
	unsigned int i;

	for (;;) {
		if (end_open(&a, 0, &attr)) {
			sleep_ms(5);
			continue;
		}
		if (!end_open(&b, 1, &attr)) {
			for (i = 0; i < 40; i++) {
				pnic_post_write(a.ep, b.addr, a.mem, 100 + i, a.mr->key, (uintptr_t)b.mem, b.mr->key, i,
						PNIC_SQF_SIGNALED);
				pnic_post_recv(a.ep, a.mem, 64, a.mr->key, i);
				pnic_ring_recv(a.ep);
				pnic_post_send(b.ep, a.addr, b.mem, 32, b.mr->key, i, PNIC_SQF_SIGNALED);
				pnic_ring(a.ep);
				pnic_ring(b.ep);
				pnic_poll(a.cq, wc, 8);
				pnic_poll(b.cq, wc, 8);
				end_status(&a, 2);
				if (!rings_sane(a.ep) || !rings_sane(b.ep))
					abort();
			}
			end_close(&b);
			__atomic_fetch_add(lives, 1, __ATOMIC_RELEASE);
		}
		end_close(&a);
	}
}

/* What completions have said of @e's transfers up to now: each of one that was posted, a later one than the last, and well. */
static void believe_in_order(struct end *e, uint64_t posted, uint64_t *last)
{
	struct pnic_wc wc[8];
	int i, n = pnic_poll(e->cq, wc, 8);

	for (i = 0; i < n; i++) {
		if (wc[i].ep != e->ep || wc[i].opcode != PNIC_OP_WRITE || wc[i].status || wc[i].cookie <= *last ||
		    wc[i].cookie > posted)
			abort();
		*last = wc[i].cookie;
	}
	if (!rings_sane(e->ep))
		abort();
}

#define FEW_SLOTS	16
#define STUCK_MS	20

/*
 * A library whose completions go missing, and are right otherwise: it tells of each transfer once and in order. Where they
 * are only lost (@room) the next one gives back the room of those in the ring, so that it never stays full; a queue in which one
 * can't be seen says nothing more, which is all that can be asked of it: no check of the library's is in the way of this.
 */
static void believe_what_comes(bool room)
{
	const struct end_attr attr = { .size = 65536, .rnr_timeout_us = 100000, .sq_slots = FEW_SLOTS };
	uint64_t posted, last, since;
	struct end a, b;

	for (;;) {
		if (end_open(&a, 0, &attr)) {
			sleep_ms(5);
			continue;
		}
		since = now_ns();
		if (!end_open(&b, 1, &attr)) {
			for (posted = 0, last = 0; posted < 20 * FEW_SLOTS && !pnic_ctx_dead(a.ctx);) {
				if (!pnic_post_write(a.ep, b.addr, a.mem, 100, a.mr->key, (uintptr_t)b.mem, b.mr->key,
						     posted + 1, PNIC_SQF_SIGNALED)) {
					posted++;
					since = now_ns();
				} else if (!room && now_ns() - since > STUCK_MS * 1000000ull) {
					break;
				}
				pnic_ring(a.ep);
				believe_in_order(&a, posted, &last);
			}
			end_close(&b);
			__atomic_fetch_add(lives, 1, __ATOMIC_RELEASE);
		}
		end_close(&a);
	}
}

static pid_t start_believer(const char *kind)
{
	pid_t pid;

	if (!lives)
		lives = mmap(NULL, sizeof(*lives), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(lives != MAP_FAILED);
	*lives = 0;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(0);
		if (!strcmp(kind, "cqe_lost") || !strcmp(kind, "cqe_phase"))
			believe_what_comes(!strcmp(kind, "cqe_lost"));
		believe_nothing();
	}
	return pid;
}

static void stop_believer(pid_t pid)
{
	int status;

	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGKILL);
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		ktap_failed(__FILE__, __LINE__, "the library's user got signal %d", WTERMSIG(status));
}

/* --- kinds ---- */

/* What the driver counts when it sees through the card. */
static const char *const tells[] = { "nonsense", "admin_timeouts", "lost_interrupts", "resets" };

#define TELLS	(sizeof(tells) / sizeof(tells[0]))
#define HARMLESS "nothing"

static void read_tells(long *n)
{
	unsigned int i;

	for (i = 0; i < TELLS; i++)
		n[i] = driver_counter(tells[i]);
}

/* @tell must have been counted; HARMLESS: nothing, since the driver must be able to live with it. */
static void check_tells(const long *was, const char *tell)
{
	long now[TELLS];
	char text[256] = "";
	unsigned int i;

	read_tells(now);
	for (i = 0; i < TELLS; i++) {
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s %ld", tells[i], now[i] - was[i]);
		if (!strcmp(tells[i], tell) && now[i] == was[i])
			ktap_failed(__FILE__, __LINE__, "the driver has not noticed: no %s", tell);
		if (!strcmp(tell, HARMLESS) && now[i] != was[i])
			ktap_failed(__FILE__, __LINE__, "what is harmless counts as %s", tells[i]);
	}
	ktap_say("counted:%s", text);
}

/* With verified traffic: what the card says to processes, and what it does to memory, is right. */
#define LOG_PAUSE_MS	6000

static void attack(const char *kind, unsigned int ppm, const char *tell, const char *words)
{
	unsigned int ms = bench_setting("EVIL_MS", 2000);
	long was[TELLS];
	unsigned int tries;
	const char *why;
	struct life *l;
	double deeds;
	bool said;
	int log;

	begin();
	read_tells(was);
	log = klog_open();
	l = life_start(&why);
	if (!l) {
		ktap_failed(__FILE__, __LINE__, "no traffic to begin with: %s", why);
		return;
	}
	said = log < 0 || !words;
	for (tries = 0; !tries || (!said && tries < 3); tries++) {
		/* It says no more than ten things in five seconds, and the test before had it talk. */
		if (tries)
			sleep_ms(LOG_PAUSE_MS);
		evil_on(kind, ppm);
		provoke(ms);
		deeds = evil_off(kind);
		CHECK_GT(deeds, 0);
		ktap_say("%.0f deeds", deeds);
		recovered(0);
		recovered(1);
		said = said || klog_has(log, words);
	}
	check_tells(was, tell);
	if (!said)
		ktap_failed(__FILE__, __LINE__, "the driver has not said \"%s\"", words);
	close(log);
	if (!life_goes_on(l, 2, ktap_slow() * LIFE_MS))
		ktap_failed(__FILE__, __LINE__, "the traffic does not go on");
	why = life_stop(l);
	if (why)
		ktap_failed(__FILE__, __LINE__, "%s", why);
	nothing_left();
}

/* Completions of processes are lies. */
static void deceive(const char *kind, unsigned int ppm)
{
	unsigned int ms = bench_setting("EVIL_MS", 2000);
	uint64_t end;
	pid_t pid;

	begin();
	pid = start_believer(kind);
	REQUIRE_OK(pid);
	evil_on(kind, ppm);
	provoke(ms);
	/* No completion keeps a program from getting on, with a new context if need be; a card that dies all the time may. */
	end = now_ns() + ktap_slow() * LIFE_MS * 1000000ull;
	while (strcmp(kind, "all") && __atomic_load_n(lives, __ATOMIC_ACQUIRE) < LIVES && now_ns() < end)
		provoke(100);
	if (strcmp(kind, "all"))
		CHECK_GE(*lives, LIVES);
	stop_believer(pid);
	CHECK_GT(evil_off(kind), 0);
	recovered(0);
	recovered(1);
	nothing_left();
}

/* The test's name is that of the kind. */
#define ATTACK(ppm, tell, words)	{ attack(ktap.level[0].name, ppm, tell, words); }
#define DECEIVE(ppm)	{ deceive(ktap.level[0].name, ppm); }

KTAP_TEST(acqe_cid) ATTACK(50000, "nonsense", "command id in completion")
KTAP_TEST(acqe_status) ATTACK(50000, "nonsense", "status in completion")
KTAP_TEST(acqe_opcode) ATTACK(50000, "nonsense", "opcode in completion")
KTAP_TEST(acqe_head) ATTACK(50000, "nonsense", "ring index in completion")
KTAP_TEST(acqe_result) ATTACK(200000, "nonsense", NULL)
KTAP_TEST(acqe_random) ATTACK(50000, "nonsense", "in completion")
KTAP_TEST(acqe_phase) ATTACK(50000, "admin_timeouts", "no completion of command")
KTAP_TEST(acqe_twice) ATTACK(100000, "nonsense", "command id in completion")
KTAP_TEST(acqe_lost) ATTACK(50000, "admin_timeouts", "no completion of command")
KTAP_TEST(eqe_type) ATTACK(50000, "nonsense", "stopped: type")
KTAP_TEST(eqe_id) ATTACK(100000, "nonsense", "stopped: type")
KTAP_TEST(eqe_random) ATTACK(50000, "nonsense", "stopped: type")
KTAP_TEST(eqe_phase) ATTACK(50000, "nonsense", "was left out")
KTAP_TEST(eqe_twice) ATTACK(200000, HARMLESS, NULL)
KTAP_TEST(eqe_lost) ATTACK(200000, "lost_interrupts", "answered a command but no interrupt")
KTAP_TEST(buf) ATTACK(300000, "resets", NULL)
KTAP_TEST(reg_ones) ATTACK(300000, "resets", "read all ones")
KTAP_TEST(reg_random) ATTACK(900000, "resets", NULL)
KTAP_TEST(irq_lost) ATTACK(300000, "lost_interrupts", "no interrupt came")
KTAP_TEST(irq_storm) ATTACK(300000, HARMLESS, NULL)
/* It is looked at, and not only found out by commands that nobody answers. */
KTAP_TEST(die) ATTACK(20000, "resets", "it reports a fatal error|its heartbeat stopped")
KTAP_TEST(cqe) DECEIVE(200000)
KTAP_TEST(cqe_random) DECEIVE(200000)
KTAP_TEST(cqe_phase) DECEIVE(200000)
KTAP_TEST(cqe_twice) DECEIVE(200000)
KTAP_TEST(cqe_lost) DECEIVE(200000)

KTAP_TEST(all_at_once)
{
	deceive("all", 3000);
	deceive("all", 30000);
}

/* --- the module comes and goes ---- */

/* A card whose probe failed waits to be bound again. */
static void bound(const char *pci)
{
	char path[128];

	snprintf(path, sizeof(path), DRIVER "%s", pci);
	if (access(path, F_OK))
		REQUIRE_OK(write_file(DRIVER "bind", pci));
}

/* Probe and removal while everything may go wrong; where nobody is at fault nobody is refused. */
KTAP_TEST(probed_and_removed)
{
	static const struct {
		const char *kinds;
		unsigned int ppm;
	} rounds[] = {
		{ "all", 2000 }, { "all", 20000 }, { "buf", 300000 }, { "reg_ones,reg_random", 20000 },
		{ "acqe_random,acqe_lost", 50000 }, { "acqe_result,eqe_random", 100000 }, { "die", 50000 },
	};
	char pci[2][32];
	unsigned int i, nic;

	begin();
	for (nic = 0; nic < 2; nic++)
		REQUIRE_OK(dev_pci(nic, pci[nic], sizeof(pci[nic])));
	for (i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++)
		SUBTEST("%s", rounds[i].kinds) {
			evil_on(rounds[i].kinds, rounds[i].ppm);
			REQUIRE_OK(syscall(SYS_delete_module, "pnic", 0));
			REQUIRE_OK(module_insert());
			provoke(200);
			evil_off("all");
			for (nic = 0; nic < 2; nic++)
				bound(pci[nic]);
			recovered(0);
			recovered(1);
		}
	nothing_left();
}

KTAP_MAIN()
