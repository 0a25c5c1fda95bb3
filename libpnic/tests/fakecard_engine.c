// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The card's half of the fake card: takes descriptors from the rings, moves the
 * bytes, writes completions, sleeps and wakes.
 */
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "fakecard.h"

#define FAKE_MAX_PIECES	(PNIC_SQE_MAX_SGE + PNIC_SQE_MAX_SLOTS)

/* A transfer's local bytes: one piece for each buffer or inline part. */
struct fake_pieces {
	uint8_t *mem[FAKE_MAX_PIECES];
	size_t len[FAKE_MAX_PIECES];
	int n;
};

/* Sends the signal that is due, if the queue is armed for an index that is there. */
static void fake_cq_signal(struct fake_cq *cq)
{
	uint64_t one = 1;

	if (!cq->armed || (int32_t)(cq->tail - cq->arm_at) <= 0)
		return;
	cq->armed = false;
	if (cq->eventfd >= 0 && write(cq->eventfd, &one, sizeof(one)) < 0)
		abort();
}

static bool fake_cq_doorbell(struct fake_cq *cq)
{
	uint64_t val = __atomic_load_n(&cq->dev->db[cq->slot], __ATOMIC_ACQUIRE);

	if (val == cq->seen)
		return false;
	cq->seen = val;
	if (val & PNIC_DB_CQ_ARM) {
		cq->armed = true;
		cq->arm_at = (uint32_t)val;
		fake_cq_signal(cq);
	}
	return true;
}

void fake_complete(struct fake_cq *cq, const struct pnic_cqe *cqe)
{
	struct pnic_cqe *to = &cq->ring[cq->tail & (cq->entries - 1)];
	uint32_t phase = cq->tail & cq->entries ? 0 : PNIC_CQE_PHASE;

	fake_cq_doorbell(cq);
	if (cq->dead || cq->tail - (uint32_t)cq->seen >= cq->entries) {
		cq->dead = true;
		return;
	}
	to->cookie = cqe->cookie;
	to->data = cqe->data;
	to->length = cqe->length;
	to->nic_op = cqe->nic_op;
	to->peer_status = cqe->peer_status;
	__atomic_store_n(&to->ep_flags, (cqe->ep_flags & ~PNIC_CQE_PHASE) | phase, __ATOMIC_RELEASE);
	cq->tail++;
	fake_cq_signal(cq);
}

static uint8_t *fake_memory(int nic, uint64_t addr, uint64_t length, uint64_t key, uint32_t right,
			    unsigned int *status, unsigned int bad_key)
{
	static uint8_t nothing[1];
	struct fake_mr *mr = &fake.mr[(key & 0xffffff) % FAKE_MAX_MR];

	if (!length)
		return nothing;
	if (!mr->used || mr->key != key || mr->nic != nic) {
		*status = bad_key;
		return NULL;
	}
	if (addr < mr->addr || addr - mr->addr > mr->length || mr->length - (addr - mr->addr) < length) {
		*status = bad_key + 1;
		return NULL;
	}
	if (right && !(mr->rights & right)) {
		*status = bad_key + 2;
		return NULL;
	}
	return (uint8_t *)(uintptr_t)addr;
}

static uint8_t *fake_slot(const struct fake_ep *ep, uint32_t i)
{
	return ep->sq + (size_t)(i & (ep->sq_slots - 1)) * PNIC_SLOT_SIZE;
}

static unsigned int fake_slots_needed(const struct pnic_sqe *sqe)
{
	if (sqe->flags & PNIC_SQF_INLINE)
		return sqe->length <= 16 ? 1 : 1 + (sqe->length - 16 + 63) / 64;
	return sqe->num_sge < 2 ? 1 : 1 + (sqe->num_sge + 1) / 2;
}

static unsigned int fake_pieces(const struct fake_ep *ep, uint32_t index, const struct pnic_sqe *sqe, uint32_t right,
				struct fake_pieces *p)
{
	unsigned int status = PNIC_ST_OK;
	struct pnic_sge *sge;
	uint32_t left, i;

	p->n = 0;
	if (sqe->flags & PNIC_SQF_INLINE) {
		left = sqe->length;
		for (i = 0; i < sqe->num_slots; i++) {
			p->mem[p->n] = fake_slot(ep, index + i) + (i ? 0 : 48);
			p->len[p->n] = left < (i ? 64 : 16) ? left : (i ? 64 : 16);
			left -= p->len[p->n++];
		}
		return status;
	}
	if (sqe->num_sge < 2) {
		p->mem[0] = fake_memory(ep->dev->nic, sqe->local_addr, sqe->length, sqe->local_key, right, &status,
					PNIC_ST_LOCAL_KEY);
		p->len[0] = sqe->length;
		p->n = 1;
		return status;
	}
	for (i = 0; i < sqe->num_sge && !status; i++) {
		sge = (struct pnic_sge *)(void *)fake_slot(ep, index + 1 + i / 2) + i % 2;
		p->mem[i] = fake_memory(ep->dev->nic, sge->addr, sge->length, sge->key, right, &status,
					PNIC_ST_LOCAL_KEY);
		p->len[i] = sge->length;
	}
	p->n = sqe->num_sge;
	return status;
}

static void fake_copy(const struct fake_pieces *p, uint8_t *far, bool read)
{
	int i;

	for (i = 0; i < p->n; i++) {
		if (read)
			memcpy(p->mem[i], far, p->len[i]);
		else
			memcpy(far, p->mem[i], p->len[i]);
		far += p->len[i];
	}
}

static unsigned int fake_atomic(const struct pnic_sqe *sqe, uint64_t *old)
{
	unsigned int status = PNIC_ST_OK;
	uint64_t val;
	uint8_t *far;

	far = fake_memory((int)sqe->dest_nic, sqe->remote_addr, sqe->length, sqe->remote_key,
			  PNIC_MRF_REMOTE_ATOMIC, &status, PNIC_ST_REMOTE_KEY);
	if (status)
		return status;
	*old = 0;
	memcpy(old, far, sqe->length);
	val = sqe->opcode == PNIC_OP_FETCH_ADD ? *old + sqe->imm :
	      *old == sqe->local_addr ? sqe->imm : *old;
	memcpy(far, &val, sqe->length);
	return status;
}

/* Takes a receive entry at the far end. PNIC_ST_RNR if there is none. */
static unsigned int fake_receive(const struct fake_ep *ep, const struct pnic_sqe *sqe, const struct pnic_sqe *msg,
				 const struct fake_pieces *p)
{
	struct fake_ep *far = &fake.ep[sqe->dest_ep];
	bool write = sqe->opcode == PNIC_OP_WRITE_IMM, imm = sqe->opcode != PNIC_OP_SEND;
	unsigned int status = PNIC_ST_OK;
	struct pnic_cqe cqe = { 0 };
	struct pnic_rqe rqe;
	uint8_t *mem;

	if (far->rq_head == (uint32_t)__atomic_load_n(&far->dev->db[far->rq_slot], __ATOMIC_ACQUIRE))
		return PNIC_ST_RNR;
	rqe = far->rq[far->rq_head++ & (far->rq_entries - 1)];
	if (!write) {
		mem = fake_memory(far->dev->nic, rqe.addr, rqe.length, rqe.key, PNIC_MRF_LOCAL_WRITE, &status,
				  PNIC_ST_LOCAL_KEY);
		if (!status && msg->length > rqe.length)
			status = PNIC_ST_TOO_LONG;
		if (!status)
			fake_copy(p, mem, false);
	}
	cqe.cookie = rqe.cookie;
	cqe.data = imm ? sqe->imm : 0;
	cqe.length = status ? 0 : sqe->length;
	cqe.nic_op = ep->dev->nic | (uint32_t)(write ? PNIC_OP_RECV_WRITE_IMM :
					       imm ? PNIC_OP_RECV_IMM : PNIC_OP_RECV) << 24;
	cqe.peer_status = (uint32_t)(ep - fake.ep) | status << 24;
	cqe.ep_flags = sqe->dest_ep;
	fake_complete(&fake.cq[far->recv_cq], &cqe);
	return status >= PNIC_ST_LOCAL_KEY && status <= PNIC_ST_LOCAL_RIGHTS ?
	       status - PNIC_ST_LOCAL_KEY + PNIC_ST_REMOTE_KEY : status;
}

static unsigned int fake_carry_out(const struct fake_ep *ep, uint32_t index, const struct pnic_sqe *sqe, uint64_t *data)
{
	bool read = sqe->opcode == PNIC_OP_READ;
	unsigned int status = PNIC_ST_OK;
	struct fake_pieces p;
	uint8_t *far = NULL;

	if (sqe->num_slots != fake_slots_needed(sqe))
		return PNIC_ST_BAD_DESC;
	if (sqe->opcode == PNIC_OP_FLUSH || sqe->opcode == PNIC_OP_NOP)
		return PNIC_ST_OK;
	if (sqe->opcode == PNIC_OP_FETCH_ADD || sqe->opcode == PNIC_OP_COMP_SWAP)
		return fake_atomic(sqe, data);
	status = fake_pieces(ep, index, sqe, read ? PNIC_MRF_LOCAL_WRITE : 0, &p);
	if (status)
		return status;
	if (sqe->dest_ep >= FAKE_MAX_EP || !fake.ep[sqe->dest_ep].used ||
	    fake.ep[sqe->dest_ep].dev->nic != (int)sqe->dest_nic)
		return PNIC_ST_REMOTE_EP;
	if (sqe->opcode == PNIC_OP_WRITE || sqe->opcode == PNIC_OP_WRITE_IMM || read) {
		far = fake_memory((int)sqe->dest_nic, sqe->remote_addr, sqe->length, sqe->remote_key,
				  read ? PNIC_MRF_REMOTE_READ : PNIC_MRF_REMOTE_WRITE, &status, PNIC_ST_REMOTE_KEY);
		if (status)
			return status;
	}
	/* Data before the completion that tells of it; writing twice, when it must wait, does no harm. */
	if (far)
		fake_copy(&p, far, read);
	if (sqe->opcode == PNIC_OP_SEND || sqe->opcode == PNIC_OP_SEND_IMM || sqe->opcode == PNIC_OP_WRITE_IMM)
		status = fake_receive(ep, sqe, sqe, &p);
	return status;
}

/* One descriptor. False: none, or it has to wait. */
static bool fake_send_one(struct fake_ep *ep)
{
	uint32_t tail = (uint32_t)__atomic_load_n(&ep->dev->db[ep->sq_slot], __ATOMIC_ACQUIRE);
	unsigned int status = PNIC_ST_OK;
	struct pnic_cqe cqe = { 0 };
	struct pnic_sqe sqe;
	uint64_t data = 0;

	if (ep->sq_head == tail)
		return false;
	memcpy(&sqe, fake_slot(ep, ep->sq_head), sizeof(sqe));
	if (ep->stopped) {
		status = PNIC_ST_FLUSHED;
	} else if (fake.fail_status) {
		status = fake.fail_status;
		fake.fail_status = 0;
	} else {
		status = fake_carry_out(ep, ep->sq_head, &sqe, &data);
		if (status == PNIC_ST_RNR && ep->rnr_timeout_us)
			return false;
	}
	ep->sq_head += sqe.num_slots ? sqe.num_slots : 1;
	fake.sqes++;
	if (status && ep->flags & PNIC_EP_STOP_ON_ERROR)
		ep->stopped = true;
	if (!status && !(sqe.flags & PNIC_SQF_SIGNALED))
		return true;
	cqe.cookie = sqe.cookie;
	cqe.data = data;
	cqe.length = status ? 0 : sqe.length;
	cqe.nic_op = sqe.dest_nic | (uint32_t)sqe.opcode << 24;
	cqe.peer_status = (ep->sq_head & PNIC_CQE_LOW24) | status << 24;
	cqe.ep_flags = (uint32_t)(ep - fake.ep);
	fake_complete(&fake.cq[ep->send_cq], &cqe);
	return true;
}

bool fake_step(void)
{
	bool work = false;
	int i, n;

	pthread_mutex_lock(&fake.lock);
	for (i = 0; i < FAKE_MAX_CQ; i++)
		if (fake.cq[i].used)
			work |= fake_cq_doorbell(&fake.cq[i]);
	for (i = 0; i < FAKE_MAX_EP; i++)
		for (n = 0; n < 64 && fake.ep[i].used && fake_send_one(&fake.ep[i]); n++)
			work = true;
	pthread_mutex_unlock(&fake.lock);
	return work;
}

/* Sets or clears the park word of every context that has a queue. */
static void fake_set_park(bool park)
{
	int i;

	pthread_mutex_lock(&fake.lock);
	fake.parked = park;
	for (i = 0; i < FAKE_MAX_CQ; i++) {
		if (!fake.cq[i].used)
			continue;
		if (park)
			__atomic_fetch_or(&fake.cq[i].dev->db[PNIC_DB_SLOT_PARK], PNIC_DB_PARKED, __ATOMIC_SEQ_CST);
		else
			__atomic_fetch_and(&fake.cq[i].dev->db[PNIC_DB_SLOT_PARK], ~(uint64_t)PNIC_DB_PARKED,
					   __ATOMIC_SEQ_CST);
	}
	pthread_mutex_unlock(&fake.lock);
}

static bool fake_woken(void)
{
	bool woken;
	int i;

	pthread_mutex_lock(&fake.lock);
	woken = fake.poked;
	fake.poked = false;
	for (i = 0; i < FAKE_MAX_CQ; i++)
		if (fake.cq[i].used && __atomic_exchange_n(fake.cq[i].dev->wake, 0, __ATOMIC_ACQ_REL))
			woken = true;
	pthread_mutex_unlock(&fake.lock);
	return woken;
}

/* A card that really sleeps: parked, it looks at nothing but the wake pages. */
static void *fake_thread(void *arg)
{
	struct timespec nap = { 0, 20000 };
	int idle = 0;

	(void)arg;
	while (!__atomic_load_n(&fake.stop, __ATOMIC_ACQUIRE)) {
		if (fake_step()) {
			idle = 0;
			continue;
		}
		if (idle++ < 50 || !(fake.features & PNIC_FEAT_PARK)) {
			sched_yield();
			continue;
		}
		fake_set_park(true);
		if (!fake_step())
			while (!fake_woken() && !__atomic_load_n(&fake.stop, __ATOMIC_ACQUIRE))
				nanosleep(&nap, NULL);
		fake_set_park(false);
		idle = 0;
	}
	return NULL;
}

void fake_start(void)
{
	fake.stop = false;
	fake.running = !pthread_create(&fake.thread, NULL, fake_thread, NULL);
	if (!fake.running)
		abort();
}

void fake_stop(void)
{
	__atomic_store_n(&fake.stop, true, __ATOMIC_RELEASE);
	pthread_join(fake.thread, NULL);
	fake.running = false;
}
