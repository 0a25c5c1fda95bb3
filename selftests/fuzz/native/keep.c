// SPDX-License-Identifier: GPL-2.0
/* The files that the administrator's tool reads back: knobs, and what is kept of a cable. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fields.h"
#include "history_file.h"
#include "native.h"
#include "policy_file.h"

#define LANES	460
#define CABLE	"CB-0042/A"

/* What the tool says of bad files is nobody's concern here: in place of its own. */
int pnic_error(const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return ST_FAILED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy policy = {};
	struct cable cable = {};
	char path[64], name[256];
	int fd;

	fd = memfd_create("kept", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	policy_read(path, &policy);
	history_read(path, CABLE, LANES, &cable, name, sizeof(name));
	fields_clear(&policy_set, &policy);
	fields_clear(&cable_set, &cable);
	close(fd);
	return 0;
}
