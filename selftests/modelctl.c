// SPDX-License-Identifier: GPL-2.0
/*
 * The control port of the model, see modelctl.h.
 *
 * A virtio port can be open in one process only, and what a process that died
 * left unread comes to the next one. So each request opens the port, drains it,
 * and closes it again.
 */
#include "modelctl.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PORT		"/dev/virtio-ports/pnic.ctl"
#define ANSWER_MS	20000
#define OPEN_TRIES	400	/* of 50 ms: another process of the test has the port */

static char reply[256 * 1024];
static char error[512];

const char *modelctl_error(void)
{
	return error;
}

const char *modelctl_reply(void)
{
	return reply;
}

__attribute__((format(printf, 1, 2)))
static int failed(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error, sizeof(error), fmt, ap);
	va_end(ap);
	return -1;
}

static int port_open(void)
{
	const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
	int fd, i;

	for (i = 0; i < OPEN_TRIES; i++) {
		fd = open(PORT, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0 || (errno != EBUSY && errno != EMFILE))
			return fd;
		nanosleep(&pause, NULL);
	}
	return -1;
}

static int wait_for(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&pfd, 1, ANSWER_MS);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return -1;
	return pfd.revents & events ? 0 : -1;
}

static int send_line(int fd, const char *line, size_t len)
{
	ssize_t n;

	while (len) {
		if (wait_for(fd, POLLOUT))
			return failed("the port takes no request");
		n = write(fd, line, len);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return failed("write to the port: %s", strerror(errno));
		if (n > 0) {
			line += n;
			len -= n;
		}
	}
	return 0;
}

static int read_line(int fd)
{
	size_t have = 0;
	ssize_t n;

	while (!have || reply[have - 1] != '\n') {
		if (have == sizeof(reply) - 1)
			return failed("the reply is too long");
		if (wait_for(fd, POLLIN))
			return failed("no answer from the model");
		n = read(fd, reply + have, sizeof(reply) - 1 - have);
		if (!n || (n < 0 && errno != EAGAIN && errno != EINTR))
			return failed("read from the port: %s",
				      n ? strerror(errno) : "the model has gone");
		if (n > 0)
			have += n;
	}
	reply[have] = 0;
	return 0;
}

static void drain(int fd)
{
	while (read(fd, reply, sizeof(reply)) > 0)
		;
}

int modelctl(const char *fmt, ...)
{
	char line[1024];
	double ok = 0;
	va_list ap;
	int fd, n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(line) - 1)
		return failed("the request is too long");
	line[n++] = '\n';
	reply[0] = 0;
	fd = port_open();
	if (fd < 0)
		return failed("%s: %s", PORT, strerror(errno));
	drain(fd);
	n = send_line(fd, line, n);
	if (!n)
		n = read_line(fd);
	close(fd);
	if (n)
		return n;
	if (modelctl_number("ok", &ok) || ok != 1)
		return failed("%.200s answered by %.200s", line, reply);
	return 0;
}

int modelctl_number(const char *key, double *value)
{
	char quoted[80], *end;
	const char *p;

	snprintf(quoted, sizeof(quoted), "\"%s\"", key);
	p = strstr(reply, quoted);
	if (!p)
		return -1;
	p += strlen(quoted);
	p += strspn(p, " :\t");
	if (!strncmp(p, "true", 4) || !strncmp(p, "false", 5)) {
		*value = *p == 't';
		return 0;
	}
	*value = strtod(p, &end);
	return end == p ? -1 : 0;
}

double modelctl_counter(unsigned int nic, const char *name)
{
	double value;

	if (modelctl("{\"cmd\":\"counters\",\"nic\":%u}", nic) || modelctl_number(name, &value))
		return NAN;
	return value;
}

bool modelctl_present(void)
{
	return !access(PORT, R_OK | W_OK) && !modelctl("{\"cmd\":\"ping\"}");
}
