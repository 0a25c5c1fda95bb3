/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * The provider's suite: two or more endpoints in this process, each with a domain on a card of its own, which talk to
 * each other through libfabric's calls alone.
 *
 * The cards are embedded:nic=0 and embedded:nic=1, or those of PNIC_DEVICES followed by a number. With
 * DIRECT the provider is linked in and asked without libfabric's core, for sanitizers.
 */
#ifndef SUITE_H
#define SUITE_H

#include <rdma/fabric.h>
#include <rdma/fi_atomic.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_eq.h>
#include <rdma/fi_errno.h>
#include <rdma/fi_rma.h>
#include <rdma/fi_tagged.h>

#include <limits.h>

#include <rdma/providers/fi_prov.h>

#include "ktap.h"

#define CAPS	(FI_MSG | FI_TAGGED | FI_RMA | FI_ATOMIC | FI_MULTI_RECV | FI_SOURCE | FI_DIRECTED_RECV)

struct opts {
	uint64_t caps, tx_flags, rx_flags, order;
	int mr_mode;
	enum fi_threading threading;
	enum fi_progress progress;	/* of data */
	enum fi_cq_format format;
	enum fi_wait_obj wait;
	uint64_t cq_flags;		/* FI_SELECTIVE_COMPLETION */
	enum fi_av_type av;
	bool counters;			/* and no CQ's entries are looked at */
	int card;			/* -1: all of them */
};

struct node {
	struct fi_info *info;
	struct fid_fabric *fabric;
	struct fid_domain *domain;
	struct fid_av *av;
	struct fid_cq *cq;
	struct fid_cntr *cntr[4];	/* SEND, RECV, READ, WRITE */
	struct fid_ep *ep;
	struct fid_mr *mr;
	char name[256];
	size_t name_len;
	fi_addr_t peer[4];		/* nodes, by number */
	char *mem;
	size_t mem_len;
	uint64_t base, key;		/* of mem, for peers */
	struct fi_cq_tagged_entry done[64];
	fi_addr_t src[64];
	int dones;			/* taken and not yet looked at */
};

static struct node n0, n1, n2;
static struct node *const nodes[] = { &n0, &n1, &n2 };

/* Errors as negative numbers, as libfabric has them. */
#define REQUIRE_FI(expr)							\
	do {									\
		long long fi_ret = (expr);					\
										\
		if (fi_ret < 0)							\
			KTAP_OR_(true, __FILE__, __LINE__, "%s: %s", #expr, fi_strerror((int)-fi_ret)); \
	} while (0)

#ifdef DIRECT
extern struct fi_provider pfi_prov;
void pfi_knobs_init(void);
#endif

KTAP_UNUSED static const char *suite_card(int card)
{
	static char name[3][160];
	const char *prefix = getenv("PNIC_DEVICES");

	if (card < 0) {
		snprintf(name[2], sizeof(name[2]), "%.60s+%.60s", suite_card(0), suite_card(1));
		return name[2];
	}
	snprintf(name[card], sizeof(name[card]), "%.40s%d", prefix ? prefix : "embedded:nic=", card);
	return name[card];
}

/* Before anything else, so that all is found beside the program and every run is the same. */
__attribute__((constructor)) static void suite_init(void)
{
	char dir[PATH_MAX] = "", cards[256];
	ssize_t len = readlink("/proc/self/exe", dir, sizeof(dir) - 1);

	if (len > 0 && strrchr(dir, '/'))
		*strrchr(dir, '/') = 0;
	setenv("FI_PROVIDER_PATH", dir, 0);
	setenv("FI_PROVIDER", "pnic", 0);
	snprintf(cards, sizeof(cards), "%s;%s", suite_card(0), suite_card(1));
	setenv("FI_PNIC_DEVICE", cards, 0);
#ifdef DIRECT
	pfi_knobs_init();
#endif
}

/* What the program says that it was made for. */
KTAP_UNUSED static uint32_t suite_version = FI_VERSION(2, 1);

KTAP_UNUSED static int suite_getinfo(uint64_t flags, const struct fi_info *hints, struct fi_info **info)
{
#ifdef DIRECT
	return pfi_prov.getinfo(suite_version, NULL, NULL, flags, hints, info);
#else
	return fi_getinfo(suite_version, NULL, NULL, flags, hints, info);
#endif
}

KTAP_UNUSED static int suite_fabric(struct fi_info *info, struct fid_fabric **fabric)
{
#ifdef DIRECT
	return pfi_prov.fabric(info->fabric_attr, fabric, NULL);
#else
	return fi_fabric(info->fabric_attr, fabric, NULL);
#endif
}

KTAP_UNUSED static void suite_freeinfo(struct fi_info *info)
{
	fi_freeinfo(info);
}

KTAP_UNUSED static struct fi_info *suite_hints(const struct opts *o)
{
	struct fi_info *h = fi_allocinfo();

	REQUIRE(h);
	h->caps = o->caps ? o->caps : CAPS;
	h->ep_attr->type = FI_EP_RDM;
	h->domain_attr->mr_mode = o->mr_mode ? o->mr_mode : FI_MR_VIRT_ADDR | FI_MR_ALLOCATED | FI_MR_PROV_KEY;
	h->domain_attr->threading = o->threading;
	h->domain_attr->data_progress = o->progress;
	h->domain_attr->av_type = o->av;
	h->domain_attr->name = strdup(suite_card(o->card));
	h->tx_attr->op_flags = o->tx_flags;
	h->rx_attr->op_flags = o->rx_flags;
	h->tx_attr->msg_order = o->order;
	h->rx_attr->msg_order = o->order;
	return h;
}

KTAP_UNUSED static void node_counters(struct node *n)
{
	static const uint64_t kind[4] = { FI_SEND, FI_RECV, FI_READ, FI_WRITE };
	struct fi_cntr_attr attr = { .wait_obj = FI_WAIT_UNSPEC };
	int i;

	for (i = 0; i < 4; i++) {
		REQUIRE_FI(fi_cntr_open(n->domain, &attr, &n->cntr[i], NULL));
		REQUIRE_FI(fi_ep_bind(n->ep, &n->cntr[i]->fid, kind[i]));
	}
}

/* Everything up to the enabled endpoint, and @mem bytes registered for everything. */
KTAP_UNUSED static void node_open(struct node *n, const struct opts *o, size_t mem)
{
	uint64_t access = FI_SEND | FI_RECV | FI_READ | FI_WRITE | FI_REMOTE_READ | FI_REMOTE_WRITE;
	struct fi_cq_attr cq = { .format = o->format ? o->format : FI_CQ_FORMAT_TAGGED, .wait_obj = o->wait };
	struct fi_av_attr av = { .type = o->av };
	struct fi_info *hints = suite_hints(o);

	memset(n, 0, sizeof(*n));
	REQUIRE_FI(suite_getinfo(0, hints, &n->info));
	suite_freeinfo(hints);
	REQUIRE_FI(suite_fabric(n->info, &n->fabric));
	REQUIRE_FI(fi_domain(n->fabric, n->info, &n->domain, NULL));
	REQUIRE_FI(fi_av_open(n->domain, &av, &n->av, NULL));
	REQUIRE_FI(fi_cq_open(n->domain, &cq, &n->cq, NULL));
	REQUIRE_FI(fi_endpoint(n->domain, n->info, &n->ep, NULL));
	REQUIRE_FI(fi_ep_bind(n->ep, &n->av->fid, 0));
	REQUIRE_FI(fi_ep_bind(n->ep, &n->cq->fid, FI_TRANSMIT | FI_RECV | o->cq_flags));
	if (o->counters)
		node_counters(n);
	REQUIRE_FI(fi_enable(n->ep));
	n->name_len = sizeof(n->name);
	REQUIRE_FI(fi_getname(&n->ep->fid, n->name, &n->name_len));
	n->mem_len = mem;
	n->mem = aligned_alloc(4096, mem);
	REQUIRE(n->mem);
	memset(n->mem, 0, mem);
	if (!(n->info->caps & (FI_RMA | FI_ATOMIC)))
		return;
	REQUIRE_FI(fi_mr_reg(n->domain, n->mem, mem, access, 0, 77, 0, &n->mr, NULL));
	n->key = fi_mr_key(n->mr);
	n->base = n->info->domain_attr->mr_mode & FI_MR_VIRT_ADDR ? (uint64_t)(uintptr_t)n->mem : 0;
}

KTAP_UNUSED static void node_close(struct node *n)
{
	int i;

	if (!n->fabric)
		return;
	if (n->mr)
		CHECK_EQ(fi_close(&n->mr->fid), 0);
	CHECK_EQ(fi_close(&n->ep->fid), 0);
	for (i = 0; i < 4; i++)
		if (n->cntr[i])
			CHECK_EQ(fi_close(&n->cntr[i]->fid), 0);
	CHECK_EQ(fi_close(&n->cq->fid), 0);
	CHECK_EQ(fi_close(&n->av->fid), 0);
	CHECK_EQ(fi_close(&n->domain->fid), 0);
	CHECK_EQ(fi_close(&n->fabric->fid), 0);
	suite_freeinfo(n->info);
	free(n->mem);
	memset(n, 0, sizeof(*n));
}

KTAP_UNUSED static void nodes_meet(struct node *a, int na, struct node *b, int nb)
{
	REQUIRE_EQ(fi_av_insert(a->av, b->name, 1, &a->peer[nb], 0, NULL), 1);
	REQUIRE_EQ(fi_av_insert(b->av, a->name, 1, &b->peer[na], 0, NULL), 1);
}

/* n0 and n1, which know each other and themselves. */
KTAP_UNUSED static void pair_open(const struct opts *o, size_t mem)
{
	struct opts second = *o;

	/* What a test that failed left open is in nobody's way. */
	memset(&n0, 0, sizeof(n0));
	memset(&n1, 0, sizeof(n1));
	memset(&n2, 0, sizeof(n2));
	if (o->card >= 0)
		second.card = 1;
	node_open(&n0, o, mem);
	node_open(&n1, &second, mem);
	nodes_meet(&n0, 0, &n1, 1);
	REQUIRE_EQ(fi_av_insert(n0.av, n0.name, 1, &n0.peer[0], 0, NULL), 1);
	REQUIRE_EQ(fi_av_insert(n1.av, n1.name, 1, &n1.peer[1], 0, NULL), 1);
}

/* Takes completions of one node, as its format has them. */
KTAP_UNUSED static void node_take(struct node *n)
{
	ssize_t got;

	if (!n->cq || n->dones >= 32)
		return;
	got = fi_cq_readfrom(n->cq, &n->done[n->dones], 16, &n->src[n->dones]);
	if (got > 0)
		n->dones += (int)got;
	else if (got != -FI_EAGAIN && got != -FI_EAVAIL)
		REQUIRE_FI(got);
}

/* Moves all open nodes once. */
KTAP_UNUSED static void spin(void)
{
	size_t i;

	for (i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		if (nodes[i]->fabric)
			node_take(nodes[i]);
}

/* Waits for the node's completion of @context, and takes it. */
KTAP_UNUSED static struct fi_cq_tagged_entry node_done_from(struct node *n, void *context, fi_addr_t *src)
{
	struct fi_cq_tagged_entry e;
	struct fi_cq_err_entry err;
	char text[256];
	int i;

	for (;;) {
		for (i = 0; i < n->dones; i++) {
			if (n->done[i].op_context != context)
				continue;
			e = n->done[i];
			if (src)
				*src = n->src[i];
			n->dones--;
			memmove(&n->done[i], &n->done[i + 1], (n->dones - i) * sizeof(e));
			memmove(&n->src[i], &n->src[i + 1], (n->dones - i) * sizeof(*n->src));
			return e;
		}
		REQUIRE(n->dones < 32);
		spin();
		memset(&err, 0, sizeof(err));
		if (fi_cq_readerr(n->cq, &err, 0) == 1) {
			fi_cq_strerror(n->cq, err.prov_errno, err.err_data, text, sizeof(text));
			KTAP_OR_(true, __FILE__, __LINE__, "an operation failed: %s, %s", fi_strerror(err.err), text);
		}
	}
}

KTAP_UNUSED static struct fi_cq_tagged_entry node_done(struct node *n, void *context)
{
	return node_done_from(n, context, NULL);
}

/* Waits for an error's completion, which must be @err. */
KTAP_UNUSED static struct fi_cq_err_entry node_fails(struct node *n, void *context, int err)
{
	struct fi_cq_err_entry e;

	do {
		spin();
		memset(&e, 0, sizeof(e));
	} while (fi_cq_readerr(n->cq, &e, 0) != 1);
	CHECK(e.op_context == context);
	CHECK_EQ(e.err, err);
	return e;
}

/* Nothing came that nobody asked for. */
KTAP_UNUSED static void node_quiet(struct node *n)
{
	int i;

	for (i = 0; i < 20; i++)
		spin();
	CHECK_EQ(n->dones, 0);
}

KTAP_UNUSED static void pair_close(void)
{
	node_quiet(&n0);
	node_quiet(&n1);
	node_close(&n0);
	node_close(&n1);
}

KTAP_UNUSED static void fill(void *mem, size_t len, unsigned int seed)
{
	unsigned char *p = mem;
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = (unsigned char)(seed * 31 + i + (i >> 8) * 7 + (i >> 16) * 13);
}

/* What fill() made is there; notes the first byte that differs. */
KTAP_UNUSED static bool same(const void *mem, size_t len, unsigned int seed)
{
	const unsigned char *p = mem;
	size_t i;

	for (i = 0; i < len; i++) {
		if (p[i] != (unsigned char)(seed * 31 + i + (i >> 8) * 7 + (i >> 16) * 13)) {
			ktap_say("byte %zu of %zu is 0x%02x", i, len, p[i]);
			return false;
		}
	}
	return true;
}

/* Repeats a call that says -FI_EAGAIN, moving the nodes. */
#define retry(expr)								\
	({									\
		ssize_t retry_ret;						\
		while ((retry_ret = (expr)) == -FI_EAGAIN)			\
			spin();							\
		retry_ret;							\
	})

#endif /* SUITE_H */
