// SPDX-License-Identifier: GPL-2.0
/* pnic policy: the knobs of the lane manager. */
#include <string.h>

#include "args.h"
#include "cmd.h"
#include "json.h"
#include "knobs.h"
#include "policy_file.h"
#include "text.h"

#define ASK	"which file?"

static void show_policy(const char *dev, const struct policy *policy)
{
	struct table t = { .columns = { "KNOB", ">VALUE", "MEANING" } };
	const struct knob *k;

	printf("%s%s%s: policy of revision %u\n", out_hue(HUE_BOLD), dev, out_hue(HUE_NONE),
	       policy->revision);
	for (k = knobs; k->name; k++) {
		if (!HAS(policy, k->attr))
			continue;
		table_add(&t, HUE_NONE, "%s", k->name);
		table_add(&t, HUE_NONE, "%s", knob_text(k, policy->knob[k->attr]));
		table_add(&t, HUE_NONE, "%s", k->help);
	}
	table_print(&t);
}

static void show_or_put(struct pnic *p, const char *dev, const struct policy *policy)
{
	if (p->json)
		json_put(p, json_of(&policy_set, policy, dev));
	else
		show_policy(dev, policy);
}

int cmd_policy_show(struct pnic *p)
{
	const struct policy *policy;
	struct list devs = {};
	const struct dev *d;
	int ret;

	ret = arg_devs(p, &devs);
	if (!ret)
		ret = arg_end(p);
	LIST_FOR_EACH(d, &devs) {
		struct list policies = {};

		if (ret)
			break;
		if (drv_policies(&p->drv, d->index, &policies))
			ret = pnic_failed(p);
		LIST_FOR_EACH(policy, &policies)
			show_or_put(p, d->name, policy);
		fields_clear_list(&policy_set, &policies);
	}
	fields_clear_list(&dev_set, &devs);
	return ret;
}

/* KNOB VALUE ... [revision R] */
static int knob_args(struct pnic *p, struct policy *policy, bool with_revision)
{
	const struct knob *k;
	const char *word;
	char why[160];
	int ret;

	while (arg_peek(p)) {
		if (with_revision && !strcmp(arg_peek(p), "revision")) {
			arg_next(p);
			ret = arg_u32(p, "revision", UINT32_MAX, &policy->revision);
			if (ret)
				return ret;
			policy->has |= 1ull << PNIC_A_POLICY_REVISION;
			continue;
		}
		k = knob_find(arg_next(p), why, sizeof(why));
		if (!k)
			return pnic_usage(p, "%s", why);
		word = arg_next(p);
		if (!word)
			return pnic_usage(p, "%s needs a value, %u to %u", k->name, k->min, k->max);
		if (HAS(policy, k->attr))
			return pnic_usage(p, "%s is given twice", k->name);
		if (knob_parse(k, word, &policy->knob[k->attr], why, sizeof(why)))
			return pnic_usage(p, "%s", why);
		policy->has |= 1ull << k->attr;
	}
	return 0;
}

static bool has_knobs(const struct policy *policy)
{
	return policy->has >> PNIC_A_POLICY_MANAGE;
}

static int set_policy(struct pnic *p, const struct dev *dev, const struct policy *knobs, bool reset)
{
	struct policy after = {};

	if (drv_policy_set(&p->drv, dev->index, knobs, reset, &after))
		return pnic_failed(p);
	/* People want to see what they changed. */
	if (!p->json && !reset)
		after.has &= knobs->has;
	show_or_put(p, dev->name, &after);
	return ST_OK;
}

int cmd_policy_set(struct pnic *p)
{
	struct policy policy = {};
	struct dev dev;
	int ret;

	ret = arg_dev(p, &dev);
	if (!ret)
		ret = knob_args(p, &policy, true);
	if (ret)
		return ret;
	if (!has_knobs(&policy))
		return pnic_usage(p, "which knob? give KNOB VALUE");
	return set_policy(p, &dev, &policy, false);
}

int cmd_policy_reset(struct pnic *p)
{
	struct policy none = {};
	struct dev dev;
	int ret;

	ret = arg_dev(p, &dev);
	if (!ret)
		ret = arg_end(p);
	return ret ? ret : set_policy(p, &dev, &none, true);
}

int cmd_policy_preview(struct pnic *p)
{
	struct policy policy = {};
	struct plan plan = {};
	struct dev dev;
	int ret;

	ret = arg_dev(p, &dev);
	if (!ret)
		ret = knob_args(p, &policy, false);
	if (ret)
		return ret;
	if (drv_plan(&p->drv, dev.index, has_knobs(&policy) ? &policy : NULL, &plan))
		return pnic_failed(p);
	if (p->json)
		json_put(p, json_of(&plan_set, &plan, dev.name));
	else
		text_plan(dev.name, &plan);
	fields_clear(&plan_set, &plan);
	return ST_OK;
}

int cmd_policy_save(struct pnic *p)
{
	const struct policy *policy;
	struct list policies = {};
	const char *path;
	struct dev dev;
	int ret;

	ret = arg_dev_file(p, &dev, &path, ASK);
	if (ret)
		return ret;
	if (drv_policies(&p->drv, dev.index, &policies))
		ret = pnic_failed(p);
	LIST_FOR_EACH(policy, &policies) {
		if (!ret)
			ret = policy_write(path, policy);
		if (!ret && p->json)
			json_put(p, json_pack("{s:o, s:o, s:I}", "dev", json_text(dev.name), "file",
					      json_text(path), "revision",
					      (json_int_t)policy->revision));
		else if (!ret)
			printf("%s: saved in %s: policy of revision %u\n", dev.name, path,
			       policy->revision);
	}
	fields_clear_list(&policy_set, &policies);
	return ret;
}

/* A knob that the file doesn't know gets its default, so that the file alone decides. */
int cmd_policy_load(struct pnic *p)
{
	struct policy policy = {};
	const char *path;
	struct dev dev;
	int ret;

	ret = arg_dev_file(p, &dev, &path, ASK);
	if (!ret)
		ret = policy_read(path, &policy);
	return ret ? ret : set_policy(p, &dev, &policy, true);
}
