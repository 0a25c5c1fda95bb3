/* SPDX-License-Identifier: GPL-2.0 */
/* Dma-bufs of the kernel's udmabuf, made of pages of ours. */
#ifndef PNIC_SELFTESTS_UDMABUF_H
#define PNIC_SELFTESTS_UDMABUF_H

#include <fcntl.h>
#include <linux/udmabuf.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* One of @len bytes; -1: there is no udmabuf here. */
static inline int udmabuf_buffer(size_t len)
{
	struct udmabuf_create create = { .size = len };
	int dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC), fd = -1;

	if (dev < 0)
		return -1;
	create.memfd = memfd_create("pnic", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	if (!ftruncate(create.memfd, len) && !fcntl(create.memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		fd = ioctl(dev, UDMABUF_CREATE, &create);
	close(create.memfd);
	close(dev);
	return fd;
}

#endif /* PNIC_SELFTESTS_UDMABUF_H */
