// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: what an administrator asks of the lane manager: knobs, lanes, a look at what would be
 * done, undoing it, and what is remembered of a cable.
 *
 * Each request is one step under lanes->run_lock: of two that come at one time one is the second,
 * and sees what the first has done.
 */
#include <linux/ktime.h>
#include <linux/mm.h>

#include "pnic_lanes_priv.h"

static int admin_lock(struct pnic_dev *pd, struct pnic_lanes **lanes)
{
	*lanes = pd->lanes;
	if (!*lanes)
		return -EOPNOTSUPP;
	return mutex_lock_killable(&(*lanes)->run_lock) ? -EINTR : 0;
}

/* What was asked is carried out by the next turn, which comes now. */
static void admin_unlock(struct pnic_lanes *lanes)
{
	mutex_unlock(&lanes->run_lock);
	pnic_lanes_kick(lanes);
}

/* ---- knobs ---- */

int pnic_lanes_settings(struct pnic_dev *pd, struct pnic_lanes_settings *out)
{
	struct pnic_lanes *lanes;
	int err = admin_lock(pd, &lanes);

	if (err)
		return err;
	out->settings = lanes->settings;
	out->revision = lanes->revision;
	mutex_unlock(&lanes->run_lock);
	return 0;
}

int pnic_lanes_change(struct pnic_dev *pd,
		      int (*edit)(struct pnic_lanes_settings *s, void *arg), void *arg,
		      struct pnic_lanes_settings *out)
{
	struct pnic_lanes *lanes;
	int err = admin_lock(pd, &lanes);

	if (err)
		return err;
	out->settings = lanes->settings;
	out->revision = lanes->revision;
	err = edit(out, arg);
	if (!err) {
		out->revision = ++lanes->revision;
		lanes->settings = out->settings;
		lane_agent_set(lanes->agent, &lanes->settings, ktime_get_ns());
	}
	admin_unlock(lanes);
	return err;
}

/* ---- plans ---- */

/* Before a request is judged: what the card has to tell by now, e.g. that the link went down. */
static void look_first(struct pnic_lanes *lanes)
{
	lane_agent_run(lanes->agent, ktime_get_ns());
}

static void begin_plan(struct pnic_lanes *lanes, struct pnic_plan_view *v, bool preview)
{
	memset(v, 0, sizeof(*v));
	v->preview = preview;
	lane_map_copy(&v->active, &lanes->agent->proto.rx.active);
}

int pnic_lanes_preview(struct pnic_dev *pd, const struct lane_settings *s,
		       struct pnic_plan_view *v)
{
	struct pnic_lanes *lanes;
	int err = admin_lock(pd, &lanes);

	if (err)
		return err;
	begin_plan(lanes, v, true);
	v->refuse = lane_agent_preview(lanes->agent, s, &v->plan, ktime_get_ns());
	mutex_unlock(&lanes->run_lock);
	return 0;
}

int pnic_lanes_request(struct pnic_dev *pd, const struct lane_request *req,
		       struct pnic_plan_view *v)
{
	struct pnic_lanes *lanes;
	int err = admin_lock(pd, &lanes);

	if (err)
		return err;
	look_first(lanes);
	begin_plan(lanes, v, req->preview);
	v->refuse = lane_agent_request(lanes->agent, req, &v->plan, ktime_get_ns());
	admin_unlock(lanes);
	return 0;
}

int pnic_lanes_undo(struct pnic_dev *pd, bool preview, struct pnic_plan_view *v)
{
	struct lane_settings before;
	struct pnic_lanes *lanes;
	int err = admin_lock(pd, &lanes);

	if (err)
		return err;
	look_first(lanes);
	begin_plan(lanes, v, preview);
	lane_agent_settings(lanes->agent, &before);
	v->refuse = lane_agent_undo(lanes->agent, preview, &v->plan, ktime_get_ns());
	if (!v->refuse && !preview) {
		lane_agent_settings(lanes->agent, &lanes->settings);
		v->policy = memcmp(&before, &lanes->settings, sizeof(before));
		lanes->revision += v->policy;
	}
	admin_unlock(lanes);
	return 0;
}

/* ---- the cable ---- */

struct pnic_cable_view *pnic_lanes_cable(struct pnic_dev *pd)
{
	u16 i, total = pd->caps.lanes_data + pd->caps.lanes_spare;
	struct pnic_cable_view *v;
	struct pnic_lanes *lanes;
	int err;

	v = kvzalloc(struct_size(v, lane, total), GFP_KERNEL);
	if (!v)
		return ERR_PTR(-ENOMEM);
	v->total = total;
	err = admin_lock(pd, &lanes);
	if (err) {
		kvfree(v);
		return ERR_PTR(err);
	}
	strscpy(v->serial, lanes->cable_serial, sizeof(v->serial));
	for (i = 0; i < total; i++)
		lane_agent_record(lanes->agent, i, &v->lane[i].record);
	mutex_unlock(&lanes->run_lock);
	return v;
}

int pnic_lanes_remember(struct pnic_dev *pd, const struct pnic_cable_view *v)
{
	struct pnic_lanes *lanes;
	int err = admin_lock(pd, &lanes);
	u16 i;

	if (err)
		return err;
	/* It may have been pulled since the caller looked. */
	if (strcmp(v->serial, lanes->cable_serial))
		err = -ESTALE;
	for (i = 0; i < v->total && !err; i++)
		if (v->lane[i].given)
			lane_agent_remember(lanes->agent, i, &v->lane[i].record);
	admin_unlock(lanes);
	return err;
}
