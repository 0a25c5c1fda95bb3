// SPDX-License-Identifier: GPL-2.0
/* pnic top: the live view on the screen, or a number of frames as text. */
#include <curses.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "args.h"
#include "cmd.h"
#include "top.h"

#define INTERVAL	1.0		/* seconds */
#define INTERVAL_MIN	0.1
#define INTERVAL_MAX	3600.0
#define FRAMES_MAX	1000000

static volatile sig_atomic_t ended;

static void on_signal(int sig)
{
	ended = sig;
}

/* --- the screen ------------------------------------------------------------------------------ */

static int attribute(unsigned char hue)
{
	switch (hue) {
	case HUE_BOLD:
		return A_BOLD;
	case HUE_DIM:
		return A_DIM;
	case HUE_NONE:
		return A_NORMAL;
	}
	return has_colors() ? COLOR_PAIR(hue) : A_NORMAL;
}

static void colours(void)
{
	if (!has_colors() || !out_colours())
		return;
	start_color();
	use_default_colors();
	init_pair(HUE_GOOD, COLOR_GREEN, -1);
	init_pair(HUE_WARN, COLOR_YELLOW, -1);
	init_pair(HUE_BAD, COLOR_RED, -1);
	init_pair(HUE_INFO, COLOR_CYAN, -1);
}

static void draw(const struct top *t)
{
	struct canvas c;
	unsigned int x, y;

	if (canvas_make(&c, COLS, LINES))
		return;
	top_frame(&c, t);
	erase();
	for (y = 0; y < c.height; y++)
		for (x = 0; x < c.width; x++)
			mvaddch(y, x, (unsigned char)c.c[y * c.width + x] |
				attribute(out_colours() || c.hue[y * c.width + x] >= HUE_DIM ?
					  c.hue[y * c.width + x] : HUE_NONE));
	refresh();
	canvas_free(&c);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

/* Waits for the next frame, a key or an event. true: quit. */
static bool wait_key(struct top *t, uint64_t next)
{
	struct pollfd pfd[2] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = -1 } };
	uint64_t now = now_ms();
	int key;

	if (t->listener.sock) {
		pfd[1].fd = sock_fd(t->listener.sock);
		pfd[1].events = POLLIN;
	}
	poll(pfd, 2, now < next ? (int)(next - now) : 0);
	/* A terminal that went away reads as ended for ever. */
	if (pfd[0].revents & (POLLHUP | POLLERR))
		return true;
	while ((key = getch()) != ERR)
		if (key == 'q' || key == 'Q')
			return true;
	return false;
}

static void run_screen(struct top *t)
{
	uint64_t next = 0;
	bool quit = false;

	while (!ended && !quit) {
		top_listen(t);
		if (now_ms() >= next) {
			top_read(t);
			next = now_ms() + (uint64_t)(t->interval * 1000);
		}
		draw(t);
		quit = wait_key(t, next);
	}
}

static int screen(struct top *t)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction sa = { .sa_handler = on_signal };
	unsigned int i;
	SCREEN *s;

	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &sa, NULL);
	s = newterm(NULL, stdout, stdin);
	if (!s)
		return pnic_error("the terminal \"%s\" is not known (TERM)",
				  getenv("TERM") ? getenv("TERM") : "");
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	colours();
	run_screen(t);
	/* On every way out: the terminal is as it was. */
	endwin();
	delscreen(s);
	return ST_OK;
}

/* --- as text --------------------------------------------------------------------------------- */

static void print_frame(const struct canvas *c)
{
	unsigned int y, x, n, hue;

	for (y = 0; y < c->height; y++) {
		for (n = c->width; n && c->c[y * c->width + n - 1] == ' '; n--)
			;
		for (x = 0, hue = HUE_NONE; x < n; x++) {
			if (c->hue[y * c->width + x] != hue) {
				hue = c->hue[y * c->width + x];
				fputs(out_hue(HUE_NONE), stdout);
				fputs(hue ? out_hue(hue) : "", stdout);
			}
			putchar(c->c[y * c->width + x]);
		}
		fputs(hue ? out_hue(HUE_NONE) : "", stdout);
		putchar('\n');
	}
	fflush(stdout);
}

static int print_frames(struct top *t, uint32_t frames)
{
	struct canvas c;

	while (frames-- && !ferror(stdout)) {
		top_listen(t);
		top_read(t);
		if (canvas_make(&c, CANVAS_WIDTH, CANVAS_HEIGHT))
			return pnic_error("out of memory");
		top_frame(&c, t);
		print_frame(&c);
		canvas_free(&c);
		if (frames) {
			putchar('\n');
			usleep(t->interval * 1e6);
		}
	}
	return *t->error ? ST_FAILED : ST_OK;
}

static int top_interval(struct pnic *p, double *interval)
{
	const char *word = arg_next(p);
	char *end;

	*interval = word ? strtod(word, &end) : 0;
	if (!word || *end || !(*interval >= INTERVAL_MIN && *interval <= INTERVAL_MAX))
		return pnic_usage(p, "-i: seconds, %g to %g", INTERVAL_MIN, INTERVAL_MAX);
	return 0;
}

static int top_args(struct pnic *p, struct top *t, uint32_t *frames)
{
	struct list devs = {};
	char **dev = NULL;
	int ret = 0;

	while (!ret && arg_peek(p)) {
		if (!strcmp(arg_peek(p), "-b")) {
			arg_next(p);
			ret = arg_u32(p, "-b", FRAMES_MAX, frames);
			if (!ret && !*frames)
				ret = pnic_usage(p, "-b needs a number of frames, 1 or more");
		} else if (!strcmp(arg_peek(p), "-i")) {
			arg_next(p);
			ret = top_interval(p, &t->interval);
		} else if (!dev) {
			dev = p->argv;
			arg_next(p);
		} else {
			ret = arg_end(p);
		}
	}
	if (ret)
		return ret;
	if (!*frames && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
		return pnic_usage(p, "this is no terminal; top -b N prints N frames as text");
	p->argc = !!dev;
	p->argv = dev;
	ret = arg_devs(p, &devs);
	if (!ret && !devs.n)
		ret = pnic_error("there is no device");
	if (!ret)
		t->dev = *(const struct dev *)devs.items;
	fields_clear_list(&dev_set, &devs);
	return ret;
}

int cmd_top(struct pnic *p)
{
	struct top *t = calloc(1, sizeof(*t));
	uint32_t frames = 0;
	int ret;

	if (!t)
		return pnic_error("out of memory");
	t->p = p;
	t->interval = INTERVAL;
	if (p->json)
		ret = pnic_usage(
			p, "top draws a screen; link show -j and stat show -j have the numbers");
	else
		ret = top_args(p, t, &frames);
	if (!ret)
		ret = top_begin(t);
	if (!ret)
		ret = frames ? print_frames(t, frames) : screen(t);
	top_end(t);
	free(t);
	return ret;
}
