// SPDX-License-Identifier: GPL-2.0
/*
 * libpnic's seam on an embedded card: what kernel.c of the library is on a char device.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embedded.h"
#include "libpnic/src/backend.h"

struct embedded_dev {
	struct pnic_dev dev;
	struct embedded_world *world;
	struct embedded_card *card;
	struct embedded_file *file;
};

#define EXPORT	__attribute__((visibility("default")))

extern EXPORT const struct pnic_backend pnic_embedded_backend;

static __thread char text[EMBEDDED_TEXT];

static struct embedded_dev *embedded_dev(struct pnic_dev *dev)
{
	return (struct embedded_dev *)dev;
}

static const char *dev_why(void)
{
	return text;
}

static int dev_open(const char *name, struct pnic_dev **dev)
{
	struct embedded_name n;
	struct embedded_dev *d;
	int err;

	text[0] = '\0';
	err = embedded_name_parse(name, &n, text, sizeof(text));
	if (err)
		return err;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	err = embedded_world_get(&n, &d->world, text, sizeof(text));
	if (err) {
		free(d);
		return err;
	}
	d->card = &d->world->card[n.nic];
	embedded_lock(d->world);
	err = embedded_file_open(d->card, &d->file);
	embedded_unlock(d->world);
	if (err) {
		embedded_world_put(d->world);
		free(d);
		return err;
	}
	d->dev.ops = &pnic_embedded_backend;
	*dev = &d->dev;
	return 0;
}

static void dev_close(struct pnic_dev *dev)
{
	struct embedded_dev *d = embedded_dev(dev);

	embedded_lock(d->world);
	embedded_file_close(d->file);
	embedded_unlock(d->world);
	embedded_world_put(d->world);
	free(d);
}

static int dev_command(struct pnic_dev *dev, unsigned int cmd, void *arg)
{
	struct embedded_dev *d = embedded_dev(dev);
	int err;

	embedded_lock(d->world);
	err = embedded_file_ioctl(d->file, cmd, arg);
	embedded_turn(d->world);
	embedded_kick(d->world);
	embedded_unlock(d->world);
	return err;
}

static int dev_map(struct pnic_dev *dev, uint64_t offset, size_t length, bool writable, void **mem)
{
	struct embedded_dev *d = embedded_dev(dev);
	int err;

	embedded_lock(d->world);
	err = embedded_file_map(d->file, offset, length, writable, mem);
	embedded_unlock(d->world);
	return err;
}

static void dev_unmap(struct pnic_dev *dev, void *mem, size_t length)
{
	embedded_file_unmap(embedded_dev(dev)->file, mem, length);
}

/* Somebody wants to be woken: from now on the world can't rely on being driven. */
static int dev_fd(struct pnic_dev *dev)
{
	struct embedded_dev *d = embedded_dev(dev);

	embedded_sleeper(d->world);
	return embedded_file_fd(d->file);
}

static int dev_read_event(struct pnic_dev *dev, struct pnic_event *ev)
{
	struct embedded_dev *d = embedded_dev(dev);
	int err;

	embedded_lock(d->world);
	embedded_turn(d->world);
	err = embedded_file_read(d->file, ev, sizeof(*ev));
	embedded_unlock(d->world);
	return err;
}

static int dev_wait(struct pnic_dev *dev, int eventfd, int timeout_ms)
{
	struct pollfd fd = { .fd = eventfd, .events = POLLIN };
	struct embedded_dev *d = embedded_dev(dev);
	unsigned int state;
	int n;

	n = poll(&fd, 1, timeout_ms);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (fd.revents & POLLIN)
		return 1;
	if (fd.revents)
		return -EBADF;
	embedded_lock(d->world);
	state = embedded_file_poll(d->file);
	embedded_unlock(d->world);
	if (state & POLLHUP)
		return -ENODEV;
	return state & POLLERR ? -EIO : 0;
}

static void dev_wake(struct pnic_dev *dev, volatile uint32_t *wake)
{
	struct embedded_dev *d = embedded_dev(dev);

	if (!d->world->threaded) {
		embedded_wake(d->card, embedded_wake_page(d->card, wake));
		return;
	}
	__atomic_store_n(wake, 1, __ATOMIC_RELEASE);
	embedded_lock(d->world);
	embedded_kick(d->world);
	embedded_unlock(d->world);
}

static void dev_drive(struct pnic_dev *dev, bool sleeping)
{
	struct embedded_dev *d = embedded_dev(dev);

	if (sleeping)
		embedded_sleeper(d->world);
	else
		embedded_drive(d->world);
}

static int dev_fault(struct pnic_dev *dev, unsigned int what, unsigned int arg, double value)
{
	struct embedded_dev *d = embedded_dev(dev);
	int err;

	embedded_lock(d->world);
	err = embedded_fault(d->card, what, arg, value);
	embedded_turn(d->world);
	embedded_kick(d->world);
	embedded_unlock(d->world);
	return err;
}

static int dev_figure(struct pnic_dev *dev, const char *name, double *value)
{
	struct embedded_dev *d = embedded_dev(dev);
	int err;

	embedded_lock(d->world);
	err = embedded_figure(d->card, name, value);
	embedded_unlock(d->world);
	return err;
}

static bool dev_driven(struct pnic_dev *dev)
{
	return !embedded_dev(dev)->world->threaded;
}

const struct pnic_backend pnic_embedded_backend = {
	.version	= PNIC_BACKEND_VERSION,
	.open		= dev_open,
	.close		= dev_close,
	.command	= dev_command,
	.map		= dev_map,
	.unmap		= dev_unmap,
	.fd		= dev_fd,
	.read_event	= dev_read_event,
	.wait		= dev_wait,
	.wake		= dev_wake,
	.driven		= dev_driven,
	.drive		= dev_drive,
	.why		= dev_why,
	.fault		= dev_fault,
	.figure		= dev_figure,
};
