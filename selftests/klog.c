// SPDX-License-Identifier: GPL-2.0
/* What the kernel says while a test runs, see klog.h. */
#include "klog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "device.h"

int klog_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

bool klog_has(int fd, const char *either)
{
	const char *bar = strchr(either, '|');
	char text[8192], words[64];
	ssize_t n;

	snprintf(words, sizeof(words), "%.*s", (int)strcspn(either, "|"), either);
	for (;;) {
		n = read(fd, text, sizeof(text) - 1);
		if (n < 0 && errno == EPIPE)
			continue;	/* some have been overwritten */
		if (n <= 0)
			return false;
		text[n] = '\0';
		if (strstr(text, words) || (bar && strstr(text, bar + 1)))
			return true;
	}
}

bool klog_says(int fd, const char *either, unsigned int ms)
{
	uint64_t end = now_ns() + ms * 1000000ull;

	while (!klog_has(fd, either)) {
		if (now_ns() > end)
			return false;
		sleep_ms(50);
	}
	return true;
}
