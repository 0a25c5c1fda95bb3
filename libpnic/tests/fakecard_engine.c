// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The card's half of the fake card: takes descriptors from the rings, writes completions and signals. It moves no
 * bytes: the selftests of transfers run on embedded cards.
 */
#include <stdlib.h>
#include <unistd.h>

#include "fakecard.h"

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

/* Takes a receive entry at the far end. PNIC_ST_RNR if there is none. */
static unsigned int fake_receive(const struct fake_ep *ep, const struct pnic_sqe *sqe)
{
	struct fake_ep *far = &fake.ep[sqe->dest_ep];
	struct pnic_cqe cqe = { 0 };

	if (far->rq_head == (uint32_t)__atomic_load_n(&far->dev->db[far->rq_slot], __ATOMIC_ACQUIRE))
		return PNIC_ST_RNR;
	cqe.cookie = far->rq[far->rq_head++ & (far->rq_entries - 1)].cookie;
	cqe.data = sqe->imm;
	cqe.nic_op = ep->dev->nic | (uint32_t)PNIC_OP_RECV_IMM << 24;
	cqe.peer_status = (uint32_t)(ep - fake.ep);
	cqe.ep_flags = sqe->dest_ep;
	fake_complete(&fake.cq[far->recv_cq], &cqe);
	return PNIC_ST_OK;
}

static unsigned int fake_carry_out(const struct fake_ep *ep, const struct pnic_sqe *sqe)
{
	if (sqe->num_slots != fake_slots_needed(sqe))
		return PNIC_ST_BAD_DESC;
	if (sqe->opcode == PNIC_OP_FLUSH)
		return PNIC_ST_OK;
	if (sqe->dest_ep >= FAKE_MAX_EP || !fake.ep[sqe->dest_ep].used ||
	    fake.ep[sqe->dest_ep].dev->nic != (int)sqe->dest_nic)
		return PNIC_ST_REMOTE_EP;
	if (sqe->length)
		abort();
	return sqe->opcode == PNIC_OP_SEND_IMM ? fake_receive(ep, sqe) : PNIC_ST_OK;
}

/* One descriptor. False: none, or it has to wait. */
static bool fake_send_one(struct fake_ep *ep)
{
	uint32_t tail = (uint32_t)__atomic_load_n(&ep->dev->db[ep->sq_slot], __ATOMIC_ACQUIRE);
	struct pnic_cqe cqe = { 0 };
	struct pnic_sqe sqe;
	unsigned int status;

	if (ep->sq_head == tail)
		return false;
	memcpy(&sqe, fake_slot(ep, ep->sq_head), sizeof(sqe));
	status = fake_carry_out(ep, &sqe);
	if (status == PNIC_ST_RNR && ep->rnr_timeout_us)
		return false;
	ep->sq_head += sqe.num_slots ? sqe.num_slots : 1;
	if (!status && !(sqe.flags & PNIC_SQF_SIGNALED))
		return true;
	cqe.cookie = sqe.cookie;
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

	for (i = 0; i < FAKE_MAX_CQ; i++)
		if (fake.cq[i].used)
			work |= fake_cq_doorbell(&fake.cq[i]);
	for (i = 0; i < FAKE_MAX_EP; i++)
		for (n = 0; n < 64 && fake.ep[i].used && fake_send_one(&fake.ep[i]); n++)
			work = true;
	return work;
}
