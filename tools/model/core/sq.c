// SPDX-License-Identifier: GPL-2.0
/*
 * Send rings: from a descriptor to a message, and from a message that is over to its completion.
 *
 * A descriptor is copied once and judged from the copy. What is wrong with it is acted on when its
 * turn comes, so that everything before it is carried out first.
 */
#include "card_priv.h"

#define RAW_MAX		(PNIC_SQE_MAX_SLOTS * PNIC_SLOT_SIZE)
#define FLAGS_ALL	(PNIC_SQF_SIGNALED | PNIC_SQF_FENCE | PNIC_SQF_INLINE)
#define ALWAYS_COMPLETES (PNIC_SQF_SIGNALED | PNIC_SQF_QUIET)

static bool is_atomic(uint8_t op)
{
	return op == PNIC_OP_FETCH_ADD || op == PNIC_OP_COMP_SWAP;
}

static bool carries_payload(uint8_t op)
{
	return (op >= PNIC_OP_SEND && op <= PNIC_OP_WRITE_IMM) || op == PNIC_OP_WRITE_SIGNAL;
}

static uint32_t slots_needed(const struct pnic_sqe *s)
{
	uint32_t len = le32toh(s->length), own = s->opcode == PNIC_OP_WRITE_SIGNAL ? 2 : 1;

	if (s->flags & PNIC_SQF_INLINE)
		return own + (len > PNIC_SQE_INLINE_BASE
				    ? ((uint64_t)len - PNIC_SQE_INLINE_BASE + PNIC_SLOT_SIZE - 1) /
					      PNIC_SLOT_SIZE
				    : 0);
	return s->num_sge < 2 ? own : own + (s->num_sge + 1) / 2;
}

static bool known(const struct pm_card *c, const struct pnic_sqe *s)
{
	uint8_t flags = FLAGS_ALL | (pm_card_can(c, PNIC_CAP_LO_QUIET) ? PNIC_SQF_QUIET : 0);

	if (s->flags & ~flags)
		return false;
	return s->opcode <= PNIC_OP_FLUSH ||
	       (s->opcode == PNIC_OP_WRITE_SIGNAL && pm_card_can(c, PNIC_CAP_LO_SIGNAL));
}

static bool well_formed(const struct pm_card *c, const struct pnic_sqe *s)
{
	if (!known(c, s) || s->num_sge > PNIC_SQE_MAX_SGE)
		return false;
	if (s->flags & PNIC_SQF_INLINE && (!carries_payload(s->opcode) || s->num_sge > 1))
		return false;
	if (slots_needed(s) != s->num_slots)
		return false;
	if (s->opcode == PNIC_OP_NOP || s->opcode == PNIC_OP_FLUSH)
		return s->num_sge <= 1 && !s->length;
	if (is_atomic(s->opcode) && s->num_sge > 1)
		return false;
	return !(le32toh(s->dest_nic) >> 24) && !(le32toh(s->dest_ep) >> 24);
}

static bool take_list(struct pm_msg *m, const uint8_t *raw, unsigned int n)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct pnic_sge sge;

		memcpy(&sge, raw + PNIC_SLOT_SIZE + i * sizeof(sge), sizeof(sge));
		if (sge.rsvd[0] || sge.rsvd[1] || sge.rsvd[2])
			return false;
		m->sg[i].addr = le64toh(sge.addr);
		m->sg[i].key = le64toh(sge.key);
		m->sg[i].len = le32toh(sge.length);
		sum += m->sg[i].len;
	}
	m->nsg = n;
	return sum == m->len;
}

/* The last slot of a WRITE_SIGNAL. */
static uint8_t take_signal(struct pm_msg *m, const struct pnic_sqe *s, const uint8_t *raw)
{
	struct pnic_signal sig;
	unsigned int i;

	memcpy(&sig, raw + (s->num_slots - 1) * PNIC_SLOT_SIZE, sizeof(sig));
	if (sig.op > PNIC_SIGNAL_SET)
		return PNIC_ST_BAD_DESC;
	for (i = 0; i < sizeof(sig.rsvd); i++) {
		if (sig.rsvd[i])
			return PNIC_ST_BAD_DESC;
	}
	m->cmp = le64toh(sig.addr);
	m->sig_key = le64toh(sig.key);
	m->imm = le64toh(sig.value);
	m->sig_op = sig.op;
	return m->cmp & 7 ? PNIC_ST_ALIGN : PNIC_ST_OK;
}

static uint8_t judge(struct pm_msg *m, const struct pnic_sqe *s, const uint8_t *raw)
{
	uint8_t st;

	if (!well_formed(m->ep->card, s))
		return PNIC_ST_BAD_DESC;
	if (s->opcode == PNIC_OP_WRITE_SIGNAL) {
		st = take_signal(m, s, raw);
		if (st)
			return st;
	}
	if (is_atomic(s->opcode)) {
		bool sized = m->len == 4 || m->len == 8;

		return sized && !(m->raddr & (m->len - 1)) ? PNIC_ST_OK : PNIC_ST_ALIGN;
	}
	if (s->flags & PNIC_SQF_INLINE) {
		m->inlined = true;
		memcpy(m->data, raw + offsetof(struct pnic_sqe, local_addr), m->len);
		return PNIC_ST_OK;
	}
	if (s->num_sge > 1)
		return take_list(m, raw, s->num_sge) ? PNIC_ST_OK : PNIC_ST_BAD_DESC;
	m->sg[0].addr = le64toh(s->local_addr);
	m->sg[0].key = le64toh(s->local_key);
	m->sg[0].len = m->len;
	m->nsg = 1;
	return PNIC_ST_OK;
}

static void append(struct pm_ep *ep, struct pm_msg *m)
{
	if (ep->tail && ep->head)
		ep->tail->next = m;
	else
		ep->head = m;
	ep->tail = m;
	if (!ep->next)
		ep->next = m;
	ep->nmsgs++;
}

/* A message of the card's own, to be sent next. */
void pm_sq_insert(struct pm_ep *ep, struct pm_msg *m)
{
	struct pm_msg *before = ep->next, *prev = NULL, *i;

	if (!before) {
		append(ep, m);
		return;
	}
	for (i = ep->head; i != before; i = i->next)
		prev = i;
	m->next = before;
	if (prev)
		prev->next = m;
	else
		ep->head = m;
	ep->next = m;
	ep->nmsgs++;
}

static struct pm_msg *make(struct pm_ep *ep, const struct pnic_sqe *s)
{
	struct pm_msg *m = pm_msg_new(ep->card, PM_MSG_TX);

	if (!m)
		return NULL;
	m->ep = ep;
	m->opcode = s->opcode;
	m->flags = s->flags;
	m->cookie = le64toh(s->cookie);
	m->len = le32toh(s->length);
	m->dst_nic = le32toh(s->dest_nic) & PNIC_CQE_LOW24;
	m->dst_ep = le32toh(s->dest_ep) & PNIC_CQE_LOW24;
	m->raddr = le64toh(s->remote_addr);
	m->rkey = le64toh(s->remote_key);
	m->imm = le64toh(s->imm);
	m->cmp = le64toh(s->local_addr);
	return m;
}

static bool read_slot(struct pm_ep *ep, uint32_t index, uint8_t *to)
{
	return pm_dma_read(ep->card, ep->sq_base + (uint64_t)(index & ep->sq_mask) * PNIC_SLOT_SIZE,
			   to, PNIC_SLOT_SIZE);
}

/*
 * Copies the descriptor at sq_fetch. 0: host memory failed; over 5: it doesn't say how long it is.
 */
static unsigned int read_descriptor(struct pm_ep *ep, uint8_t *raw)
{
	unsigned int i, n;

	if (!read_slot(ep, ep->sq_fetch, raw))
		return 0;
	n = raw[offsetof(struct pnic_sqe, num_slots)];
	if (!n || n > PNIC_SQE_MAX_SLOTS || n > ep->sq_pi - ep->sq_fetch)
		return PNIC_SQE_MAX_SLOTS + 1;
	for (i = 1; i < n; i++) {
		if (!read_slot(ep, ep->sq_fetch + i, raw + i * PNIC_SLOT_SIZE))
			return 0;
	}
	return n;
}

static bool fetch_one(struct pm_ep *ep)
{
	uint8_t raw[RAW_MAX];
	struct pnic_sqe sqe;
	struct pm_msg *m;
	unsigned int n;

	n = read_descriptor(ep, raw);
	if (!n) {
		pm_ep_die(ep, PNIC_ST_DMA_FAULT);
		return false;
	}
	memcpy(&sqe, raw, sizeof(sqe));
	m = make(ep, &sqe);
	if (!m) {
		pm_ep_die(ep, PNIC_ST_FATAL);
		return false;
	}
	ep->card->wqes++;
	if (n > PNIC_SQE_MAX_SLOTS) {
		ep->unreadable = true;
		m->judged = PNIC_ST_OVERRUN;
	} else {
		ep->sq_fetch += n;
		m->judged = judge(m, &sqe, raw);
	}
	m->ci_after = ep->sq_fetch;
	append(ep, m);
	return true;
}

static bool may_fetch(const struct pm_ep *ep)
{
	unsigned int window = ep->card->msgs_live < PM_MSGS_PLENTY ? PM_EP_WINDOW
								   : PM_EP_WINDOW_MIN;

	return ep->state != PM_EP_DEAD && !ep->unreadable && ep->sq_fetch != ep->sq_pi &&
	       ep->nmsgs < window && !(ep->long_way && ep->sq_fetch == ep->long_end);
}

void pm_sq_fetch(struct pm_ep *ep)
{
	while (may_fetch(ep) && fetch_one(ep))
		;
}

bool pm_sq_has_work(const struct pm_ep *ep)
{
	return ep->next || may_fetch(ep) || (ep->owes && ep->state != PM_EP_DEAD);
}

/* What a counter takes a transfer for, 0: not for anything. */
static uint16_t kind(uint8_t op)
{
	switch (op) {
	case PNIC_OP_SEND:
	case PNIC_OP_SEND_IMM:
		return PNIC_CTR_SEND;
	case PNIC_OP_WRITE:
	case PNIC_OP_WRITE_IMM:
	case PNIC_OP_WRITE_SIGNAL:
		return PNIC_CTR_WRITE;
	case PNIC_OP_READ:
		return PNIC_CTR_READ;
	case PNIC_OP_FETCH_ADD:
	case PNIC_OP_COMP_SWAP:
		return PNIC_CTR_ATOMIC;
	default:
		return 0;
	}
}

void pm_sq_post_done(struct pm_ep *ep, const struct pnic_sqe *s, uint32_t ci_after)
{
	struct pnic_cqe e = {
		.cookie = s->cookie,
		.length = s->length,
		.nic_op = htole32(le32toh(s->dest_nic) | (uint32_t)s->opcode << PNIC_CQE_HIGH_SHIFT),
		.peer_status = htole32(ci_after & PNIC_CQE_LOW24),
		.ep_flags = htole32(ep->epn | (s->flags & PNIC_SQF_SIGNALED ? 0 : PNIC_CQE_QUIET)),
	};

	pm_cq_post(ep->scq, &e);
}

static void complete(struct pm_ep *ep, const struct pm_msg *m)
{
	bool quiet = !m->status && !(m->flags & PNIC_SQF_SIGNALED);
	struct pnic_cqe e = {
		.cookie = htole64(m->cookie),
		.data = htole64(m->status ? 0 : m->result),
		.length = htole32(m->status ? 0 : m->len),
		.nic_op = htole32(m->dst_nic | (uint32_t)m->opcode << PNIC_CQE_HIGH_SHIFT),
		.peer_status = htole32((m->ci_after & PNIC_CQE_LOW24) |
				       (uint32_t)m->status << PNIC_CQE_HIGH_SHIFT),
		.ep_flags = htole32(ep->epn | (quiet ? PNIC_CQE_QUIET : 0)),
	};

	if (m->asks)
		return;
	if (m->status || m->flags & ALWAYS_COMPLETES)
		pm_cq_post(ep->scq, &e);
	if (kind(m->opcode))
		pm_ctr_count(ep, kind(m->opcode), !m->status);
}

/* Writes the completions of what is over, in ring order. */
void pm_sq_retire(struct pm_ep *ep)
{
	struct pm_msg *m;

	while ((m = ep->head) && m->done) {
		complete(ep, m);
		ep->head = m->next;
		ep->nmsgs--;
		pm_msg_put(ep->card, m);
	}
	if (ep->long_way && !m && (int32_t)(ep->sq_fetch - ep->long_end) >= 0)
		ep->long_way = false;
	if (pm_sq_has_work(ep))
		pm_tx_kick(ep);
}

static void flush_unread(struct pm_ep *ep)
{
	struct pnic_sqe sqe;
	unsigned int n;

	while (ep->sq_fetch != ep->sq_pi) {
		uint8_t raw[PNIC_SLOT_SIZE];
		struct pm_msg m = { .status = PNIC_ST_FLUSHED };

		if (!read_slot(ep, ep->sq_fetch, raw))
			return;
		memcpy(&sqe, raw, sizeof(sqe));
		n = sqe.num_slots;
		if (!n || n > PNIC_SQE_MAX_SLOTS || n > ep->sq_pi - ep->sq_fetch)
			return;
		ep->sq_fetch += n;
		m.cookie = le64toh(sqe.cookie);
		m.dst_nic = le32toh(sqe.dest_nic) & PNIC_CQE_LOW24;
		m.opcode = sqe.opcode;
		m.ci_after = ep->sq_fetch;
		complete(ep, &m);
	}
}

/* RESET_EP: everything in the ring is over now. */
void pm_sq_flush(struct pm_ep *ep)
{
	struct pm_msg *m;

	for (m = ep->head; m; m = m->next) {
		if (m->done)
			continue;
		if (pm_msg_on_wire(m))
			pm_tx_abort(m);
		pm_msg_finish(m, PNIC_ST_FLUSHED);
	}
	ep->next = NULL;
	ep->owes = false;
	ep->long_way = false;
	pm_sq_retire(ep);
	if (!ep->unreadable)
		flush_unread(ep);
	pm_list_del(&ep->run);
}
