/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fuzzer of the kernel's two interfaces, the char device and the netlink family.
 *
 * A program is a string of bytes; a target (ioctl.c, netlink.c) reads it and makes system calls of it, whatever the
 * bytes are. engine.c makes programs out of others, has several processes run them, and keeps those that
 * reached something new: places in the module where the kernel has KCOV and the module was built for it,
 * and otherwise answers that were not seen before. Everything is drawn from one seed; what the kernel
 * makes of several processes at once isn't.
 */
#ifndef PNIC_FUZZ_H
#define PNIC_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FUZZ_PROG_MAX	480u	/* bytes of a program */

/* A program that is being read: behind its end there are zeros. */
struct fuzz_feed {
	const uint8_t *at, *end;
};

static inline bool fuzz_more(const struct fuzz_feed *f)
{
	return f->at < f->end;
}

static inline uint8_t fuzz_u8(struct fuzz_feed *f)
{
	return f->at < f->end ? *f->at++ : 0;
}

static inline uint32_t fuzz_u16(struct fuzz_feed *f)
{
	uint32_t low = fuzz_u8(f);

	return low | (uint32_t)fuzz_u8(f) << 8;
}

static inline uint64_t fuzz_u64(struct fuzz_feed *f)
{
	uint64_t v = 0;
	int i;

	for (i = 0; i < 64; i += 16)
		v |= (uint64_t)fuzz_u16(f) << i;
	return v;
}

/* @size bytes of chance from @seed, at @bytes, as a program of their own; for many calls out of few bytes. */
struct fuzz_feed fuzz_chance(uint64_t *seed, uint8_t *bytes, size_t size);

/* A number of the kind at which checks end: of 64 bits, the low ones in any case. */
uint64_t fuzz_edge(struct fuzz_feed *f);

#define FUZZ_KINDS_MAX	48u	/* of calls */

/*
 * Several programs make a life: what one of them made is there for the next, since making it is most of the time
 * that a program takes.
 */
struct fuzz_target {
	const char *name;
	/* The kinds of calls; the first @main of them are calls of the interface itself. */
	const char *const *kinds;
	unsigned int num_kinds, main;
	/* Once in each process, before the first program. False: it can't run here. */
	bool (*begin)(unsigned int process);
	void (*run)(struct fuzz_feed *f);
	/* A program of calls that are refused as a rule, and cheap; how long it is. */
	uint32_t (*burst)(uint64_t seed, uint8_t *bytes);
	/* A life ends: nothing is left behind. */
	void (*over)(void);
};

extern const struct fuzz_target fuzz_ioctl, fuzz_netlink;

/* By a target, after each system call and nothing else: of which kind it was, and what came of it: 0 or errno. */
void fuzz_called(unsigned int kind, int err);
/* What the kernel answered later on to a call that it had taken. */
void fuzz_answered(unsigned int kind, int err);

/* Of one kind of calls. */
struct fuzz_count {
	uint64_t calls, accepted, ns;
};

struct fuzz_result {
	uint64_t calls, programs, lives;
	uint64_t main;			/* calls of the interface itself */
	uint64_t ns_over, ns_cover;	/* closing, and looking at coverage, of all processes */
	struct fuzz_count kind[FUZZ_KINDS_MAX];
	uint64_t places;		/* of the module, with KCOV; else kinds of answers */
	bool kcov;
	unsigned int corpus;		/* programs that were kept, with those given */
	unsigned int died;		/* processes that had to be started anew */
	char finding[512];		/* "": nothing was found */
};

/* Runs the corpus at @corpus (NULL: none), and nothing else if @seconds is 0. What is new goes to @keep, if any. */
void fuzz_run(const struct fuzz_target *t, const char *corpus, const char *keep, unsigned int seconds,
	      unsigned int processes, uint64_t seed, struct fuzz_result *r);

#endif /* PNIC_FUZZ_H */
