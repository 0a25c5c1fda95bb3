// SPDX-License-Identifier: GPL-2.0
/* QEMU's monitor from inside the guest, see qmp.h. */
#include "qmp.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "device.h"

#define PORT		"/dev/virtio-ports/pnic.qmp"
#define ANSWER_MS	60000
/* As in the harness: tools/vm/pnicvm/qemu.py. */
#define PLUG	"{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"vfio-user-pci\",\"id\":\"nic%u\"," \
		"\"bus\":\"rp%u\",\"rombar\":0,\"x-msg-timeout\":600000," \
		"\"socket\":{\"type\":\"unix\",\"path\":\"/run/pnic/nic%u.sock\"}}}\n"
#define UNPLUG	"{\"execute\":\"device_del\",\"arguments\":{\"id\":\"nic%u\"}}\n"

static char error[512];
static int port = -1;

const char *qmp_error(void)
{
	return error;
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

/* The next line, as a document; NULL: none came in time. */
static json_t *next(uint64_t deadline)
{
	static char line[65536];
	static size_t have;
	char *end;
	json_t *doc;
	ssize_t n;

	while (!(end = memchr(line, '\n', have))) {
		struct pollfd pfd = { .fd = port, .events = POLLIN };

		if (now_ns() > deadline || have == sizeof(line))
			return NULL;
		poll(&pfd, 1, 100);
		n = read(port, line + have, sizeof(line) - have);
		if (n > 0)
			have += n;
	}
	doc = json_loadb(line, end - line, 0, NULL);
	have -= end + 1 - line;
	memmove(line, end + 1, have);
	return doc ? doc : json_object();
}

static bool is_word(json_t *doc, const char *key, const char *want)
{
	const char *got = json_string_value(json_object_get(doc, key));

	return got && !strcmp(got, want);
}

/* Sends @text and waits for its answer. Events that come before are dropped. */
static int command(const char *text)
{
	uint64_t deadline = now_ns() + ANSWER_MS * 1000000ull;
	json_t *doc;
	int ret = 1;

	if (write(port, text, strlen(text)) != (ssize_t)strlen(text))
		return failed("%s: %s", PORT, strerror(errno));
	while (ret > 0 && (doc = next(deadline))) {
		if (json_object_get(doc, "return"))
			ret = 0;
		else if (json_object_get(doc, "error"))
			ret = failed("QEMU: %s", json_string_value(json_object_get(
					     json_object_get(doc, "error"), "desc")));
		json_decref(doc);
	}
	return ret > 0 ? failed("QEMU does not answer") : ret;
}

bool qmp_present(void)
{
	if (port >= 0)
		return true;
	port = open(PORT, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (port < 0) {
		failed("%s: %s", PORT, strerror(errno));
		return false;
	}
	if (!command("{\"execute\":\"qmp_capabilities\"}\n"))
		return true;
	close(port);
	port = -1;
	return false;
}

static int wait_deleted(unsigned int nic, int timeout_ms)
{
	uint64_t deadline = now_ns() + timeout_ms * 1000000ull;
	char id[16];
	json_t *doc;
	bool ours;

	snprintf(id, sizeof(id), "nic%u", nic);
	while ((doc = next(deadline))) {
		ours = is_word(doc, "event", "DEVICE_DELETED") &&
		       is_word(json_object_get(doc, "data"), "device", id);
		json_decref(doc);
		if (ours)
			return 0;
	}
	return failed("%s was not let go", id);
}

int qmp_unplug(unsigned int nic, int timeout_ms)
{
	char text[256];

	snprintf(text, sizeof(text), UNPLUG, nic);
	return command(text) ? -1 : wait_deleted(nic, timeout_ms);
}

int qmp_plug(unsigned int nic)
{
	char text[512];

	snprintf(text, sizeof(text), PLUG, nic, nic, nic);
	return command(text);
}
