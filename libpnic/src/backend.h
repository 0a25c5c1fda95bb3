/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The seam between the library and what serves it: a char device of the kernel
 * (kernel.c), a card in the process (tools/model/embedded/), or anything that answers the same
 * commands. context.c chooses by the name; nothing else of the library knows which it is.
 *
 * All return 0 or -errno unless said otherwise.
 */
#ifndef PNIC_BACKEND_H
#define PNIC_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/pnic.h>

struct pnic_dev;

/* Of the struct below: what is loaded at run time has to have the same. */
#define PNIC_BACKEND_VERSION	1

struct pnic_backend {
	unsigned int version;
	int (*open)(const char *name, struct pnic_dev **dev);
	void (*close)(struct pnic_dev *dev);
	/* PNIC_IOC_* with its struct; never -EINTR. */
	int (*command)(struct pnic_dev *dev, unsigned int cmd, void *arg);
	/* An offset that a command gave; @writable false: read only. */
	int (*map)(struct pnic_dev *dev, uint64_t offset, size_t length, bool writable, void **mem);
	void (*unmap)(struct pnic_dev *dev, void *mem, size_t length);
	/* The descriptor that is readable when read_event() has something. */
	int (*fd)(struct pnic_dev *dev);
	/* -EAGAIN: none. */
	int (*read_event)(struct pnic_dev *dev, struct pnic_event *ev);
	/* Until @eventfd is signalled: 1, or the time is over: 0. -ENODEV, -EIO when the device went. */
	int (*wait)(struct pnic_dev *dev, int eventfd, int timeout_ms);
	/* The card sleeps: rouse it. @wake is in the mapped wake page. */
	void (*wake)(struct pnic_dev *dev, volatile uint32_t *wake);
	/*
	 * What follows may be NULL. A card in the process may have to be driven by whoever waits for
	 * it: driven() says whether. drive() is one turn of it, or, with @sleeping, what has to be
	 * done before the caller sleeps on a descriptor.
	 */
	bool (*driven)(struct pnic_dev *dev);
	void (*drive)(struct pnic_dev *dev, bool sleeping);
	/* More on why open() failed in this thread, "" if there is nothing to add. */
	const char *(*why)(void);
	/* pnic_embedded.h */
	int (*fault)(struct pnic_dev *dev, unsigned int what, unsigned int arg, double value);
	int (*figure)(struct pnic_dev *dev, const char *name, double *value);
};

/* What open() gives; backends embed it as their first member. */
struct pnic_dev {
	const struct pnic_backend *ops;
};

extern const struct pnic_backend pnic_kernel_backend;

bool pnic_embedded_name(const char *name);
/* The one for such names, which is not in this library; -errno with a text if it can't be had. */
int pnic_embedded_find(const struct pnic_backend **ops);

#endif /* PNIC_BACKEND_H */
