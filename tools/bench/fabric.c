// SPDX-License-Identifier: GPL-2.0
/*
 * libfabric's shm provider, natively, between two processes: one-sided writes as in native.c.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rdma/fabric.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_errno.h>
#include <rdma/fi_rma.h>

#include "bench.h"

/* What the two tell each other. */
struct shared {
	volatile int ready[2], step[2];
	char name[2][256];
	size_t name_len[2];
	uint64_t key[2], base[2];
};

static struct shared *sh;
static int me;
static struct fid_fabric *fabric;
static struct fid_domain *domain;
static struct fid_ep *ep;
static struct fid_av *av;
static struct fid_cq *cq;
static struct fid_mr *mr;
static fi_addr_t peer;
static uint8_t *mem;
static unsigned long done;

static void progress(void)
{
	struct fi_cq_entry e[16];
	ssize_t n = fi_cq_read(cq, e, 16);

	if (n > 0)
		done += (unsigned long)n;
	else if (n != -FI_EAGAIN)
		BENCH_CHECK(n);
}

static void meet(void)
{
	int step = ++sh->step[me];

	__sync_synchronize();
	while (sh->step[!me] < step)
		progress();
}

static void setup(void)
{
	struct fi_info *hints = fi_allocinfo(), *info;
	struct fi_cq_attr ca = { .format = FI_CQ_FORMAT_CONTEXT, .size = 4096 };
	struct fi_av_attr aa = { .type = FI_AV_TABLE };

	hints->fabric_attr->prov_name = strdup("shm");
	hints->ep_attr->type = FI_EP_RDM;
	hints->caps = FI_MSG | FI_RMA;
	hints->mode = FI_CONTEXT;
	hints->domain_attr->mr_mode = FI_MR_LOCAL | FI_MR_VIRT_ADDR | FI_MR_ALLOCATED | FI_MR_PROV_KEY;
	BENCH_CHECK(fi_getinfo(FI_VERSION(1, 17), NULL, NULL, 0, hints, &info));
	BENCH_CHECK(fi_fabric(info->fabric_attr, &fabric, NULL));
	BENCH_CHECK(fi_domain(fabric, info, &domain, NULL));
	BENCH_CHECK(fi_cq_open(domain, &ca, &cq, NULL));
	BENCH_CHECK(fi_av_open(domain, &aa, &av, NULL));
	BENCH_CHECK(fi_endpoint(domain, info, &ep, NULL));
	BENCH_CHECK(fi_ep_bind(ep, &cq->fid, FI_TRANSMIT | FI_RECV | FI_SELECTIVE_COMPLETION));
	BENCH_CHECK(fi_ep_bind(ep, &av->fid, 0));
	BENCH_CHECK(fi_enable(ep));
	mem = aligned_alloc(4096, 2 * BENCH_MIB);
	memset(mem, 1, 2 * BENCH_MIB);
	BENCH_CHECK(fi_mr_reg(domain, mem, 2 * BENCH_MIB, FI_REMOTE_WRITE | FI_WRITE, 0, (uint64_t)(me + 1), 0, &mr, NULL));
	sh->name_len[me] = sizeof(sh->name[me]);
	BENCH_CHECK(fi_getname(&ep->fid, sh->name[me], &sh->name_len[me]));
	sh->key[me] = fi_mr_key(mr);
	sh->base[me] = info->domain_attr->mr_mode & FI_MR_VIRT_ADDR ? (uintptr_t)mem : 0;
	__sync_synchronize();
	sh->ready[me] = 1;
	while (!sh->ready[!me])
		;
	BENCH_CHECK(fi_av_insert(av, sh->name[!me], 1, &peer, 0, NULL) != 1);
}

static void put8(uint64_t v)
{
	ssize_t n;

	while ((n = fi_inject_write(ep, &v, 8, peer, sh->base[!me], sh->key[!me])) == -FI_EAGAIN)
		progress();
	BENCH_CHECK(n);
}

static void wait_for(uint64_t v)
{
	while (__atomic_load_n((uint64_t *)(void *)mem, __ATOMIC_ACQUIRE) != v)
		progress();
}

static uint64_t value;

static void lat(struct bench_best *b)
{
	double t;
	int i;

	meet();
	t = bench_ns();
	for (i = 0; i < BENCH_LAT; i++) {
		value++;
		if (!me)
			put8(value);
		wait_for(value);
		if (me)
			put8(value);
	}
	bench_lat(b, bench_ns() - t, BENCH_LAT);
}

/* The last one is seen at the other end, and told back. */
static void rate(struct bench_best *b)
{
	double t;
	int i;

	meet();
	t = bench_ns();
	value++;
	if (!me) {
		for (i = 1; i < BENCH_RATE; i++)
			put8(0);
		put8(value);
		wait_for(value);
		bench_rate(b, bench_ns() - t, BENCH_RATE);
	} else {
		wait_for(value);
		put8(value);
	}
}

static void bandwidth(struct bench_best *b)
{
	unsigned long first = done, posted = 0;
	static struct fi_context ctx[8];
	struct iovec iov = { mem, BENCH_MIB };
	void *desc = fi_mr_desc(mr);
	struct fi_rma_iov to = { sh->base[!me], BENCH_MIB, sh->key[!me] };
	struct fi_msg_rma msg = { .msg_iov = &iov, .desc = &desc, .iov_count = 1, .addr = peer, .rma_iov = &to,
		.rma_iov_count = 1 };
	double t;

	meet();
	t = bench_ns();
	while (!me && done - first < BENCH_BW) {
		msg.context = &ctx[posted % 8];
		if (posted < BENCH_BW && posted - (done - first) < 4 &&
		    !fi_writemsg(ep, &msg, FI_COMPLETION | FI_DELIVERY_COMPLETE))
			posted++;
		progress();
	}
	if (!me)
		bench_bw(b, bench_ns() - t, (double)BENCH_BW * BENCH_MIB);
	meet();
}

int main(void)
{
	struct bench_best b = { 0 };
	pid_t child;
	int i;

	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	child = fork();
	me = !child;
	setup();
	for (i = 0; i < BENCH_ROUNDS; i++) {
		lat(&b);
		rate(&b);
		bandwidth(&b);
	}
	meet();
	if (me)
		return 0;
	waitpid(child, NULL, 0);
	bench_say("ofi_shm", &b, "libfabric shm, fi_write between two processes");
	return 0;
}
