// SPDX-License-Identifier: GPL-2.0
/*
 * Trains: writes and reads on a quiet line.
 *
 * Mostly the line is idle and both cards are well. Then nothing comes between the descriptors of an
 * endpoint and their completions, and they are carried out at once: a train of transfers, without
 * messages, frames and events. The same is checked, copied, counted and completed as the long way round
 * (sq.c, tx.c, rx.c, rsp.c), and the link books the same frames (quiet.c). Whatever is out of the
 * ordinary, be it a descriptor that isn't a plain write or read of one piece, a check that fails, a
 * codeword that can't be corrected or a timer that comes first, does not get on the train, and goes the
 * long way. Called by tx.c in an endpoint's turn.
 */
#include "card_priv.h"

#define BYTES_MAX	(1u << 20)	/* of a train: the card looks at nothing else meanwhile */

_Static_assert(offsetof(struct pnic_sqe, local_addr) + PNIC_SQE_INLINE_BASE <= PNIC_SLOT_SIZE, "in one slot");

struct train {
	struct pm_ep *ep;
	struct pm_item item[PM_LAZY_RUN];
	unsigned int n;
	bool big;			/* not of inline writes only */
	bool followed;			/* by more that is for the line at once */
	/* The card at the other end, its endpoint, and how the descriptors name these. */
	struct pm_card *far;
	struct pm_ep *far_ep;
	uint32_t nic, epn;
	/* Slots of the ring that lie together from here on. */
	const uint8_t *slot;
	size_t slots;
	/* The last inline write's memory, and bytes that lie together from there on. */
	struct {
		uint64_t key, at;
		uint8_t *to;
		size_t room;
	} place;
};

static inline bool is_well(const struct pm_card *c)
{
	return !c->frozen && !(c->status & PNIC_STATUS_FATAL) && !c->evil.kinds;
}

static inline bool may_ride(const struct pm_ep *ep)
{
	const struct pm_card *c = ep->card;

	return !ep->head && !ep->long_way && ep->state == PM_EP_RUN && !ep->unreadable && !ep->owes &&
	       ep->sq_fetch != ep->sq_pi && !c->fabric->sw && !c->fabric->cfg.long_way && !c->ctl.len &&
	       !c->port_full && is_well(c);
}

/* A write or read in one slot, and all fields right that sq.c would look at. */
static inline bool is_plain(const struct pm_card *c, const struct pm_item *it)
{
	const struct pnic_sqe *s = &it->sqe;
	uint8_t flags = PNIC_SQF_SIGNALED | (pm_card_can(c, PNIC_CAP_LO_QUIET) ? PNIC_SQF_QUIET : 0);

	if (s->num_slots != 1 || s->num_sge > 1 || !it->len)
		return false;
	if (s->opcode == PNIC_OP_WRITE && s->flags & PNIC_SQF_INLINE)
		return !(s->flags & ~(flags | PNIC_SQF_INLINE)) && it->len <= PNIC_SQE_INLINE_BASE;
	return (s->opcode == PNIC_OP_WRITE || s->opcode == PNIC_OP_READ) && !(s->flags & ~flags) &&
	       it->len <= BYTES_MAX;
}

static bool find_far(struct train *t, const struct pnic_sqe *s)
{
	uint32_t i = le32toh(s->dest_nic) - PM_NIC_ADDR_FIRST, epn = le32toh(s->dest_ep);
	struct pm_card *c = t->ep->card, *r;

	if (i >= pm_fabric_nics(c->fabric) || i == c->index || epn >> 24)
		return false;
	r = c->fabric->card[i];
	/* One that has heard of a reset, or has yet to, has more to do than this. */
	if (!is_well(r) || r->inc != c->peer_inc[i] || c->inc != r->peer_inc[c->index])
		return false;
	t->far = r;
	t->nic = s->dest_nic;
	t->epn = s->dest_ep;
	t->far_ep = pm_ep_find(r, epn);
	return t->far_ep && t->far_ep->state != PM_EP_DEAD && t->far_ep->ctx->partition == t->ep->ctx->partition &&
	       !pm_flow_find(r, c->addr, t->ep->epn, epn) && pm_port_quiet(c->port);
}

static inline bool is_read(const struct pm_item *it)
{
	return it->sqe.opcode == PNIC_OP_READ;
}

static inline struct pm_access far_access(const struct train *t, const struct pm_item *it)
{
	return (struct pm_access){
		.remote = true, .partition = t->ep->ctx->partition,
		.rights = is_read(it) ? PNIC_MR_REMOTE_READ : PNIC_MR_REMOTE_WRITE,
	};
}

static inline struct pm_access own_access(const struct train *t, const struct pm_item *it)
{
	return (struct pm_access){
		.ctx = t->ep->ctx, .rights = is_read(it) ? PNIC_MR_LOCAL_WRITE : PNIC_MR_LOCAL_READ,
	};
}

static inline struct pm_sg far_sg(const struct pm_item *it)
{
	return (struct pm_sg){
		.addr = le64toh(it->sqe.remote_addr), .key = le64toh(it->sqe.remote_key), .len = it->len,
	};
}

static inline struct pm_sg own_sg(const struct pm_item *it)
{
	return (struct pm_sg){
		.addr = le64toh(it->sqe.local_addr), .key = le64toh(it->sqe.local_key), .len = it->len,
	};
}

/* Where an inline write goes: all of it at one place, mostly near the last one. */
static inline bool find_place(struct train *t, struct pm_item *it)
{
	struct pm_sg sg = far_sg(it);
	struct pm_access far;
	uint64_t off = sg.addr - t->place.at;

	if (sg.key != t->place.key || off > t->place.room || sg.len > t->place.room - off) {
		far = far_access(t, it);
		t->place.to = pm_mr_place(t->far, &far, &sg, &t->place.room);
		t->place.at = sg.addr;
		t->place.key = sg.key;
		if (!t->place.to)
			t->place.room = 0;
		if (sg.len > t->place.room)
			return false;
		off = 0;
	}
	it->to = t->place.to + off;
	return true;
}

/* Whether its memory may be touched as it asks for. */
static bool find_memory(struct train *t, struct pm_item *it)
{
	struct pm_access far, own;
	struct pm_sg far_is, own_is;

	if (it->sqe.flags & PNIC_SQF_INLINE)
		return find_place(t, it);
	far = far_access(t, it);
	far_is = far_sg(it);
	own = own_access(t, it);
	own_is = own_sg(it);
	return !pm_mr_check(t->ep->card, &own, &own_is) && !pm_mr_check(t->far, &far, &far_is);
}

static bool wants_line(const struct pm_card *c)
{
	return !pm_list_empty(&c->run) || !pm_list_empty(&c->jobs_run);
}

/*
 * What an item may take of the line after @bytes of the train: no more than a turn lasts if others
 * wait for the same direction.
 */
static bool is_fair(const struct train *t, const struct pm_item *it, uint64_t bytes)
{
	const struct pm_card *c = t->ep->card;

	bytes += it->len;
	if (bytes <= PM_LAZY_RUN * PNIC_SQE_INLINE_BASE)
		return true;
	if (bytes > BYTES_MAX)
		return false;
	return !wants_line(is_read(it) ? t->far : c) ||
	       bytes <= (uint64_t)PM_QUANTUM * pm_port_config(c->port)->frame_payload;
}

static inline bool next_slot(struct train *t, uint32_t index, uint8_t *raw)
{
	const struct pm_ep *ep = t->ep;
	uint32_t at = index & ep->sq_mask;
	size_t len;

	if (!t->slots) {
		len = ((size_t)ep->sq_mask + 1 - at) * PNIC_SLOT_SIZE;
		t->slot = pm_dma(ep->card, ep->sq_base + (uint64_t)at * PNIC_SLOT_SIZE, &len, false);
		if (!t->slot)
			return false;
		t->slots = len / PNIC_SLOT_SIZE;
		if (!t->slots)
			return pm_dma_read(ep->card, ep->sq_base + (uint64_t)at * PNIC_SLOT_SIZE, raw, PNIC_SLOT_SIZE);
	}
	memcpy(raw, t->slot, PNIC_SLOT_SIZE);
	t->slot += PNIC_SLOT_SIZE;
	t->slots--;
	return true;
}

/* Gathers the train. */
static void board(struct train *t)
{
	struct pm_ep *ep = t->ep;
	uint32_t n, max = ep->sq_pi - ep->sq_fetch;
	uint64_t bytes = 0;

	t->big = false;
	t->slots = 0;
	memset(&t->place, 0, sizeof(t->place));
	if (max > PM_QUANTUM && wants_line(ep->card))
		max = PM_QUANTUM;
	if (max > PM_LAZY_RUN)
		max = PM_LAZY_RUN;
	for (n = 0; n < max; n++) {
		struct pm_item *it = &t->item[n];

		if (!next_slot(t, ep->sq_fetch + n, it->raw))
			break;
		it->len = le32toh(it->sqe.length);
		if (!is_plain(ep->card, it) || (!n && !find_far(t, &it->sqe)))
			break;
		if (it->sqe.dest_nic != t->nic || it->sqe.dest_ep != t->epn || !is_fair(t, it, bytes) ||
		    !find_memory(t, it))
			break;
		t->big |= !(it->sqe.flags & PNIC_SQF_INLINE);
		bytes += it->len;
	}
	t->n = n;
}

/* The last one is answered, each that somebody waits for, and each that is not short: the others are lazy (tx.c). */
static inline bool is_answered(const struct train *t, unsigned int i)
{
	const struct pm_item *it = &t->item[i];

	return i + 1 == t->n || it->sqe.flags & (PNIC_SQF_SIGNALED | PNIC_SQF_QUIET) || it->len > PM_LAZY_BYTES;
}

static void add_up(const struct train *t, struct pm_trip *trip)
{
	struct pm_port *port = t->ep->card->port, *peer = pm_port_peer(port);
	uint32_t len = 0, alike = 0, answers = 0;
	unsigned int i;

	memset(&trip->there, 0, sizeof(trip->there));
	memset(&trip->back, 0, sizeof(trip->back));
	for (i = 0; i < t->n; i++) {
		const struct pm_item *it = &t->item[i];
		uint32_t there = is_read(it) ? 0 : it->len;

		if (there != len && alike) {
			pm_port_train_add(port, &trip->there, len, alike);
			alike = 0;
		}
		len = there;
		alike++;
		if (is_read(it))
			pm_port_train_add(peer, &trip->back, it->len, 1);
		else
			answers += is_answered(t, i);
	}
	pm_port_train_add(port, &trip->there, len, alike);
	if (answers)
		pm_port_train_add(peer, &trip->back, 0, answers);
}

static bool copy(const struct train *t, const struct pm_item *it)
{
	struct pm_sg far_is = far_sg(it), own_is = own_sg(it);
	struct pm_span far = { .card = t->far, .sg = &far_is, .nsg = 1, .acc = far_access(t, it) };
	struct pm_span own = { .card = t->ep->card, .sg = &own_is, .nsg = 1, .acc = own_access(t, it) };
	uint8_t to_st, from_st;

	return is_read(it) ? pm_span_copy(&own, 0, &far, 0, it->len, &to_st, &from_st) :
			     pm_span_copy(&far, 0, &own, 0, it->len, &to_st, &from_st);
}

/* What the frames would bring about. How many items: one whose memory fails goes the long way. */
static unsigned int carry(const struct train *t)
{
	unsigned int i;

	for (i = 0; i < t->n; i++) {
		const struct pm_item *it = &t->item[i];

		if (it->sqe.flags & PNIC_SQF_INLINE)
			pm_span_store(it->to, it->raw + offsetof(struct pnic_sqe, local_addr), it->len);
		else if (!copy(t, it))
			break;
	}
	return i;
}

/*
 * Somebody has more for the line at once, so that its clock needn't wait for the last answer. A look at doorbells
 * may itself send something.
 */
static bool is_followed(const struct train *t)
{
	struct pm_ep *ep = t->ep;
	bool all_seen;

	if (ep->sq_pi != ep->sq_fetch + t->n)
		return true;
	if (!t->big)
		return false;
	pm_db_scan(t->far, &all_seen);
	return wants_line(t->far) || wants_line(ep->card);
}

/* Gathers a train and carries it. */
static bool depart(struct train *t, struct pm_trip *trip)
{
	struct pm_ep *ep = t->ep;
	unsigned int tries, n;

	for (tries = 0; tries < 2 && may_ride(ep); tries++) {
		board(t);
		if (!t->n)
			return false;
		add_up(t, trip);
		if (pm_port_plan(ep->card->port, trip)) {
			n = carry(t);
			/* A shorter train meets no more than the whole one would have. */
			if (n < t->n) {
				t->n = n;
				add_up(t, trip);
				if (!n || !pm_port_plan(ep->card->port, trip))
					break;
			}
			pm_port_travel(ep->card->port, trip);
			t->followed = is_followed(t);
			pm_port_arrive(ep->card->port, trip, t->followed);
			/* The line is taken beyond the clock: nothing like what was kept. */
			ep->card->fabric->epoch += t->followed;
			return true;
		}
		/* Timers. They may change anything, so all is looked at anew. */
		if (!trip->until)
			break;
		pm_sim_clear(ep->card->sim, trip->until);
	}
	/* Else none would go this way any more, as some message would always be under way. */
	ep->long_way = ep->sq_fetch != ep->sq_pi && !ep->head;
	ep->long_end = ep->sq_fetch + 1;
	return false;
}

static inline void complete(struct pm_ep *ep, struct pm_ep *far_ep, const struct pm_item *it)
{
	bool read = is_read(it);

	if (!read)
		pm_ctr_count(far_ep, PNIC_CTR_REMOTE_WRITE, true);
	ep->sq_fetch++;
	if (it->sqe.flags & (PNIC_SQF_SIGNALED | PNIC_SQF_QUIET))
		pm_sq_post_done(ep, &it->sqe, ep->sq_fetch);
	pm_ctr_count(ep, read ? PNIC_CTR_READ : PNIC_CTR_WRITE, true);
}

static unsigned int run(struct train *t, struct pm_trip *trip)
{
	struct pm_ep *ep = t->ep;
	unsigned int i;

	if (!may_ride(ep) || !depart(t, trip))
		return 0;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	t->far->turns++;
	ep->card->wqes += t->n;
	ep->lazy_run = 0;
	for (i = 0; i < t->n; i++)
		complete(ep, t->far_ep, &t->item[i]);
	return t->n;
}

unsigned int pm_train_run(struct pm_ep *ep)
{
	struct pm_trip trip;
	struct train t;

	t.ep = ep;
	return run(&t, &trip);
}

/* --- the same again ---- */

static bool keep_ring(struct pm_again *again, const struct pm_ep *ep)
{
	size_t size = ((size_t)ep->sq_mask + 1) * PNIC_SLOT_SIZE, len = size;

	again->ring = pm_dma(ep->card, ep->sq_base, &len, false);
	return again->ring && len == size;
}

bool pm_train_first(struct pm_ep *ep)
{
	struct pm_again *again = &ep->again;
	struct pm_trip trip;
	struct train t;

	t.ep = ep;
	if (!run(&t, &trip))
		return false;
	again->epoch = 0;
	if (t.n != 1 || t.big || t.followed || !keep_ring(again, ep))
		return true;
	again->at = t.place.at;
	again->room = t.place.room - t.item[0].len;
	again->far = t.far;
	again->far_ep = t.far_ep;
	again->item = t.item[0];
	again->epoch = ep->card->fabric->epoch;
	pm_port_keep(ep->card->port, &trip);
	return true;
}

static inline uint64_t word(const uint8_t *slot, size_t off)
{
	return __atomic_load_n((const uint64_t *)(const void *)(slot + off), __ATOMIC_RELAXED);
}

#define WORD(slot, field)	word(slot, offsetof(struct pnic_sqe, field))

/* From the ring itself, each word once: the host may write there at any time. */
bool pm_train_again(struct pm_ep *ep)
{
	const uint64_t signaled = htole64((uint64_t)PNIC_SQF_SIGNALED << 8 * offsetof(struct pnic_sqe, flags));
	const uint8_t *slot, *was = (const uint8_t *)&ep->again.item.sqe;
	struct pm_again *again = &ep->again;
	struct pm_card *c = ep->card;
	uint64_t head, off, data[2];

	if (again->epoch != c->fabric->epoch || ep->sq_pi - ep->sq_fetch != 1)
		return false;
	slot = again->ring + (size_t)(ep->sq_fetch & ep->sq_mask) * PNIC_SLOT_SIZE;
	head = WORD(slot, opcode);
	off = le64toh(WORD(slot, remote_addr)) - again->at;
	if ((head ^ WORD(was, opcode)) & ~signaled || WORD(slot, dest_nic) != WORD(was, dest_nic) ||
	    WORD(slot, remote_key) != WORD(was, remote_key) || off > again->room ||
	    !pm_port_again(c->port, again->item.len))
		return false;
	data[0] = WORD(slot, local_addr);
	data[1] = WORD(slot, local_key);
	pm_span_store((uint8_t *)again->item.to + off, data, again->item.len);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	again->far->turns++;
	c->wqes++;
	memcpy(&again->item.sqe, &head, sizeof(head));
	again->item.sqe.cookie = WORD(slot, cookie);
	complete(ep, again->far_ep, &again->item);
	return true;
}
