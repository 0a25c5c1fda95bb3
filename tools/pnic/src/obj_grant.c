// SPDX-License-Identifier: GPL-2.0
/* pnic grant: which users may be in which partitions. */
#include <pwd.h>

#include "args.h"
#include "cmd.h"
#include "json.h"
#include "out.h"

#define PARTITION_MAX	65535
#define UID_MAX		(UINT32_MAX - 1)	/* the number above is no user's */

static void add_grant(struct table *t, const char *dev, const struct grant *g)
{
	const struct passwd *user = getpwuid(g->uid);

	table_add(t, HUE_NONE, "%s", dev);
	table_add(t, HUE_NONE, "%u", g->partition);
	table_add(t, HUE_NONE, "%u", g->uid);
	table_add(t, HUE_NONE, "%s", user ? user->pw_name : "-");
}

int cmd_grant_show(struct pnic *p)
{
	struct table t = { .columns = { "DEV", ">PARTITION", ">UID", "USER" } };
	struct list devs = {};
	const struct grant *g;
	const struct dev *d;
	int ret;

	ret = arg_devs(p, &devs);
	if (!ret)
		ret = arg_end(p);
	if (!ret)
		LIST_FOR_EACH(d, &devs) {
			struct list list = {};

			if (drv_grants(&p->drv, d->index, &list))
				ret = pnic_failed(p);
			LIST_FOR_EACH(g, &list) {
				if (p->json)
					json_put(p, json_of(&grant_set, g, d->name));
				else
					add_grant(&t, d->name, g);
			}
			fields_clear_list(&grant_set, &list);
			if (ret)
				break;
		}
	if (!t.n && !ret && !p->json)
		puts("no partition is granted to anybody");
	table_print(&t);
	fields_clear_list(&dev_set, &devs);
	return ret;
}

/* "uid N" or "user NAME". */
static int arg_user(struct pnic *p, uint32_t *uid)
{
	const struct passwd *user;
	const char *name;

	if (arg_is(p, "uid"))
		return arg_u32(p, "uid", UID_MAX, uid);
	if (!arg_is(p, "user"))
		return pnic_usage(p, "to whom? give user NAME or uid N");
	name = arg_next(p);
	if (!name)
		return pnic_usage(p, "user needs a name");
	user = getpwnam(name);
	if (!user)
		return pnic_usage(p, "\"%s\" is no user here: give uid N", name);
	*uid = user->pw_uid;
	return ST_OK;
}

static int change(struct pnic *p, bool add)
{
	struct grant g = {};
	struct dev dev;
	int ret;

	ret = arg_dev(p, &dev);
	if (ret)
		return ret;
	g.dev_index = dev.index;
	if (!arg_is(p, "partition"))
		return pnic_usage(p, "which partition? give partition N");
	ret = arg_u32(p, "partition", PARTITION_MAX, &g.partition);
	if (!ret && !g.partition)
		ret = pnic_usage(p, "everybody may be in partition 0: give 1 to %u", PARTITION_MAX);
	if (!ret)
		ret = arg_user(p, &g.uid);
	if (!ret)
		ret = arg_end(p);
	if (ret)
		return ret;
	return drv_grant_set(&p->drv, &g, add) ? pnic_failed(p) : ST_OK;
}

int cmd_grant_add(struct pnic *p)
{
	return change(p, true);
}

int cmd_grant_del(struct pnic *p)
{
	return change(p, false);
}
