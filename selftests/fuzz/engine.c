// SPDX-License-Identifier: GPL-2.0
/* What both targets have in common; see fuzz.h. */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../device.h"
#include "../ktap.h"
#include "../traffic.h"

#define PROCESSES_MAX	16u
#define CORPUS_MAX	4096u
#define MAP_BITS	(1u << 16)
#define HANG_MS		120000u		/* for one program, on a stock kernel */
#define COVER		(128u << 10)	/* places that one program can visit */
#define LIFE		64u		/* programs, at most */

#define KCOV_INIT_TRACE	_IOR('c', 1, unsigned long)
#define KCOV_ENABLE	_IO('c', 100)
#define KCOV_DISABLE	_IO('c', 101)
#define KCOV_TRACE_PC	0

struct prog {
	uint32_t len;
	uint8_t bytes[FUZZ_PROG_MAX];
};

struct worker {
	uint64_t programs, lives;
	uint64_t ns_over, ns_cover;
	struct fuzz_count kind[FUZZ_KINDS_MAX];
	uint64_t seed;
	uint64_t living;		/* programs of this life, bursts too, with that which runs */
	struct prog life[LIFE];		/* the last ones of them, in a ring */
};

/* Between the processes. A lock of one byte: whoever holds it may be killed only at the very end. */
struct shared {
	char lock;
	bool kcov;
	unsigned int given, corpus;	/* programs: given, and with those that were found */
	unsigned int next_given;
	uint64_t places, edges;
	uint8_t place[MAP_BITS / 8], edge[MAP_BITS / 8];
	struct worker worker[PROCESSES_MAX];
	struct prog prog[CORPUS_MAX];
};

static struct shared *sh;
static struct worker *me;
static int kcov = -1;
static unsigned long *cover;
static uint64_t rnd;
static uint64_t answers[64];		/* of the program that runs */
static unsigned int num_answers;
static uint64_t last_ns;		/* until when time was put down somewhere */

static uint64_t mix(uint64_t v)
{
	v = (v ^ v >> 31) * 0x9e3779b97f4a7c15ull;
	return v ^ v >> 29;
}

uint64_t fuzz_edge(struct fuzz_feed *f)
{
	uint8_t how = fuzz_u8(f);
	uint64_t v;

	switch (how & 7) {
	case 0:
		return how >> 3;
	case 1:
		return (1ull << (how >> 3)) - 1;
	case 2:
		return 1ull << (how >> 3);
	case 3:
		return 1ull << (32 + (how >> 3));
	case 4:
		return -(uint64_t)(how >> 3);
	case 5:
		return (uint32_t)-(how >> 3);
	case 6:
		v = fuzz_u16(f);
		return v << ((how >> 3) * 2);
	default:
		return fuzz_u64(f);
	}
}

struct fuzz_feed fuzz_chance(uint64_t *seed, uint8_t *bytes, size_t size)
{
	uint64_t v;
	size_t i;

	for (i = 0; i < size; i += sizeof(v)) {
		v = random_u64(seed);
		memcpy(bytes + i, &v, size - i < sizeof(v) ? size - i : sizeof(v));
	}
	return (struct fuzz_feed){ bytes, bytes + size };
}

static uint64_t elapsed(void)
{
	uint64_t then = last_ns;

	last_ns = now_ns();
	return last_ns - then;
}

static void heard(unsigned int kind, int err)
{
	if (num_answers < sizeof(answers) / sizeof(answers[0]))
		answers[num_answers++] = mix((uint64_t)kind << 32 | (uint32_t)err);
}

/* Nobody else counts there: a child of the process does, but is waited for. */
void fuzz_called(unsigned int kind, int err)
{
	struct fuzz_count *c = &me->kind[kind];

	c->calls++;
	c->accepted += !err;
	c->ns += elapsed();
	heard(kind, err);
}

void fuzz_answered(unsigned int kind, int err)
{
	struct fuzz_count *c = &me->kind[kind];

	if (err && c->accepted)
		c->accepted--;
	heard(kind, err);
}

/* --- what was reached ---- */

static void take_lock(void)
{
	while (__atomic_test_and_set(&sh->lock, __ATOMIC_ACQUIRE))
		sched_yield();
}

static void give_lock(void)
{
	__atomic_clear(&sh->lock, __ATOMIC_RELEASE);
}

static void kcov_open(void)
{
	kcov = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	if (kcov < 0)
		return;
	if (!ioctl(kcov, KCOV_INIT_TRACE, COVER)) {
		cover = mmap(NULL, COVER * sizeof(*cover), PROT_READ | PROT_WRITE, MAP_SHARED, kcov, 0);
		if (cover != MAP_FAILED)
			return;
	}
	close(kcov);
	kcov = -1;
}

static void cover_begin(void)
{
	num_answers = 0;
	if (kcov < 0)
		return;
	ioctl(kcov, KCOV_ENABLE, KCOV_TRACE_PC);
	__atomic_store_n(&cover[0], 0, __ATOMIC_RELAXED);
}

static bool marked(const uint8_t *map, uint64_t hash)
{
	uint32_t bit = hash % MAP_BITS;

	return __atomic_load_n(&map[bit / 8], __ATOMIC_RELAXED) >> (bit % 8) & 1;
}

static bool mark(uint8_t *map, uint64_t hash)
{
	uint32_t bit = hash % MAP_BITS;

	if (marked(map, hash))
		return false;
	__atomic_store_n(&map[bit / 8], map[bit / 8] | 1u << (bit % 8), __ATOMIC_RELAXED);
	return true;
}

/* True: something that was never there before. That is rare; nobody waits for the lock to learn that there is none. */
static bool cover_end(void)
{
	unsigned long n = 0, i;
	uint64_t last = 0;
	bool found = false;

	if (kcov >= 0) {
		n = __atomic_load_n(&cover[0], __ATOMIC_RELAXED);
		ioctl(kcov, KCOV_DISABLE, 0);
		if (n)
			__atomic_store_n(&sh->kcov, true, __ATOMIC_RELAXED);
	}
	for (i = 1; i <= n && i < COVER; i++) {
		uint64_t pc = mix(cover[i]), edge = pc ^ last;

		last = pc >> 1;
		if (marked(sh->edge, edge))
			continue;
		take_lock();
		sh->places += mark(sh->place, pc);
		if (mark(sh->edge, edge)) {
			sh->edges++;
			found = true;
		}
		give_lock();
	}
	/* Answers count where there is nothing better. */
	for (i = 0; !__atomic_load_n(&sh->kcov, __ATOMIC_RELAXED) && i < num_answers; i++) {
		if (marked(sh->place, answers[i]))
			continue;
		take_lock();
		if (mark(sh->place, answers[i])) {
			sh->places++;
			found = true;
		}
		give_lock();
	}
	return found;
}

/* --- programs ---- */

static uint32_t below(uint32_t n)
{
	return random_below(&rnd, n);
}

static void havoc(struct prog *p)
{
	uint32_t at, n;

	switch (below(7)) {
	case 0:		/* a bit */
		if (p->len)
			p->bytes[below(p->len)] ^= 1u << below(8);
		break;
	case 1:		/* a byte */
	case 2:
		if (p->len)
			p->bytes[below(p->len)] = random_u64(&rnd);
		break;
	case 3:		/* fewer */
		if (p->len < 2)
			break;
		at = below(p->len);
		n = 1 + below(p->len - at < 16 ? p->len - at : 16);
		n = n > p->len - at ? p->len - at : n;
		memmove(p->bytes + at, p->bytes + at + n, p->len - at - n);
		p->len -= n;
		break;
	case 4:		/* more */
		n = 1 + below(12);
		if (p->len + n > FUZZ_PROG_MAX)
			break;
		at = below(p->len + 1);
		memmove(p->bytes + at + n, p->bytes + at, p->len - at);
		p->len += n;
		while (n--)
			p->bytes[at + n] = random_u64(&rnd);
		break;
	case 5:		/* a piece twice */
		if (p->len < 2)
			break;
		at = below(p->len);
		n = 1 + below(p->len - at);
		if (p->len + n > FUZZ_PROG_MAX)
			break;
		memmove(p->bytes + at + n, p->bytes + at, p->len - at);
		p->len += n;
		break;
	default:	/* the end of another */
		take_lock();
		if (sh->corpus) {
			const struct prog *o = &sh->prog[below(sh->corpus)];

			at = p->len ? below(p->len) : 0;
			n = o->len ? below(o->len) : 0;
			if (at + o->len - n <= FUZZ_PROG_MAX) {
				memcpy(p->bytes + at, o->bytes + n, o->len - n);
				p->len = at + o->len - n;
			}
		}
		give_lock();
		break;
	}
}

/* One of the given ones as it is, as long as there are such; then changed ones. */
static bool draw(struct prog *p)
{
	unsigned int i, n = __atomic_fetch_add(&sh->next_given, 1, __ATOMIC_RELAXED);

	if (n < sh->given) {
		*p = sh->prog[n];
		return true;
	}
	__atomic_store_n(&sh->next_given, sh->given, __ATOMIC_RELAXED);
	take_lock();
	n = sh->corpus;
	if (n && below(20))
		/* The youngest ones more often. */
		*p = sh->prog[below(2) ? below(n) : n - 1 - below(n < 32 ? n : 32)];
	else
		p->len = 0;
	give_lock();
	if (!p->len) {
		p->len = 8 + below(64);
		for (i = 0; i < p->len; i++)
			p->bytes[i] = random_u64(&rnd);
	}
	for (i = 1 + below(6); i; i--)
		havoc(p);
	return false;
}

static void keep(const struct prog *p)
{
	take_lock();
	if (sh->corpus < CORPUS_MAX)
		sh->prog[sh->corpus++] = *p;
	give_lock();
}

static void work(const struct fuzz_target *t, unsigned int process)
{
	struct rlimit files = { 128, 128 }, core = { 0, 0 };
	uint64_t took, ns_full = 0, ns_bursts = 0;
	unsigned int left = 0;
	struct fuzz_feed f;
	struct prog *p;
	bool given, burst;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_CORE, &core);
	me = &sh->worker[process];
	rnd = me->seed;
	me->living = 0;
	kcov_open();
	if (!t->begin(process))
		_exit(4);
	last_ns = now_ns();
	for (;;) {
		p = &me->life[me->living % LIFE];
		/* Half of the time is for what gets far, half for many calls. */
		burst = left && ns_bursts < ns_full;
		given = !burst && draw(p);
		if (burst)
			p->len = t->burst(random_u64(&rnd), p->bytes);
		__atomic_store_n(&me->living, me->living + 1, __ATOMIC_RELEASE);
		/* What was given has a life of its own, so that it does today what it did when it was found. */
		if (given)
			left = 1;
		else if (!left)
			left = 1 + below(LIFE);
		took = last_ns;
		cover_begin();
		f = (struct fuzz_feed){ p->bytes, p->bytes + p->len };
		t->run(&f);
		elapsed();
		if (!burst && !--left) {
			t->over();
			me->lives++;
		}
		me->ns_over += elapsed();
		if (cover_end() && !given)
			keep(p);
		me->ns_cover += elapsed();
		*(burst ? &ns_bursts : &ns_full) += last_ns - took;
		/* The next one of this place begins elsewhere. */
		me->seed = rnd;
		if (!left)
			__atomic_store_n(&me->living, 0, __ATOMIC_RELEASE);
		__atomic_fetch_add(&me->programs, 1, __ATOMIC_RELEASE);
	}
}

/* --- files of programs, each a line of hex digits ---- */

static void load(const char *path)
{
	char line[2 * FUZZ_PROG_MAX + 2];
	FILE *f = path ? fopen(path, "re") : NULL;
	unsigned int byte;
	struct prog *p;
	size_t i;

	while (f && sh->given < CORPUS_MAX && fgets(line, sizeof(line), f)) {
		p = &sh->prog[sh->given];
		p->len = 0;
		for (i = 0; i < FUZZ_PROG_MAX && sscanf(line + 2 * i, "%2x", &byte) == 1; i++)
			p->bytes[p->len++] = byte;
		sh->given += p->len > 0;
	}
	if (f)
		fclose(f);
	sh->corpus = sh->given;
}

static void print_prog(FILE *f, const struct prog *p)
{
	uint32_t i;

	for (i = 0; i < p->len && i < FUZZ_PROG_MAX; i++)
		fprintf(f, "%02x", p->bytes[i]);
	fputc('\n', f);
}

static void save(const char *path)
{
	FILE *f = path ? fopen(path, "we") : NULL;
	unsigned int i;

	for (i = sh->given; f && i < sh->corpus; i++)
		print_prog(f, &sh->prog[i]);
	if (f)
		fclose(f);
}

/* --- the one that looks on ---- */

static const char *const complaints[] = {
	"BUG:", "WARNING:", "UBSAN:", "Oops", "DMA-API:", "INFO: task", "rcu: INFO", "possible circular",
	"general protection", "refcount_t:", "list_add corruption", "list_del corruption",
};

/* A line of the kernel's log that says that something is broken. */
static bool look_at_log(int fd, char *line, size_t size)
{
	char rec[8192], *text;
	unsigned int i;
	ssize_t n;

	while ((n = read(fd, rec, sizeof(rec) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		if (n < 0)
			continue;
		rec[n] = 0;
		text = strchr(rec, ';');
		if (!text)
			continue;
		text[strcspn(text, "\n")] = 0;
		for (i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++)
			if (strstr(text, complaints[i])) {
				snprintf(line, size, "%s", text + 1);
				return true;
			}
	}
	return false;
}

static pid_t start(const struct fuzz_target *t, unsigned int process)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		alarm(0);
		signal(SIGALRM, SIG_DFL);
		work(t, process);
	}
	return pid;
}

static void told(const struct fuzz_target *t, unsigned int processes)
{
	unsigned int i;
	uint64_t k, n;

	printf("# %s: what the processes ran in the lives in which it was found:\n", t->name);
	for (i = 0; i < processes; i++) {
		n = __atomic_load_n(&sh->worker[i].living, __ATOMIC_ACQUIRE);
		for (k = n > LIFE ? n - LIFE : 0; k < n; k++) {
			printf("# %u: ", i);
			print_prog(stdout, &sh->worker[i].life[k % LIFE]);
		}
	}
	fflush(stdout);
}

/* False: over, since something was found. */
static bool look_on(const struct fuzz_target *t, pid_t *pid, uint64_t *seen, uint64_t *since, unsigned int processes,
		    int log, struct fuzz_result *r)
{
	unsigned int i;
	int status;

	if (look_at_log(log, r->finding, sizeof(r->finding)))
		return false;
	for (i = 0; i < processes; i++) {
		uint64_t n = __atomic_load_n(&sh->worker[i].programs, __ATOMIC_ACQUIRE);

		if (waitpid(pid[i], &status, WNOHANG) == pid[i]) {
			if (WIFEXITED(status)) {
				snprintf(r->finding, sizeof(r->finding), "process %u ended with status %d", i,
					 WEXITSTATUS(status));
				return false;
			}
			/* By what it made of its own memory: a signal. Its program goes, its dice roll on. */
			r->died++;
			sh->worker[i].seed = mix(sh->worker[i].seed + 1);
			pid[i] = start(t, i);
			since[i] = now_ns();
		} else if (n != seen[i]) {
			seen[i] = n;
			since[i] = now_ns();
		} else if (now_ns() - since[i] > ktap_slow() * HANG_MS * 1000000ull) {
			snprintf(r->finding, sizeof(r->finding), "process %u hangs", i);
			return false;
		}
	}
	return true;
}

/* Killed wherever they are: that is one more test. */
static void stop(const pid_t *pid, unsigned int processes)
{
	unsigned int i;

	for (i = 0; i < processes; i++)
		kill(pid[i], SIGKILL);
	for (i = 0; i < processes; i++)
		waitpid(pid[i], NULL, 0);
}

/* What was given has been run, as far as it can be: some may have ended with their process. */
static bool all_given(unsigned int processes, unsigned int died)
{
	uint64_t n = died;
	unsigned int i;

	for (i = 0; i < processes; i++)
		n += __atomic_load_n(&sh->worker[i].programs, __ATOMIC_ACQUIRE);
	return n >= sh->given;
}

static void add_up(const struct fuzz_target *t, const struct worker *w, struct fuzz_result *r)
{
	unsigned int k;

	for (k = 0; k < t->num_kinds; k++) {
		r->kind[k].calls += w->kind[k].calls;
		r->kind[k].accepted += w->kind[k].accepted;
		r->kind[k].ns += w->kind[k].ns;
		r->calls += w->kind[k].calls;
		if (k < t->main)
			r->main += w->kind[k].calls;
	}
	r->programs += w->programs;
	r->lives += w->lives;
	r->ns_over += w->ns_over;
	r->ns_cover += w->ns_cover;
}

void fuzz_run(const struct fuzz_target *t, const char *corpus, const char *keep_path, unsigned int seconds,
	      unsigned int processes, uint64_t seed, struct fuzz_result *r)
{
	uint64_t seen[PROCESSES_MAX] = {}, since[PROCESSES_MAX], end;
	pid_t pid[PROCESSES_MAX];
	unsigned int i;
	int log;

	memset(r, 0, sizeof(*r));
	processes = processes < PROCESSES_MAX ? processes : PROCESSES_MAX;
	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (sh == MAP_FAILED || log < 0) {
		snprintf(r->finding, sizeof(r->finding), "can't begin: %s", strerror(errno));
		return;
	}
	lseek(log, 0, SEEK_END);
	load(corpus);
	for (i = 0; i < processes; i++) {
		sh->worker[i].seed = mix(seed * 1000 + i);
		pid[i] = start(t, i);
		since[i] = now_ns();
	}
	end = now_ns() + seconds * 1000000000ull;
	while ((now_ns() < end || !all_given(processes, r->died)) && look_on(t, pid, seen, since, processes, log, r))
		sleep_ms(50);
	if (r->finding[0])
		told(t, processes);
	stop(pid, processes);
	if (!r->finding[0] && look_at_log(log, r->finding, sizeof(r->finding)))
		told(t, processes);
	for (i = 0; i < processes; i++)
		add_up(t, &sh->worker[i], r);
	r->kcov = sh->kcov;
	r->places = sh->places;
	r->corpus = sh->corpus;
	save(keep_path);
	close(log);
	munmap(sh, sizeof(*sh));
}
