// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * The one-sided door: puts, puts with a signal, gets, among the ranks of a group.
 *
 * A group has one endpoint set at each rank, by which its members tell each other what they need: the addresses of contexts, the
 * keys of regions. Every member takes part in each of these, in the same order, and waits for the others. A context has a
 * set of its own at each rank, and so is an order of its own:
 *
 *	put			no order
 *	put, weak signal	who sees the signal sees the put
 *	strong signal		begins when all that the context sent to this rank before is over
 *	flush			over when all that the context sent to this rank before is over and visible there
 *
 * Threads. Contexts and their requests may be used by any thread, each has a lock; what all ranks take part in belongs to one.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

#define GATHER_MAX	768
#define CONTEXTS_MAX	1024

struct msg_gather {
	uint32_t rank;
	uint32_t length;
	uint64_t number;		/* of the exchange, counts */
};

/* What the ranks said in an exchange. Nobody is more than one ahead, as nobody gets on without all. */
struct inbox {
	uint8_t *data;			/* nranks * GATHER_MAX */
	bool *there;
	int count;
};

struct coll {
	struct idle idle;
	struct device *dev;
	struct pnic_rails_ep *ep;
	struct pnic_rails_peer **peer;	/* by rank, oneself too */
	int nranks, rank;
	uint64_t exchange;
	struct inbox inbox[2];
	nccl_result error;
	pthread_mutex_t lock;		/* of the list; taken before a context's */
	struct rma *rmas;
};

/* Memory that every rank has registered: a rank's may be a part of a region that was there. */
struct part {
	struct pnic_rails_key key;
	uint64_t addr, length;
};

struct sym {
	struct mr *mr;
	struct part part[];		/* by rank */
};

enum rma_op { RMA_PUT, RMA_SIGNAL, RMA_GET, RMA_FLUSH };

struct rma_req {
	struct rma_ctx *ctx;
	struct rma_req *next;		/* free, or to be posted */
	bool done;
	enum rma_op op;
	uint32_t rank;
	void *local;
	uint64_t size, remote;
	const struct sym *sym;		/* that of @local; NULL: none */
	const struct pnic_rails_mr *mr;
	const struct pnic_rails_key *key;	/* in a sym, as that of @sig is */
	struct pnic_rails_sig sig;
	unsigned int flags;
};

struct chunk {
	struct chunk *next;
	struct rma_req req[64];
};

struct rma_ctx {
	struct idle idle;
	struct rma *rma;
	struct pnic_rails_ep *ep;
	struct pnic_rails_peer **peer;
	struct chunk *chunks;
	struct rma_req *free;
	struct rma_req *wait, **wait_end;	/* no room for them yet, first comes first */
	nccl_result error;
};

struct rma {
	struct coll *coll;
	struct rma *next;
	struct mr *scratch_mr;
	uint64_t *scratch;		/* what a flush reads, nobody looks at */
	int n;
	struct rma_ctx ctx[];
};

/* --- a group ----------------------------------------------------------------------------------- */

static void coll_free(struct coll *c)
{
	int i;

	idle_remove(&c->idle);
	pnic_rails_ep_destroy(c->ep);
	device_unuse(c->dev);
	for (i = 0; i < 2; i++) {
		free(c->inbox[i].data);
		free(c->inbox[i].there);
	}
	free(c->peer);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static struct coll *coll_new(struct device *dev, int nranks, int rank)
{
	struct coll *c = calloc(1, sizeof(*c));
	bool good = c;
	int i;

	if (!c)
		return NULL;
	pthread_mutex_init(&c->lock, NULL);
	c->dev = dev;
	c->nranks = nranks;
	c->rank = rank;
	c->peer = calloc((size_t)nranks, sizeof(*c->peer));
	for (i = 0; i < 2; i++) {
		c->inbox[i].data = calloc((size_t)nranks, GATHER_MAX);
		c->inbox[i].there = calloc((size_t)nranks, sizeof(bool));
		good &= c->inbox[i].data && c->inbox[i].there;
	}
	if (device_use(dev)) {
		free(c->inbox[0].data);
		free(c->inbox[0].there);
		free(c->inbox[1].data);
		free(c->inbox[1].there);
		free(c->peer);
		free(c);
		return NULL;
	}
	if (!good || !c->peer || ep_create(dev, 256, 1024, &c->ep)) {
		coll_free(c);
		return NULL;
	}
	return c;
}

static void coll_gathered(struct coll *c, const struct pnic_rails_wc *wc)
{
	const struct msg_gather *msg = wc->data;
	struct inbox *box;

	if (wc->length < sizeof(*msg) || msg->length != wc->length - sizeof(*msg) || msg->length > GATHER_MAX ||
	    msg->rank >= (uint32_t)c->nranks || msg->number - c->exchange > 1 ||
	    /* Who was heard by all may speak before we heard him. */
	    (c->peer[msg->rank] && wc->peer != c->peer[msg->rank])) {
		INFO(NCCL_SUB_NET, "%s: a message that isn't for this group", c->dev->name);
		return;
	}
	box = &c->inbox[msg->number & 1];
	memcpy(box->data + msg->rank * GATHER_MAX, msg + 1, msg->length);
	box->count += !box->there[msg->rank];
	box->there[msg->rank] = true;
}

static nccl_result coll_poll(struct coll *c, bool *idle)
{
	struct pnic_rails_wc wc[16];
	int i, n;

	idle_polled(&c->idle);
	n = pnic_rails_poll(c->ep, wc, 16);
	if (n < 0)
		c->error = result_of(n);
	for (i = 0; i < n; i++) {
		if (wc[i].status && !c->error)
			c->error = wc_failed(c->dev, &wc[i], "a group's exchange");
		else if (wc[i].op == PNIC_RAILS_RECV && wc[i].imm == MSG_GATHER)
			coll_gathered(c, &wc[i]);
		pnic_rails_release(c->ep, &wc[i]);
	}
	*idle = !n;
	return c->error;
}

static nccl_result coll_send(struct coll *c, struct pnic_rails_peer *peer, const void *hdr, uint32_t hdr_length,
			     const void *data, uint32_t length, uint32_t imm)
{
	nccl_result res;
	bool idle;
	int err;

	while ((err = pnic_rails_send(peer, hdr, hdr_length, data, length, NULL, imm, COOKIE_CONTROL,
				      PNIC_RAILS_QUIET)) == -EAGAIN) {
		res = coll_poll(c, &idle);
		if (res)
			return res;
		if (idle)
			sched_yield();
	}
	if (err)
		WARN("%s: a group's exchange: %s (%s)", c->dev->name, pnic_strerror(err), pnic_last_error());
	return result_of(err);
}

/* Asks those who keep us waiting whether they exist; an answer that fails is seen by coll_poll(). */
static void coll_probe(struct coll *c, const bool *there, uint64_t *since)
{
	uint64_t now = now_ms();
	int i;

	if (!*since)
		*since = now;
	if (now - *since < (uint64_t)config.probe_ms)
		return;
	*since = now;
	for (i = 0; i < c->nranks; i++)
		if (!there[i] && c->peer[i])
			pnic_rails_send(c->peer[i], NULL, 0, NULL, 0, NULL, MSG_PROBE, COOKIE_PROBE,
						PNIC_RAILS_QUIET);
}

static void coll_poll_idle(struct idle *i)
{
	bool idle;

	coll_poll((struct coll *)(void *)((char *)i - offsetof(struct coll, idle)), &idle);
}

/* Every rank's @length bytes come to every rank, in @out. */
static nccl_result gather(struct coll *c, const void *data, uint32_t length, void *out)
{
	struct msg_gather msg = { .rank = (uint32_t)c->rank, .length = length, .number = c->exchange };
	struct inbox *box = &c->inbox[c->exchange & 1];
	uint64_t since = 0;
	nccl_result res = c->error;
	bool idle;
	int i;

	if (length > GATHER_MAX)
		return NCCL_INTERNAL_ERROR;
	for (i = 0; !res && i < c->nranks; i++)
		if (i != c->rank)
			res = coll_send(c, c->peer[i], &msg, sizeof(msg), data, length, MSG_GATHER);
	box->there[c->rank] = true;
	box->count++;
	while (!res && box->count < c->nranks) {
		res = coll_poll(c, &idle);
		if (idle && !res) {
			coll_probe(c, box->there, &since);
			sched_yield();
		}
	}
	if (res)
		return res;
	for (i = 0; i < c->nranks; i++)
		memcpy((char *)out + (size_t)i * length, i == c->rank ? data : box->data + i * GATHER_MAX, length);
	memset(box->there, 0, (size_t)c->nranks * sizeof(bool));
	box->count = 0;
	c->exchange++;
	return NCCL_OK;
}

static nccl_result coll_gather(struct coll *c, const void *data, uint32_t length, void *out)
{
	nccl_result res;

	pthread_mutex_lock(&c->idle.lock);
	res = gather(c, data, length, out);
	pthread_mutex_unlock(&c->idle.lock);
	return res;
}

/* Those who said hello to our listener. */
static nccl_result coll_greeted(struct coll *c, struct listener *lc, int *known)
{
	nccl_result res = listener_progress(lc, MSG_HELLO);
	const struct msg_connect *msg;
	int err;

	while (!res && lc->waiting_count) {
		msg = &lc->waiting[lc->waiting_count - 1];
		if (msg->rank >= (uint32_t)c->nranks || c->peer[msg->rank])
			return NCCL_INTERNAL_ERROR;
		err = pnic_rails_peer_add(c->ep, &msg->addr, NULL, &c->peer[msg->rank]);
		if (err)
			return result_of(err);
		lc->waiting_count--;
		(*known)++;
	}
	return res;
}

static nccl_result coll_connect(struct coll *c, struct listener *lc, void **handles)
{
	struct msg_connect msg = { .version = MSG_VERSION, .rank = (uint32_t)c->rank };
	struct pnic_rails_peer **to = calloc((size_t)c->nranks, sizeof(*to));
	struct pnic_rails_addr addr;
	uint64_t since = 0, now;
	nccl_result res = to ? NCCL_OK : NCCL_SYSTEM_ERROR;
	int known = 1, i;
	struct handle h;
	bool idle;

	if (!res)
		res = result_of(pnic_rails_ep_addr(c->ep, &msg.addr));
	if (!res)
		res = result_of(pnic_rails_peer_add(c->ep, &msg.addr, NULL, &c->peer[c->rank]));
	for (i = 0; !res && i < c->nranks; i++) {
		memcpy(&h, handles[i], sizeof(h));
		if (!handle_ok(&h)) {
			WARN("%s: the handle of rank %d isn't this plugin's: do all ranks use it?", c->dev->name, i);
			res = NCCL_INVALID_ARGUMENT;
			break;
		}
		if (i == c->rank)
			continue;
		handle_addr(&h, &addr);
		msg.cookie = h.cookie;
		res = result_of(pnic_rails_peer_add(c->ep, &addr, NULL, &to[i]));
		if (!res)
			res = coll_send(c, to[i], &msg, sizeof(msg), NULL, 0, MSG_HELLO);
	}
	while (!res && known < c->nranks) {
		res = coll_greeted(c, lc, &known);
		if (!res)
			res = coll_poll(c, &idle);
		if (res || !idle)
			continue;
		sched_yield();
		now = now_ms();
		since = since ? since : now;
		if (now - since < (uint64_t)config.probe_ms)
			continue;
		since = now;
		for (i = 0; i < c->nranks; i++)
			if (to[i] && !c->peer[i])
				pnic_rails_send(to[i], NULL, 0, NULL, 0, NULL, MSG_PROBE, COOKIE_PROBE,
						PNIC_RAILS_QUIET);
	}
	free(to);
	return res;
}

static nccl_result rma_connect(void *ctx, void **handles, int nranks, int rank, void *l, void **out)
{
	struct listener *lc = l;
	struct coll *c;
	nccl_result res;
	bool done = true;

	(void)ctx;
	if (!handles || nranks < 1 || rank < 0 || rank >= nranks || !lc || lc->comm.kind != COMM_LISTEN || !out)
		return NCCL_INVALID_ARGUMENT;
	*out = NULL;
	c = coll_new(lc->comm.dev, nranks, rank);
	if (!c)
		return NCCL_SYSTEM_ERROR;
	res = coll_connect(c, lc, handles);
	if (!res)
		idle_add(&c->idle, coll_poll_idle);
	/* Nobody closes his listener before all were heard by all. */
	if (!res)
		res = coll_gather(c, "", 0, &done);
	if (res) {
		coll_free(c);
		return res;
	}
	*out = c;
	return NCCL_OK;
}

static nccl_result rma_close_coll(void *coll)
{
	if (coll)
		coll_free(coll);
	return NCCL_OK;
}

/* --- memory ------------------------------------------------------------------------------------ */

static nccl_result rma_reg_dmabuf(void *coll, void *data, size_t size, int type, uint64_t offset, int fd,
				  uint64_t flags, void **mh)
{
	struct coll *c = coll;
	struct sym *sym;
	nccl_result res;

	(void)flags;		/* hints: what is asked for by each transfer is kept in any memory */
	if (!c || !mh)
		return NCCL_INVALID_ARGUMENT;
	*mh = NULL;
	sym = calloc(1, sizeof(*sym) + (size_t)c->nranks * sizeof(sym->part[0]));
	if (!sym)
		return NCCL_SYSTEM_ERROR;
	res = reg_mr(c->dev, data, size, type, offset, fd, &sym->mr);
	if (!res) {
		struct part mine = { .key = sym->mr->key, .addr = (uint64_t)(uintptr_t)data, .length = size };

		res = coll_gather(c, &mine, sizeof(mine), sym->part);
	}
	if (res) {
		if (sym->mr)
			reg_put(sym->mr);
		free(sym);
		return res;
	}
	*mh = sym;
	return NCCL_OK;
}

static nccl_result rma_reg(void *coll, void *data, size_t size, int type, uint64_t flags, void **mh)
{
	return rma_reg_dmabuf(coll, data, size, type, 0, -1, flags, mh);
}

static bool req_uses(const struct rma_req *r, const struct sym *sym, int nranks)
{
	const struct part *end = sym->part + nranks;

	return r->sym == sym || (r->key >= &sym->part->key && r->key < &end->key) ||
	       (r->sig.key >= &sym->part->key && r->sig.key < &end->key);
}

/* An abort takes memory back that transfers wait for: who looks at an idle context must not find them then. */
static void ctx_forget(struct rma_ctx *x, const struct sym *sym)
{
	const struct coll *c = x->rma->coll;
	const struct rma_req *r;

	pthread_mutex_lock(&x->idle.lock);
	for (r = x->wait; r && !req_uses(r, sym, c->nranks); r = r->next)
		;
	if (r) {
		WARN("%s: one-sided: memory was taken back while transfers with rank %u waited to use it", c->dev->name, r->rank);
		x->wait = NULL;
		x->wait_end = &x->wait;
		x->error = NCCL_INVALID_USAGE;
	}
	pthread_mutex_unlock(&x->idle.lock);
}

static nccl_result rma_dereg(void *coll, void *mh)
{
	struct coll *c = coll;
	struct sym *sym = mh;
	struct rma *rma;
	nccl_result res;
	int i;

	if (!c)
		return NCCL_INVALID_ARGUMENT;
	if (!sym)
		return NCCL_OK;
	pthread_mutex_lock(&c->lock);
	for (rma = c->rmas; rma; rma = rma->next)
		for (i = 0; i < rma->n; i++)
			ctx_forget(&rma->ctx[i], sym);
	pthread_mutex_unlock(&c->lock);
	res = reg_put(sym->mr);
	free(sym);
	return res;
}

static nccl_result ctx_progress(struct rma_ctx *x);

static void ctx_poll_idle(struct idle *i)
{
	ctx_progress((struct rma_ctx *)(void *)((char *)i - offsetof(struct rma_ctx, idle)));
}

/* --- contexts ---------------------------------------------------------------------------------- */

static void ctx_free(struct rma_ctx *x)
{
	struct chunk *chunk;

	idle_remove(&x->idle);
	pnic_rails_ep_destroy(x->ep);
	free(x->peer);
	while ((chunk = x->chunks)) {
		x->chunks = chunk->next;
		free(chunk);
	}
}

static nccl_result rma_destroy_context(void *ctx)
{
	struct rma *rma = ctx, **link;
	int i;

	if (!rma)
		return NCCL_OK;
	pthread_mutex_lock(&rma->coll->lock);
	for (link = &rma->coll->rmas; *link && *link != rma; link = &(*link)->next)
		;
	if (*link)
		*link = rma->next;
	pthread_mutex_unlock(&rma->coll->lock);
	for (i = 0; i < rma->n; i++)
		ctx_free(&rma->ctx[i]);
	if (rma->scratch_mr)
		reg_put(rma->scratch_mr);
	free(rma->scratch);
	free(rma);
	return NCCL_OK;
}

static nccl_result ctx_connect(struct rma_ctx *x, struct coll *c)
{
	struct pnic_rails_addr mine, *all = calloc((size_t)c->nranks, sizeof(*all));
	nccl_result res = NCCL_SYSTEM_ERROR;
	int i;

	x->peer = calloc((size_t)c->nranks, sizeof(*x->peer));
	if (all && x->peer && !ep_create(c->dev, 64, 1024, &x->ep))
		res = result_of(pnic_rails_ep_addr(x->ep, &mine));
	if (!res)
		res = coll_gather(c, &mine, sizeof(mine), all);
	for (i = 0; !res && i < c->nranks; i++)
		res = result_of(pnic_rails_peer_add(x->ep, &all[i], NULL, &x->peer[i]));
	free(all);
	return res;
}

static nccl_result rma_create_context(void *coll, struct nccl_rma_config *conf, void **ctx)
{
	struct coll *c = coll;
	struct rma *rma;
	nccl_result res;
	void *page;
	int i;

	if (!c || !conf || !ctx || conf->contexts < 1 || conf->contexts > CONTEXTS_MAX)
		return NCCL_INVALID_ARGUMENT;
	*ctx = NULL;
	if (conf->rank_stride < 1 || c->nranks % conf->rank_stride) {
		WARN("%d ranks can't be connected in steps of %d", c->nranks, conf->rank_stride);
		return NCCL_INVALID_ARGUMENT;
	}
	rma = calloc(1, sizeof(*rma) + (size_t)conf->contexts * sizeof(rma->ctx[0]));
	if (!rma)
		return NCCL_SYSTEM_ERROR;
	rma->coll = c;
	if (!posix_memalign(&page, 4096, 4096))
		rma->scratch = page;
	res = NCCL_SYSTEM_ERROR;
	if (rma->scratch)
		res = reg_mr(c->dev, rma->scratch, 4096, NCCL_PTR_HOST, 0, -1, &rma->scratch_mr);
	for (i = 0; !res && i < conf->contexts; i++) {
		struct rma_ctx *x = &rma->ctx[i];

		rma->n++;
		x->rma = rma;
		x->wait_end = &x->wait;
		res = ctx_connect(x, c);
		if (!res)
			idle_add(&x->idle, ctx_poll_idle);
	}
	if (res) {
		rma_destroy_context(rma);
		return res;
	}
	pthread_mutex_lock(&c->lock);
	rma->next = c->rmas;
	c->rmas = rma;
	pthread_mutex_unlock(&c->lock);
	*ctx = rma;
	return NCCL_OK;
}

/* --- transfers: with the context's lock -------------------------------------------------------- */

static struct rma_req *req_get(struct rma_ctx *x)
{
	struct rma_req *r;
	struct chunk *chunk;
	unsigned int i;

	if (!x->free) {
		chunk = calloc(1, sizeof(*chunk));
		if (!chunk)
			return NULL;
		chunk->next = x->chunks;
		x->chunks = chunk;
		for (i = 0; i < sizeof(chunk->req) / sizeof(chunk->req[0]); i++) {
			chunk->req[i].next = x->free;
			x->free = &chunk->req[i];
		}
	}
	r = x->free;
	x->free = r->next;
	memset(r, 0, sizeof(*r));
	r->ctx = x;
	return r;
}

static void req_put(struct rma_req *r)
{
	r->next = r->ctx->free;
	r->ctx->free = r;
}

static int req_post(struct rma_req *r)
{
	struct pnic_rails_peer *peer = r->ctx->peer[r->rank];
	uint64_t cookie = (uint64_t)(uintptr_t)r;

	switch (r->op) {
	case RMA_PUT:
		return pnic_rails_write(peer, r->local, r->size, r->mr, r->remote, r->key, cookie, r->flags);
	case RMA_SIGNAL:
		return pnic_rails_write_signal(peer, r->local, r->size, r->mr, r->remote, r->key, &r->sig, cookie,
					       r->flags);
	default:
		return pnic_rails_read(peer, r->local, r->size, r->mr, r->remote, r->key, cookie, r->flags);
	}
}

/* What waits goes first; what doesn't fit waits. */
static nccl_result post(struct rma_ctx *x, struct rma_req *r)
{
	int err = 0;

	while (x->wait) {
		err = req_post(x->wait);
		if (err)
			break;
		x->wait = x->wait->next;
		if (!x->wait)
			x->wait_end = &x->wait;
	}
	if (!err && r)
		err = req_post(r);
	if (err == -EAGAIN) {
		if (r) {
			r->next = NULL;
			*x->wait_end = r;
			x->wait_end = &r->next;
		}
		return NCCL_OK;
	}
	if (err) {
		WARN("%s: one-sided: %s (%s)", x->rma->coll->dev->name, pnic_strerror(err), pnic_last_error());
		x->error = result_of(err);
	}
	return result_of(err);
}

static nccl_result ctx_progress(struct rma_ctx *x)
{
	struct pnic_rails_wc wc[16];
	int i, n;

	if (x->error)
		return x->error;
	idle_polled(&x->idle);
	do {
		n = pnic_rails_poll(x->ep, wc, 16);
		if (n < 0)
			x->error = result_of(n);
		for (i = 0; i < n; i++) {
			if (wc[i].status && !x->error)
				x->error = wc_failed(x->rma->coll->dev, &wc[i], "one-sided");
			if (!wc[i].status && wc[i].op < PNIC_RAILS_RECV && wc[i].cookie > COOKIE_REQ)
				((struct rma_req *)(uintptr_t)wc[i].cookie)->done = true;
			pnic_rails_release(x->ep, &wc[i]);
		}
	} while (n == 16 && !x->error);
	if (!x->error && x->wait)
		post(x, NULL);
	return x->error;
}

static struct rma_ctx *ctx_of(void *ctx, int number)
{
	struct rma *rma = ctx;

	return rma && number >= 0 && number < rma->n ? &rma->ctx[number] : NULL;
}

static bool in_part(const struct part *p, uint64_t off, uint64_t size)
{
	return off <= p->length && size <= p->length - off;
}

/* The request of a transfer between @loff here and @roff at @rank; NULL: @res says why. */
static struct rma_req *request(struct rma_ctx *x, enum rma_op op, uint64_t loff, const struct sym *lsym, size_t size,
			       uint64_t roff, const struct sym *rsym, uint32_t rank, nccl_result *res)
{
	const struct coll *c = x->rma->coll;
	struct rma_req *r;

	*res = NCCL_INVALID_ARGUMENT;
	if (rank >= (uint32_t)c->nranks)
		return NULL;
	if (size && (!lsym || !rsym || !in_part(&lsym->part[c->rank], loff, size) ||
		     !in_part(&rsym->part[rank], roff, size))) {
		WARN("%s: %zu bytes from or to offsets %llu here, %llu at rank %u: not in the region", c->dev->name,
		     size, (unsigned long long)loff, (unsigned long long)roff, rank);
		return NULL;
	}
	*res = x->error;
	if (*res)
		return NULL;
	r = req_get(x);
	*res = r ? NCCL_OK : NCCL_SYSTEM_ERROR;
	if (!r)
		return NULL;
	r->op = op;
	r->rank = rank;
	r->size = size;
	if (size) {
		r->local = (void *)(uintptr_t)(lsym->part[c->rank].addr + loff);
		r->sym = lsym;
		r->mr = lsym->mr->mr;
		r->remote = rsym->part[rank].addr + roff;
		r->key = &rsym->part[rank].key;
	}
	return r;
}

static nccl_result begin(struct rma_ctx *x, struct rma_req *r, nccl_result res, void **req)
{
	if (r) {
		res = post(x, r);
		if (res)
			req_put(r);
		else
			*req = r;
	}
	pthread_mutex_unlock(&x->idle.lock);
	return res;
}

static nccl_result rma_put(void *ctx, int context, uint64_t src, void *smh, size_t size, uint64_t dst, void *dmh,
			   uint32_t rank, uint32_t flags, void **req)
{
	struct rma_ctx *x = ctx_of(ctx, context);
	struct rma_req *r;
	nccl_result res;

	if (!x || !req)
		return NCCL_INVALID_ARGUMENT;
	*req = NULL;
	pthread_mutex_lock(&x->idle.lock);
	r = request(x, RMA_PUT, src, smh, size, dst, dmh, rank, &res);
	if (r && !size) {
		r->done = true;
		*req = r;
		pthread_mutex_unlock(&x->idle.lock);
		return NCCL_OK;
	}
	if (r)
		r->flags = flags & NCCL_RMA_AGGREGATE ? PNIC_RAILS_MORE : 0;
	return begin(x, r, res, req);
}

static nccl_result rma_put_signal(void *ctx, int context, uint64_t src, void *smh, size_t size, uint64_t dst, void *dmh,
				  uint32_t rank, uint64_t sig, void *sigmh, uint64_t value, uint32_t op, bool strong,
				  uint32_t flags, void **req)
{
	struct rma_ctx *x = ctx_of(ctx, context);
	const struct sym *sigsym = sigmh;
	struct rma_req *r;
	nccl_result res;

	if (!x || !req || !sigsym || (op != NCCL_SIGNAL_INC && op != NCCL_SIGNAL_ADD) ||
	    rank >= (uint32_t)x->rma->coll->nranks)
		return NCCL_INVALID_ARGUMENT;
	*req = NULL;
	if (!in_part(&sigsym->part[rank], sig, 8) || (sigsym->part[rank].addr + sig) & 7) {
		WARN("%s: a signal at offset %llu of rank %u: not in the region, or not aligned",
		     x->rma->coll->dev->name, (unsigned long long)sig, rank);
		return NCCL_INVALID_ARGUMENT;
	}
	if (!dmh)
		size = 0;
	pthread_mutex_lock(&x->idle.lock);
	r = request(x, RMA_SIGNAL, src, smh, size, dst, dmh, rank, &res);
	if (r) {
		r->sig = (struct pnic_rails_sig) {
			.addr = sigsym->part[rank].addr + sig,
			.key = &sigsym->part[rank].key,
			.value = op == NCCL_SIGNAL_INC ? 1 : value,
			.op = PNIC_SIGNAL_ADD,
		};
		if (!size) {
			r->remote = r->sig.addr;
			r->key = r->sig.key;
		}
		r->flags = (flags & NCCL_RMA_AGGREGATE ? PNIC_RAILS_MORE : 0) | (strong ? PNIC_RAILS_FENCE : 0);
	}
	return begin(x, r, res, req);
}

static nccl_result rma_get(void *ctx, int context, uint64_t remote, void *rmh, size_t size, uint64_t local, void *lmh,
			   uint32_t rank, uint32_t flags, void **req)
{
	struct rma_ctx *x = ctx_of(ctx, context);
	struct rma_req *r;
	nccl_result res;

	if (!x || !req)
		return NCCL_INVALID_ARGUMENT;
	*req = NULL;
	pthread_mutex_lock(&x->idle.lock);
	r = request(x, RMA_GET, local, lmh, size, remote, rmh, rank, &res);
	if (r && !size) {
		r->done = true;
		*req = r;
		pthread_mutex_unlock(&x->idle.lock);
		return NCCL_OK;
	}
	if (r)
		r->flags = flags & NCCL_RMA_AGGREGATE ? PNIC_RAILS_MORE : 0;
	return begin(x, r, res, req);
}

/* A read of the far memory comes after the writes to it, for everybody who looks there. */
static nccl_result rma_flush(void *ctx, int context, void *mh, uint32_t rank, void **req)
{
	struct rma_ctx *x = ctx_of(ctx, context);
	const struct sym *sym = mh;
	struct rma_req *r;
	nccl_result res;

	if (!x || !req || !sym || rank >= (uint32_t)x->rma->coll->nranks)
		return NCCL_INVALID_ARGUMENT;
	*req = NULL;
	pthread_mutex_lock(&x->idle.lock);
	r = request(x, RMA_FLUSH, 0, NULL, 0, 0, NULL, rank, &res);
	if (r) {
		r->size = sym->part[rank].length < 8 ? sym->part[rank].length : 8;
		r->local = x->rma->scratch;
		r->mr = x->rma->scratch_mr->mr;
		r->remote = sym->part[rank].addr;
		r->key = &sym->part[rank].key;
		r->flags = PNIC_RAILS_FENCE;
	}
	return begin(x, r, res, req);
}

static nccl_result rma_test(void *coll, void *req, int *done)
{
	struct rma_req *r = req;
	nccl_result res = NCCL_OK;

	(void)coll;
	if (!r || !done)
		return NCCL_INVALID_ARGUMENT;
	pthread_mutex_lock(&r->ctx->idle.lock);
	if (!r->done)
		res = ctx_progress(r->ctx);
	*done = r->done;
	if (r->done) {
		res = NCCL_OK;
		req_put(r);
	}
	pthread_mutex_unlock(&r->ctx->idle.lock);
	return res;
}

static nccl_result rma_progress(void *ctx)
{
	struct rma *rma = ctx;
	nccl_result res = NCCL_OK, one;
	int i;

	for (i = 0; rma && i < rma->n; i++) {
		if (pthread_mutex_trylock(&rma->ctx[i].idle.lock))
			continue;
		one = ctx_progress(&rma->ctx[i]);
		res = res ? res : one;
		pthread_mutex_unlock(&rma->ctx[i].idle.lock);
	}
	return res;
}

static nccl_result rma_query_last_error(void *ctx, bool *has_error)
{
	struct rma *rma = ctx;
	int i;

	if (!rma || !has_error)
		return NCCL_INVALID_ARGUMENT;
	*has_error = false;
	for (i = 0; i < rma->n; i++) {
		pthread_mutex_lock(&rma->ctx[i].idle.lock);
		*has_error |= rma->ctx[i].error != NCCL_OK;
		pthread_mutex_unlock(&rma->ctx[i].idle.lock);
	}
	return NCCL_OK;
}

/* --- tables ------------------------------------------------------------------------------------ */

static nccl_result rma_init(void **ctx, uint64_t id, nccl_logger log)
{
	nccl_result res;

	if (!ctx)
		return NCCL_INVALID_ARGUMENT;
	*ctx = NULL;
	res = device_init(log);
	if (res)
		return res;
	*ctx = calloc(1, sizeof(struct context));
	if (!*ctx)
		return NCCL_SYSTEM_ERROR;
	((struct context *)*ctx)->id = id;
	device_hold();
	return NCCL_OK;
}

static nccl_result rma_devices(int *n)
{
	if (!n)
		return NCCL_INVALID_ARGUMENT;
	*n = device_count();
	return NCCL_OK;
}

static nccl_result rma_props(int dev, struct nccl_props_v12 *props)
{
	nccl_result res = device_props(dev, props);

	if (!res)
		props->device_type = NCCL_DEVICE_GIN_PROXY;
	return res;
}

static nccl_result rma_listen(void *ctx, int dev, void *handle, void **lc)
{
	return comm_listen(ctx, dev, handle, lc);
}

static nccl_result rma_close_listen(void *lc)
{
	return comm_close(lc, COMM_LISTEN);
}

static nccl_result rma_finalize(void *ctx)
{
	if (ctx)
		device_release();
	free(ctx);
	return NCCL_OK;
}

#define COMMON								\
	.name = "pnic",							\
	.init = rma_init,						\
	.devices = rma_devices,						\
	.get_properties = rma_props,					\
	.listen = rma_listen,						\
	.connect = rma_connect,						\
	.create_context = rma_create_context,				\
	.reg_mr_sym = rma_reg,						\
	.reg_mr_sym_dmabuf = rma_reg_dmabuf,				\
	.dereg_mr_sym = rma_dereg,					\
	.destroy_context = rma_destroy_context,				\
	.close_coll = rma_close_coll,					\
	.close_listen = rma_close_listen,				\
	.iflush = rma_flush,						\
	.test = rma_test,						\
	.progress = rma_progress,					\
	.query_last_error = rma_query_last_error,			\
	.finalize = rma_finalize

const struct nccl_rma_v15 ncclRmaPlugin_v15 = {
	COMMON,
	.iput = rma_put,
	.iput_signal = rma_put_signal,
	.iget = rma_get,
};

/* v14 has no flags. */
static nccl_result put_v14(void *ctx, int context, uint64_t src, void *smh, size_t size, uint64_t dst, void *dmh,
			   uint32_t rank, void **req)
{
	return rma_put(ctx, context, src, smh, size, dst, dmh, rank, 0, req);
}

static nccl_result put_signal_v14(void *ctx, int context, uint64_t src, void *smh, size_t size, uint64_t dst, void *dmh,
				  uint32_t rank, uint64_t sig, void *sigmh, uint64_t value, uint32_t op, bool strong,
				  void **req)
{
	return rma_put_signal(ctx, context, src, smh, size, dst, dmh, rank, sig, sigmh, value, op, strong, 0, req);
}

static nccl_result get_v14(void *ctx, int context, uint64_t remote, void *rmh, size_t size, uint64_t local, void *lmh,
			   uint32_t rank, void **req)
{
	return rma_get(ctx, context, remote, rmh, size, local, lmh, rank, 0, req);
}

const struct nccl_rma_v14 ncclRmaPlugin_v14 = {
	COMMON,
	.iput = put_v14,
	.iput_signal = put_signal_v14,
	.iget = get_v14,
};
