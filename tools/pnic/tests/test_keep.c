// SPDX-License-Identifier: GPL-2.0
/*
 * Files that are kept: knobs there and back; and whatever moment the power goes, the file is the
 * old one or the new one. The moments are all system calls of the tool, one after the other.
 */
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* The C library's own has no names for what it gives. */
#include <linux/ptrace.h>

#include "selftests/ktap.h"

#include "names.h"
#include "run.h"

static char dir[64];

static void make_dir(void)
{
	strcpy(dir, "/tmp/pnic-keep-XXXXXX");
	REQUIRE(mkdtemp(dir));
}

static void remove_dir(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	CHECK_EQ(system(command), 0);
}

KTAP_TEST(knobs_are_saved)
{
	json_t *v, *knobs;
	char path[256];
	struct ran r;

	make_dir();
	r = run("", "policy save 0 %s/p", dir);
	CHECK_EQ(r.status, 0);
	CHECK(strstr(r.out, "saved in"));
	snprintf(path, sizeof(path), "%s/p", dir);
	v = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	REQUIRE(v);
	CHECK_STREQ(json_string_value(json_object_get(v, "format")), "pnic-policy");
	CHECK_EQ(json_integer_value(json_object_get(v, "version")), 1);
	knobs = json_object_get(v, "knobs");
	CHECK_EQ(json_object_size(knobs), 20);
	CHECK_GT(json_integer_value(json_object_get(knobs, "retire-ppb")), 0);
	json_decref(v);
	r = run("", "-j policy load 0 %s/p", dir);
	CHECK_EQ(r.status, 0);
	v = ran_json(&r, 1);
	json_decref(v);
	remove_dir();
}

/* Whatever has the name is no file to be replaced; what a link names is one. */
KTAP_TEST(only_files_are_replaced)
{
	char path[256], link[256];
	struct stat st;
	struct ran r;

	make_dir();
	snprintf(path, sizeof(path), "%s/pipe", dir);
	REQUIRE_OK(mkfifo(path, 0600));
	r = run("", "policy save 0 %s", path);
	CHECK_EQ(r.status, 1);
	CHECK(strstr(r.err, "pipe is there and no usual file: give another name"));
	REQUIRE_OK(stat(path, &st));
	CHECK(S_ISFIFO(st.st_mode));
	snprintf(path, sizeof(path), "%s/p", dir);
	snprintf(link, sizeof(link), "%s/link", dir);
	REQUIRE_OK(symlink("p", link));
	r = run("", "policy save 0 %s", path);
	CHECK_EQ(r.status, 0);
	REQUIRE_OK(truncate(path, 0));
	r = run("", "policy save 0 %s", link);
	CHECK_EQ(r.status, 0);
	REQUIRE_OK(stat(path, &st));
	CHECK_GT(st.st_size, 0);
	REQUIRE_OK(lstat(link, &st));
	CHECK(S_ISLNK(st.st_mode));
	remove_dir();
}

static const struct {
	const char *name, *sed, *text;
} bad[] = {
	{ "another format", "s/pnic-policy/pnic-history/", "no file that policy save has written" },
	{ "another version", "s/\"version\": 1/\"version\": 2/", "this tool reads version 1" },
	{ "no knobs", "s/\"knobs\"/\"knubs\"/", "has no \"knobs\"" },
	{ "unknown knob", "s/\"retire-ppb\"/\"retire\"/", "\"retire\" is no knob" },
	{ "out of range", "s/\"common-pct\": [0-9]*/\"common-pct\": 101/",
	  "\"common-pct\" is not 1 to 100" },
	{ "negative", "s/\"poll-ms\": [0-9]*/\"poll-ms\": -1/", "\"poll-ms\" is not 10 to" },
	{ "text", "s/\"poll-ms\": [0-9]*/\"poll-ms\": \"x\"/", "\"poll-ms\" is not 10 to" },
	{ "truncated", "5q", "truncated or damaged" },
	{ "empty", "d", "truncated or damaged" },
};

KTAP_TEST(load_refuses)
{
	char command[512];
	unsigned int i;
	struct ran r;

	make_dir();
	r = run("", "policy save 0 %s/good", dir);
	REQUIRE_EQ(r.status, 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		SUBTEST("%s", bad[i].name) {
			snprintf(command, sizeof(command), "sed '%s' %s/good >%s/bad", bad[i].sed,
				 dir, dir);
			CHECK_EQ(system(command), 0);
			r = run("", "policy load 0 %s/bad", dir);
			CHECK_EQ(r.status, 1);
			CHECK_STREQ(r.out, "");
			if (!strstr(r.err, bad[i].text))
				ktap_failed(__FILE__, __LINE__, "wanted \"%s\": %s", bad[i].text,
					    r.err);
		}
	r = run("user", "policy load 0 %s/good", dir);
	CHECK_EQ(r.status, 1);
	CHECK(strstr(r.err, "Operation not permitted"));
	r = run("", "policy load 0 %s/none", dir);
	CHECK(strstr(r.err, "No such file or directory"));
	r = run("", "policy save 0");
	CHECK_EQ(r.status, 2);
	r = run("", "policy save 0 %s/no/such", dir);
	CHECK_EQ(r.status, 1);
	remove_dir();
}

/* --- power cuts ------------------------------------------------------------------------------ */

/* What a run did with files, in order. */
struct trace {
	unsigned int calls;		/* before and after each: moments */
	unsigned int created;		/* moment of it, 0: none */
	bool written, synced, renamed, dir_synced, in_order;
	long fd;
};

static void take_entry(struct trace *t, const struct ptrace_syscall_info *i)
{
	const __u64 *arg = i->entry.args;

	switch (i->entry.nr) {
	case SYS_openat:
		if ((arg[2] & O_CREAT) && (arg[2] & O_EXCL) && !t->created)
			t->created = t->calls;
		break;
	case SYS_write:
		t->written |= t->created && (long)arg[0] == t->fd;
		t->in_order &= !(t->synced && (long)arg[0] == t->fd);
		break;
	case SYS_fsync:
		if ((long)arg[0] == t->fd && t->written && !t->renamed)
			t->synced = true;
		else if (t->renamed)
			t->dir_synced = true;
		break;
	case SYS_rename:
		t->in_order &= t->synced;
		t->renamed = true;
		break;
	}
}

/*
 * Runs the tool to its @stop'th moment since it began to make the file (the first is just before
 * it does), where it is killed; 0: to the end. Returns whether it came to its end. Moments before
 * are not counted, as their number is the C library's and differs from run to run.
 */
static bool run_until(const char *what, unsigned int stop, struct trace *t)
{
	struct ptrace_syscall_info i;
	bool creating = false;
	int status, out;
	pid_t pid;

	memset(t, 0, sizeof(*t));
	t->in_order = true;
	t->fd = -1;
	pid = fork();
	if (!pid) {
		char path[128];

		snprintf(path, sizeof(path), "%s/kept", dir);
		out = open("/dev/null", O_RDWR);
		dup2(out, 1);
		setenv("PNIC_FAKE", "", 1);
		/* It can't look for leaks while it is looked at. */
		setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execl(FAKE, FAKE, what, "save", "0", path, NULL);
		_exit(127);
	}
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	REQUIRE(WIFSTOPPED(status));
	REQUIRE_EQ(ptrace(PTRACE_SETOPTIONS, pid, NULL,
			  (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)), 0);
	for (;;) {
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
		REQUIRE_EQ(waitpid(pid, &status, 0), pid);
		if (!WIFSTOPPED(status))
			break;
		t->calls++;
		if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(i), &i) <= 0)
			continue;
		if (i.op == PTRACE_SYSCALL_INFO_ENTRY) {
			take_entry(t, &i);
			creating = t->created == t->calls;
		} else if (i.op == PTRACE_SYSCALL_INFO_EXIT && creating) {
			t->fd = i.exit.rval;
			creating = false;
		}
		if (stop && t->created && t->calls - t->created + 1 == stop)
			kill(pid, SIGKILL);
	}
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* The file, or NULL. */
static char *kept(void)
{
	char path[128], *text;

	snprintf(path, sizeof(path), "%s/kept", dir);
	if (access(path, F_OK))
		return NULL;
	text = slurp(path);
	return text;
}

static void cut_everywhere(const char *what)
{
	unsigned int at, old = 0, new = 0;
	struct trace t, whole;
	struct ran r;
	char *before, *after;
	char path[128];
	FILE *f;

	make_dir();
	REQUIRE(run_until(what, 0, &whole));
	CHECK(whole.created && whole.written);
	/* On the disk before it has the name; and the name, too. */
	CHECK(whole.synced && whole.renamed && whole.dir_synced && whole.in_order);
	snprintf(path, sizeof(path), "%s/kept", dir);
	for (at = 1;; at++) {
		/* An old file that is not the new one. */
		f = fopen(path, "w");
		REQUIRE(f);
		fprintf(f, "the old one\n");
		fclose(f);
		if (run_until(what, at, &t))
			break;
		REQUIRE(t.created);
		before = kept();
		if (before && !strcmp(before, "the old one\n")) {
			old++;
		} else {
			r = run("", "%s load 0 %s", what, path);
			CHECK_EQ(r.status, 0);
			new++;
		}
		free(before);
	}
	CHECK_GT(old, 3);
	CHECK_GT(new, 1);
	ktap_say("%u moments: the old file at %u, the new one at %u", old + new, old, new);
	/* What was left over is in nobody's way. */
	REQUIRE(run_until(what, 0, &t));
	after = kept();
	CHECK(after && *after == '{');
	free(after);
	remove_dir();
}

KTAP_TEST(power_cut_while_history_is_saved)
{
	cut_everywhere("history");
}

KTAP_TEST(power_cut_while_policy_is_saved)
{
	cut_everywhere("policy");
}

KTAP_MAIN()
