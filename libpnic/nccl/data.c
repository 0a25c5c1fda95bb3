// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * Sends and receives.
 *
 *	receiver: irecv				sender: isend
 *	  | offer: slot, n buffers with tags -->   | kept in order
 *	  |					   | takes the oldest buffer that has its tag
 *	  | <-- write, immediate = slot, buffer,   |
 *	  |	size (no bytes: a message)	   |
 *	  | complete when all n are		   | complete when the card says that it is there
 *
 * A send for which there is no buffer yet gives no request, and NCCL tries again. Sends of one tag take buffers in order; those
 * of other tags, in the same or a later receive, don't wait for them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

#define NO_KEY	UINT32_MAX	/* of a buffer without bytes */

static uint32_t req_number(const struct req *r)
{
	return (uint32_t)(r - r->comm->reqs);
}

void data_init(struct comm *comm, struct req *pool, unsigned int n)
{
	unsigned int i;

	comm->reqs = pool;
	for (i = n; i--;) {
		pool[i].comm = comm;
		pool[i].next = comm->free;
		comm->free = &pool[i];
	}
}

static struct req *req_get(struct comm *comm, int n)
{
	struct req *r = comm->free;

	if (!r)
		return NULL;
	comm->free = r->next;
	r->used = 1;
	r->n = (uint8_t)n;
	r->left = (uint8_t)n;
	r->released = 0;
	r->optional = 0;
	r->flush = 0;
	r->done = 0;
	r->sends = comm->kind == COMM_SEND;
	memset(r->event, 0, sizeof(r->event));
	memset(r->phandle, 0, sizeof(r->phandle));
	return r;
}

static void req_put(struct req *r)
{
	r->used = 0;
	if (r->flush)
		return;
	r->next = r->comm->free;
	r->comm->free = r;
}

/* --- the profiler ------------------------------------------------------------------------------ */

static nccl_profiler prof_of(const struct comm *comm)
{
	return comm->ctx && config.profile ? __atomic_load_n(&comm->ctx->prof, __ATOMIC_RELAXED) : NULL;
}

static void prof_start(struct req *r)
{
	nccl_profiler prof = prof_of(r->comm);
	struct pnic_nccl_event ev;
	int i;

	if (!prof)
		return;
	for (i = 0; i < r->n; i++) {
		if (!r->phandle[i])
			continue;
		ev = (struct pnic_nccl_event) {
			.type = PNIC_NCCL_TRANSFER,
			.sends = r->sends,
			.peer_nic = r->comm->peer->addr.rail[0].nic,
			.rate_mbps = pnic_rails_rate_mbps(r->comm->dev->rails),
			.tag = r->tag[i],
			.length = r->size[i],
		};
		prof(&r->event[i], NCCL_PROF_START, r->phandle[i], PNIC_NCCL_PROFILER_ID, &ev);
	}
}

static void prof_stop(struct req *r, int part)
{
	nccl_profiler prof = prof_of(r->comm);

	if (prof && r->event[part])
		prof(&r->event[part], NCCL_PROF_STOP, NULL, PNIC_NCCL_PROFILER_ID, NULL);
	r->event[part] = NULL;
}

/* The connection ends, and with it what is under way. */
void data_end(struct comm *comm)
{
	uint32_t reqs = comm->kind == COMM_SEND ? MAX_SENDS : MAX_OFFERS, i;
	int part;

	for (i = 0; comm->reqs && i < reqs; i++)
		for (part = 0; comm->reqs[i].used && part < comm->reqs[i].n; part++)
			prof_stop(&comm->reqs[i], part);
}

/* A link changed: those whose transfers are under way learn of it. */
static void prof_update(struct comm *comm, unsigned int reqs)
{
	nccl_profiler prof = prof_of(comm);
	struct pnic_nccl_event ev;
	unsigned int i;
	int part;

	pthread_mutex_lock(&comm->dev->lock);
	ev = comm->dev->event;
	comm->seen = comm->dev->seen;
	pthread_mutex_unlock(&comm->dev->lock);
	for (i = 0; prof && i < reqs; i++)
		for (part = 0; comm->reqs[i].used && part < comm->reqs[i].n; part++)
			if (comm->reqs[i].event[part])
				prof(&comm->reqs[i].event[part], NCCL_PROF_UPDATE, comm->reqs[i].phandle[part],
				     PNIC_NCCL_PROFILER_ID, &ev);
}

/* --- what comes -------------------------------------------------------------------------------- */

static void part_done(struct req *r, int part, uint32_t size)
{
	r->size[part] = size;
	r->done |= (uint8_t)(1U << part);
	prof_stop(r, part);
	if (--r->left)
		return;
	r->comm->in_flight--;
	if (!r->released)
		return;
	if (r->optional)
		((struct recv_comm *)r->comm)->early--;
	req_put(r);
}

/* The peer, or the wire, or we are wrong: nothing can be trusted any more. */
static nccl_result nonsense(struct comm *comm, const char *what)
{
	WARN("%s: NIC 0x%06x sent nonsense: %s", comm->dev->name, comm->peer->addr.rail[0].nic, what);
	return NCCL_INTERNAL_ERROR;
}

static nccl_result learn_key(struct send_comm *sc, const struct msg_key *k)
{
	struct pnic_rails_key *key;
	uint32_t n;

	if (k->id >= 1U << 20)
		return nonsense(&sc->comm, "a region's number");
	if (k->id >= sc->keys) {
		n = sc->keys ? sc->keys * 2 : 16;
		while (n <= k->id)
			n *= 2;
		key = realloc(sc->key, n * sizeof(*key));
		if (!key)
			return NCCL_SYSTEM_ERROR;
		memset(key + sc->keys, 0, (n - sc->keys) * sizeof(*key));
		sc->key = key;
		sc->keys = n;
	}
	sc->key[k->id] = k->key;
	return NCCL_OK;
}

/* A receive that the peer offers. */
static nccl_result offered(struct send_comm *sc, const void *data, uint64_t length)
{
	const struct msg_offer *msg = data;
	const struct msg_buffer *buf = (const void *)(msg + 1);
	const struct msg_key *key;
	struct offer *o;
	nccl_result res;
	int i;

	if (length < sizeof(*msg) || msg->n < 1 || msg->n > MAX_RECVS || msg->keys > msg->n ||
	    msg->slot >= MAX_OFFERS ||
	    length != sizeof(*msg) + msg->n * sizeof(*buf) + msg->keys * sizeof(*key))
		return nonsense(&sc->comm, "an offer");
	if (sc->active & 1ULL << msg->slot || sc->tail - sc->head == MAX_OFFERS)
		return nonsense(&sc->comm, "an offer twice");
	key = (const void *)(buf + msg->n);
	for (i = 0; i < msg->keys; i++) {
		res = learn_key(sc, &key[i]);
		if (res)
			return res;
	}
	o = &sc->offer[sc->tail++ % MAX_OFFERS];
	o->slot = msg->slot;
	o->n = msg->n;
	o->left = (uint8_t)((1U << msg->n) - 1);
	memcpy(o->buf, buf, msg->n * sizeof(*buf));
	for (i = 0; i < msg->n; i++)
		if (buf[i].size && buf[i].key >= sc->keys)
			return nonsense(&sc->comm, "a region that it never named");
	sc->active |= 1ULL << msg->slot;
	return NCCL_OK;
}

static nccl_result completed(struct recv_comm *rc, uint32_t slot, uint32_t part, uint32_t size)
{
	struct req *r = &rc->pool[slot];

	if (!r->used || r->flush || part >= r->n || r->done & 1U << part)
		return nonsense(&rc->comm, "the end of a transfer that wasn't wanted");
	if (size == IMM_FULL)
		size = r->size[part];
	else if (size == IMM_TOLD)
		size = rc->size_told[slot * MAX_RECVS + part];
	if (size > r->size[part])
		return nonsense(&rc->comm, "more bytes than the buffer has");
	part_done(r, (int)part, size);
	return NCCL_OK;
}

static nccl_result message(struct comm *comm, const struct pnic_rails_wc *wc)
{
	struct recv_comm *rc = (struct recv_comm *)comm;
	const struct msg_size *size = wc->data;

	switch (wc->imm) {
	case MSG_OFFER:
		return comm->kind == COMM_SEND ? offered((struct send_comm *)comm, wc->data, wc->length) :
						 nonsense(comm, "an offer to a receiver");
	case MSG_SIZE:
	case MSG_EMPTY:
		if (comm->kind != COMM_RECV || wc->length != sizeof(*size) || size->slot >= MAX_OFFERS ||
		    size->index >= MAX_RECVS)
			return nonsense(comm, "a size");
		if (wc->imm == MSG_EMPTY)
			return completed(rc, size->slot, size->index, 0);
		rc->size_told[size->slot * MAX_RECVS + size->index] = size->size;
		return NCCL_OK;
	case MSG_PROBE:
		return NCCL_OK;
	default:
		return nonsense(comm, "an unknown message");
	}
}

static nccl_result take(struct comm *comm, const struct pnic_rails_wc *wc, uint32_t reqs)
{
	uint64_t number = wc->cookie - COOKIE_REQ;

	/* Anybody may send here; only the peer is listened to. */
	if (wc->peer != comm->peer)
		return NCCL_OK;
	if (wc->status)
		return wc_failed(comm->dev, wc, comm->kind == COMM_SEND ? "send" : "receive");
	comm->heard_ms = 0;
	switch (wc->op) {
	case PNIC_RAILS_RECV:
		return message(comm, wc);
	case PNIC_RAILS_RECV_IMM:
		if (comm->kind != COMM_RECV)
			return nonsense(comm, "data to a sender");
		return completed((struct recv_comm *)comm, IMM_SLOT(wc->imm), IMM_INDEX(wc->imm), IMM_SIZE(wc->imm));
	default:
		if (wc->cookie == COOKIE_PROBE)
			comm->probing = false;
		else if (wc->cookie >= COOKIE_REQ && number < reqs && comm->reqs[number].used &&
			 comm->reqs[number].left)
			part_done(&comm->reqs[number], 0, comm->reqs[number].size[0]);
		return NCCL_OK;
	}
}

/* With the connection's lock, as all that follows. */
static nccl_result progress(struct comm *comm)
{
	uint32_t reqs = comm->kind == COMM_SEND ? MAX_SENDS : MAX_OFFERS;
	struct pnic_rails_wc wc[16];
	nccl_result res;
	int i, n;

	if (comm->error)
		return comm->error;
	idle_polled(&comm->idle_end);
	do {
		n = pnic_rails_poll(comm->ep, wc, 16);
		if (n < 0)
			comm->error = result_of(n);
		for (i = 0; i < n; i++) {
			res = take(comm, &wc[i], reqs);
			if (res && !comm->error)
				comm->error = res;
			pnic_rails_release(comm->ep, &wc[i]);
		}
	} while (n == 16 && !comm->error);
	if (!n) {
		if (comm->kind == COMM_RECV)
			comm->wanting = comm->in_flight;
		comm_probe(comm);
	}
	if (!(comm->idle_end.polls & 127))
		device_watch(comm->dev);
	if (__atomic_load_n(&comm->dev->seen, __ATOMIC_ACQUIRE) != comm->seen)
		prof_update(comm, reqs);
	return comm->error;
}

static void poll_idle(struct idle *i)
{
	progress((struct comm *)(void *)((char *)i - offsetof(struct comm, idle_end)));
}

void data_begin(struct comm *comm)
{
	idle_add(&comm->idle_end, poll_idle);
}

/* --- sending ----------------------------------------------------------------------------------- */

static bool mr_holds(const struct mr *mr, const void *data, size_t size)
{
	uint64_t addr = (uint64_t)(uintptr_t)data;

	return mr && addr >= mr->addr && addr - mr->addr <= mr->length && size <= mr->length - (addr - mr->addr);
}

static struct offer *match(struct send_comm *sc, int tag, int *part)
{
	struct offer *o;
	uint32_t at;
	int i;

	for (at = sc->head; at != sc->tail; at++) {
		o = &sc->offer[at % MAX_OFFERS];
		for (i = 0; i < o->n; i++) {
			if (o->left & 1U << i && o->buf[i].tag == tag) {
				*part = i;
				return o;
			}
		}
	}
	return NULL;
}

static void matched(struct send_comm *sc, struct offer *o, int part)
{
	o->left &= (uint8_t)~(1U << part);
	if (!o->left)
		sc->active &= ~(1ULL << o->slot);
	while (sc->head != sc->tail && !sc->offer[sc->head % MAX_OFFERS].left)
		sc->head++;
}

static int post(struct send_comm *sc, const struct offer *o, int part, const void *data, uint32_t size,
		const struct mr *mr, uint64_t cookie)
{
	struct msg_size msg = { .slot = o->slot, .index = (uint8_t)part, .size = size };
	const struct msg_buffer *buf = &o->buf[part];
	uint32_t told = size;
	int err;

	if (!size)
		return pnic_rails_send(sc->comm.peer, &msg, sizeof(msg), NULL, 0, NULL, MSG_EMPTY, cookie, 0);
	if (size == buf->size)
		told = IMM_FULL;
	else if (size >= IMM_TOLD)
		told = IMM_TOLD;
	if (told == IMM_TOLD) {
		err = pnic_rails_send(sc->comm.peer, &msg, sizeof(msg), NULL, 0, NULL, MSG_SIZE, COOKIE_CONTROL, 0);
		if (err)
			return err;
	}
	return pnic_rails_write_imm(sc->comm.peer, data, size, mr->mr, buf->addr, &sc->key[buf->key],
				    IMM(o->slot, part, told), cookie, 0);
}

static nccl_result send_one(struct send_comm *sc, void *data, size_t size, int tag, struct mr *mr, void *phandle,
			    struct req **req)
{
	struct offer *o;
	nccl_result res;
	struct req *r;
	int part, err;

	o = match(sc, tag, &part);
	if (!o || !sc->comm.free) {
		res = progress(&sc->comm);
		if (res)
			return res;
		o = match(sc, tag, &part);
		sc->comm.wanting = !o;
	}
	if (sc->comm.error)
		return sc->comm.error;
	r = o ? req_get(&sc->comm, 1) : NULL;
	if (!r)
		return NCCL_OK;
	if (size > o->buf[part].size) {
		if (!sc->truncated)
			WARN("%s: a send of %zu bytes, tag %d, meets a receive of %u: it is cut. The ranks' counts or "
			     "types differ", sc->comm.dev->name, size, tag, o->buf[part].size);
		sc->truncated = true;
		size = o->buf[part].size;
	}
	r->tag[0] = tag;
	r->size[0] = (uint32_t)size;
	r->phandle[0] = phandle;
	err = post(sc, o, part, data, (uint32_t)size, mr, COOKIE_REQ + req_number(r));
	if (err) {
		req_put(r);
		if (err != -EAGAIN) {
			WARN("%s: send: %s (%s)", sc->comm.dev->name, pnic_strerror(err), pnic_last_error());
			return sc->comm.error = result_of(err);
		}
		return progress(&sc->comm);
	}
	matched(sc, o, part);
	sc->comm.wanting = false;
	sc->comm.in_flight++;
	prof_start(r);
	*req = r;
	return NCCL_OK;
}

nccl_result data_isend(void *s, void *data, size_t size, int tag, void *mh, void *phandle, void **req)
{
	struct send_comm *sc = s;
	struct req *r = NULL;
	nccl_result res;

	if (!sc || sc->comm.kind != COMM_SEND || !req)
		return NCCL_INVALID_ARGUMENT;
	*req = NULL;
	if (size && !mr_holds(mh, data, size)) {
		WARN("%s: sending %zu bytes at %p: not in the region", sc->comm.dev->name, size, data);
		return NCCL_INVALID_ARGUMENT;
	}
	pthread_mutex_lock(&sc->comm.idle_end.lock);
	res = send_one(sc, data, size, tag, mh, phandle, &r);
	pthread_mutex_unlock(&sc->comm.idle_end.lock);
	*req = r;
	return res;
}

/* --- receiving --------------------------------------------------------------------------------- */

/* The sender is told of a region before its first buffer. */
static int tell(struct recv_comm *rc, const struct mr *mr, struct msg_key *key, uint8_t *keys)
{
	uint64_t *told;
	uint32_t n;

	if (mr->id >= rc->told_count) {
		n = rc->told_count ? rc->told_count : 64;
		while (n <= mr->id)
			n *= 2;
		told = realloc(rc->told, n * sizeof(*told));
		if (!told)
			return -ENOMEM;
		memset(told + rc->told_count, 0, (n - rc->told_count) * sizeof(*told));
		rc->told = told;
		rc->told_count = n;
	}
	if (rc->told[mr->id] == mr->serial)
		return 0;
	rc->told[mr->id] = mr->serial;
	key[*keys] = (struct msg_key) { .id = mr->id, .key = mr->key };
	(*keys)++;
	return 0;
}

/* What could not be said must be said again. */
static void untell(struct recv_comm *rc, const struct msg_key *key, uint8_t keys)
{
	while (keys--)
		rc->told[key[keys].id] = 0;
}

static int offer(struct recv_comm *rc, struct req *r, void **data, void **mhs)
{
	struct { struct msg_offer head; struct msg_buffer buf[MAX_RECVS]; } msg = { 0 };
	struct msg_key key[MAX_RECVS];
	int i, err;

	msg.head.slot = (uint8_t)req_number(r);
	msg.head.n = r->n;
	for (i = 0; i < r->n; i++) {
		const struct mr *mr = mhs[i];

		msg.buf[i] = (struct msg_buffer) {
			.addr = (uint64_t)(uintptr_t)data[i],
			.size = r->size[i],
			.tag = r->tag[i],
			.key = r->size[i] ? mr->id : NO_KEY,
		};
		err = r->size[i] ? tell(rc, mr, key, &msg.head.keys) : 0;
		if (err) {
			untell(rc, key, msg.head.keys);
			return err;
		}
	}
	err = pnic_rails_send(rc->comm.peer, &msg, (uint32_t)(sizeof(msg.head) + r->n * sizeof(msg.buf[0])), key,
			      (uint32_t)(msg.head.keys * sizeof(key[0])), NULL, MSG_OFFER, COOKIE_CONTROL,
			      PNIC_RAILS_QUIET);
	if (err)
		untell(rc, key, msg.head.keys);
	return err;
}

/*
 * Whether one of the buffers is a receive's that NCCL takes for complete and that isn't. Its bytes may be there, and yet be
 * written once more if a card fails before it has said so: whatever came into the buffer after it would be lost.
 */
static bool too_early(const struct recv_comm *rc, int n, void **data, const size_t *sizes)
{
	uint64_t addr;
	int i, j;

	for (i = 0; rc->early && i < MAX_OFFERS; i++) {
		const struct req *r = &rc->pool[i];

		for (j = 0; r->used && r->optional && r->released && j < n; j++) {
			addr = (uint64_t)(uintptr_t)data[j];
			if (addr < r->addr + r->size[0] && r->addr < addr + sizes[j])
				return true;
		}
	}
	return false;
}

static nccl_result recv_one(struct recv_comm *rc, int n, void **data, const size_t *sizes, const int *tags, void **mhs,
			    void **phandles, bool optional, struct req **req)
{
	nccl_result res;
	struct req *r;
	int i, err;

	res = progress(&rc->comm);
	if (res)
		return res;
	r = too_early(rc, n, data, sizes) ? NULL : req_get(&rc->comm, n);
	if (!r)
		return NCCL_OK;
	r->optional = optional;
	r->addr = (uint64_t)(uintptr_t)data[0];
	for (i = 0; i < n; i++) {
		r->size[i] = (uint32_t)sizes[i];
		r->tag[i] = tags[i];
		r->phandle[i] = phandles ? phandles[i] : NULL;
	}
	err = offer(rc, r, data, mhs);
	if (err) {
		req_put(r);
		if (err == -EAGAIN)
			return NCCL_OK;
		WARN("%s: receive: %s (%s)", rc->comm.dev->name, pnic_strerror(err), pnic_last_error());
		return rc->comm.error = result_of(err);
	}
	rc->comm.in_flight++;
	prof_start(r);
	*req = r;
	return NCCL_OK;
}

nccl_result data_irecv(void *c, int n, void **data, const size_t *sizes, const int *tags, void **mhs, void **phandles,
		       void **req, bool optional)
{
	struct recv_comm *rc = c;
	struct req *r = NULL;
	nccl_result res;
	int i;

	if (!rc || rc->comm.kind != COMM_RECV || !req || n < 1 || n > MAX_RECVS)
		return NCCL_INVALID_ARGUMENT;
	optional = optional && *req == NCCL_OPTIONAL_RECV && n == 1;
	*req = NULL;
	for (i = 0; i < n; i++) {
		if (sizes[i] > MAX_MESSAGE || (sizes[i] && !mr_holds(mhs[i], data[i], sizes[i]))) {
			WARN("%s: receiving %zu bytes at %p: too many, or not in the region", rc->comm.dev->name,
			     sizes[i], data[i]);
			return NCCL_INVALID_ARGUMENT;
		}
	}
	pthread_mutex_lock(&rc->comm.idle_end.lock);
	res = recv_one(rc, n, data, sizes, tags, mhs, phandles, optional, &r);
	pthread_mutex_unlock(&rc->comm.idle_end.lock);
	*req = r;
	return res;
}

/* --- making it visible to a GPU ---------------------------------------------------------------- */

/* Bytes for each card: more than what is left over when they are shared out by rate. */
#define FLUSH_EACH	16384

/*
 * A card's read of the GPU's memory comes back when all that this card wrote there before has arrived. So each card of the device
 * reads a little of the region, through a set that does nothing else, from oneself.
 */
static nccl_result flush_make(struct recv_comm *rc)
{
	struct pnic_rails_ep_attr attr = { .size = sizeof(attr), .stripe_min = 1, .recv_entries = 8,
					   .fail_ms = (uint32_t)config.timeout_ms };
	size_t size = FLUSH_EACH * (size_t)rc->comm.dev->cards;
	struct flush *f = calloc(1, sizeof(*f));
	struct pnic_rails_addr self;
	nccl_result res;
	int err;

	if (!f)
		return NCCL_SYSTEM_ERROR;
	rc->flush = f;
	if (posix_memalign(&f->scratch, 4096, size))
		return NCCL_SYSTEM_ERROR;
	res = reg_mr(rc->comm.dev, f->scratch, size, NCCL_PTR_HOST, 0, -1, &f->mr);
	if (res)
		return res;
	err = pnic_rails_ep_create(rc->comm.dev->rails, &attr, &f->ep);
	if (!err)
		err = pnic_rails_ep_addr(f->ep, &self);
	if (!err)
		err = pnic_rails_peer_add(f->ep, &self, NULL, &f->self);
	if (err)
		WARN("%s: flush: %s (%s)", rc->comm.dev->name, pnic_strerror(err), pnic_last_error());
	return result_of(err);
}

void flush_free(struct recv_comm *rc)
{
	struct flush *f = rc->flush;

	rc->flush = NULL;
	if (!f)
		return;
	pnic_rails_ep_destroy(f->ep);
	if (f->mr)
		reg_put(f->mr);
	free(f->scratch);
	free(f);
}

static void flush_progress(struct recv_comm *rc)
{
	struct pnic_rails_wc wc[16];
	uint64_t number;
	int i, n;

	n = pnic_rails_poll(rc->flush->ep, wc, 16);
	for (i = 0; i < n; i++) {
		number = wc[i].cookie - COOKIE_REQ;
		if (wc[i].status && !rc->comm.error)
			rc->comm.error = wc_failed(rc->comm.dev, &wc[i], "flush");
		else if (!wc[i].status && wc[i].op == PNIC_RAILS_READ && number < MAX_FLUSHES && rc->flushes[number].used)
			part_done(&rc->flushes[number], 0, 0);
		pnic_rails_release(rc->flush->ep, &wc[i]);
	}
}

static struct req *flush_get(struct recv_comm *rc)
{
	struct req *r;
	int i;

	for (i = 0; i < MAX_FLUSHES && rc->flushes[i].used; i++)
		;
	if (i == MAX_FLUSHES)
		return NULL;
	r = &rc->flushes[i];
	memset(r, 0, sizeof(*r));
	r->comm = &rc->comm;
	r->used = 1;
	r->n = 1;
	r->left = 1;
	r->flush = 1;
	return r;
}

/* There is no later for a flush: NCCL asks once, and takes the bytes for visible when it gets no request. */
static int flush_post(struct recv_comm *rc, const struct mr *mr, uint64_t length, uint64_t cookie)
{
	uint64_t end = now_ms() + (uint64_t)config.timeout_ms;
	int err;

	for (;;) {
		err = pnic_rails_read(rc->flush->self, rc->flush->scratch, length, rc->flush->mr->mr, mr->addr, &mr->key,
				      cookie, 0);
		if (err != -EAGAIN || rc->comm.error || now_ms() > end)
			return err;
		flush_progress(rc);
	}
}

static nccl_result flush_one(struct recv_comm *rc, const struct mr *mr, struct req **req)
{
	uint64_t length = FLUSH_EACH * (uint64_t)rc->comm.dev->cards;
	nccl_result res = rc->comm.error;
	struct req *r;
	int err;

	if (!res && !rc->flush) {
		res = flush_make(rc);
		if (res)
			flush_free(rc);
	}
	if (res)
		return res;
	r = flush_get(rc);
	if (!r) {
		WARN("%s: %d flushes at once", rc->comm.dev->name, MAX_FLUSHES);
		return NCCL_INTERNAL_ERROR;
	}
	err = flush_post(rc, mr, length < mr->length ? length : mr->length, COOKIE_REQ + (uint64_t)(r - rc->flushes));
	if (err) {
		req_put(r);
		WARN("%s: flush: %s (%s)", rc->comm.dev->name, pnic_strerror(err), pnic_last_error());
		return rc->comm.error ? rc->comm.error : result_of(err);
	}
	rc->comm.in_flight++;
	*req = r;
	return NCCL_OK;
}

/* The last buffer of a GPU that got bytes; what came before it into others is older. */
nccl_result data_iflush(void *c, int n, void **data, const int *sizes, void **mhs, void **req)
{
	struct recv_comm *rc = c;
	const struct mr *mr = NULL;
	struct req *r = NULL;
	nccl_result res;
	int i;

	(void)data;
	if (!rc || rc->comm.kind != COMM_RECV || !req || n < 1 || n > MAX_RECVS)
		return NCCL_INVALID_ARGUMENT;
	*req = NULL;
	for (i = 0; i < n; i++)
		if (sizes[i] > 0 && mhs[i] && ((struct mr *)mhs[i])->type != NCCL_PTR_HOST)
			mr = mhs[i];
	/* What the card writes to the host's memory is seen in order as it is. */
	if (!mr)
		return NCCL_OK;
	pthread_mutex_lock(&rc->comm.idle_end.lock);
	res = flush_one(rc, mr, &r);
	pthread_mutex_unlock(&rc->comm.idle_end.lock);
	*req = r;
	return res;
}

/* --- both -------------------------------------------------------------------------------------- */

static nccl_result test_one(struct req *r, int *done, int *sizes)
{
	nccl_result res;
	int i;

	if (!r->used)
		return NCCL_INVALID_ARGUMENT;
	if (r->left) {
		if (r->flush)
			flush_progress((struct recv_comm *)r->comm);
		res = progress(r->comm);
		if (r->left && res)
			return res;
	}
	if (r->left && !r->optional)
		return NCCL_OK;
	*done = 1;
	for (i = 0; sizes && i < r->n; i++)
		sizes[i] = r->left ? 0 : (int)r->size[i];
	r->released = 1;
	if (!r->left)
		req_put(r);
	else
		((struct recv_comm *)r->comm)->early++;
	return NCCL_OK;
}

nccl_result data_test(void *q, int *done, int *sizes)
{
	struct req *r = q;
	nccl_result res;

	if (!r || !done)
		return NCCL_INVALID_ARGUMENT;
	*done = 0;
	pthread_mutex_lock(&r->comm->idle_end.lock);
	res = test_one(r, done, sizes);
	pthread_mutex_unlock(&r->comm->idle_end.lock);
	return res;
}
