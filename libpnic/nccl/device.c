// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/* Cards, devices that are several of them, and what happens to their links. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* of the table */
static struct device *table[MAX_DEVICES];
static int devices;			/* of both kinds; read without the lock */
static int cards;
static unsigned int holders;		/* communicators */
static bool tried;
static nccl_result outcome;

struct device *device_get(int dev)
{
	return dev >= 0 && dev < __atomic_load_n(&devices, __ATOMIC_ACQUIRE) ? table[dev] : NULL;
}

int device_cards(void)
{
	return cards;
}

/* NCCL takes those that this grew by since it asked first for the virtual devices that it had made. */
int device_count(void)
{
	return __atomic_load_n(&devices, __ATOMIC_ACQUIRE);
}

static nccl_result device_open(struct device *dev)
{
	const char *names[PNIC_RAILS_MAX];
	struct pnic_rails_attr attr = {
		.size = sizeof(attr),
		.names = names,
		.count = (uint32_t)dev->cards,
		.partition = (uint32_t)config.partition,
	};
	int i, err;

	for (i = 0; i < dev->cards; i++)
		names[i] = dev->card_name[i];
	err = pnic_rails_open(&attr, &dev->rails);
	if (err)
		WARN("%s can't be opened: %s (%s)", dev->name, pnic_strerror(err), pnic_last_error());
	return result_of(err);
}

nccl_result device_use(struct device *dev)
{
	nccl_result res = NCCL_OK;

	pthread_mutex_lock(&dev->lock);
	if (!dev->rails)
		res = device_open(dev);
	if (!res)
		dev->users++;
	pthread_mutex_unlock(&dev->lock);
	return res;
}

void device_unuse(struct device *dev)
{
	pthread_mutex_lock(&dev->lock);
	dev->users--;
	pthread_mutex_unlock(&dev->lock);
}

/* What topology needs to know of one card. */
static int device_identify(struct device *dev)
{
	struct pnic_ctx *ctx = pnic_rails_ctx(dev->rails, 0);
	struct pnic_ioc_info info = { .size = sizeof(info) };
	char path[64];
	int err;

	if (!ctx)
		return -ENODEV;
	err = pnic_query(ctx, &info);
	if (err)
		return err;
	dev->guid = info.guid;
	dev->speed = (uint32_t)(((uint64_t)info.lanes_data * info.lane_kbps + 500) / 1000);
	dev->max_ep = info.max_ep;
	dev->dmabuf = info.features & PNIC_FEAT_DMABUF;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.32s", info.pci);
	dev->pci_path = info.pci[0] ? realpath(path, NULL) : NULL;
	return 0;
}

static struct device *device_new(void)
{
	struct device *dev = calloc(1, sizeof(*dev));

	if (dev) {
		pthread_mutex_init(&dev->lock, NULL);
		dev->plane_id = NCCL_ID_UNDEF;
		dev->rail_id = NCCL_ID_UNDEF;
	}
	return dev;
}

static void device_free(struct device *dev)
{
	uint32_t i;

	if (!dev)
		return;
	pnic_rails_close(dev->rails);
	for (i = 0; i < dev->mr_slots; i++)
		free(dev->mrs[i]);
	pthread_mutex_destroy(&dev->lock);
	free(dev->pci_path);
	free(dev->mrs);
	free(dev);
}

/* The number'th of the planes' ids. */
static int16_t plane_of(int number)
{
	const char *p = config.planes;
	char *end;
	long v;

	while (number-- && p)
		p = (p = strchr(p, ',')) ? p + 1 : NULL;
	if (!p || !*p)
		return NCCL_ID_UNDEF;
	v = strtol(p, &end, 0);
	return end != p && v >= 0 && v <= INT16_MAX ? (int16_t)v : NCCL_ID_UNDEF;
}

/* One card; what is wrong with it is said, and the others may do. */
static int card_add(const char *name)
{
	struct device *dev;
	int err;

	if (cards == MAX_DEVICES)
		return -ENOSPC;
	if (strlen(name) >= sizeof(dev->card_name[0])) {
		log_loud("the name %.40s... is too long for a card", name);
		return -ENODEV;
	}
	dev = device_new();
	if (!dev)
		return -ENOMEM;
	snprintf(dev->name, sizeof(dev->name), "%.120s", name);
	snprintf(dev->card_name[0], sizeof(dev->card_name[0]), "%s", name);
	dev->cards = 1;
	dev->card[0] = cards;
	dev->rail_id = (int16_t)cards;
	dev->plane_id = plane_of(cards);
	err = device_open(dev) ? -ENODEV : device_identify(dev);
	if (err) {
		log_loud("%s can't be used: %s (%s)", name, pnic_strerror(err), pnic_last_error());
		device_free(dev);
		return err;
	}
	table[cards++] = dev;
	INFO(NCCL_SUB_INIT | NCCL_SUB_NET, "device %d: %s, %u Mb/s, guid %016llx, %s", cards - 1, dev->name, dev->speed,
	     (unsigned long long)dev->guid, dev->pci_path ? dev->pci_path : "no PCI device");
	return 0;
}

/*
 * Names by commas; those of embedded cards have commas of their own, before "option=value".
 */
static void cards_named(void)
{
	char buf[sizeof(config.devices)], *p = buf, *name = buf;

	snprintf(buf, sizeof(buf), "%s", config.devices);
	for (;; p++) {
		if (*p == ',') {
			const char *next = p + 1 + strcspn(p + 1, ",=:");

			if (*next == '=')
				continue;
		} else if (*p) {
			continue;
		}
		if (!*p) {
			if (*name)
				card_add(name);
			return;
		}
		*p = 0;
		if (*name)
			card_add(name);
		name = p + 1;
	}
}

static void cards_found(void)
{
	struct pnic_device *list;
	unsigned int n, i;
	int err;

	err = pnic_list(&list, &n);
	if (err) {
		log_loud("the cards can't be listed: %s (%s)", pnic_strerror(err), pnic_last_error());
		return;
	}
	for (i = 0; i < n; i++) {
		if (list[i].error)
			log_loud("%s can't be used: %s", list[i].name, pnic_strerror(list[i].error));
		else
			card_add(list[i].name);
	}
	pnic_list_free(list);
}

nccl_result device_init(nccl_logger log)
{
	nccl_result res;

	log_set(log);
	pthread_mutex_lock(&lock);
	if (!tried) {
		tried = true;
		config_read();
		if (config.show)
			config_show();
		if (config.devices[0])
			cards_named();
		else
			cards_found();
		__atomic_store_n(&devices, cards, __ATOMIC_RELEASE);
		if (!cards) {
			log_loud("no card can be used, NCCL goes on with another network. %s",
				 config.devices[0] ? "See PNIC_NCCL_DEVICES, which names the cards" :
				 "Is pnic.ko loaded, and may this user open /dev/pnic*?");
			outcome = NCCL_SYSTEM_ERROR;
		}
	}
	res = outcome;
	pthread_mutex_unlock(&lock);
	return res;
}

nccl_result device_props(int dev, struct nccl_props_v12 *props)
{
	struct device *d = device_get(dev);
	int i;

	if (!d || !props)
		return NCCL_INVALID_ARGUMENT;
	memset(props, 0, sizeof(*props));
	props->name = d->name;
	props->pci_path = d->pci_path;
	props->guid = d->guid;
	/* A GPU's memory comes as a dma-buf or not at all: to claim CUDA would bring NCCL to register it by its address. */
	props->ptr_support = NCCL_PTR_HOST | (d->dmabuf ? NCCL_PTR_DMABUF : 0);
	props->reg_is_global = 1;
	props->speed = (int)d->speed;
	props->port = 1;
	props->max_comms = (int)d->max_ep;
	props->max_recvs = MAX_RECVS;
	props->device_type = NCCL_DEVICE_HOST;
	props->vprops.ndevs = d->cards;
	for (i = 0; i < d->cards; i++)
		props->vprops.devs[i] = d->card[i];
	props->max_p2p_bytes = MAX_MESSAGE;
	props->max_coll_bytes = MAX_MESSAGE;
	props->max_multi_request = 1;
	props->rail_id = d->rail_id;
	props->plane_id = d->plane_id;
	return NCCL_OK;
}

static bool device_is(const struct device *d, const struct device *want)
{
	return d->cards == want->cards && !memcmp(d->card, want->card, sizeof(d->card));
}

static nccl_result device_merge(struct device *d, int n, const int *devs)
{
	size_t at = 0;
	int i, j;

	d->dmabuf = true;
	for (i = 0; i < n; i++) {
		const struct device *part = device_get(devs[i]);

		if (!part || part->cards != 1) {
			WARN("device %d can't be a part of a virtual one: %s", devs[i],
			     part ? "it is one already" : "there is none of this number");
			return NCCL_INVALID_ARGUMENT;
		}
		for (j = 0; j < i; j++)
			if (devs[j] == devs[i])
				return NCCL_INVALID_ARGUMENT;
		d->card[i] = devs[i];
		snprintf(d->card_name[i], sizeof(d->card_name[i]), "%s", part->card_name[0]);
		at += (size_t)snprintf(d->name + at, sizeof(d->name) - at, "%s%.40s", i ? "+" : "", part->name);
		if (at >= sizeof(d->name))
			at = sizeof(d->name) - 1;
		d->speed += part->speed;
		d->dmabuf &= part->dmabuf;
		if (i) {
			d->max_ep = part->max_ep < d->max_ep ? part->max_ep : d->max_ep;
			if (part->plane_id != d->plane_id)
				d->plane_id = NCCL_ID_UNDEF;
			continue;
		}
		d->max_ep = part->max_ep;
		d->guid = part->guid;
		d->pci_path = part->pci_path ? strdup(part->pci_path) : NULL;
		d->rail_id = part->rail_id;
		d->plane_id = part->plane_id;
	}
	d->cards = n;
	return NCCL_OK;
}

nccl_result device_fuse(int *dev, int n, const int *devs)
{
	nccl_result res = NCCL_OK;
	struct device *d;
	int i;

	if (!dev || n < 1 || n > PNIC_RAILS_MAX)
		return NCCL_INVALID_ARGUMENT;
	if (n == 1) {
		if (!device_get(devs[0]))
			return NCCL_INVALID_ARGUMENT;
		*dev = devs[0];
		return NCCL_OK;
	}
	if (!config.fuse) {
		INFO(NCCL_SUB_NET, "no virtual device of %d cards: PNIC_NCCL_FUSE=0", n);
		return NCCL_INVALID_USAGE;
	}
	d = device_new();
	if (!d)
		return NCCL_SYSTEM_ERROR;
	res = device_merge(d, n, devs);
	pthread_mutex_lock(&lock);
	for (i = 0; !res && i < devices; i++)
		if (device_is(table[i], d))
			break;
	if (!res && i == MAX_DEVICES)
		res = NCCL_INVALID_USAGE;
	if (!res && i == devices) {
		table[i] = d;
		d = NULL;
		__atomic_store_n(&devices, i + 1, __ATOMIC_RELEASE);
		INFO(NCCL_SUB_INIT | NCCL_SUB_NET, "device %d: %s, %u Mb/s", i, table[i]->name, table[i]->speed);
	}
	pthread_mutex_unlock(&lock);
	if (!res)
		*dev = i;
	device_free(d);
	return res;
}

void device_hold(void)
{
	pthread_mutex_lock(&lock);
	holders++;
	pthread_mutex_unlock(&lock);
}

/* NCCL would take virtual devices for cards when it begins anew. One that somebody uses stays, and those before it. */
void device_release(void)
{
	struct device *gone;

	pthread_mutex_lock(&lock);
	holders--;
	while (!holders && devices > cards && !table[devices - 1]->users) {
		gone = table[devices - 1];
		__atomic_store_n(&devices, devices - 1, __ATOMIC_RELEASE);
		device_free(gone);
	}
	pthread_mutex_unlock(&lock);
}

static const char *const event_text[] = {
	[PNIC_RAILS_EVT_RATE] = "the link's width changed",
	[PNIC_RAILS_EVT_DOWN] = "the link is down",
	[PNIC_RAILS_EVT_UP] = "the link is up",
	[PNIC_RAILS_EVT_LOST] = "the card is lost",
	[PNIC_RAILS_EVT_BACK] = "the card is back",
};

static void device_event(struct device *dev, const struct pnic_rails_event *ev)
{
	struct pnic_rail_stat stat = { .size = sizeof(stat) };
	bool bad = ev->type == PNIC_RAILS_EVT_DOWN || ev->type == PNIC_RAILS_EVT_LOST;
	const char *text;

	if (ev->rail >= (uint32_t)dev->cards || pnic_rails_stat(dev->rails, ev->rail, &stat))
		return;
	text = ev->type < sizeof(event_text) / sizeof(event_text[0]) ? event_text[ev->type] : NULL;
	log_line(bad ? NCCL_LOG_WARN : NCCL_LOG_INFO, bad ? NCCL_SUB_ALL : NCCL_SUB_NET, __FILE__, __LINE__,
		 "NET/pnic: %s: %s: %u of %u lanes, %u Mb/s; the device has %u Mb/s now", dev->card_name[ev->rail],
		 text ? text : "an event", stat.width, stat.width_max, stat.rate_mbps,
		 pnic_rails_rate_mbps(dev->rails));
	dev->event = (struct pnic_nccl_event) {
		.type = PNIC_NCCL_RAIL,
		.rail = (uint16_t)ev->rail,
		.what = (uint16_t)ev->type,
		.width = stat.width,
		.width_max = stat.width_max,
		.rate_mbps = pnic_rails_rate_mbps(dev->rails),
	};
	__atomic_add_fetch(&dev->seen, 1, __ATOMIC_RELEASE);
}

void device_watch(struct device *dev)
{
	struct pnic_rails_event ev;

	if (pthread_mutex_trylock(&dev->lock))
		return;
	while (dev->rails && !pnic_rails_read_event(dev->rails, &ev))
		device_event(dev, &ev);
	pthread_mutex_unlock(&dev->lock);
}

/* When the library is unloaded, or the process ends: domains that nobody uses. */
__attribute__((destructor))
void device_exit(void)
{
	int i;

	for (i = devices - 1; i >= 0; i--) {
		if (table[i]->users)
			continue;
		device_free(table[i]);
		table[i] = NULL;
	}
	devices = 0;
	cards = 0;
	tried = false;
}
