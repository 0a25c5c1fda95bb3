// SPDX-License-Identifier: GPL-2.0
/* pnic lane, pnic spare: the lanes of a link. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "cmd.h"
#include "json.h"
#include "map.h"
#include "text.h"

/* What the commands read before they draw. */
struct view {
	struct dev dev;
	struct list links, lanes;
	struct lane_query query;
};

static void view_free(struct view *v)
{
	fields_clear_list(&link_set, &v->links);
	fields_clear_list(&lane_set, &v->lanes);
}

static const struct link *view_link(const struct view *v)
{
	static const struct link none;

	return v->links.n ? v->links.items : &none;
}

static int view_read(struct pnic *p, struct view *v)
{
	v->query.dev = v->dev.index;
	if (drv_links(&p->drv, v->dev.index, false, &v->links) ||
	    drv_lanes(&p->drv, &v->query, &v->lanes))
		return pnic_failed(p);
	return 0;
}

static int direction(struct pnic *p, uint32_t *dir)
{
	int value = arg_word(p, &direction_names, "direction");

	if (value < 0)
		return -value;
	*dir = value;
	return 0;
}

static void put_lanes(struct pnic *p, const struct view *v)
{
	const struct lane *l;

	LIST_FOR_EACH(l, &v->lanes)
		json_put(p, json_of(&lane_set, l, v->dev.name));
}

/* --- lane show ------------------------------------------------------------------------------- */

static int show_args(struct pnic *p, struct view *v)
{
	int ret = arg_dev(p, &v->dev);

	while (!ret && arg_peek(p)) {
		if (arg_is(p, "lane")) {
			ret = arg_range(p, "lane", &v->query.first, &v->query.last);
			v->query.range = true;
		} else if (arg_is(p, "dir")) {
			ret = direction(p, &v->query.direction);
		} else {
			ret = arg_end(p);
		}
	}
	return ret;
}

static void show(const struct pnic *p, const struct view *v)
{
	text_lane_summary(v->dev.name, view_link(v), v->query.direction);
	if (v->lanes.n)
		text_lanes(&v->lanes, p->details || v->query.range);
	else if (v->query.abnormal)
		out_item("", HUE_NONE, "no lane is abnormal (-d shows all)");
}

int cmd_lane_show(struct pnic *p)
{
	struct view v = {};
	uint32_t all;
	int ret;

	ret = show_args(p, &v);
	if (ret)
		return ret;
	all = v.dev.lanes_data + v.dev.lanes_spare;
	if (v.query.range && all && v.query.last >= all)
		return pnic_error("%s has no lane %u: lanes are 0 to %u", v.dev.name, v.query.last,
				  all - 1);
	v.query.abnormal = !p->details && !v.query.range;
	ret = view_read(p, &v);
	if (!ret && p->json)
		put_lanes(p, &v);
	else if (!ret)
		show(p, &v);
	view_free(&v);
	return ret;
}

/* --- lane map -------------------------------------------------------------------------------- */

/* How many failed neighbours the policy calls a cluster. */
static unsigned int patch_min(struct pnic *p, uint32_t dev)
{
	struct list policies = {};
	const struct policy *policy;
	unsigned int min = PATCH_MIN;

	if (!drv_policies(&p->drv, dev, &policies) && policies.n) {
		policy = policies.items;
		if (HAS(policy, PNIC_A_POLICY_CLUSTER_MIN))
			min = policy->knob[PNIC_A_POLICY_CLUSTER_MIN];
	}
	fields_clear_list(&policy_set, &policies);
	return min;
}

static json_t *patch_json(const struct patch *patch)
{
	return json_pack("{s:f, s:f, s:f, s:i}", "x", patch->x, "y", patch->y, "radius",
			 patch->radius, "lanes", (int)patch->lanes);
}

static void put_map(struct pnic *p, const struct view *v, const struct map *m)
{
	json_t *o = json_object(), *lanes = json_array(), *patches = json_array();
	const struct patch *patch;
	const struct lane *l;

	json_object_set_new(o, "dev", json_text(v->dev.name));
	json_object_set_new(o, "direction", json_string(name_of(&direction_names, m->direction)));
	json_object_set_new(o, "grid_x", json_integer(m->grid.columns));
	json_object_set_new(o, "grid_y", json_integer(m->grid.rows));
	json_object_set_new(o, "link", json_of(&link_set, m->link, v->dev.name));
	LIST_FOR_EACH(patch, &m->grid.patches)
		json_array_append_new(patches, patch_json(patch));
	json_object_set_new(o, "patches", patches);
	LIST_FOR_EACH(l, &v->lanes)
		json_array_append_new(lanes, json_of(&lane_set, l, v->dev.name));
	json_object_set_new(o, "lanes", lanes);
	json_put(p, o);
}

static int write_svg(struct pnic *p, const struct map *m, const char *name)
{
	FILE *f = stdout;
	int bad;

	if (!strcmp(name, "-")) {
		p->raw = true;
		map_svg(m, f);
		return 0;
	}
	f = fopen(name, "we");
	if (!f)
		return pnic_error("%s: %s", name, strerror(errno));
	map_svg(m, f);
	bad = ferror(f);
	if (fclose(f) || bad)
		return pnic_error("%s: %s", name, strerror(errno));
	if (p->json)
		json_put(p, json_pack("{s:o, s:o}", "dev", json_text(m->dev->name), "file",
				      json_text(name)));
	return 0;
}

static int draw_map(struct pnic *p, struct view *v, const char *svg)
{
	struct map m = { .dev = &v->dev, .link = view_link(v), .direction = v->query.direction };
	int ret = 0;

	if (grid_make(&m.grid, &v->dev, &v->lanes, patch_min(p, v->dev.index)))
		return pnic_error("the card's grid of %u x %u makes no sense", v->dev.grid_x,
				  v->dev.grid_y);
	if (svg)
		ret = write_svg(p, &m, svg);
	else if (p->json)
		put_map(p, v, &m);
	else
		map_text(&m);
	grid_free(&m.grid);
	return ret;
}

int cmd_lane_map(struct pnic *p)
{
	const char *svg = NULL;
	struct view v = {};
	int ret;

	ret = arg_dev(p, &v.dev);
	while (!ret && arg_peek(p)) {
		if (arg_is(p, "dir")) {
			ret = direction(p, &v.query.direction);
		} else if (!strcmp(arg_peek(p), "--svg") || !strcmp(arg_peek(p), "svg")) {
			arg_next(p);
			svg = arg_next(p);
			if (!svg)
				ret = pnic_usage(p, "--svg needs a file, or -");
		} else if (!strncmp(arg_peek(p), "--svg=", 6)) {
			svg = arg_next(p) + 6;
		} else {
			ret = arg_end(p);
		}
	}
	if (!ret)
		ret = view_read(p, &v);
	if (!ret)
		ret = draw_map(p, &v, svg);
	view_free(&v);
	return ret;
}

/* --- lane set, lane undo --------------------------------------------------------------------- */

static int show_plan(struct pnic *p, const struct dev *dev, struct plan *plan)
{
	if (p->json)
		json_put(p, json_of(&plan_set, plan, dev->name));
	else
		text_plan(dev->name, plan);
	fields_clear(&plan_set, plan);
	return ST_OK;
}

static int set_args(struct pnic *p, struct lane_order *o)
{
	int ret = 0, action;

	/* "lane" may be left out, and so it reads as in show. */
	if (arg_peek(p) && strspn(arg_peek(p), "0123456789") != strlen(arg_peek(p)) &&
	    !arg_is(p, "lane"))
		return pnic_usage(p, "which lane? give \"lane N\" behind the device");
	ret = arg_u32(p, "lane", UINT32_MAX - 1, &o->lane);
	if (ret)
		return ret;
	action = arg_word(p, &lane_action_names, "action");
	if (action < 0)
		return -action;
	o->action = action;
	while (!ret && arg_peek(p)) {
		if (arg_is(p, "preview")) {
			o->preview = true;
		} else if (arg_is(p, "force")) {
			o->force = true;
		} else if (arg_is(p, "generation")) {
			ret = arg_u32(p, "generation", UINT32_MAX, &o->generation);
			o->has_generation = true;
		} else {
			ret = arg_end(p);
		}
	}
	return ret;
}

int cmd_lane_set(struct pnic *p)
{
	struct lane_order o = {};
	struct plan plan = {};
	struct dev dev;
	int ret;

	ret = arg_dev(p, &dev);
	if (!ret)
		ret = set_args(p, &o);
	if (ret)
		return ret;
	o.dev = dev.index;
	if (drv_lane_set(&p->drv, &o, &plan))
		return pnic_failed(p);
	return show_plan(p, &dev, &plan);
}

int cmd_lane_undo(struct pnic *p)
{
	struct plan plan = {};
	struct dev dev;
	bool preview;
	int ret;

	ret = arg_dev(p, &dev);
	if (ret)
		return ret;
	preview = arg_is(p, "preview");
	ret = arg_end(p);
	if (ret)
		return ret;
	if (drv_undo(&p->drv, dev.index, preview, &plan))
		return pnic_failed(p);
	return show_plan(p, &dev, &plan);
}

/* --- spare show ------------------------------------------------------------------------------ */

static void put_spares(struct pnic *p, const struct view *v)
{
	const struct lane **spares = lanes_spares(&v->lanes), *l;
	json_t *o = json_object(), *list = json_array(), *plan = json_array();
	unsigned int i;

	json_object_set_new(o, "dev", json_text(v->dev.name));
	for (i = 0; spares && spares[i]; i++)
		json_array_append_new(list, json_of(&lane_set, spares[i], v->dev.name));
	json_object_set_new(o, "spares", list);
	LIST_FOR_EACH(l, &v->lanes)
		if (HAS(l, PNIC_A_LANE_STANDBY))
			json_array_append_new(plan, json_pack("{s:I, s:I}", "lane",
							      (json_int_t)l->index, "standby",
							      (json_int_t)l->standby));
	json_object_set_new(o, "standby_plan", plan);
	json_object_set_new(o, "forecast", json_fields(&forecast_set, &view_link(v)->forecast));
	json_put(p, o);
	free(spares);
}

static void show_spares(const struct view *v)
{
	const struct link *l = view_link(v);
	unsigned int planned = 0;
	const struct lane *lane;

	LIST_FOR_EACH(lane, &v->lanes)
		planned += HAS(lane, PNIC_A_LANE_STANDBY);
	printf("%s%s%s: %u usable spare%s; %u lanes have one in the standby plan%s\n",
	       out_hue(HUE_BOLD), v->dev.name, out_hue(HUE_NONE), l->spares,
	       l->spares == 1 ? "" : "s", planned,
	       v->dev.standby ? "" : " (the card cannot keep one)");
	text_forecast(&l->forecast);
	text_spares(&v->lanes);
}

int cmd_spare_show(struct pnic *p)
{
	struct view v = {};
	int ret;

	ret = arg_dev(p, &v.dev);
	if (!ret)
		ret = arg_end(p);
	if (!ret)
		ret = view_read(p, &v);
	if (!ret && p->json)
		put_spares(p, &v);
	else if (!ret)
		show_spares(&v);
	view_free(&v);
	return ret;
}
