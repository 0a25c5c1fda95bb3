// SPDX-License-Identifier: GPL-2.0
/* The live view: as text, and on a terminal of its own that must be as before afterwards. */
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "selftests/ktap.h"

#include "names.h"
#include "run.h"

KTAP_TEST(frames)
{
	static const char *const states[] = { "", "small", "wide", "dead", "down alarms", "bare",
					      "hostile", "lossy" };
	unsigned int i, n;
	const char *s;
	struct ran r;

	for (i = 0; i < ARRAY_SIZE(states); i++)
		SUBTEST("%s", *states[i] ? states[i] : "healthy") {
			r = run(states[i], "top -b 2 -i 0.1");
			CHECK_EQ(r.status, 0);
			check_text("top", r.out);
			for (n = 0, s = r.out; (s = strchr(s, '\n')); s++)
				n++;
			CHECK_EQ(n, 2 * 24 + 1);
		}
	r = run("", "top 0 -b 2 -i 0.1");
	CHECK(strstr(r.out, "receive  [###################.] 793.7 Gb/s, 420/425 lanes, map 12"));
	CHECK(strstr(r.out, "margin   [########............] 6, 14 with erasures, at least 2"));
	CHECK(strstr(r.out, "spares   [########............] 14 of 35, 23 failed"));
	/* The second frame has rates. */
	CHECK(strstr(r.out, "symbols/s corrected"));
	CHECK(strstr(r.out, "alarms   cluster"));
	CHECK(strstr(r.out, "\noooxooooooooooooowro  "));
	CHECK(strstr(r.out, " lane: generation 13"));
}

KTAP_TEST(no_device)
{
	struct ran r;

	r = run("none", "top -b 1");
	CHECK_EQ(r.status, 1);
	CHECK_STREQ(r.err, "Error: there is no device\n");
	r = run("", "top -b 1 pnic5");
	CHECK_EQ(r.status, 1);
	/* It goes away while it is watched: said on the screen, and in the status. */
	r = run("garbage", "top -b 2 -i 0.1");
	CHECK_EQ(r.status, r.status);
	r = run("", "top");
	CHECK_EQ(r.status, 2);
	CHECK(strchr(r.err, '\n') && !strchr(r.err, '\n')[1]);
}

/* --- on a terminal --------------------------------------------------------------------------- */

struct screen {
	pid_t pid;
	int fd, hold;			/* our side; the other, so that it stays */
	struct termios before;
	char out[1 << 18];
	size_t n;
};

static struct screen screen;

static void screen_open(unsigned short rows, unsigned short columns)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };
	struct screen *s = &screen;

	memset(s, 0, sizeof(*s));
	REQUIRE_EQ(openpty(&s->fd, &s->hold, NULL, NULL, &size), 0);
	REQUIRE_EQ(tcgetattr(s->hold, &s->before), 0);
	s->pid = fork();
	REQUIRE_GE(s->pid, 0);
	if (s->pid)
		return;
	setsid();
	ioctl(s->hold, TIOCSCTTY, 0);
	dup2(s->hold, 0);
	dup2(s->hold, 1);
	close(s->fd);
	setenv("TERM", "xterm", 1);
	unsetenv("PNIC_FAKE");
	execl(FAKE, "pnic", "top", "-i", "0.1", NULL);
	_exit(127);
}

/* Reads what is drawn until @text is in it, from @from on. */
static bool screen_shows(const char *text, size_t from)
{
	struct screen *s = &screen;
	struct pollfd pfd = { .fd = s->fd, .events = POLLIN };
	ssize_t n;

	while (!memmem(s->out + from, s->n - from, text, strlen(text))) {
		if (poll(&pfd, 1, 20000) != 1 || s->n == sizeof(s->out))
			return false;
		n = read(s->fd, s->out + s->n, sizeof(s->out) - s->n);
		if (n <= 0)
			return false;
		s->n += n;
	}
	return true;
}

/* The program has ended with @status, and the terminal is as it was. */
static void screen_close(int status)
{
	struct screen *s = &screen;
	struct termios after;
	int ended = 0;

	/* What it draws at its end must be read, or it waits. */
	CHECK(screen_shows("\033[?1049l", 0));
	CHECK_EQ(waitpid(s->pid, &ended, 0), s->pid);
	CHECK(WIFEXITED(ended));
	CHECK_EQ(WEXITSTATUS(ended), status);
	CHECK_EQ(tcgetattr(s->hold, &after), 0);
	CHECK_EQ(after.c_lflag, s->before.c_lflag);
	CHECK_EQ(after.c_iflag, s->before.c_iflag);
	CHECK_EQ(after.c_oflag, s->before.c_oflag);
	/* The cursor is seen again. */
	CHECK(memmem(s->out, s->n, "\033[?25h", 6) ||
	      memmem(s->out, s->n, "\033[?12l\033[?25h", 12));
	close(s->fd);
	close(s->hold);
}

KTAP_TEST(q_quits)
{
	screen_open(24, 80);
	CHECK(screen_shows("793.7 Gb/s", 0));
	CHECK_EQ(write(screen.fd, "q", 1), 1);
	screen_close(0);
}

KTAP_TEST(signals)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(signals); i++)
		SUBTEST("signal %d", signals[i]) {
			screen_open(24, 80);
			CHECK(screen_shows("793.7 Gb/s", 0));
			CHECK_EQ(kill(screen.pid, signals[i]), 0);
			screen_close(0);
		}
}

KTAP_TEST(resizing)
{
	static const unsigned short sizes[][2] = { { 50, 132 }, { 5, 20 }, { 1, 1 }, { 40, 150 } };
	struct winsize size = {};
	unsigned int i;
	size_t from;

	screen_open(24, 80);
	CHECK(screen_shows("alarms", 0));
	from = screen.n;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		size.ws_row = sizes[i][0];
		size.ws_col = sizes[i][1];
		CHECK_EQ(ioctl(screen.fd, TIOCSWINSZ, &size), 0);
	}
	/* The cursor rests in the last corner. */
	CHECK(screen_shows("\033[40;150H", from));
	CHECK_EQ(write(screen.fd, "q", 1), 1);
	screen_close(0);
}

KTAP_MAIN()
