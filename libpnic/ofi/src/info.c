// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * fi_getinfo(): what the provider can do, and which cards there are.
 *
 * An info is for a domain: one card, or several as rails. Its name says which: names of libpnic joined by '+'. Who names none
 * gets those of FI_PNIC_DEVICE, or all cards as one domain and nothing else: runtimes make use of whatever else they are shown,
 * Open MPI a domain for each rank, MPICH 4.0 pieces of each message over each, and are slower than the rails. Any other
 * domain can be had by its name. What a hint leaves open is filled in, what it asks for and can't be had ends
 * with -FI_ENODATA and, at FI_LOG_LEVEL=info, a line that names it.
 */
#include <stdio.h>

#include "pfi.h"

#define CAPS_TX		(FI_SEND | FI_READ | FI_WRITE | FI_FENCE)
#define CAPS_RX		(FI_RECV | FI_REMOTE_READ | FI_REMOTE_WRITE)
#define CAPS_KIND	(FI_MSG | FI_TAGGED | FI_RMA | FI_ATOMIC)
#define CAPS_SECOND	(FI_MULTI_RECV | FI_SOURCE | FI_DIRECTED_RECV | FI_TAGGED_DIRECTED_RECV)
#define CAPS_COMM	(FI_LOCAL_COMM | FI_REMOTE_COMM)
#define CAPS_ASKED	FI_HMEM		/* only for who asks: it must name its regions with each operation */
#define CAPS_ALL	(CAPS_KIND | CAPS_TX | CAPS_RX | CAPS_SECOND | CAPS_COMM)

#define ORDERS_RMA	(FI_ORDER_RAR | FI_ORDER_RAW | FI_ORDER_WAR | FI_ORDER_WAW | FI_ORDER_RMA_RAR | FI_ORDER_RMA_RAW | \
			 FI_ORDER_RMA_WAR | FI_ORDER_RMA_WAW | FI_ORDER_ATOMIC_RAR | FI_ORDER_ATOMIC_RAW | \
			 FI_ORDER_ATOMIC_WAR | FI_ORDER_ATOMIC_WAW)
#define ORDERS		(FI_ORDER_SAS | ORDERS_RMA)
#define MR_MODES	(FI_MR_VIRT_ADDR | FI_MR_ALLOCATED | FI_MR_PROV_KEY)
#define MR_BASIC	(1 << 0)	/* of old programs: these three */
#define TX_FLAGS	(FI_COMPLETION | FI_INJECT | FI_INJECT_COMPLETE | FI_TRANSMIT_COMPLETE | FI_DELIVERY_COMPLETE | \
			 FI_MATCH_COMPLETE | FI_MORE)
#define RX_FLAGS	(FI_COMPLETION | FI_MULTI_RECV | FI_MORE)
#define MAX_MSG		((size_t)1 << 40)
#define TAG_GENERIC	0xaaaaaaaaaaaaaaaaull

int pfi_getinfo(uint32_t version, const char *node, const char *service, uint64_t flags, const struct fi_info *hints,
		struct fi_info **info);

/* --- the cards ---------------------------------------------------------------------------------- */

struct card {
	char name[64];
	struct pnic_ioc_info info;
	struct pnic_ioc_link_info link;
};

static int card_ask(struct card *c)
{
	struct pnic_ctx *ctx;
	int err;

	err = pnic_open(c->name, NULL, &ctx);
	if (err)
		return err;
	c->info.size = sizeof(c->info);
	c->link.size = sizeof(c->link);
	err = pnic_query(ctx, &c->info);
	if (!err)
		err = pnic_query_link(ctx, &c->link);
	pnic_close(ctx);
	return err;
}

/* Names are separated by commas, too, but those of embedded cards have commas in them. */
static const char *separators(const char *names)
{
	return strstr(names, "embedded:") ? "; " : ";, ";
}

/* Whether FI_PNIC_DEVICE has the card, in whatever domain. */
static bool card_allowed(const char *name)
{
	char *names, *one, *save = NULL, sep[8];
	bool found = false;

	if (!pfi_knobs.device)
		return true;
	names = strdup(pfi_knobs.device);
	if (!names)
		return false;
	snprintf(sep, sizeof(sep), "+%s", separators(names));
	for (one = strtok_r(names, sep, &save); one && !found; one = strtok_r(NULL, sep, &save))
		found = !strcmp(one, name);
	free(names);
	return found;
}

/* The cards of a domain's @name, which is cut into pieces: how many of them can be used. */
static int cards_of(char *name, struct card *cards)
{
	char *one, *save = NULL;
	int n = 0;

	for (one = strtok_r(name, "+", &save); one && n < PNIC_RAILS_MAX; one = strtok_r(NULL, "+", &save)) {
		memset(&cards[n], 0, sizeof(cards[n]));
		snprintf(cards[n].name, sizeof(cards[n].name), "%s", one);
		if (!card_allowed(one))
			pfi_info(CORE, "%s is not in FI_PNIC_DEVICE\n", one);
		else if (card_ask(&cards[n]))
			pfi_once(CORE, "%s can't be used: %s\n", one, pnic_last_error());
		else
			n++;
	}
	return n;
}

/* All cards as the name of a domain, or of several if they are too many for one. NULL: there are none */
static char *cards_all(bool loud)
{
	struct pnic_device *list = NULL;
	unsigned int count = 0, i;
	char *names = NULL;
	size_t size = 1;

	if (pnic_list(&list, &count))
		return NULL;
	if (!count && loud)
		pfi_once(CORE, "there is no pnic card: is the module loaded (modprobe pnic; ls /dev/pnic*)?\n");
	for (i = 0; i < count; i++)
		size += strlen(list[i].name) + 1;
	if (count)
		names = calloc(1, size);
	for (i = 0; names && i < count; i++) {
		if (i)
			strcat(names, i % PNIC_RAILS_MAX ? "+" : ";");
		strcat(names, list[i].name);
	}
	pnic_list_free(list);
	return names;
}

/* --- what the hints ask for --------------------------------------------------------------------- */

#define REFUSE(...)							\
	do {								\
		pfi_info(CORE, __VA_ARGS__);				\
		return false;						\
	} while (0)

/* What is of another kind waits until the earlier ones are over, see rma.c. Writes among themselves don't. */
static size_t order_raw(uint64_t msg_order)
{
	return msg_order & (FI_ORDER_RAW | FI_ORDER_RMA_RAW) ? MAX_MSG : 0;
}

static size_t order_war(uint64_t msg_order)
{
	return msg_order & (FI_ORDER_WAR | FI_ORDER_RMA_WAR) ? MAX_MSG : 0;
}

static bool attr_ok(const struct fi_info *h)
{
	const struct fi_tx_attr *tx = h->tx_attr;
	const struct fi_rx_attr *rx = h->rx_attr;
	const struct fi_ep_attr *ep = h->ep_attr;
	uint64_t order = tx ? tx->msg_order : 0;

	if (tx) {
		if (tx->caps & ~(CAPS_TX | CAPS_KIND | CAPS_COMM | CAPS_SECOND | CAPS_ASKED))
			REFUSE("tx caps %#llx\n", (unsigned long long)tx->caps);
		if (tx->msg_order & ~ORDERS)
			REFUSE("tx message order %#llx\n", (unsigned long long)(tx->msg_order & ~ORDERS));
		if (tx->comp_order)
			REFUSE("completion order is not kept\n");
		if (tx->op_flags & ~TX_FLAGS)
			REFUSE("tx op_flags %#llx\n", (unsigned long long)(tx->op_flags & ~TX_FLAGS));
		if (tx->inject_size > PFI_INJECT || tx->size > pfi_knobs.tx_size || tx->iov_limit > PFI_IOV ||
		    tx->rma_iov_limit > PFI_IOV)
			REFUSE("inject size %zu (%u), size %zu (%zu), iov limit %zu (%u)\n", tx->inject_size, PFI_INJECT,
			       tx->size, pfi_knobs.tx_size, tx->iov_limit, PFI_IOV);
	}
	if (rx) {
		if (rx->caps & ~(CAPS_RX | CAPS_KIND | CAPS_COMM | CAPS_SECOND | CAPS_ASKED))
			REFUSE("rx caps %#llx\n", (unsigned long long)rx->caps);
		if (rx->msg_order & ~ORDERS)
			REFUSE("rx message order %#llx\n", (unsigned long long)(rx->msg_order & ~ORDERS));
		if (rx->comp_order)
			REFUSE("completion order is not kept\n");
		if (rx->op_flags & ~RX_FLAGS)
			REFUSE("rx op_flags %#llx\n", (unsigned long long)(rx->op_flags & ~RX_FLAGS));
		if (rx->size > PFI_RX_SIZE || rx->iov_limit > PFI_IOV)
			REFUSE("rx size %zu (%u), iov limit %zu (%u)\n", rx->size, PFI_RX_SIZE, rx->iov_limit, PFI_IOV);
	}
	if (ep) {
		if (ep->type != FI_EP_UNSPEC && ep->type != FI_EP_RDM)
			REFUSE("endpoint type %s: only FI_EP_RDM\n", fi_tostr(&ep->type, FI_TYPE_EP_TYPE));
		if (ep->protocol && ep->protocol != PFI_PROTO)
			REFUSE("protocol %u\n", ep->protocol);
		if (ep->tx_ctx_cnt > 1 || ep->rx_ctx_cnt > 1)
			REFUSE("scalable endpoints and shared contexts don't exist here\n");
		if (ep->max_msg_size > MAX_MSG)
			REFUSE("messages of %zu bytes: %zu\n", ep->max_msg_size, MAX_MSG);
		if (ep->max_order_raw_size > order_raw(order) || ep->max_order_war_size > order_war(order))
			REFUSE("order of data of %zu (RAW), %zu (WAR) bytes: message order %#llx\n", ep->max_order_raw_size,
			       ep->max_order_war_size, (unsigned long long)order);
		if (ep->max_order_waw_size)
			REFUSE("order of the data of writes is not kept\n");
		if (ep->auth_key_size)
			REFUSE("authorization keys\n");
	}
	return true;
}

static bool domain_ok(const struct fi_info *h, uint64_t caps)
{
	const struct fi_domain_attr *d = h->domain_attr;

	if (!d)
		return true;
	if (d->threading > FI_THREAD_ENDPOINT)
		REFUSE("threading %d\n", d->threading);
	if (d->cq_data_size > 4)
		REFUSE("CQ data of %zu bytes: 4\n", d->cq_data_size);
	if (d->mr_key_size && d->mr_key_size < 8)
		REFUSE("keys of %zu bytes: 8\n", d->mr_key_size);
	if ((caps & (FI_RMA | FI_ATOMIC)) && d->mr_mode && !(d->mr_mode & (FI_MR_ALLOCATED | MR_BASIC)))
		REFUSE("mr_mode without FI_MR_ALLOCATED\n");
	if (d->caps & ~(CAPS_COMM | CAPS_ASKED))
		REFUSE("domain caps %#llx\n", (unsigned long long)d->caps);
	if (d->auth_key_size || d->max_ep_tx_ctx > 1 || d->max_ep_rx_ctx > 1)
		REFUSE("authorization keys, several contexts\n");
	return true;
}

static bool hints_ok(const struct fi_info *h)
{
	uint64_t caps = h->caps ? h->caps : CAPS_ALL;

	if (caps & ~(CAPS_ALL | CAPS_ASKED))
		REFUSE("caps %#llx\n", (unsigned long long)(caps & ~(CAPS_ALL | CAPS_ASKED)));
	if (caps & FI_HMEM && (!h->domain_attr || !(h->domain_attr->mr_mode & FI_MR_HMEM)))
		REFUSE("FI_HMEM without FI_MR_HMEM: memory of devices must be registered\n");
	if (h->addr_format && h->addr_format != PFI_FORMAT)
		REFUSE("address format %u\n", h->addr_format);
	if (h->dest_addr && h->dest_addrlen != sizeof(struct name))
		REFUSE("a destination of %zu bytes is none of ours\n", h->dest_addrlen);
	if (h->fabric_attr && h->fabric_attr->name && strcmp(h->fabric_attr->name, PFI_NAME))
		REFUSE("fabric %s\n", h->fabric_attr->name);
	return attr_ok(h) && domain_ok(h, caps);
}

/* --- the info ----------------------------------------------------------------------------------- */

static void nic_free(struct fid_nic *nic)
{
	if (nic->device_attr) {
		free(nic->device_attr->name);
		free(nic->device_attr->device_id);
		free(nic->device_attr->device_version);
		free(nic->device_attr->vendor_id);
		free(nic->device_attr->driver);
		free(nic->device_attr->firmware);
		free(nic->device_attr);
	}
	if (nic->link_attr) {
		free(nic->link_attr->address);
		free(nic->link_attr->network_type);
		free(nic->link_attr);
	}
	free(nic->bus_attr);
	free(nic);
}

static int nic_close(struct fid *fid)
{
	nic_free(pfi_entry(fid, struct fid_nic, fid));
	return 0;
}

static int nic_tostr(const struct fid *fid, char *buf, size_t len)
{
	const struct fid_nic *nic = (const void *)fid;

	snprintf(buf, len, "nic:\n    fi_device_attr:\n        name: %s\n        driver: %s\n        serial: %s\n"
		 "    fi_link_attr:\n        address: %s\n        mtu: %zu\n        speed: %zu\n        state: %s\n"
		 "        network_type: %s\n", nic->device_attr->name, nic->device_attr->driver,
		 nic->device_attr->device_id, nic->link_attr->address, nic->link_attr->mtu, nic->link_attr->speed,
		 nic->link_attr->state == FI_LINK_UP ? "FI_LINK_UP" : "FI_LINK_DOWN", nic->link_attr->network_type);
	return 0;
}

static char *dup_text(const char *text)
{
	return text ? strdup(text) : NULL;
}

static int nic_dup(const struct fid_nic *nic, struct fid_nic **out)
{
	struct fid_nic *dup = calloc(1, sizeof(*dup));

	if (!dup)
		return -FI_ENOMEM;
	dup->fid = nic->fid;
	dup->device_attr = calloc(1, sizeof(*dup->device_attr));
	dup->link_attr = malloc(sizeof(*dup->link_attr));
	dup->bus_attr = malloc(sizeof(*dup->bus_attr));
	if (!dup->device_attr || !dup->link_attr || !dup->bus_attr) {
		free(dup->link_attr);	/* not filled: no texts in it */
		dup->link_attr = NULL;
		nic_free(dup);
		return -FI_ENOMEM;
	}
	dup->device_attr->name = dup_text(nic->device_attr->name);
	dup->device_attr->device_id = dup_text(nic->device_attr->device_id);
	dup->device_attr->device_version = dup_text(nic->device_attr->device_version);
	dup->device_attr->vendor_id = dup_text(nic->device_attr->vendor_id);
	dup->device_attr->driver = dup_text(nic->device_attr->driver);
	dup->device_attr->firmware = dup_text(nic->device_attr->firmware);
	*dup->bus_attr = *nic->bus_attr;
	*dup->link_attr = *nic->link_attr;
	dup->link_attr->address = dup_text(nic->link_attr->address);
	dup->link_attr->network_type = dup_text(nic->link_attr->network_type);
	*out = dup;
	return 0;
}

/* fi_dupinfo() copies a NIC by this. */
static int nic_control(struct fid *fid, int command, void *arg)
{
	return command == FI_DUP ? nic_dup(pfi_entry(fid, struct fid_nic, fid), arg) : -FI_ENOSYS;
}

static struct fi_ops nic_ops = {
	.size = sizeof(struct fi_ops),
	.close = nic_close,
	.bind = pfi_no_bind,
	.control = nic_control,
	.ops_open = pfi_no_ops_open,
	.tostr = nic_tostr,
};

/* What the cards are; rates of several are added. */
static struct fid_nic *nic_make(const struct card *cards, int n)
{
	struct fid_nic *nic = calloc(1, sizeof(*nic));
	unsigned int domain, bus, device, function;
	char text[64];
	int i;

	if (!nic)
		return NULL;
	nic->fid.fclass = FI_CLASS_NIC;
	nic->fid.ops = &nic_ops;
	nic->device_attr = calloc(1, sizeof(*nic->device_attr));
	nic->link_attr = calloc(1, sizeof(*nic->link_attr));
	nic->bus_attr = calloc(1, sizeof(*nic->bus_attr));
	if (!nic->device_attr || !nic->link_attr || !nic->bus_attr)
		goto fail;
	nic->device_attr->name = strdup(cards[0].name);
	nic->device_attr->device_id = strdup(cards[0].info.serial);
	snprintf(text, sizeof(text), "%u.%u", cards[0].info.hw_version >> 16, cards[0].info.hw_version & 0xffff);
	nic->device_attr->device_version = strdup(text);
	nic->device_attr->vendor_id = strdup("pnic");
	nic->device_attr->driver = strdup("pnic");
	snprintf(text, sizeof(text), "%u of %u lanes", cards[0].link.width_tx, cards[0].link.width_max);
	nic->device_attr->firmware = strdup(text);
	snprintf(text, sizeof(text), "0x%06x", cards[0].info.nic_addr);
	nic->link_attr->address = strdup(text);
	nic->link_attr->network_type = strdup("photonic");
	nic->link_attr->mtu = cards[0].info.max_msg_size;
	nic->link_attr->state = FI_LINK_DOWN;
	for (i = 0; i < n; i++) {
		if (cards[i].link.state != 1)
			continue;
		nic->link_attr->state = FI_LINK_UP;
		nic->link_attr->speed += (size_t)cards[i].link.rate_tx_mbps * 1000000;
	}
	if (sscanf(cards[0].info.pci, "%x:%x:%x.%x", &domain, &bus, &device, &function) == 4) {
		nic->bus_attr->bus_type = FI_BUS_PCI;
		nic->bus_attr->attr.pci.domain_id = (uint16_t)domain;
		nic->bus_attr->attr.pci.bus_id = (uint8_t)bus;
		nic->bus_attr->attr.pci.device_id = (uint8_t)device;
		nic->bus_attr->attr.pci.function_id = (uint8_t)function;
	}
	return nic;
fail:
	nic_free(nic);
	return NULL;
}

static void domain_fill(struct fi_domain_attr *d, const struct fi_domain_attr *h, uint64_t caps)
{
	int mr_mode = h ? h->mr_mode : 0;

	d->threading = h && h->threading ? h->threading : FI_THREAD_SAFE;
	/* Addresses and regions are done when the call returns, so the first of the two is as the program likes. */
	d->control_progress = h && h->control_progress == FI_PROGRESS_AUTO ? FI_PROGRESS_AUTO : FI_PROGRESS_MANUAL;
	d->data_progress = h && h->data_progress == FI_PROGRESS_AUTO ? FI_PROGRESS_AUTO : FI_PROGRESS_MANUAL;
	d->resource_mgmt = h && h->resource_mgmt ? h->resource_mgmt : FI_RM_ENABLED;
	d->av_type = h ? h->av_type : FI_AV_UNSPEC;
	if (!(caps & (FI_RMA | FI_ATOMIC)))
		d->mr_mode = 0;
	else if (!mr_mode || mr_mode == MR_BASIC)
		d->mr_mode = mr_mode ? MR_BASIC : MR_MODES;
	else
		d->mr_mode = mr_mode & MR_MODES;
	if (caps & FI_HMEM)
		d->mr_mode |= FI_MR_HMEM;
	d->mr_key_size = 8;
	d->cq_data_size = 4;
	d->cq_cnt = 1024;
	d->ep_cnt = 1024;
	d->tx_ctx_cnt = 1024;
	d->rx_ctx_cnt = 1024;
	d->max_ep_tx_ctx = 1;
	d->max_ep_rx_ctx = 1;
	d->cntr_cnt = 1024;
	d->mr_iov_limit = 1;
	d->mr_cnt = 65536;
	d->max_err_data = 256;
	d->caps = CAPS_COMM | (caps & CAPS_ASKED);
}

static struct fi_info *info_make(const struct card *cards, int n, const struct fi_info *h, uint32_t version)
{
	uint64_t caps = h && h->caps ? h->caps : CAPS_ALL;
	struct fi_info *info = fi_allocinfo();
	char name[8 * 65] = "";
	int i;

	if (!info)
		return NULL;
	/* A kind without a direction means all. */
	if (caps & (FI_MSG | FI_TAGGED) && !(caps & (FI_SEND | FI_RECV)))
		caps |= FI_SEND | FI_RECV;
	if (caps & (FI_RMA | FI_ATOMIC) && !(caps & (FI_READ | FI_WRITE | FI_REMOTE_READ | FI_REMOTE_WRITE)))
		caps |= FI_READ | FI_WRITE | FI_REMOTE_READ | FI_REMOTE_WRITE;
	if (!(caps & CAPS_COMM))
		caps |= CAPS_COMM;
	info->caps = caps;
	info->addr_format = PFI_FORMAT;
	info->tx_attr->caps = caps & (CAPS_TX | CAPS_KIND | CAPS_ASKED);
	info->tx_attr->op_flags = h && h->tx_attr ? h->tx_attr->op_flags : 0;
	info->tx_attr->msg_order = h && h->tx_attr && h->tx_attr->msg_order ? h->tx_attr->msg_order : FI_ORDER_SAS;
	info->tx_attr->inject_size = PFI_INJECT;
	info->tx_attr->size = pfi_knobs.tx_size;
	info->tx_attr->iov_limit = PFI_IOV;
	info->tx_attr->rma_iov_limit = caps & FI_RMA ? PFI_IOV : 0;
	info->rx_attr->caps = caps & (CAPS_RX | CAPS_KIND | CAPS_SECOND | CAPS_ASKED);
	info->rx_attr->op_flags = h && h->rx_attr ? h->rx_attr->op_flags : 0;
	info->rx_attr->msg_order = h && h->rx_attr && h->rx_attr->msg_order ? h->rx_attr->msg_order : FI_ORDER_SAS;
	info->rx_attr->size = PFI_RX_SIZE;
	info->rx_attr->iov_limit = PFI_IOV;
	info->rx_attr->total_buffered_recv = pfi_knobs.window;
	info->ep_attr->type = FI_EP_RDM;
	info->ep_attr->protocol = PFI_PROTO;
	info->ep_attr->protocol_version = WIRE_VERSION;
	info->ep_attr->max_msg_size = MAX_MSG;
	info->ep_attr->mem_tag_format = h && h->ep_attr && h->ep_attr->mem_tag_format ? h->ep_attr->mem_tag_format :
		TAG_GENERIC;
	info->ep_attr->tx_ctx_cnt = 1;
	info->ep_attr->rx_ctx_cnt = 1;
	info->ep_attr->max_order_raw_size = order_raw(info->tx_attr->msg_order);
	info->ep_attr->max_order_war_size = order_war(info->tx_attr->msg_order);
	domain_fill(info->domain_attr, h ? h->domain_attr : NULL, caps);
	for (i = 0; i < n; i++) {
		strcat(name, i ? "+" : "");
		strcat(name, cards[i].name);
	}
	info->domain_attr->name = strdup(name);
	info->fabric_attr->name = strdup(PFI_NAME);
	info->fabric_attr->prov_version = pfi_prov.version;
	info->fabric_attr->api_version = version;
	info->nic = nic_make(cards, n);
	if (!info->domain_attr->name || !info->fabric_attr->name || !info->nic)
		goto fail;
	if (h && h->dest_addr) {
		info->dest_addr = malloc(h->dest_addrlen);
		if (!info->dest_addr)
			goto fail;
		memcpy(info->dest_addr, h->dest_addr, h->dest_addrlen);
		info->dest_addrlen = h->dest_addrlen;
	}
	return info;
fail:
	fi_freeinfo(info);
	return NULL;
}

/* True if somebody asked for this provider by name, and so wants to know why it isn't there. */
static bool asked_for(const struct fi_info *h)
{
	const char *filter = getenv("FI_PROVIDER");

	if (filter && strstr(filter, PFI_NAME))
		return true;
	return h && h->fabric_attr && h->fabric_attr->prov_name && strstr(h->fabric_attr->prov_name, PFI_NAME);
}

static bool all_take_dmabufs(const struct card *cards, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		if (!(cards[i].info.features & PNIC_FEAT_DMABUF)) {
			pfi_info(CORE, "%s can't use dma-bufs\n", cards[i].name);
			return false;
		}
	}
	return true;
}

int pfi_getinfo(uint32_t version, const char *node, const char *service, uint64_t flags, const struct fi_info *hints,
		struct fi_info **info)
{
	const char *wanted = hints && hints->domain_attr ? hints->domain_attr->name : NULL;
	struct fi_info **tail = info, *one;
	struct card cards[PNIC_RAILS_MAX];
	char *names, *name, *save = NULL;
	const char *sep;
	int n, err = 0;

	(void)service;
	*info = NULL;
	if (flags & FI_PROV_ATTR_ONLY) {
		memset(cards, 0, sizeof(cards[0]));
		*info = info_make(cards, 1, NULL, version);
		return *info ? 0 : -FI_ENOMEM;
	}
	if (hints && !hints_ok(hints))
		return -FI_ENODATA;
	/* A node can only be a domain here, by name: addresses are handed over by programs. */
	if (node && wanted && strcmp(node, wanted))
		return -FI_ENODATA;
	if (!wanted)
		wanted = node;
	if (wanted)
		names = strdup(wanted);
	else
		names = pfi_knobs.device ? strdup(pfi_knobs.device) : cards_all(asked_for(hints));
	if (!names)
		return -FI_ENODATA;
	sep = wanted ? ";" : separators(names);
	for (name = strtok_r(names, sep, &save); name; name = strtok_r(NULL, sep, &save)) {
		n = cards_of(name, cards);
		if (!n || (hints && hints->caps & FI_HMEM && !all_take_dmabufs(cards, n)))
			continue;
		one = info_make(cards, n, hints, version);
		if (!one) {
			err = -FI_ENOMEM;
			break;
		}
		/* Who names a domain gets it with all its cards, or not. */
		if (wanted && strcmp(wanted, one->domain_attr->name)) {
			fi_freeinfo(one);
			continue;
		}
		*tail = one;
		tail = &one->next;
	}
	free(names);
	if (err) {
		fi_freeinfo(*info);
		*info = NULL;
		return err;
	}
	return *info ? 0 : -FI_ENODATA;
}
