// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rings.h"

#define TAGS		4
#define IN_FLIGHT	8		/* receives of a connection, and ... */
#define WINDOW		24		/* ... sends from which the next is drawn */
#define RECVS		8
#define PAD		64		/* bytes behind a buffer that nobody may touch */
#define EMPTY		0xa5

uint64_t rnd(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* --- what a connection carries, as both ends know it ------------------------------------------- */

struct msg {
	int tag;
	uint32_t room;			/* of the receive */
	uint32_t size;			/* of the send */
	uint64_t key;			/* of its bytes */
};

struct group {
	int n;
	bool optional;
	struct msg msg[RECVS];
};

static uint32_t draw_size(uint64_t *s, size_t max)
{
	uint64_t r = rnd(s) % 100;
	size_t limit = r < 12 ? 0 : r < 55 ? 256 : r < 85 ? 8192 : r < 97 ? 65536 : max;

	if (limit > max)
		limit = max;
	return limit ? (uint32_t)(rnd(s) % (limit + 1)) : 0;
}

static struct group *draw_plan(const struct ring_run *run, int rank, int channel)
{
	struct group *g = calloc((size_t)run->groups, sizeof(*g));
	uint64_t s = run->seed * 1000003 + (uint64_t)rank * 8191 + (uint64_t)channel;
	int i, j;

	for (i = 0; g && i < run->groups; i++) {
		uint64_t kind = rnd(&s) % 4;

		g[i].n = kind < 2 ? 1 : kind == 2 ? RECVS : 1 + (int)(rnd(&s) % RECVS);
		g[i].optional = run->optional && g[i].n == 1 && rnd(&s) % 2;
		for (j = 0; j < g[i].n; j++) {
			struct msg *m = &g[i].msg[j];

			m->tag = (int)(rnd(&s) % TAGS);
			m->size = draw_size(&s, run->max_size);
			m->room = rnd(&s) % 3 ? m->size + (uint32_t)(rnd(&s) % 300) : m->size;
			if (m->room > run->max_size)
				m->room = (uint32_t)run->max_size;
			m->key = rnd(&s) | 1;
		}
		/* Somebody who looks at the memory needs something to look at. */
		if (g[i].optional && g[i].msg[0].size < 8)
			g[i].optional = false;
	}
	return g;
}

static uint64_t word(uint64_t key, size_t i)
{
	uint64_t w = key * (2 * i + 1) ^ key >> 17;

	/* Never what an untouched buffer has. */
	return w == 0xa5a5a5a5a5a5a5a5ULL ? 1 : w;
}

static void fill(uint8_t *p, uint32_t size, uint64_t key)
{
	uint64_t w;
	size_t i;

	for (i = 0; i < size / 8; i++) {
		w = word(key, i);
		memcpy(p + i * 8, &w, 8);
	}
	w = word(key, i);
	memcpy(p + i * 8, &w, size % 8);
}

static bool right(const uint8_t *p, uint32_t size, uint32_t room, uint64_t key)
{
	uint64_t w, v;
	size_t i;

	for (i = 0; i < size / 8; i++) {
		w = word(key, i);
		memcpy(&v, p + i * 8, 8);
		if (v != w)
			return false;
	}
	w = word(key, i);
	if (memcmp(p + i * 8, &w, size % 8))
		return false;
	for (i = size; room && i < room + PAD && i < size + PAD; i++)
		if (p[i] != EMPTY)
			return false;
	return true;
}

/* --- ranks ------------------------------------------------------------------------------------- */

/* A send under way or to be done. */
struct out {
	const struct msg *msg;
	void *req;			/* NULL: not taken yet */
	uint8_t *buf;
	bool filled, done;
};

struct in {
	const struct group *group;	/* NULL: free */
	void *req;
	bool told;			/* the request is over; the memory may not be complete yet */
	bool was_optional;
	uint8_t *buf[RECVS];
};

struct chan {
	/* To the next rank. */
	void *send;
	struct group *splan;
	int sg, sm;			/* the next message that enters the window */
	struct out out[WINDOW];		/* ring */
	unsigned int ohead, otail;
	uint8_t *sarena;
	void *smh;
	int sends_left;

	/* From the one before. */
	void *recv, *listen;
	struct group *rplan;
	int rg;
	struct in in[IN_FLIGHT];
	uint8_t *rarena;
	void *rmh, *rmh2;		/* of the whole; of the same again */
	int groups_left;
};

struct rank {
	struct ring *ring;
	int rank, dev;
	void *ctx;
	struct chan *chan;
	uint64_t rnd;
	pthread_t service, progress;
	unsigned int go;		/* 1: connected and registered; 2: all was sent and received */
	unsigned long messages, bytes, data_errors, size_errors, call_errors, unfinished;
};

struct ring {
	struct ring_run *run;
	struct rank *rank;
	char (*handle)[NCCL_HANDLE_SIZE];	/* of each rank's channels */
	unsigned int *ready;			/* by channel of a rank: the handle is there */
	unsigned int stop;			/* something failed, or it is too late */
	struct timespec deadline;
};

static bool late(struct ring *ring)
{
	struct timespec t;

	if (__atomic_load_n(&ring->stop, __ATOMIC_RELAXED))
		return true;
	clock_gettime(CLOCK_MONOTONIC, &t);
	if (t.tv_sec < ring->deadline.tv_sec)
		return false;
	__atomic_store_n(&ring->stop, 1, __ATOMIC_RELAXED);
	return true;
}

static bool said_no(struct rank *r, nccl_result res, const char *call)
{
	if (!res)
		return false;
	/* After the first everything may fail. */
	if (!__atomic_exchange_n(&r->ring->stop, 1, __ATOMIC_RELAXED) || getenv("NCCL_DEBUG"))
		printf("# %s rank %d: %s gave %d: %s\n", r->ring->run->door->name, r->rank, call, res, door_warning);
	r->call_errors++;
	return true;
}

static size_t stride(const struct ring_run *run)
{
	return (run->max_size + PAD + 255) & ~(size_t)127;
}

/* --- the progress thread ----------------------------------------------------------------------- */

static void window_fill(const struct ring_run *run, struct chan *c)
{
	while (c->otail - c->ohead < WINDOW && c->sg < run->groups) {
		struct out *o = &c->out[c->otail % WINDOW];

		*o = (struct out) { .msg = &c->splan[c->sg].msg[c->sm], .buf = c->sarena + (c->otail % WINDOW) * stride(run) };
		c->otail++;
		if (++c->sm == c->splan[c->sg].n) {
			c->sm = 0;
			c->sg++;
		}
	}
}

/* One send of a tag waits for those of the same tag before it, and for no other. */
static bool may_go(const struct chan *c, unsigned int at)
{
	unsigned int i;

	for (i = c->ohead; i != at; i++)
		if (!c->out[i % WINDOW].req && !c->out[i % WINDOW].done &&
		    c->out[i % WINDOW].msg->tag == c->out[at % WINDOW].msg->tag)
			return false;
	return true;
}

static bool send_some(struct rank *r, struct chan *c)
{
	const struct ring_run *run = r->ring->run;
	bool moved = false;
	unsigned int i, at;

	window_fill(run, c);
	for (i = 0; i < 4 && c->ohead != c->otail; i++) {
		struct out *o;

		at = c->ohead + (unsigned int)(rnd(&r->rnd) % (c->otail - c->ohead));
		o = &c->out[at % WINDOW];
		if (o->done || o->req || !may_go(c, at))
			continue;
		if (!o->filled)
			fill(o->buf, o->msg->size, o->msg->key);
		o->filled = true;
		if (said_no(r, run->door->isend(c->send, o->buf, o->msg->size, o->msg->tag, c->smh, &o->req), "isend"))
			return true;
		moved |= o->req != NULL;
	}
	for (at = c->ohead; at != c->otail; at++) {
		struct out *o = &c->out[at % WINDOW];
		int done, size = -1;

		if (!o->req || o->done || rnd(&r->rnd) % 4 == 0)
			continue;
		if (said_no(r, run->door->test(o->req, &done, &size), "test of a send"))
			return true;
		if (!done)
			continue;
		o->done = true;
		o->req = NULL;
		r->size_errors += size != (int)o->msg->size;
		memset(o->buf, 0x5a, o->msg->size);	/* it is ours again */
		c->sends_left--;
		moved = true;
	}
	while (c->ohead != c->otail && c->out[c->ohead % WINDOW].done)
		c->ohead++;
	return moved;
}

static void recv_post(struct rank *r, struct chan *c, struct in *in)
{
	const struct ring_run *run = r->ring->run;
	struct group *g = &c->rplan[c->rg];
	int tags[RECVS], i;
	void *data[RECVS], *mhs[RECVS], *req = g->optional ? NCCL_OPTIONAL_RECV : NULL;
	size_t sizes[RECVS];

	for (i = 0; i < g->n; i++) {
		tags[i] = g->msg[i].tag;
		sizes[i] = g->msg[i].room;
		data[i] = in->buf[i];
		mhs[i] = rnd(&r->rnd) % 2 ? c->rmh : c->rmh2;
		/* Where a receive is optional its memory may be written as long as the plugin likes. */
		if (!in->was_optional)
			memset(in->buf[i], EMPTY, g->msg[i].room + PAD);
	}
	if (said_no(r, run->door->irecv(c->recv, g->n, data, sizes, tags, mhs, &req), "irecv") || !req)
		return;
	in->group = g;
	in->req = req;
	in->told = false;
	in->was_optional |= g->optional;
	c->rg++;
}

/*
 * A line of 128 bytes of which the last word is there is there altogether; the transfer is when its last line is. The
 * buffer and its far original begin at a line.
 */
static bool arrived(struct rank *r, const uint8_t *p, const struct msg *m)
{
	size_t lines = m->size / 128, line, i, words = m->size / 8;
	uint64_t v, last;

	for (line = 0; line < lines; line++) {
		v = __atomic_load_n((const uint64_t *)(const void *)(p + line * 128 + 120), __ATOMIC_ACQUIRE);
		if (v != word(m->key, line * 16 + 15))
			return false;
		for (i = 0; i < 15; i++) {
			memcpy(&v, p + line * 128 + i * 8, 8);
			r->data_errors += v != word(m->key, line * 16 + i);
		}
	}
	for (i = lines * 16; i < words; i++) {
		v = __atomic_load_n((const uint64_t *)(const void *)(p + i * 8), __ATOMIC_ACQUIRE);
		if (v != word(m->key, i))
			return false;
	}
	last = word(m->key, words);
	return !memcmp(p + words * 8, &last, m->size % 8);
}

static bool recv_test(struct rank *r, struct chan *c, struct in *in)
{
	const struct ring_run *run = r->ring->run;
	const struct group *g = in->group;
	int done, sizes[RECVS], i;

	if (!in->told) {
		memset(sizes, 0, sizeof(sizes));	/* as NCCL does */
		if (said_no(r, run->door->test(in->req, &done, sizes), "test of a receive"))
			return true;
		if (!done)
			return false;
		in->told = true;
	}
	if (g->optional && !arrived(r, in->buf[0], &g->msg[0]))
		return false;
	for (i = 0; i < g->n; i++) {
		r->messages++;
		r->bytes += g->msg[i].size;
		if (!g->optional)
			r->size_errors += sizes[i] != (int)g->msg[i].size;
		if (!right(in->buf[i], g->msg[i].size, in->was_optional ? 0 : g->msg[i].room, g->msg[i].key))
			r->data_errors++;
	}
	in->group = NULL;
	c->groups_left--;
	return true;
}

static bool recv_some(struct rank *r, struct chan *c)
{
	bool moved = false;
	int i;

	for (i = 0; i < IN_FLIGHT; i++) {
		if (c->in[i].group)
			moved |= recv_test(r, c, &c->in[i]);
		/* Sometimes late, so that sends come first. */
		else if (c->rg < r->ring->run->groups && rnd(&r->rnd) % 4)
			recv_post(r, c, &c->in[i]);
		else
			continue;
		if (__atomic_load_n(&r->ring->stop, __ATOMIC_RELAXED))
			break;
	}
	return moved;
}

/* What an end that didn't finish was at. */
static void say_where(const struct rank *r, int channel)
{
	const struct chan *c = &r->chan[channel];
	int taken = 0, posted = 0, i;
	unsigned int at;

	for (at = c->ohead; at != c->otail; at++)
		taken += c->out[at % WINDOW].req && !c->out[at % WINDOW].done;
	for (i = 0; i < IN_FLIGHT; i++)
		posted += c->in[i].group != NULL;
	printf("# rank %d channel %d: %d sends left, %d of them under way; %d receives left, %d of them posted\n", r->rank, channel,
	       c->sends_left, taken, c->groups_left, posted);
}

static void *progress_thread(void *arg)
{
	struct rank *r = arg;
	const struct ring_run *run = r->ring->run;
	int left, i;

	while (!__atomic_load_n(&r->go, __ATOMIC_ACQUIRE) && !late(r->ring))
		sched_yield();
	do {
		bool moved = false;

		for (i = left = 0; i < run->channels; i++) {
			struct chan *c = &r->chan[i];

			if (c->sends_left)
				moved |= send_some(r, c);
			if (c->groups_left)
				moved |= recv_some(r, c);
			left += c->sends_left + c->groups_left;
		}
		if (!moved)
			sched_yield();
	} while (left && !late(r->ring));
	if (left)
		r->unfinished++;
	for (i = 0; left && i < run->channels; i++)
		if (r->chan[i].sends_left || r->chan[i].groups_left)
			say_where(r, i);
	__atomic_store_n(&r->go, 2, __ATOMIC_RELEASE);
	return NULL;
}

/* --- the service thread ------------------------------------------------------------------------ */

static bool connect_channel(struct rank *r, int i)
{
	const struct ring_run *run = r->ring->run;
	int next = (r->rank + 1) % run->ranks;
	char handle[NCCL_HANDLE_SIZE] __attribute__((aligned(8)));
	struct chan *c = &r->chan[i];
	unsigned int *ready = &r->ring->ready[next * run->channels + i];

	if (said_no(r, run->door->listen(r->ctx, r->dev, r->ring->handle[r->rank * run->channels + i], &c->listen), "listen"))
		return false;
	__atomic_store_n(&r->ring->ready[r->rank * run->channels + i], 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(ready, __ATOMIC_ACQUIRE) && !late(r->ring))
		sched_yield();
	memcpy(handle, r->ring->handle[next * run->channels + i], sizeof(handle));
	while ((!c->send || !c->recv) && !late(r->ring)) {
		if (!c->send && rnd(&r->rnd) % 2 &&
		    said_no(r, run->door->connect(r->ctx, r->dev, handle, &c->send), "connect"))
			return false;
		if (!c->recv && rnd(&r->rnd) % 2 && said_no(r, run->door->accept(c->listen, &c->recv), "accept"))
			return false;
		sched_yield();
	}
	return c->send && c->recv;
}

static bool prepare_channel(struct rank *r, int i)
{
	const struct ring_run *run = r->ring->run;
	struct chan *c = &r->chan[i];
	size_t ssize = WINDOW * stride(run), rsize = IN_FLIGHT * RECVS * stride(run);
	int g, j;

	c->splan = draw_plan(run, r->rank, i);
	c->rplan = draw_plan(run, (r->rank + run->ranks - 1) % run->ranks, i);
	c->sarena = aligned_alloc(4096, (ssize + 4095) & ~4095UL);
	c->rarena = aligned_alloc(4096, (rsize + 4095) & ~4095UL);
	if (!c->splan || !c->rplan || !c->sarena || !c->rarena)
		return false;
	for (g = 0; g < run->groups; g++)
		c->sends_left += c->splan[g].n;
	c->groups_left = run->groups;
	for (g = 0; g < IN_FLIGHT; g++)
		for (j = 0; j < RECVS; j++)
			c->in[g].buf[j] = c->rarena + (size_t)(g * RECVS + j) * stride(run);
	return !said_no(r, run->door->reg(c->send, c->sarena, ssize, NCCL_PTR_HOST, &c->smh), "regMr") &&
	       !said_no(r, run->door->reg(c->recv, c->rarena, rsize, NCCL_PTR_HOST, &c->rmh), "regMr") &&
	       !said_no(r, run->door->reg(c->recv, c->rarena, rsize, NCCL_PTR_HOST, &c->rmh2), "regMr again");
}

/* Memory comes and goes while the other thread sends and receives. */
static void churn(struct rank *r, uint64_t *state)
{
	const struct ring_run *run = r->ring->run;
	struct chan *c = &r->chan[rnd(state) % (uint64_t)run->channels];
	void *mem, *mh[2] = { NULL, NULL };

	if (posix_memalign(&mem, 4096, 16384))
		return;
	if (!said_no(r, run->door->reg(c->send, mem, 16384, NCCL_PTR_HOST, &mh[0]), "regMr") &&
	    !said_no(r, run->door->reg(c->recv, (char *)mem + 4096, 8192, NCCL_PTR_HOST, &mh[1]), "regMr of a part"))
		said_no(r, run->door->dereg(c->recv, mh[1]), "deregMr");
	if (mh[0])
		said_no(r, run->door->dereg(c->send, mh[0]), "deregMr");
	free(mem);
}

static void close_channel(struct rank *r, struct chan *c)
{
	const struct door *d = r->ring->run->door;

	if (c->smh)
		said_no(r, d->dereg(c->send, c->smh), "deregMr");
	if (c->rmh)
		said_no(r, d->dereg(c->recv, c->rmh), "deregMr");
	if (c->rmh2)
		said_no(r, d->dereg(c->recv, c->rmh2), "deregMr");
	if (c->send)
		said_no(r, d->close_send(c->send), "closeSend");
	if (c->recv)
		said_no(r, d->close_recv(c->recv), "closeRecv");
	if (c->listen)
		said_no(r, d->close_listen(c->listen), "closeListen");
	free(c->splan);
	free(c->rplan);
	free(c->sarena);
	free(c->rarena);
}

static void *service_thread(void *arg)
{
	struct rank *r = arg;
	const struct ring_run *run = r->ring->run;
	bool good = !said_no(r, run->door->init(&r->ctx, run->seed), "init");
	struct timespec nap = { 0, 1000000 };
	uint64_t own = r->rnd + 1;
	int i;

	for (i = 0; good && i < run->channels; i++)
		good = connect_channel(r, i) && prepare_channel(r, i);
	if (!good) {
		r->unfinished++;
		__atomic_store_n(&r->ring->stop, 1, __ATOMIC_RELAXED);
	}
	if (good)
		__atomic_store_n(&r->go, 1, __ATOMIC_RELEASE);
	while (good && __atomic_load_n(&r->go, __ATOMIC_ACQUIRE) != 2) {
		if (run->churn)
			churn(r, &own);
		nanosleep(&nap, NULL);
	}
	pthread_join(r->progress, NULL);
	for (i = 0; i < run->channels; i++)
		close_channel(r, &r->chan[i]);
	said_no(r, run->door->finalize(r->ctx), "finalize");
	return NULL;
}

bool ring_run(struct ring_run *run)
{
	size_t channels = (size_t)run->ranks * (size_t)run->channels;
	struct ring ring = {
		.run = run,
		.rank = calloc((size_t)run->ranks, sizeof(*ring.rank)),
		.handle = calloc(channels, sizeof(*ring.handle)),
		.ready = calloc(channels, sizeof(*ring.ready)),
	};
	int i;

	clock_gettime(CLOCK_MONOTONIC, &ring.deadline);
	ring.deadline.tv_sec += run->timeout_s ? run->timeout_s : 60;
	for (i = 0; i < run->ranks; i++) {
		struct rank *r = &ring.rank[i];

		*r = (struct rank) { .ring = &ring, .rank = i, .dev = run->dev[i % run->devs],
				     .rnd = run->seed ^ (uint64_t)i << 32,
				     .chan = calloc((size_t)run->channels, sizeof(*r->chan)) };
		pthread_create(&r->progress, NULL, progress_thread, r);
	}
	for (i = 0; i < run->ranks; i++)
		pthread_create(&ring.rank[i].service, NULL, service_thread, &ring.rank[i]);
	run->messages = run->bytes = run->data_errors = run->size_errors = run->call_errors = run->unfinished = 0;
	for (i = 0; i < run->ranks; i++) {
		struct rank *r = &ring.rank[i];

		pthread_join(r->service, NULL);
		run->messages += r->messages;
		run->bytes += r->bytes;
		run->data_errors += r->data_errors;
		run->size_errors += r->size_errors;
		run->call_errors += r->call_errors;
		run->unfinished += r->unfinished;
		free(r->chan);
	}
	free(ring.rank);
	free(ring.handle);
	free(ring.ready);
	return !run->data_errors && !run->size_errors && !run->call_errors && !run->unfinished;
}
