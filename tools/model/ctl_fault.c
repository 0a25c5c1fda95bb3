// SPDX-License-Identifier: GPL-2.0
/*
 * The control commands that break and mend things; see ctl.h. ctl_optics.c has those about light.
 *
 * Each one judges all of its arguments before it changes anything.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

#define MAX_DB		200.0		/* more is dark by any measure */
#define MAX_COUNT	1000000000ull

static unsigned int num_lanes(const struct ctl_call *c)
{
	const struct pm_link_config *k = pm_port_config(c->port);

	return k->lanes_data + k->lanes_spare;
}

static bool one_lane(struct ctl_call *c, const json_t *j, uint16_t *lane)
{
	if (!json_is_integer(j) || json_integer_value(j) < 0 || json_integer_value(j) >= num_lanes(c))
		return ctl_fail(c, "\"lane\" must be a lane from 0 to %u, a list of them or \"all\"",
				num_lanes(c) - 1);
	*lane = json_integer_value(j);
	return true;
}

bool ctl_lanes(struct ctl_call *c, uint16_t *lanes, size_t *n)
{
	json_t *j = json_object_get(c->args, "lane"), *item;
	size_t i;

	if (!j)
		return ctl_fail(c, "\"lane\" is missing");
	if (json_is_string(j) && !strcmp(json_string_value(j), "all")) {
		*n = num_lanes(c);
		for (i = 0; i < *n; i++)
			lanes[i] = i;
		return true;
	}
	*n = 1;
	if (!json_is_array(j))
		return one_lane(c, j, lanes);
	*n = json_array_size(j);
	if (!*n || *n > PNIC_LANES_MAX)
		return ctl_fail(c, "\"lane\" must list 1 to %u lanes", PNIC_LANES_MAX);
	json_array_foreach(j, i, item)
		if (!one_lane(c, item, &lanes[i]))
			return false;
	return true;
}

/* By default the NIC's, "switch": the far end of its link. */
bool ctl_end(struct ctl_call *c)
{
	json_t *j = json_object_get(c->args, "end");
	const char *text;

	if (!j)
		return true;
	text = ctl_text(c, "end");
	if (!text)
		return false;
	if (!strcmp(text, "nic"))
		return true;
	if (strcmp(text, "switch"))
		return ctl_fail(c, "\"end\" must be \"nic\" or \"switch\"");
	c->port = pm_fabric_switch_port(c->server->fabric, c->nic->index);
	if (!c->port)
		return ctl_fail(c, "there is no switch with fewer than three NICs");
	return true;
}

bool ctl_result(struct ctl_call *c, int err)
{
	return err ? ctl_fail(c, "the link refuses: %s", strerror(-err)) : true;
}

static bool on_lanes(struct ctl_call *c, int (*fault)(struct pm_port *p, unsigned int lane))
{
	uint16_t lanes[PNIC_LANES_MAX];
	size_t n = 0, i;

	if (!ctl_end(c) || !ctl_lanes(c, lanes, &n))
		return false;
	for (i = 0; i < n; i++)
		if (!ctl_result(c, fault(c->port, lanes[i])))
			return false;
	json_object_set_new(c->reply, "lanes", json_integer(n));
	return true;
}

static bool do_kill(struct ctl_call *c)
{
	return on_lanes(c, pm_fault_kill);
}

static bool do_heal(struct ctl_call *c)
{
	return on_lanes(c, pm_fault_heal);
}

static bool do_degrade(struct ctl_call *c)
{
	uint16_t lanes[PNIC_LANES_MAX];
	size_t n = 0, i;
	double db = 0;

	if (!ctl_end(c) || !ctl_real(c, "db", 0, MAX_DB, &db) || !ctl_lanes(c, lanes, &n))
		return false;
	for (i = 0; i < n; i++)
		if (!ctl_result(c, pm_fault_degrade(c->port, lanes[i], db)))
			return false;
	json_object_set_new(c->reply, "lanes", json_integer(n));
	return true;
}

static bool do_drop(struct ctl_call *c)
{
	uint64_t n;

	return ctl_end(c) && ctl_uint(c, "frames", MAX_COUNT, &n) &&
	       ctl_result(c, pm_fault_drop(c->port, n));
}

static bool do_corrupt(struct ctl_call *c)
{
	uint64_t n;

	return ctl_end(c) && ctl_uint(c, "frames", MAX_COUNT, &n) &&
	       ctl_result(c, pm_fault_corrupt(c->port, n));
}

static bool do_drop_requests(struct ctl_call *c)
{
	uint64_t n;

	return ctl_end(c) && ctl_uint(c, "requests", MAX_COUNT, &n) &&
	       ctl_result(c, pm_fault_drop_requests(c->port, n));
}

static bool do_corrupt_map(struct ctl_call *c)
{
	const char *dir = ctl_text(c, "dir");
	uint64_t logical, lane;
	int err;

	if (!dir || !ctl_end(c))
		return false;
	if (strcmp(dir, "rx") && strcmp(dir, "tx"))
		return ctl_fail(c, "\"dir\" must be \"rx\" or \"tx\"");
	if (!ctl_uint(c, "logical", num_lanes(c) - 1, &logical) ||
	    !ctl_uint(c, "lane", num_lanes(c) - 1, &lane))
		return false;
	err = pm_fault_map(c->port, strcmp(dir, "rx") ? PNIC_DIR_TX : PNIC_DIR_RX, logical, lane);
	if (err == -EINVAL)
		return ctl_fail(c, "\"logical\" is on that lane already, or not in the map");
	return ctl_result(c, err);
}

static bool do_cut(struct ctl_call *c)
{
	bool on;

	return ctl_bool(c, "on", &on) && ctl_result(c, pm_fault_cut(c->port, on));
}

static bool do_freeze(struct ctl_call *c)
{
	bool on;

	if (!ctl_bool(c, "on", &on))
		return false;
	pm_card_freeze(c->nic->card, on);
	return true;
}

static bool do_fatal(struct ctl_call *c)
{
	uint64_t code, info = 0;

	if (!ctl_uint(c, "code", UINT32_MAX, &code))
		return false;
	if (json_object_get(c->args, "info") && !ctl_uint(c, "info", UINT32_MAX, &info))
		return false;
	if (!code)
		return ctl_fail(c, "\"code\" 0 means that nothing is wrong");
	pm_card_fatal(c->nic->card, code, info);
	return true;
}

static bool do_drop_admin(struct ctl_call *c)
{
	uint64_t n;

	if (!ctl_uint(c, "n", MAX_COUNT, &n))
		return false;
	pm_card_drop_admin(c->nic->card, n);
	return true;
}

static bool do_drop_irq(struct ctl_call *c)
{
	uint64_t n;

	if (!ctl_uint(c, "n", MAX_COUNT, &n))
		return false;
	pm_card_drop_irq(c->nic->card, n);
	return true;
}

static bool do_garble(struct ctl_call *c)
{
	const char *what = ctl_text(c, "what");
	enum pm_garble kind;
	uint64_t n;

	if (!what || !ctl_uint(c, "n", MAX_COUNT, &n))
		return false;
	if (!pm_garble_find(what, strlen(what), &kind))
		return ctl_fail(c, "there is no \"%.40s\"; \"evil\" without members lists them", what);
	pm_card_garble(c->nic->card, kind, n);
	return true;
}

static json_t *evil_deeds(const struct ctl_call *c)
{
	uint64_t deeds[PM_GARBLES];
	struct pm_evil_strays strays;
	json_t *all = json_object();
	unsigned int i;

	pm_card_evil_deeds(c->nic->card, deeds, &strays);
	for (i = 0; i < PM_GARBLES; i++)
		json_object_set_new(all, pm_garble_name(i), json_integer(deeds[i]));
	json_object_set_new(all, "stray_refused", json_integer(strays.refused));
	json_object_set_new(all, "stray_through", json_integer(strays.through));
	return all;
}

/* Without "kinds" it only says what has been done. */
static bool do_evil(struct ctl_call *c)
{
	uint64_t ppm = 0, seed = 1, kinds;
	const char *text;

	if (!json_object_get(c->args, "kinds")) {
		if (json_object_get(c->args, "ppm") || json_object_get(c->args, "seed"))
			return ctl_fail(c, "\"kinds\" is missing");
		json_object_set_new(c->reply, "deeds", evil_deeds(c));
		return true;
	}
	text = ctl_text(c, "kinds");
	if (!text)
		return false;
	if (!pm_garble_kinds(text, &kinds))
		return ctl_fail(c, "\"kinds\" must be \"all\", \"none\" or kinds with commas between them");
	if ((kinds || json_object_get(c->args, "ppm")) && !ctl_uint(c, "ppm", 1000000, &ppm))
		return false;
	if (json_object_get(c->args, "seed") && !ctl_uint(c, "seed", INT64_MAX, &seed))
		return false;
	/* Of what was before. */
	json_object_set_new(c->reply, "deeds", evil_deeds(c));
	pm_card_evil(c->nic->card, kinds, ppm, seed);
	return true;
}

static bool do_lie(struct ctl_call *c)
{
	const char *what = ctl_text(c, "what");
	uint64_t value;

	if (!what || !ctl_uint(c, "value", INT64_MAX, &value))
		return false;
	if (!pm_card_lie(c->nic->card, what, value))
		return ctl_fail(c, "the card can't lie about \"%.64s\"", what);
	return true;
}

static bool do_surprise(struct ctl_call *c)
{
	bool on;

	if (!ctl_bool(c, "on", &on))
		return false;
	nic_surprise(c->nic, on);
	return true;
}

const struct ctl_command ctl_fault_commands[] = {
	{ "kill", do_kill, "lane end", "puts lanes out: a number, a list or \"all\"" },
	{ "heal", do_heal, "lane end", "makes lanes as good as new" },
	{ "degrade", do_degrade, "lane db end", "takes db of light from lanes" },
	{ "drop", do_drop, "frames end", "the next frames vanish on the line" },
	{ "corrupt", do_corrupt, "frames end", "the next frames are damaged beyond FEC" },
	{ "drop_requests", do_drop_requests, "requests end",
	  "the next requests of a standby plan vanish on the line" },
	{ "corrupt_map", do_corrupt_map, "dir logical lane end",
	  "one end has a wrong idea of its active map, and nobody is told" },
	{ "cut", do_cut, "on", "no light in either direction" },
	{ "freeze", do_freeze, "on", "the card looks at nothing any more; registers still read" },
	{ "fatal", do_fatal, "code info", "the card stops with STATUS.FATAL and this code" },
	{ "drop_admin", do_drop_admin, "n", "the next n admin completions are never written" },
	{ "drop_irq", do_drop_irq, "n", "the next n interrupts are lost" },
	{ "garble", do_garble, "what n",
	  "the next n times something of a kind is done wrong; \"evil\" lists the kinds" },
	{ "evil", do_evil, "kinds ppm seed",
	  "from now on things of these kinds go wrong ppm times of a million; without: what has been done" },
	{ "lie", do_lie, "what value", "a value of IDENTIFY, or the version register, overridden" },
	{ "surprise", do_surprise, "on",
	  "the card is pulled out: all reads give ones; false puts it back" },
	{}
};
