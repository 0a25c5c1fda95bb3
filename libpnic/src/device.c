// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Which cards there are.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

/* The number in "pnicN", -1 if it is another name. */
static long pnic_device_number(const char *name)
{
	size_t digits;

	if (strncmp(name, "pnic", 4))
		return -1;
	digits = strspn(name + 4, "0123456789");
	if (!digits || digits > 9 || name[4 + digits])
		return -1;
	return strtol(name + 4, NULL, 10);
}

static int pnic_by_number(const void *a, const void *b)
{
	long na = pnic_device_number(((const struct pnic_device *)a)->name);
	long nb = pnic_device_number(((const struct pnic_device *)b)->name);

	return (na > nb) - (na < nb);
}

static void pnic_device_ask(struct pnic_device *d)
{
	struct pnic_ioc_info info = { .size = sizeof(info) };
	struct pnic_dev *dev;

	d->error = pnic_kernel_backend.open(d->name, &dev);
	if (d->error)
		return;
	d->error = dev->ops->command(dev, PNIC_IOC_INFO, &info);
	dev->ops->close(dev);
	if (d->error)
		return;
	memcpy(d->pci, info.pci, sizeof(d->pci));
	d->pci[sizeof(d->pci) - 1] = '\0';
	d->guid = info.guid;
	d->nic = info.nic_addr;
}

/* Names only, in order. */
static int pnic_scan(struct pnic_device **list, unsigned int *count)
{
	struct pnic_device *devs = NULL, *grown;
	unsigned int n = 0;
	struct dirent *de;
	DIR *dir;

	*list = NULL;
	*count = 0;
	dir = opendir("/dev");
	if (!dir)
		return pnic_fail(-errno, "/dev: %s", strerror(errno));
	while ((de = readdir(dir))) {
		if (pnic_device_number(de->d_name) < 0)
			continue;
		grown = realloc(devs, (n + 1) * sizeof(*devs));
		if (!grown) {
			free(devs);
			closedir(dir);
			return pnic_fail(-ENOMEM, "list of devices: out of memory");
		}
		devs = grown;
		memset(&devs[n], 0, sizeof(devs[n]));
		snprintf(devs[n].name, sizeof(devs[n].name), "pnic%ld", pnic_device_number(de->d_name));
		n++;
	}
	closedir(dir);
	if (n)
		qsort(devs, n, sizeof(*devs), pnic_by_number);
	*list = devs;
	*count = n;
	return 0;
}

PNIC_EXPORT int pnic_list(struct pnic_device **list, unsigned int *count)
{
	unsigned int i;
	int err;

	if (!list || !count)
		return pnic_fail(-EINVAL, "pnic_list: NULL argument");
	err = pnic_scan(list, count);
	for (i = 0; !err && i < *count; i++)
		pnic_device_ask(&(*list)[i]);
	return err;
}

PNIC_EXPORT void pnic_list_free(struct pnic_device *list)
{
	free(list);
}

int pnic_first_device(char *name, size_t size)
{
	struct pnic_device *list;
	unsigned int count;
	int err;

	err = pnic_scan(&list, &count);
	if (err)
		return err;
	if (count)
		snprintf(name, size, "%s", list[0].name);
	free(list);
	return count ? 0 : pnic_fail(-ENODEV, "no pnic device: no /dev/pnicN (is the module loaded?)");
}
