/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small harness for test programs that print KTAP version 1.
 *
 * Used by the guest's selftests and by host tests of other rooms. A program is a
 * number of KTAP_TEST() functions and one KTAP_MAIN(); the tests run in the order
 * of the file. Exit status: 0 all passed, 1 something failed, 4 all skipped.
 *
 *	KTAP_TEST(two_and_two)
 *	{
 *		CHECK_EQ(2 + 2, 4);
 *		SUBTEST("case %d", 1)
 *			CHECK(true);
 *	}
 *	KTAP_MAIN()
 *
 * CHECK*() notes a failure and goes on, REQUIRE*() and SKIP() end the whole test, from
 * functions that it calls as well; by the main thread only. "continue" leaves a
 * subtest, SUBTEST_SKIP() too. "program NAME..." runs just the named tests,
 * "program -l" lists them.
 */
#ifndef PNIC_KTAP_H
#define PNIC_KTAP_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define KTAP_PASS	0
#define KTAP_FAIL	1
#define KTAP_SKIP	4

struct ktap_case {
	const char *name;
	void (*fn)(void);
	struct ktap_case *next;
};

/* One level of nesting: the test, and the subtest that is running in it. */
struct ktap_level {
	unsigned int failures;
	unsigned int count;		/* results printed below this level */
	bool skipped;
	char name[160];
	char why[160];
};

struct ktap {
	struct ktap_case *first, **tail;
	struct ktap_level level[2];
	sigjmp_buf jump;
	int depth;
	bool child;			/* of ktap_fork(): leaving is exiting */
	unsigned int timeout_s;		/* of one test, on a stock kernel */
	unsigned int failed, skipped, number;
};

/* One, whatever files a program has. */
__attribute__((weak)) struct ktap ktap = { .tail = &ktap.first, .timeout_s = 240 };

#define KTAP_UNUSED __attribute__((unused))

KTAP_UNUSED static void ktap_register(struct ktap_case *c)
{
	*ktap.tail = c;
	ktap.tail = &c->next;
}

/* How many times longer than usual everything may take here: a debug kernel is slow. */
KTAP_UNUSED static unsigned int ktap_slow(void)
{
	const char *slow = getenv("PNIC_SLOW");

	return slow && atoi(slow) > 1 ? atoi(slow) : 1;
}

/* A diagnostic line. */
__attribute__((format(printf, 1, 2)))
KTAP_UNUSED static void ktap_say(const char *fmt, ...)
{
	va_list ap;

	printf("%*s# ", ktap.depth > 0 ? 4 * ktap.depth : 0, "");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

__attribute__((format(printf, 3, 4)))
KTAP_UNUSED static void ktap_failed(const char *file, int line, const char *fmt, ...)
{
	const char *base = strrchr(file, '/');
	char buf[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	ktap.level[ktap.depth].failures++;
	ktap_say("%s:%d: %s", base ? base + 1 : file, line, buf);
}

/* Prints the result line of @l at @indent; true if it did not fail. */
static bool ktap_result(const struct ktap_level *l, int indent, unsigned int number)
{
	printf("%*s%s %u %s", indent, "", l->failures ? "not ok" : "ok", number, l->name);
	if (l->skipped && !l->failures)
		printf(" # SKIP %s", l->why);
	putchar('\n');
	fflush(stdout);
	return !l->failures;
}

__attribute__((format(printf, 1, 2)))
KTAP_UNUSED static int ktap_sub_begin(const char *fmt, ...)
{
	struct ktap_level *l = &ktap.level[1];
	va_list ap;

	if (ktap.depth != 0) {
		fprintf(stderr, "ktap: subtest within a subtest\n");
		abort();
	}
	if (!ktap.level[0].count)
		printf("    KTAP version 1\n");
	l->failures = 0;
	l->skipped = false;
	va_start(ap, fmt);
	vsnprintf(l->name, sizeof(l->name), fmt, ap);
	va_end(ap);
	ktap.depth = 1;
	return 1;
}

KTAP_UNUSED static int ktap_sub_end(void)
{
	ktap.depth = 0;
	if (!ktap_result(&ktap.level[1], 4, ++ktap.level[0].count))
		ktap.level[0].failures++;
	return 0;
}

__attribute__((noreturn))
KTAP_UNUSED static void ktap_leave(void)
{
	if (ktap.child)
		_exit(KTAP_FAIL);
	if (ktap.depth)
		ktap_sub_end();
	siglongjmp(ktap.jump, 1);
}

/* A child may CHECK and REQUIRE too; it ends by ktap_child_exit(), whose status says what came out. */
KTAP_UNUSED static pid_t ktap_fork(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		ktap.child = true;
		ktap.level[ktap.depth].failures = 0;
		alarm(ktap.timeout_s * ktap_slow());
	}
	return pid;
}

__attribute__((noreturn))
KTAP_UNUSED static void ktap_child_exit(void)
{
	_exit(ktap.level[ktap.depth].failures ? KTAP_FAIL : KTAP_PASS);
}

__attribute__((format(printf, 1, 2)))
KTAP_UNUSED static void ktap_skipped(const char *fmt, ...)
{
	struct ktap_level *l = &ktap.level[ktap.depth];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(l->why, sizeof(l->why), fmt, ap);
	va_end(ap);
	l->skipped = true;
}

static void ktap_on_alarm(int sig)
{
	static const char msg[] = "\n# timed out\nBail out! test took too long\n";

	(void)sig;
	if (write(STDOUT_FILENO, msg, sizeof(msg) - 1) < 0)
		_exit(KTAP_FAIL + 1);
	_exit(KTAP_FAIL);
}

static void ktap_run(struct ktap_case *c)
{
	struct ktap_level *l = &ktap.level[0];

	memset(l, 0, sizeof(*l));
	snprintf(l->name, sizeof(l->name), "%s", c->name);
	ktap.depth = 0;
	alarm(ktap.timeout_s * ktap_slow());
	if (!sigsetjmp(ktap.jump, 1))
		c->fn();
	alarm(0);
	if (l->count)
		printf("    1..%u\n", l->count);
	if (!ktap_result(l, 0, ++ktap.number))
		ktap.failed++;
	else if (l->skipped)
		ktap.skipped++;
}

static bool ktap_wanted(const struct ktap_case *c, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], c->name))
			return true;
	return argc < 2;
}

KTAP_UNUSED static int ktap_main(int argc, char **argv)
{
	unsigned int plan = 0;
	struct ktap_case *c;

	if (argc == 2 && !strcmp(argv[1], "-l")) {
		for (c = ktap.first; c; c = c->next)
			puts(c->name);
		return 0;
	}
	for (c = ktap.first; c; c = c->next)
		plan += ktap_wanted(c, argc, argv);
	if (!plan) {
		fprintf(stderr, "%s: no such test\n", argv[0]);
		return 2;
	}
	signal(SIGALRM, ktap_on_alarm);
	printf("KTAP version 1\n1..%u\n", plan);
	fflush(stdout);
	for (c = ktap.first; c; c = c->next)
		if (ktap_wanted(c, argc, argv))
			ktap_run(c);
	if (ktap.failed)
		return KTAP_FAIL;
	return ktap.skipped == ktap.number ? KTAP_SKIP : KTAP_PASS;
}

#define KTAP_TEST(id)							\
	static void ktap_fn_##id(void);					\
	static struct ktap_case ktap_case_##id = { #id, ktap_fn_##id, NULL }; \
	__attribute__((constructor)) static void ktap_reg_##id(void)	\
	{								\
		ktap_register(&ktap_case_##id);				\
	}								\
	static void ktap_fn_##id(void)

#define KTAP_MAIN()							\
	int main(int argc, char **argv)					\
	{								\
		return ktap_main(argc, argv);				\
	}

/* SUBTEST("name %d", i) { ... }: no break, return or goto out of it. */
#define SUBTEST(...)							\
	for (int ktap_go = ktap_sub_begin(__VA_ARGS__); ktap_go; ktap_go = ktap_sub_end())
#define SUBTEST_SKIP(...)	{ ktap_skipped(__VA_ARGS__); continue; }

#define KTAP_OR_(leave, file, line, ...)				\
	do {								\
		ktap_failed(file, line, __VA_ARGS__);			\
		if (leave)						\
			ktap_leave();					\
	} while (0)

#define KTAP_TRUE_(leave, cond)						\
	do {								\
		if (!(cond))						\
			KTAP_OR_(leave, __FILE__, __LINE__, "not true: %s", #cond); \
	} while (0)

#define KTAP_CMP_(leave, a, op, b)					\
	do {								\
		long long ktap_a = (long long)(a), ktap_b = (long long)(b); \
									\
		if (!(ktap_a op ktap_b))				\
			KTAP_OR_(leave, __FILE__, __LINE__,		\
				 "not true: %s %s %s: left %lld (0x%llx), right %lld (0x%llx)", \
				 #a, #op, #b, ktap_a, ktap_a, ktap_b, ktap_b); \
	} while (0)

#define KTAP_OK_(leave, expr)						\
	do {								\
		long long ktap_r = (long long)(expr);			\
		int ktap_e = errno;					\
									\
		if (ktap_r < 0)						\
			KTAP_OR_(leave, __FILE__, __LINE__, "%s gave %lld, errno %d (%s)", \
				 #expr, ktap_r, ktap_e, strerror(ktap_e)); \
	} while (0)

#define CHECK(cond)		KTAP_TRUE_(false, cond)
#define REQUIRE(cond)		KTAP_TRUE_(true, cond)
#define CHECK_EQ(a, b)		KTAP_CMP_(false, a, ==, b)
#define CHECK_NE(a, b)		KTAP_CMP_(false, a, !=, b)
#define CHECK_LT(a, b)		KTAP_CMP_(false, a, <, b)
#define CHECK_LE(a, b)		KTAP_CMP_(false, a, <=, b)
#define CHECK_GT(a, b)		KTAP_CMP_(false, a, >, b)
#define CHECK_GE(a, b)		KTAP_CMP_(false, a, >=, b)
#define REQUIRE_EQ(a, b)	KTAP_CMP_(true, a, ==, b)
#define REQUIRE_NE(a, b)	KTAP_CMP_(true, a, !=, b)
#define REQUIRE_GE(a, b)	KTAP_CMP_(true, a, >=, b)
/* A call that returns -1 and sets errno: it must succeed. */
#define CHECK_OK(expr)		KTAP_OK_(false, expr)
#define REQUIRE_OK(expr)	KTAP_OK_(true, expr)
/* ... it must fail, with this errno. */
#define CHECK_ERRNO(expr, want)						\
	do {								\
		long long ktap_r = (errno = 0, (long long)(expr));	\
		int ktap_e = errno;					\
									\
		if (ktap_r >= 0)					\
			KTAP_OR_(false, __FILE__, __LINE__,		\
				 "%s succeeded with %lld, errno wanted: %d (%s)", \
				 #expr, ktap_r, (want), strerror(want)); \
		else if (ktap_e != (want))				\
			KTAP_OR_(false, __FILE__, __LINE__,		\
				 "%s: errno %d (%s), wanted %d (%s)", #expr, \
				 ktap_e, strerror(ktap_e), (want), strerror(want)); \
	} while (0)
#define CHECK_STREQ(a, b)						\
	do {								\
		const char *ktap_a = (a), *ktap_b = (b);		\
									\
		if (strcmp(ktap_a, ktap_b))				\
			KTAP_OR_(false, __FILE__, __LINE__,		\
				 "%s is \"%s\", wanted \"%s\"", #a, ktap_a, ktap_b); \
	} while (0)

#define SKIP(...)							\
	do {								\
		ktap_skipped(__VA_ARGS__);				\
		ktap_leave();						\
	} while (0)

#endif /* PNIC_KTAP_H */
