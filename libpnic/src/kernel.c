// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The backend for real cards: the char device /dev/pnicN.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

struct pnic_kernel_dev {
	struct pnic_dev dev;
	int fd;
};

static struct pnic_kernel_dev *pnic_kernel_dev(struct pnic_dev *dev)
{
	return (struct pnic_kernel_dev *)dev;
}

/* "pnic" and a number, nothing else: a name is never a path. */
static bool pnic_kernel_name(const char *name)
{
	size_t digits;

	if (strncmp(name, "pnic", 4))
		return false;
	digits = strspn(name + 4, "0123456789");
	return digits >= 1 && digits <= 9 && !name[4 + digits];
}

static int pnic_kernel_open(const char *name, struct pnic_dev **dev)
{
	struct pnic_kernel_dev *kdev;
	char path[64];
	int err;

	if (!pnic_kernel_name(name))
		return -ENODEV;
	kdev = malloc(sizeof(*kdev));
	if (!kdev)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/dev/%s", name);
	do
		kdev->fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	while (kdev->fd < 0 && errno == EINTR);
	if (kdev->fd < 0) {
		err = errno;
		free(kdev);
		return err == ENOENT || err == ENXIO ? -ENODEV : -err;
	}
	kdev->dev.ops = &pnic_kernel_backend;
	*dev = &kdev->dev;
	return 0;
}

static void pnic_kernel_close(struct pnic_dev *dev)
{
	struct pnic_kernel_dev *kdev = pnic_kernel_dev(dev);

	close(kdev->fd);
	free(kdev);
}

static int pnic_kernel_command(struct pnic_dev *dev, unsigned int cmd, void *arg)
{
	int ret;

	/* EINTR says that nothing has changed. */
	do
		ret = ioctl(pnic_kernel_dev(dev)->fd, cmd, arg);
	while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : 0;
}

static int pnic_kernel_map(struct pnic_dev *dev, uint64_t offset, size_t length, bool writable, void **mem)
{
	int prot = writable ? PROT_READ | PROT_WRITE : PROT_READ;
	void *p;

	p = mmap(NULL, length, prot, MAP_SHARED, pnic_kernel_dev(dev)->fd, (off_t)offset);
	if (p == MAP_FAILED)
		return -errno;
	*mem = p;
	return 0;
}

static void pnic_kernel_unmap(struct pnic_dev *dev, void *mem, size_t length)
{
	(void)dev;
	munmap(mem, length);
}

static int pnic_kernel_fd(struct pnic_dev *dev)
{
	return pnic_kernel_dev(dev)->fd;
}

static int pnic_kernel_read_event(struct pnic_dev *dev, struct pnic_event *ev)
{
	ssize_t n;

	do
		n = read(pnic_kernel_dev(dev)->fd, ev, sizeof(*ev));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == sizeof(*ev) ? 0 : -EAGAIN;
}

static int pnic_kernel_wait(struct pnic_dev *dev, int eventfd, int timeout_ms)
{
	/* The file only for POLLERR and POLLHUP: its events are not ours to take. */
	struct pollfd fds[2] = {
		{ .fd = eventfd, .events = POLLIN },
		{ .fd = pnic_kernel_dev(dev)->fd },
	};
	int n;

	n = poll(fds, 2, timeout_ms);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[0].revents & POLLIN)
		return 1;
	if (fds[0].revents)
		return -EBADF;
	if (fds[1].revents & POLLHUP)
		return -ENODEV;
	return fds[1].revents ? -EIO : 0;
}

static void pnic_kernel_wake(struct pnic_dev *dev, volatile uint32_t *wake)
{
	(void)dev;
	__atomic_store_n(wake, 1, __ATOMIC_RELEASE);
}

const struct pnic_backend pnic_kernel_backend = {
	.version	= PNIC_BACKEND_VERSION,
	.open		= pnic_kernel_open,
	.close		= pnic_kernel_close,
	.command	= pnic_kernel_command,
	.map		= pnic_kernel_map,
	.unmap		= pnic_kernel_unmap,
	.fd		= pnic_kernel_fd,
	.read_event	= pnic_kernel_read_event,
	.wait		= pnic_kernel_wait,
	.wake		= pnic_kernel_wake,
};
