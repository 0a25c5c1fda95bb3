// SPDX-License-Identifier: GPL-2.0
/*
 * Several processes with several threads each, all over both cards at once: verified
 * traffic, registrations and queues that come and go, and nothing left in the end.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "device.h"
#include "ktap.h"
#include "traffic.h"

#define PROCESSES	4
#define THREADS		2
#define ROUNDS		120
#define MEM		(256ul << 10)
#define WAIT_MS		60000

struct worker {
	unsigned int process, thread;
	const char *failed;
	int detail;
};

#define GIVE_UP(w, cond)					\
	do {							\
		int gu_v = (cond);				\
								\
		if (gu_v) {					\
			(w)->failed = #cond;			\
			(w)->detail = gu_v;			\
			return -1;				\
		}						\
	} while (0)

static int write_and_check(struct worker *w, struct end *a, struct end *b, uint64_t *seed)
{
	uint32_t len = 1 + random_below(seed, 60000);
	uint64_t mark = *seed;

	pattern_fill(a->mem, len, mark);
	GIVE_UP(w, pnic_post_write(a->ep, b->addr, a->mem, len, a->mr->key, (uintptr_t)b->mem + MEM / 2,
				   b->mr->key, mark, PNIC_SQF_SIGNALED));
	pnic_ring(a->ep);
	GIVE_UP(w, end_status(a, WAIT_MS));
	GIVE_UP(w, pattern_check(b->mem + MEM / 2, len, mark) != len);
	return 0;
}

static int send_and_check(struct worker *w, struct end *a, struct end *b, uint64_t *seed)
{
	uint32_t len = random_below(seed, 9000);
	uint64_t mark = *seed;
	struct pnic_wc wc;

	pattern_fill(a->mem, len, mark);
	GIVE_UP(w, pnic_post_recv(b->ep, b->mem, len, b->mr->key, mark));
	pnic_ring_recv(b->ep);
	GIVE_UP(w, pnic_post_send(a->ep, b->addr, a->mem, len, a->mr->key, mark, PNIC_SQF_SIGNALED));
	pnic_ring(a->ep);
	GIVE_UP(w, end_status(a, WAIT_MS));
	GIVE_UP(w, end_wait(b, &wc, WAIT_MS));
	GIVE_UP(w, wc.status);
	GIVE_UP(w, wc.cookie != mark || wc.length != len || wc.peer_ep != a->addr.ep);
	GIVE_UP(w, pattern_check(b->mem, len, mark) != len);
	return 0;
}

/* Objects come and go beside the others' traffic. */
static int churn(struct worker *w, struct end *a)
{
	struct pnic_cq_attr ca = { .size = sizeof(ca), .entries = 64 };
	struct pnic_ep_attr ea = { .size = sizeof(ea), .sq_slots = 16, .rq_entries = 16 };
	struct pnic_mr *mr;
	struct pnic_ep *ep;

	GIVE_UP(w, pnic_mr_reg(a->ctx, a->mem, MEM / 2 + 1, PNIC_MRF_REMOTE_READ, &mr));
	GIVE_UP(w, pnic_cq_create(a->ctx, &ca, &ea.send_cq));
	GIVE_UP(w, pnic_ep_create(a->ctx, &ea, &ep));
	GIVE_UP(w, pnic_ep_destroy(ep));
	GIVE_UP(w, pnic_cq_destroy(ea.send_cq));
	GIVE_UP(w, pnic_mr_dereg(mr));
	return 0;
}

static int work(struct worker *w, struct end *a, struct end *b)
{
	uint64_t seed = 1000003ull * (1 + w->process) + w->thread;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		if (write_and_check(w, a, b, &seed) || send_and_check(w, b, a, &seed))
			return -1;
		if (i % 16 == 0 && churn(w, i % 32 ? a : b))
			return -1;
	}
	return 0;
}

static void *worker_main(void *arg)
{
	const struct end_attr attr = { .size = MEM, .rnr_timeout_us = 10000000 };
	struct worker *w = arg;
	struct end a, b;

	w->detail = end_open(&a, w->thread % 2, &attr);
	if (!w->detail)
		w->detail = end_open(&b, 1 - w->thread % 2, &attr);
	if (w->detail) {
		w->failed = "end_open";
		return NULL;
	}
	work(w, &a, &b);
	end_close(&a);
	end_close(&b);
	return NULL;
}

static void process_main(unsigned int process)
{
	struct worker w[THREADS] = { 0 };
	pthread_t id[THREADS];
	unsigned int i;

	for (i = 0; i < THREADS; i++) {
		w[i] = (struct worker) { .process = process, .thread = i };
		REQUIRE_EQ(pthread_create(&id[i], NULL, worker_main, &w[i]), 0);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(id[i], NULL);
		if (w[i].failed)
			ktap_failed(__FILE__, __LINE__, "process %u thread %u: %s gave %d", process, i,
				    w[i].failed, w[i].detail);
	}
	ktap_child_exit();
}

KTAP_TEST(processes_and_threads)
{
	struct resources before, now;
	pid_t pid[PROCESSES];
	int status, i;

	need_cards(2);
	REQUIRE_OK(resources_read(&before));
	for (i = 0; i < PROCESSES; i++) {
		pid[i] = ktap_fork();
		REQUIRE_OK(pid[i]);
		if (!pid[i])
			process_main(i);
	}
	for (i = 0; i < PROCESSES; i++) {
		REQUIRE_EQ(waitpid(pid[i], &status, 0), pid[i]);
		CHECK_EQ(status, 0);
	}
	CHECK(resources_settle(&before, &now, 5000));
}

/* Threads of one context: registrations by one while another transfers. */
static struct end shared_a, shared_b;

static void *registrar(void *arg)
{
	struct worker *w = arg;
	struct pnic_mr *mr;
	unsigned int i;

	for (i = 0; i < 200; i++) {
		w->detail = pnic_mr_reg(shared_a.ctx, shared_a.mem, 4096 + i * 100, 0, &mr);
		if (!w->detail)
			w->detail = pnic_mr_dereg(mr);
		if (w->detail) {
			w->failed = "register";
			return NULL;
		}
	}
	return NULL;
}

KTAP_TEST(one_context_two_threads)
{
	const struct end_attr attr = { .size = MEM, .rnr_timeout_us = 10000000 };
	struct worker reg = { 0 }, me = { 0 };
	struct resources before, now;
	pthread_t id;

	need_cards(2);
	REQUIRE_OK(resources_read(&before));
	REQUIRE_EQ(end_open(&shared_a, 0, &attr), 0);
	REQUIRE_EQ(end_open(&shared_b, 1, &attr), 0);
	REQUIRE_EQ(pthread_create(&id, NULL, registrar, &reg), 0);
	work(&me, &shared_a, &shared_b);
	pthread_join(id, NULL);
	if (me.failed || reg.failed)
		ktap_failed(__FILE__, __LINE__, "traffic: %s %d, registrations: %s %d",
			    me.failed ? me.failed : "fine", me.detail, reg.failed ? reg.failed : "fine", reg.detail);
	end_close(&shared_a);
	end_close(&shared_b);
	CHECK(resources_settle(&before, &now, 5000));
}

KTAP_MAIN()
