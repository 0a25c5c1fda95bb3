// SPDX-License-Identifier: GPL-2.0
/*
 * "pnic-model ctl": sends one request to the control socket of a running model
 * and prints the reply.
 *
 * Called by main.c. Works on the socket itself and, inside a guest, on the virtio port that QEMU
 * joins to it. What an earlier user of such a port left unread arrives first, so each request
 * carries a tag and replies without it are passed over.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"

#define REPLY_MAX	(8u << 20)
#define OPEN_TRIES	100		/* of 50 ms: another process has the port */

struct conn {
	int fd;
	int64_t deadline_ms;
	char *in;
	size_t len, cap;
};

static const char usage[] =
	"usage: pnic-model ctl [--ctl PATH] [--raw] [--timeout SECONDS] COMMAND [KEY=VALUE ...]\n"
	"\n"
	"PATH is the model's control socket, or the character device that leads to it;\n"
	"without it the one that PNIC_MODEL_CTL in the environment names.\n"
	"A value is a number, true, false, on, off, a list like 3,7,10-14, or text.\n"
	"\"pnic-model ctl help\" lists the commands.\n"
	"Status: 0 done, 1 refused or no answer, 2 wrong usage.\n";

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

static int open_device(const char *path)
{
	const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
	int fd, i;

	for (i = 0; i < OPEN_TRIES; i++) {
		fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
		if (fd >= 0 || errno != EBUSY)
			return fd;
		nanosleep(&pause, NULL);
	}
	return -1;
}

static int open_socket(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(a.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(a.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) || fcntl(fd, F_SETFL, O_NONBLOCK)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int open_path(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return -1;
	return S_ISCHR(st.st_mode) ? open_device(path) : open_socket(path);
}

static bool wait_for(struct conn *c, short events)
{
	struct pollfd p = { .fd = c->fd, .events = events };
	int64_t left;

	for (;;) {
		left = c->deadline_ms - now_ms();
		if (left <= 0)
			return false;
		if (poll(&p, 1, left) < 0) {
			if (errno != EINTR)
				return false;
			continue;
		}
		if (p.revents & events)
			return true;
		if (p.revents & (POLLHUP | POLLERR | POLLNVAL))
			return false;
	}
}

static bool send_all(struct conn *c, const char *text, size_t len)
{
	ssize_t n;

	while (len) {
		if (!wait_for(c, POLLOUT))
			return false;
		n = write(c->fd, text, len);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (n > 0) {
			text += n;
			len -= n;
		}
	}
	return true;
}

/* More input; false at the end of it or of the time. */
static bool receive(struct conn *c)
{
	char *p;
	ssize_t n;

	if (c->len == c->cap) {
		if (c->cap >= REPLY_MAX)
			return false;
		p = realloc(c->in, c->cap + 65536);
		if (!p)
			return false;
		c->in = p;
		c->cap += 65536;
	}
	if (!wait_for(c, POLLIN))
		return false;
	n = read(c->fd, c->in + c->len, c->cap - c->len);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->len += n;
	return n > 0;
}

/* The reply that carries @tag; what else arrives is passed over. */
static json_t *read_reply(struct conn *c, json_int_t tag)
{
	json_t *reply;
	char *nl;

	for (;;) {
		nl = c->len ? memchr(c->in, '\n', c->len) : NULL;
		if (!nl) {
			if (!receive(c))
				return NULL;
			continue;
		}
		reply = json_loadb(c->in, nl - c->in, 0, NULL);
		c->len -= nl + 1 - c->in;
		memmove(c->in, nl + 1, c->len);
		if (json_integer_value(json_object_get(reply, "tag")) == tag)
			return reply;
		json_decref(reply);
	}
}

static bool all_of(const char *text, const char *set)
{
	return *text && strspn(text, set) == strlen(text);
}

/* "3,7,10-14". NULL if it isn't such a list. */
static json_t *parse_list(const char *text)
{
	json_t *list = json_array();
	unsigned long first, last;
	char *end;

	while (*text) {
		first = strtoul(text, &end, 10);
		last = first;
		if (end == text)
			goto bad;
		if (*end == '-') {
			text = end + 1;
			last = strtoul(text, &end, 10);
			if (end == text || last < first || last - first > CTL_LINE_MAX)
				goto bad;
		}
		for (; first <= last; first++)
			json_array_append_new(list, json_integer(first));
		if (*end && (*end != ',' || !end[1]))
			goto bad;
		text = *end ? end + 1 : end;
	}
	return list;
bad:
	json_decref(list);
	return NULL;
}

static json_t *parse_value(const char *text)
{
	json_t *list = NULL;
	long long i;
	char *end;
	double d;

	if (!strcmp(text, "true") || !strcmp(text, "on"))
		return json_true();
	if (!strcmp(text, "false") || !strcmp(text, "off"))
		return json_false();
	errno = 0;
	i = strtoll(text, &end, 0);
	if (*text && !*end && !errno)
		return json_integer(i);
	d = strtod(text, &end);
	if (*text && !*end)
		return json_real(d);
	if (all_of(text, "0123456789,-"))
		list = parse_list(text);
	return list ? list : json_string(text);
}

static json_t *make_request(int argc, char **argv)
{
	json_t *req = json_object(), *value;
	char *eq;
	int i;

	json_object_set_new(req, "cmd", json_string(argv[0]));
	for (i = 1; i < argc; i++) {
		eq = strchr(argv[i], '=');
		value = eq && eq != argv[i] ? parse_value(eq + 1) : NULL;
		if (!value) {
			fprintf(stderr, "pnic-model ctl: \"%s\" isn't KEY=VALUE\n", argv[i]);
			json_decref(req);
			return NULL;
		}
		*eq = 0;
		json_object_set_new(req, argv[i], value);
	}
	return req;
}

/* An empty line first ends whatever half a line somebody else may have left on the port. */
static bool send_request(struct conn *c, json_t *req, json_int_t tag)
{
	char *text;
	bool ok;

	json_object_set_new(req, "tag", json_integer(tag));
	text = json_dumps(req, JSON_COMPACT);
	ok = text && strlen(text) < CTL_LINE_MAX && send_all(c, "\n", 1) &&
	     send_all(c, text, strlen(text)) && send_all(c, "\n", 1);
	free(text);
	return ok;
}

static int print_reply(json_t *reply, bool raw)
{
	bool ok = json_is_true(json_object_get(reply, "ok"));
	const char *why = json_string_value(json_object_get(reply, "error"));

	json_object_del(reply, "tag");
	if (ok || raw) {
		json_dumpf(reply, stdout, raw ? JSON_COMPACT : JSON_INDENT(2));
		putchar('\n');
	} else {
		fprintf(stderr, "pnic-model ctl: %s\n", why ? why : "refused");
	}
	return ok ? 0 : 1;
}

static int converse(const char *path, json_t *req, double timeout, bool raw)
{
	json_int_t tag = (json_int_t)getpid() << 32 | (now_ms() & 0xffffffff);
	struct conn c = { .deadline_ms = now_ms() + (int64_t)(timeout * 1000) };
	json_t *reply;
	int status = 1;

	c.fd = open_path(path);
	if (c.fd < 0) {
		fprintf(stderr, "pnic-model ctl: %s: %s\n", path, strerror(errno));
		return 1;
	}
	reply = send_request(&c, req, tag) ? read_reply(&c, tag) : NULL;
	if (reply)
		status = print_reply(reply, raw);
	else
		fprintf(stderr, "pnic-model ctl: no answer from %s\n", path);
	json_decref(reply);
	free(c.in);
	close(c.fd);
	return status;
}

int ctl_client_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "ctl", required_argument, NULL, 'c' },
		{ "raw", no_argument, NULL, 'r' },
		{ "timeout", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	const char *path = getenv("PNIC_MODEL_CTL");
	double timeout = 20;
	bool raw = false;
	json_t *req;
	int o, status;
	char *end;

	while ((o = getopt_long(argc, argv, "+c:rt:h", options, NULL)) != -1) {
		switch (o) {
		case 'c':
			path = optarg;
			break;
		case 'r':
			raw = true;
			break;
		case 't':
			timeout = strtod(optarg, &end);
			if (*end || !(timeout > 0 && timeout < 1e6)) {
				fprintf(stderr, "pnic-model ctl: bad time-out \"%s\"\n", optarg);
				return 2;
			}
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			return 2;
		}
	}
	if (!path || optind == argc) {
		fputs(path ? "pnic-model ctl: no command; see --help\n" :
		      "pnic-model ctl: --ctl PATH is missing; see --help\n", stderr);
		return 2;
	}
	req = make_request(argc - optind, argv + optind);
	if (!req)
		return 2;
	status = converse(path, req, timeout, raw);
	json_decref(req);
	return status;
}
