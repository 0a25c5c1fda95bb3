// SPDX-License-Identifier: GPL-2.0
/*
 * The other NICs as this one knows them: resets, and a link that is down for too long.
 *
 * Each NIC counts its resets (incarnations); every frame carries the sender's count, requests also
 * the one they were meant for, and a reset is announced. Called by the port's owner (fabric.c) and
 * by rx.c.
 */
#include "card_priv.h"

#define RETRY_NS	10000000ull

static bool meant(const struct pm_card *c, const struct pm_msg *m, uint32_t nic, uint64_t before)
{
	if (!pm_msg_on_wire(m) || m->began > before)
		return false;
	if (nic)
		return m->dst_nic == nic;
	return m->dst_nic != c->addr || !pm_fabric_loops(c->fabric);
}

/* Ends the transfers to @nic (0: all) that began at @before or earlier. */
void pm_peer_fail(struct pm_card *c, uint32_t nic, uint8_t status, uint64_t before)
{
	struct pm_list *l;

	for (l = c->eps.next; l != &c->eps; l = l->next) {
		struct pm_ep *ep = pm_container(l, struct pm_ep, all);
		struct pm_msg *m;

		for (m = ep->head; m; m = m->next) {
			if (!meant(c, m, nic, before))
				continue;
			if (status != PNIC_ST_PEER_RESET)
				pm_tx_abort(m);
			pm_msg_finish(m, status);
		}
		pm_sq_retire(ep);
	}
}

/* A frame of @nic in its incarnation @inc: is it news? */
void pm_peer_seen(struct pm_card *c, uint32_t nic, uint32_t inc)
{
	uint32_t i = nic - PM_NIC_ADDR_FIRST;

	if (i == c->index || (int32_t)(inc - c->peer_inc[i]) <= 0)
		return;
	c->peer_inc[i] = inc;
	pm_flow_drop_peer(c, nic);
	pm_peer_fail(c, nic, PNIC_ST_PEER_RESET, UINT64_MAX);
}

void pm_peer_announce(struct pm_card *c)
{
	struct pm_wire w = { .type = PM_W_RESET, .src_inc = c->inc };

	pm_tx_ctl(c, pm_tx_frame(c, &w, PM_NIC_ADDR_ALL));
}

static void retry(void *arg, uint64_t now)
{
	struct pm_card *c = arg;
	struct pm_frame *f;

	(void)now;
	while ((f = pm_fq_pop(&c->retry)))
		pm_tx_ctl(c, f);
}

/*
 * The link gave a frame up. A request ends its transfer; what answers another NIC's request is
 * tried again, else that NIC might wait for ever.
 */
void pm_peer_flushed(struct pm_card *c, struct pm_frame *f)
{
	struct pm_wire w;
	struct pm_msg *m;

	pm_wire_get(&w, f);
	if (w.type == PM_W_REQ) {
		m = pm_msg_find(c, w.msg);
		if (m) {
			struct pm_ep *ep = m->ep;

			pm_tx_abort(m);
			pm_msg_finish(m, PNIC_ST_LINK);
			pm_sq_retire(ep);
		}
		pm_frame_free(f);
		return;
	}
	if (w.type == PM_W_DATA) {
		w.type = PM_W_RSP;
		w.status = PNIC_ST_LINK;
		f->payload_len = 0;
		f->is_inline = true;
		pm_wire_set(f, &w);
	}
	pm_fq_push(&c->retry, f);
	pm_sim_at(c->sim, &c->retry_timer, pm_sim_now(c->sim) + RETRY_NS);
}

static uint64_t data_age(const struct pm_card *c)
{
	return pm_port_config(c->port)->data_age_ms * 1000000ull;
}

/*
 * While the link is down: transfers that had their time end, also those whose answer is what can't
 * come.
 */
static void aged(void *arg, uint64_t now)
{
	struct pm_card *c = arg;
	uint64_t age = data_age(c);

	if (pm_port_state(c->port) == PNIC_LINK_UP || c->down_since == UINT64_MAX)
		return;
	if (!c->frozen && !(c->status & PNIC_STATUS_FATAL) && now >= age &&
	    now - c->down_since >= age)
		pm_peer_fail(c, 0, PNIC_ST_LINK, now - age);
	pm_sim_at(c->sim, &c->age_timer, now + age / 4);
}

static void link_state(struct pm_card *c, const struct pm_link_event *ev)
{
	if (ev->state == PNIC_LINK_UP) {
		c->down_since = UINT64_MAX;
		pm_sim_cancel(c->sim, &c->age_timer);
	} else if (c->down_since == UINT64_MAX) {
		c->down_since = pm_sim_now(c->sim);
		pm_sim_at(c->sim, &c->age_timer, c->down_since + data_age(c));
	}
}

static uint64_t rate_kbps(struct pm_card *c)
{
	struct pnic_link_info info;

	memset(&info, 0, sizeof(info));
	pm_port_peek(c->port, &info);
	return 1000ull * le32toh(info.rate_tx_mbps);
}

/* News of the port, for the host's event queue. */
void pm_peer_link_event(struct pm_card *c, const struct pm_link_event *ev)
{
	if (ev->type == PM_LINK_STATE)
		link_state(c, ev);
	if (!pm_card_ready(c))
		return;
	switch (ev->type) {
	case PM_LINK_STATE:
		pm_eq_news(c, &c->news->link, PNIC_EV_LINK, ev->state, 0,
			   ev->state == PNIC_LINK_UP ? rate_kbps(c) : 0, 0);
		break;
	case PM_LINK_LANE:
		pm_eq_news(c, &c->news->lane[ev->lane][ev->cause - PNIC_LANE_CAUSE_LOS], PNIC_EV_LANE,
			   ev->cause, ev->lane, ev->data[0], ev->data[1]);
		break;
	case PM_LINK_MAP:
		pm_eq_news(c, &c->news->map[ev->dir], PNIC_EV_MAP, ev->dir, ev->generation, ev->data[0],
			   ev->data[1]);
		break;
	case PM_LINK_MGMT:
		pm_eq_news(c, &c->news->mgmt, PNIC_EV_MGMT, 0, 0, 0, 0);
		break;
	}
}

void pm_peer_init(struct pm_card *c)
{
	unsigned int i;

	c->inc = 1;
	for (i = 0; i < PM_MAX_NICS; i++)
		c->peer_inc[i] = 1;
	c->down_since = UINT64_MAX;
	pm_event_init(&c->retry_timer, retry, c, true);
	pm_event_init(&c->age_timer, aged, c, true);
	if (pm_port_state(c->port) != PNIC_LINK_UP) {
		c->down_since = pm_sim_now(c->sim);
		pm_sim_at(c->sim, &c->age_timer, c->down_since + data_age(c));
	}
}
