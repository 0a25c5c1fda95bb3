// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * Connections: the listener's address goes to the connecting rank in NCCL's handle, which sends it a message with its own;
 * the answer comes from a set that the listener made for the connection. NCCL calls connect and accept again and again until they
 * give a connection, and neither waits.
 *
 *	connecting				listening
 *	  |  <------- handle (NCCL) -------------  | listen
 *	  | connect: MSG_CONNECT, its address -->  |
 *	  |					   | accept: a set of its own
 *	  | <-- MSG_ACCEPT, that set's address --  |
 *	  | connected				   | connected, as soon as that has arrived
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core.h"

#define HANDLE_MAGIC	0x706e6331	/* "pnc1" */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct comm *connecting;		/* begun, not returned yet */

int ep_create(struct device *dev, uint32_t recv_entries, uint32_t ops, struct pnic_rails_ep **ep)
{
	struct pnic_rails_ep_attr attr = {
		.size = sizeof(attr),
		.recv_entries = recv_entries,
		.max_send = (MSG_MAX + 63) & ~63U,
		.max_ops = ops,
		.stripe_min = (uint32_t)config.stripe,
		.fail_ms = (uint32_t)config.timeout_ms,
	};
	struct timespec nap = { 0, 5000000 };
	int err, tries;

	/* A card that fails just now may fail the call; the next turn finds it lost, or back. */
	for (tries = 0; tries < 40; tries++) {
		err = pnic_rails_ep_create(dev->rails, &attr, ep);
		if (err != -EINVAL && err != -EIO && err != -ENODEV && err != -ETIMEDOUT)
			break;
		device_watch(dev);
		nanosleep(&nap, NULL);
	}
	if (err)
		WARN("%s: an endpoint set: %s (%s)", dev->name, pnic_strerror(err), pnic_last_error());
	return err;
}

void handle_fill(void *handle, const struct pnic_rails_addr *addr, uint64_t cookie)
{
	struct handle h = { .magic = HANDLE_MAGIC, .count = addr->count, .cookie = cookie };

	memcpy(h.rail, addr->rail, sizeof(h.rail));
	memset(handle, 0, NCCL_HANDLE_SIZE);
	memcpy(handle, &h, sizeof(h));
}

bool handle_ok(const struct handle *h)
{
	return h->magic == HANDLE_MAGIC && h->count >= 1 && h->count <= PNIC_RAILS_MAX;
}

void handle_addr(const struct handle *h, struct pnic_rails_addr *addr)
{
	uint32_t i;

	memset(addr, 0, sizeof(*addr));
	addr->count = h->count;
	addr->max_send = sizeof(struct msg_connect);
	for (i = 0; i < PNIC_RAILS_MAX; i++)
		addr->rail[i] = i < h->count ? h->rail[i] : (struct pnic_addr) { 0, PNIC_EP_NONE };
}

nccl_result wc_failed(struct device *dev, const struct pnic_rails_wc *wc, const char *what)
{
	char line[256];

	device_watch(dev);
	WARN("%s: %s: %s", dev->name, what, pnic_rails_wc_str(wc, line, sizeof(line)));
	return result_of_status(wc->status);
}

void comm_probe(struct comm *comm)
{
	uint64_t now;

	if (!comm->wanting || comm->probing || ++comm->idle & 255)
		return;
	now = now_ms();
	if (!comm->heard_ms)
		comm->heard_ms = now;
	if (now - comm->heard_ms < (uint64_t)config.probe_ms)
		return;
	if (!pnic_rails_send(comm->peer, NULL, 0, NULL, 0, NULL, MSG_PROBE, COOKIE_PROBE, 0))
		comm->probing = true;
}

static void comm_end(struct comm *comm)
{
	struct device *dev = comm->dev;

	idle_remove(&comm->idle_end);
	data_end(comm);
	if (comm->kind == COMM_RECV)
		flush_free((struct recv_comm *)comm);
	pnic_rails_ep_destroy(comm->ep);
	device_unuse(dev);
	if (comm->kind == COMM_LISTEN) {
		struct listener *lc = (struct listener *)comm;

		if (lc->accepting)
			comm_end(lc->accepting);
		free(lc->waiting);
	} else if (comm->kind == COMM_SEND) {
		free(((struct send_comm *)comm)->key);
	} else {
		free(((struct recv_comm *)comm)->told);
		free(((struct recv_comm *)comm)->size_told);
	}
	free(comm);
}

/* A connection's end without a peer yet. */
static struct comm *comm_new(struct context *ctx, struct device *dev, enum comm_kind kind)
{
	size_t size = kind == COMM_LISTEN ? sizeof(struct listener) :
		      kind == COMM_SEND ? sizeof(struct send_comm) : sizeof(struct recv_comm);
	struct comm *comm = calloc(1, size);
	struct recv_comm *rc;
	int err;

	if (!comm)
		return NULL;
	comm->kind = kind;
	comm->dev = dev;
	comm->ctx = ctx;
	comm->seen = __atomic_load_n(&dev->seen, __ATOMIC_ACQUIRE);
	if (device_use(dev)) {
		free(comm);
		return NULL;
	}
	/* A sender gets offers and sends much; a receiver is told of what is complete. */
	err = ep_create(dev, kind == COMM_SEND ? 128 : 256, kind == COMM_SEND ? 2 * MAX_SENDS : 2 * MAX_OFFERS,
			&comm->ep);
	if (!err && kind == COMM_SEND) {
		data_init(comm, ((struct send_comm *)comm)->pool, MAX_SENDS);
	} else if (!err && kind == COMM_RECV) {
		rc = (struct recv_comm *)comm;
		data_init(comm, rc->pool, MAX_OFFERS);
		rc->size_told = calloc(MAX_OFFERS * MAX_RECVS, sizeof(*rc->size_told));
		err = rc->size_told ? 0 : -ENOMEM;
	}
	if (err) {
		comm_end(comm);
		return NULL;
	}
	return comm;
}

/* --- listening --------------------------------------------------------------------------------- */

nccl_result comm_listen(struct context *ctx, int dev, void *handle, void **out)
{
	struct device *d = device_get(dev);
	struct pnic_rails_addr addr;
	struct listener *lc;
	int err;

	if (!d || !handle || !out)
		return NCCL_INVALID_ARGUMENT;
	lc = (struct listener *)comm_new(ctx, d, COMM_LISTEN);
	if (!lc)
		return NCCL_SYSTEM_ERROR;
	err = pnic_rails_ep_addr(lc->comm.ep, &addr);
	if (err) {
		comm_end(&lc->comm);
		return result_of(err);
	}
	lc->cookie = random64();
	handle_fill(handle, &addr, lc->cookie);
	*out = lc;
	return NCCL_OK;
}

static nccl_result knock(struct listener *lc, const struct msg_connect *msg)
{
	struct msg_connect *waiting;
	uint32_t room;

	if (lc->waiting_count == lc->waiting_room) {
		room = lc->waiting_room ? lc->waiting_room * 2 : 16;
		waiting = realloc(lc->waiting, room * sizeof(*waiting));
		if (!waiting)
			return NCCL_SYSTEM_ERROR;
		lc->waiting = waiting;
		lc->waiting_room = room;
	}
	lc->waiting[lc->waiting_count++] = *msg;
	return NCCL_OK;
}

nccl_result listener_progress(struct listener *lc, uint32_t want)
{
	struct pnic_rails_wc wc[16];
	nccl_result res = NCCL_OK;
	int i, n;

	n = pnic_rails_poll(lc->comm.ep, wc, 16);
	for (i = 0; i < n; i++) {
		const struct msg_connect *msg = wc[i].data;

		if (wc[i].op == PNIC_RAILS_RECV && !wc[i].status && wc[i].imm != MSG_PROBE) {
			if (wc[i].imm != want || wc[i].length < sizeof(*msg) || msg->cookie != lc->cookie)
				INFO(NCCL_SUB_NET, "%s: a message that isn't for this listener", lc->comm.dev->name);
			else if (msg->version != MSG_VERSION)
				WARN("%s: a rank's plugin speaks version %u, this one %d: they must be the same",
				     lc->comm.dev->name, msg->version, MSG_VERSION);
			else if (!res)
				res = knock(lc, msg);
		}
		pnic_rails_release(lc->comm.ep, &wc[i]);
	}
	return n < 0 ? result_of(n) : res;
}

/* --- accepting --------------------------------------------------------------------------------- */

static nccl_result answer(struct comm *comm, const struct msg_connect *from)
{
	struct msg_connect msg = { .version = MSG_VERSION, .cookie = from->cookie };
	int err;

	err = pnic_rails_ep_addr(comm->ep, &msg.addr);
	if (!err)
		err = pnic_rails_peer_add(comm->ep, &from->addr, comm, &comm->peer);
	if (!err)
		err = pnic_rails_send(comm->peer, &msg, sizeof(msg), NULL, 0, NULL, MSG_ACCEPT, COOKIE_CONTROL, 0);
	if (err)
		WARN("%s: answering a rank that connects: %s", comm->dev->name, pnic_strerror(err));
	return result_of(err);
}

/* Whether the answer has arrived. Offers can only follow it, so nothing else comes yet. */
static nccl_result answered(struct comm *comm, bool *done)
{
	struct pnic_rails_wc wc;
	int n;

	*done = false;
	while ((n = pnic_rails_poll(comm->ep, &wc, 1)) > 0) {
		pnic_rails_release(comm->ep, &wc);
		if (wc.cookie != COOKIE_CONTROL || wc.op != PNIC_RAILS_SEND)
			continue;
		if (wc.status)
			return wc_failed(comm->dev, &wc, "accept");
		*done = true;
		break;
	}
	return n < 0 ? result_of(n) : NCCL_OK;
}

nccl_result comm_accept(void *l, void **rc)
{
	struct listener *lc = l;
	struct msg_connect from;
	nccl_result res;
	bool done;

	if (!lc || lc->comm.kind != COMM_LISTEN || !rc)
		return NCCL_INVALID_ARGUMENT;
	*rc = NULL;
	res = listener_progress(lc, MSG_CONNECT);
	if (res)
		return res;
	if (!lc->accepting) {
		if (!lc->waiting_count)
			return NCCL_OK;
		from = lc->waiting[0];
		memmove(lc->waiting, lc->waiting + 1, --lc->waiting_count * sizeof(*lc->waiting));
		lc->accepting = comm_new(lc->comm.ctx, lc->comm.dev, COMM_RECV);
		if (!lc->accepting)
			return NCCL_SYSTEM_ERROR;
		res = answer(lc->accepting, &from);
	}
	if (!res)
		res = answered(lc->accepting, &done);
	if (res) {
		comm_end(lc->accepting);
		lc->accepting = NULL;
		return res;
	}
	if (done) {
		data_begin(lc->accepting);
		*rc = lc->accepting;
		lc->accepting = NULL;
	}
	return NCCL_OK;
}

/* --- connecting -------------------------------------------------------------------------------- */

static void remember(struct comm *comm)
{
	pthread_mutex_lock(&lock);
	comm->next = connecting;
	connecting = comm;
	pthread_mutex_unlock(&lock);
}

/* False: there is no such; the handle isn't what this process put there. */
static bool recall(const struct comm *comm, bool forget)
{
	struct comm **p;
	bool found;

	pthread_mutex_lock(&lock);
	for (p = &connecting; *p && *p != comm; p = &(*p)->next)
		;
	found = *p;
	if (found && forget)
		*p = (*p)->next;
	pthread_mutex_unlock(&lock);
	return found;
}

void comm_forget(struct context *ctx)
{
	struct comm **p, *gone = NULL, *comm;

	pthread_mutex_lock(&lock);
	for (p = &connecting; *p;) {
		comm = *p;
		if (ctx && comm->ctx != ctx) {
			p = &comm->next;
			continue;
		}
		*p = comm->next;
		comm->next = gone;
		gone = comm;
	}
	pthread_mutex_unlock(&lock);
	while (gone) {
		comm = gone;
		gone = gone->next;
		comm_end(comm);
	}
}

static nccl_result connect_begin(struct context *ctx, struct device *dev, struct handle *h)
{
	struct msg_connect msg = { .version = MSG_VERSION, .cookie = h->cookie };
	struct pnic_rails_addr to;
	struct comm *comm;
	int err;

	comm = comm_new(ctx, dev, COMM_SEND);
	if (!comm)
		return NCCL_SYSTEM_ERROR;
	handle_addr(h, &to);
	err = pnic_rails_ep_addr(comm->ep, &msg.addr);
	if (!err)
		err = pnic_rails_peer_add(comm->ep, &to, NULL, &comm->peer);
	if (!err)
		err = pnic_rails_send(comm->peer, &msg, sizeof(msg), NULL, 0, NULL, MSG_CONNECT, COOKIE_CONTROL, 0);
	if (err) {
		WARN("%s: connecting to NIC 0x%06x: %s (%s)", dev->name, h->rail[0].nic, pnic_strerror(err),
		     pnic_last_error());
		comm_end(comm);
		return result_of(err);
	}
	comm->wanting = true;
	remember(comm);
	h->connecting = comm;
	return NCCL_OK;
}

static nccl_result connect_go_on(struct comm *comm, const struct handle *h, bool *done)
{
	struct pnic_rails_wc wc;
	int n;

	*done = false;
	while (!*done && (n = pnic_rails_poll(comm->ep, &wc, 1)) > 0) {
		const struct msg_connect *msg = wc.data;

		if (wc.status)
			return wc_failed(comm->dev, &wc, "connect");
		if (wc.cookie == COOKIE_PROBE) {
			comm->probing = false;
			comm->heard_ms = now_ms();
		}
		if (wc.op == PNIC_RAILS_RECV && wc.imm == MSG_ACCEPT && wc.length >= sizeof(*msg) &&
		    msg->cookie == h->cookie && msg->version == MSG_VERSION) {
			*done = true;
			comm->peer = wc.peer;
		}
		pnic_rails_release(comm->ep, &wc);
	}
	if (!*done && n < 0)
		return result_of(n);
	if (!*done)
		comm_probe(comm);
	return NCCL_OK;
}

nccl_result comm_connect(struct context *ctx, int dev, void *handle, void **sc)
{
	struct device *d = device_get(dev);
	struct handle copy, *h = &copy;		/* NCCL's need not be aligned */
	nccl_result res;
	bool done;

	if (!d || !handle || !sc)
		return NCCL_INVALID_ARGUMENT;
	*sc = NULL;
	memcpy(h, handle, sizeof(*h));
	if (!handle_ok(h)) {
		WARN("%s: the handle to connect to isn't this plugin's: do all ranks use it?", d->name);
		return NCCL_INVALID_ARGUMENT;
	}
	if (!h->connecting) {
		res = connect_begin(ctx, d, h);
		if (res)
			return res;
		memcpy(handle, h, sizeof(*h));
	} else if (!recall(h->connecting, false)) {
		return NCCL_INVALID_ARGUMENT;
	}
	res = connect_go_on(h->connecting, h, &done);
	if (!res && !done)
		return NCCL_OK;
	recall(h->connecting, true);
	if (res) {
		comm_end(h->connecting);
	} else {
		h->connecting->wanting = false;
		h->connecting->idle = 0;
		/* If the listener was asked whether it exists, its answer isn't the peer's, and nobody waits for it any more. */
		h->connecting->probing = false;
		h->connecting->heard_ms = 0;
		data_begin(h->connecting);
		*sc = h->connecting;
	}
	h->connecting = NULL;
	memcpy(handle, h, sizeof(*h));
	return res;
}

nccl_result comm_close(void *c, enum comm_kind kind)
{
	struct comm *comm = c;

	if (!comm)
		return NCCL_OK;
	if (comm->kind != kind)
		return NCCL_INVALID_ARGUMENT;
	comm_end(comm);
	return NCCL_OK;
}
