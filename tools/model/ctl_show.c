// SPDX-License-Identifier: GPL-2.0
/* The control commands that only look; see ctl.h. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

/* The whole lane table of one direction, or a map, as the card would write it to the host. */
#define TABLE_MAX	(sizeof(struct pnic_lane_table) + PNIC_LANES_MAX * sizeof(struct pnic_lane_rec))

static uint8_t table[TABLE_MAX];

static void put_uint(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer(v));
}

static const char *link_state(unsigned int state)
{
	static const char *const names[] = { "down", "up", "disabled" };

	return state < 3 ? names[state] : "unknown";
}

static const char *lane_state(unsigned int state)
{
	static const char *const names[] = { "spare", "active", "staged", "lost", "off" };

	return state < 5 ? names[state] : "unknown";
}

static const struct pnic_lane_rec *rx_lanes(struct pm_port *p, unsigned int *count)
{
	const struct pnic_lane_table *t = (const void *)table;

	*count = pm_port_lane_table(p, PNIC_DIR_RX, table, sizeof(table)) ? le16toh(t->count) : 0;
	return (const void *)(t + 1);
}

static void put_lane_sums(json_t *o, struct pm_port *p)
{
	const struct pnic_lane_rec *r;
	unsigned int i, n, spares = 0, failed = 0;

	r = rx_lanes(p, &n);
	for (i = 0; i < n; i++) {
		spares += r[i].state == PNIC_LANE_IDLE && !(r[i].flags & PNIC_LANEF_SER);
		failed += r[i].state == PNIC_LANE_LOS;
	}
	put_uint(o, "spares", spares);
	put_uint(o, "failed", failed);
}

static void put_link(json_t *o, struct pm_port *p)
{
	struct pnic_link_info l;

	pm_port_peek(p, &l);
	json_object_set_new(o, "state", json_string(link_state(l.state)));
	put_uint(o, "width", le16toh(l.width_tx));
	put_uint(o, "width_rx", le16toh(l.width_rx));
	put_lane_sums(o, p);
	put_uint(o, "margin", le16toh(l.margin));
	put_uint(o, "margin_erasure", le16toh(l.margin_erasure));
	put_uint(o, "margin_min", le16toh(l.margin_min));
	put_uint(o, "rate_mbps", le32toh(l.rate_tx_mbps));
	put_uint(o, "rate_rx_mbps", le32toh(l.rate_rx_mbps));
	put_uint(o, "generation", le32toh(l.gen_tx));
	put_uint(o, "gen_rx", le32toh(l.gen_rx));
	put_uint(o, "staged", le32toh(l.staged_tx));
	put_uint(o, "staged_rx", le32toh(l.staged_rx));
}

static void put_hist(json_t *o, const struct pnic_counters *k)
{
	json_t *hist = json_array();
	unsigned int i;

	for (i = 0; i < 16; i++)
		json_array_append_new(hist, json_integer(le64toh(k->hist[i])));
	json_object_set_new(o, "hist", hist);
}

static void put_link_counters(json_t *o, const struct pnic_counters *k)
{
	put_uint(o, "remaps", le64toh(k->map_switches_rx) + le64toh(k->map_switches_tx));
	put_uint(o, "remaps_rx", le64toh(k->map_switches_rx));
	put_uint(o, "link_downs", le64toh(k->link_downs));
	put_uint(o, "frames_tx", le64toh(k->frames_tx));
	put_uint(o, "frames_rx", le64toh(k->frames_rx));
	put_uint(o, "frames_replayed", le64toh(k->frames_replayed));
	put_uint(o, "frames_crc_bad", le64toh(k->frames_crc_bad));
	put_uint(o, "frames_dropped", le64toh(k->frames_dropped));
	put_uint(o, "payload_bytes", le64toh(k->payload_tx));
	put_uint(o, "payload_bytes_rx", le64toh(k->payload_rx));
	put_uint(o, "line_bits", le64toh(k->line_bits_tx));
	put_uint(o, "codewords", le64toh(k->codewords_rx));
	put_uint(o, "codewords_corrected", le64toh(k->codewords_corrected));
	put_uint(o, "codewords_uncorrectable", le64toh(k->codewords_uncorrectable));
	put_uint(o, "symbols_corrected", le64toh(k->symbols_corrected));
	put_hist(o, k);
	put_uint(o, "mgmt_tx", le64toh(k->mgmt_tx));
	put_uint(o, "mgmt_rx", le64toh(k->mgmt_rx));
	put_uint(o, "mgmt_lost", le64toh(k->mgmt_lost));
}

static void put_standby(json_t *o, const struct pm_port *p)
{
	struct pm_standby_stats s;

	pm_port_standby_stats(p, &s);
	put_uint(o, "standby_switches", s.switches_tx);
	put_uint(o, "standby_switches_rx", s.switches_rx);
	put_uint(o, "standby_requests", s.requests);
	put_uint(o, "standby_requests_rx", s.requests_rx);
	put_uint(o, "standby_ignored", s.ignored);
	put_uint(o, "standby_given_up", s.given_up);
}

static json_t *nic_counters(struct ctl_call *c, unsigned int i)
{
	struct nic *n = &c->server->nics[i];
	struct pnic_counters k = {};
	json_t *o = json_object();

	pm_card_counters(n->card, &k);
	put_uint(o, "nic", i);
	put_uint(o, "addr", pm_card_addr(n->card));
	put_link(o, pm_card_port(n->card));
	put_link_counters(o, &k);
	put_standby(o, pm_card_port(n->card));
	put_uint(o, "wqes", le64toh(k.wqes));
	put_uint(o, "cqes", le64toh(k.cqes));
	put_uint(o, "doorbells", le64toh(k.doorbells));
	put_uint(o, "interrupts", le64toh(k.interrupts));
	put_uint(o, "interrupts_sent", n->irq.sent);
	put_uint(o, "resets", n->resets);
	put_uint(o, "dma_refused", n->dma_refused);
	put_uint(o, "dma_ranges", n->dma.n);
	json_object_set_new(o, "gone", json_boolean(n->gone));
	put_uint(o, "sim_ns", pm_sim_now(pm_fabric_sim(c->server->fabric)));
	return o;
}

static json_t *switch_counters(struct ctl_call *c, unsigned int i)
{
	struct pm_port *p = pm_fabric_switch_port(c->server->fabric, i);
	struct pnic_counters k = {};
	json_t *o;

	if (!p)
		return NULL;
	o = json_object();
	pm_port_counters(p, &k);
	put_uint(o, "nic", i);
	put_link(o, p);
	put_link_counters(o, &k);
	put_standby(o, p);
	return o;
}

/* Of one NIC if it is named, else of all, with the switch's ports behind. */
static bool do_counters(struct ctl_call *c)
{
	unsigned int i, first = 0, end = c->server->num_nics;
	json_t *nics = json_array(), *ports = json_array();

	if (c->nic_given) {
		first = c->nic->index;
		end = first + 1;
	}
	for (i = first; i < end; i++) {
		json_array_append_new(nics, nic_counters(c, i));
		json_array_append_new(ports, switch_counters(c, i));
	}
	put_uint(c->reply, "clock_ns", pm_sim_now(pm_fabric_sim(c->server->fabric)));
	json_object_set_new(c->reply, "nics", nics);
	if (json_array_size(ports))
		json_object_set_new(c->reply, "ports", ports);
	else
		json_decref(ports);
	return true;
}

static json_t *lane_json(struct pm_port *p, const struct pnic_lane_rec *r)
{
	struct pm_lane_truth t = {};
	json_t *o = json_object();

	pm_lane_truth(p, le16toh(r->lane), &t);
	put_uint(o, "lane", le16toh(r->lane));
	put_uint(o, "x", r->x);
	put_uint(o, "y", r->y);
	json_object_set_new(o, "state", json_string(lane_state(r->state)));
	json_object_set_new(o, "logical", le16toh(r->logical) == PNIC_LANE_NONE ? json_null() :
			    json_integer(le16toh(r->logical)));
	json_object_set_new(o, "power_db", json_real(t.power_db));
	json_object_set_new(o, "ber", json_real(t.ber));
	put_uint(o, "sym_errors", le64toh(r->sym_errors));
	json_object_set_new(o, "dead", json_boolean(t.dead));
	json_object_set_new(o, "age_db", json_real(t.age_db));
	json_object_set_new(o, "drift", json_real(t.drift));
	json_object_set_new(o, "hours", json_real(t.hours));
	json_object_set_new(o, "testing", json_boolean(r->flags & PNIC_LANEF_TESTING));
	json_object_set_new(o, "erased", json_boolean(r->flags & PNIC_LANEF_ERASED));
	return o;
}

static bool do_lanes(struct ctl_call *c)
{
	const struct pm_link_config *k = pm_port_config(c->port);
	const struct pnic_lane_rec *r;
	json_t *lanes = json_array();
	unsigned int i, n;

	r = rx_lanes(c->port, &n);
	for (i = 0; i < n; i++)
		json_array_append_new(lanes, lane_json(c->port, &r[i]));
	put_uint(c->reply, "nic", c->nic->index);
	put_uint(c->reply, "lanes_data", k->lanes_data);
	put_uint(c->reply, "lanes_spare", k->lanes_spare);
	put_uint(c->reply, "grid_x", k->grid_x);
	put_uint(c->reply, "grid_y", k->grid_y);
	json_object_set_new(c->reply, "lanes", lanes);
	return true;
}

/* What stands in the table as a map; of a standby plan most lanes have none. */
static json_t *map_json(void)
{
	const struct pnic_map *m = (const void *)table;
	const __le16 *phys = (const void *)(m + 1);
	json_t *o, *a;
	unsigned int i;

	o = json_object();
	a = json_array();
	put_uint(o, "generation", le32toh(m->generation));
	put_uint(o, "width", le16toh(m->width));
	for (i = 0; i < le16toh(m->width); i++)
		json_array_append_new(a, le16toh(phys[i]) == PNIC_LANE_NONE ? json_null() :
				      json_integer(le16toh(phys[i])));
	json_object_set_new(o, "phys", a);
	return o;
}

static bool do_map(struct ctl_call *c)
{
	const char *text = ctl_text(c, "dir");
	struct pm_port *p = c->port;
	int dir;

	if (!text)
		return false;
	if (strcmp(text, "rx") && strcmp(text, "tx"))
		return ctl_fail(c, "\"dir\" must be \"rx\" or \"tx\"");
	dir = strcmp(text, "rx") ? PNIC_DIR_TX : PNIC_DIR_RX;
	pm_port_map_get(p, dir, false, table, sizeof(table));
	json_object_set_new(c->reply, "active", map_json());
	json_object_set_new(c->reply, "staged",
			    pm_port_map_get(p, dir, true, table, sizeof(table)) ? map_json() :
			    json_null());
	json_object_set_new(c->reply, "standby",
			    pm_port_standby_get(p, dir, table, sizeof(table)) ? map_json() :
			    json_null());
	return true;
}

static bool do_ping(struct ctl_call *c)
{
	put_uint(c->reply, "nics", c->server->num_nics);
	put_uint(c->reply, "clock_ns", pm_sim_now(pm_fabric_sim(c->server->fabric)));
	return true;
}

static bool do_help(struct ctl_call *c)
{
	const struct ctl_command *k;
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; ctl_tables[i]; i++)
		for (k = ctl_tables[i]; k->name; k++)
			json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "cmd", k->name,
							      "keys", k->keys, "help", k->help));
	json_object_set_new(c->reply, "commands", list);
	return true;
}

const struct ctl_command ctl_show_commands[] = {
	{ "ping", do_ping, "", "is it there" },
	{ "counters", do_counters, "", "what each NIC and its link counted; one NIC if nic is given" },
	{ "lanes", do_lanes, "", "the lanes that arrive at a NIC, as the optics have them" },
	{ "map", do_map, "dir", "lane map of a direction (rx, tx): logical lane to physical lane" },
	{ "help", do_help, "", "this list" },
	{}
};
