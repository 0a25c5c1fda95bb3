// SPDX-License-Identifier: GPL-2.0
/* Verified traffic that lives through whatever happens to the cards, see life.h. */
#include "life.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "ktap.h"
#include "traffic.h"

#define MEM		(128u << 10)
/* For a completion or an event: only a hang takes so long. */
#define WAIT_MS		(60000u * ktap_slow())
#define START_MS	WAIT_MS

static struct life *shared;

__attribute__((format(printf, 1, 2)))
static void complain(const char *fmt, ...)
{
	va_list ap;

	if (shared->complaint[0])
		return;
	va_start(ap, fmt);
	vsnprintf(shared->complaint, sizeof(shared->complaint), fmt, ap);
	va_end(ap);
}

static void count(uint64_t *what)
{
	__atomic_fetch_add(what, 1, __ATOMIC_RELEASE);
}

/* The context is over: its card was reset, or has gone. */
static bool over(const struct end *e)
{
	struct pollfd pfd = { .fd = pnic_fd(e->ctx), .events = POLLIN };

	return pnic_ctx_dead(e->ctx) || (poll(&pfd, 1, 0) == 1 && pfd.revents & (POLLERR | POLLHUP));
}

/* Each context that is over was told why. */
static void wants_event(const struct end *e)
{
	uint64_t end = now_ns() + WAIT_MS * 1000000ull;
	struct pollfd pfd = { .fd = pnic_fd(e->ctx), .events = POLLIN };
	struct pnic_event ev;
	int err;

	while (now_ns() < end) {
		err = pnic_read_event(e->ctx, &ev);
		if (!err && ev.type == PNIC_EVT_RESET) {
			count(&shared->resets);
			return;
		}
		if (!err && ev.type == PNIC_EVT_GONE) {
			count(&shared->gone);
			return;
		}
		if (err && err != -EAGAIN)
			break;
		if (err)
			poll(&pfd, 1, 100);
	}
	complain("a context is over and nobody was told: event queue says %d", err);
}

/* Rings of a dead context can still be written and its doorbells rung: nothing happens. */
static void touch(const struct end *e)
{
	struct pnic_wc wc;
	unsigned int i;

	for (i = 0; i < 4; i++)
		pnic_post_write(e->ep, e->addr, e->mem, 8, e->mr->key, (uintptr_t)e->mem, e->mr->key, i, 0);
	pnic_ring(e->ep);
	while (pnic_poll(e->cq, &wc, 1))
		;
}

/* True if it ended well. */
static bool transfer(struct end *e)
{
	int status;

	pnic_ring(e->ep);
	status = end_status(e, WAIT_MS);
	if (status == PNIC_ST_OK)
		return true;
	count(&shared->failed);
	if (status == -ETIMEDOUT)
		complain("a transfer did not end");
	else if (status < 0 && status != -EIO && status != -ENODEV)
		complain("waiting for a transfer: %s", strerror(-status));
	return false;
}

/* There and back. */
static bool one_round(struct end *a, struct end *b, uint64_t seed)
{
	size_t at;

	pattern_fill(a->mem, MEM, seed);
	if (pnic_post_write(a->ep, b->addr, a->mem, MEM, a->mr->key, (uintptr_t)b->mem, b->mr->key, seed,
			    PNIC_SQF_SIGNALED) || !transfer(a))
		return false;
	at = pattern_check(b->mem, MEM, seed);
	if (at != MEM)
		complain("pattern %llu was written wrong from byte %zu on", (unsigned long long)seed, at);
	memset(a->mem, 0, MEM);
	if (pnic_post_read(a->ep, b->addr, a->mem, MEM, a->mr->key, (uintptr_t)b->mem, b->mr->key, seed,
			   PNIC_SQF_SIGNALED) || !transfer(a))
		return false;
	at = pattern_check(a->mem, MEM, seed);
	if (at != MEM)
		complain("pattern %llu was read back wrong from byte %zu on", (unsigned long long)seed, at);
	count(&shared->good);
	return true;
}

static bool stopped(void)
{
	return __atomic_load_n(&shared->stop, __ATOMIC_ACQUIRE) || shared->complaint[0];
}

static void close_both(struct end *a, struct end *b)
{
	struct end *e;

	for (e = a; e; e = e == a ? b : NULL)
		if (over(e)) {
			wants_event(e);
			touch(e);
		}
	end_close(a);
	end_close(b);
}

static void live(void)
{
	const struct end_attr attr = { .size = MEM, .rnr_timeout_us = 1000000 };
	struct end a, b;
	uint64_t seed = 0;

	while (!stopped()) {
		if (end_open(&a, 0, &attr)) {
			sleep_ms(10);
			continue;
		}
		if (end_open(&b, 1, &attr)) {
			end_close(&a);
			sleep_ms(10);
			continue;
		}
		count(&shared->opened);
		while (!stopped() && !over(&a) && !over(&b) && one_round(&a, &b, ++seed))
			;
		close_both(&a, &b);
	}
}

static void child(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	live();
	_exit(0);
}

struct life *life_start(const char **why)
{
	struct life *l = mmap(NULL, sizeof(*l), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t me = getpid(), pid;

	*why = "no memory to share";
	if (l == MAP_FAILED)
		return NULL;
	shared = l;
	fflush(stdout);
	pid = fork();
	if (!pid)
		child(me);
	l->pid = pid;
	if (l->pid > 0 && life_goes_on(l, 1, START_MS))
		return l;
	if (!l->complaint[0])
		snprintf(l->complaint, sizeof(l->complaint), "opened %llu times, %llu transfers failed",
			 (unsigned long long)l->opened, (unsigned long long)l->failed);
	*why = life_stop(l);
	return NULL;
}

static bool ended(const struct life *l)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, l->pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid;
}

bool life_goes_on(struct life *l, unsigned int more, unsigned int timeout_ms)
{
	uint64_t want = __atomic_load_n(&l->good, __ATOMIC_ACQUIRE) + more;
	uint64_t end = now_ns() + timeout_ms * 1000000ull;

	while (__atomic_load_n(&l->good, __ATOMIC_ACQUIRE) < want) {
		if (l->complaint[0] || now_ns() > end || ended(l))
			return false;
		sleep_ms(2);
	}
	return true;
}

/* The process ends soon, unless it hangs where it can't be killed; the harness finds that. */
const char *life_stop(struct life *l)
{
	static char complaint[sizeof(l->complaint)];
	uint64_t end = now_ns() + 2 * WAIT_MS * 1000000ull;
	int status = 0;
	pid_t got = 0;

	__atomic_store_n(&l->stop, true, __ATOMIC_RELEASE);
	while (l->pid > 0 && !(got = waitpid(l->pid, &status, WNOHANG)) && now_ns() < end)
		sleep_ms(5);
	if (!got && l->pid > 0) {
		snprintf(l->complaint, sizeof(l->complaint), "the traffic does not end");
		kill(l->pid, SIGKILL);
		waitpid(l->pid, NULL, 0);
	} else if (WIFSIGNALED(status)) {
		snprintf(l->complaint, sizeof(l->complaint), "the traffic got signal %d", WTERMSIG(status));
	}
	memcpy(complaint, l->complaint, sizeof(complaint));
	munmap(l, sizeof(*l));
	return complaint[0] ? complaint : NULL;
}
