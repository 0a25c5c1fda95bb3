// SPDX-License-Identifier: GPL-2.0
/* The knobs of the lane manager in a file, see policy_file.h. */
#include "policy_file.h"

#include <string.h>

#include "keep.h"
#include "knobs.h"
#include "out.h"

#define POLICY_FORMAT	"pnic-policy"
#define POLICY_VERSION	1
#define WRITER		"policy save"

int policy_write(const char *path, const struct policy *policy)
{
	json_t *doc = keep_form(POLICY_FORMAT, POLICY_VERSION), *values = json_object();
	const struct knob *k;
	int ret;

	for (k = knobs; k->name; k++)
		if (HAS(policy, k->attr))
			json_object_set_new(values, k->name, json_integer(policy->knob[k->attr]));
	json_object_set_new(doc, "knobs", values);
	ret = keep_json(path, doc);
	json_decref(doc);
	return ret;
}

/* By its full name: a file is not typed by hand. */
static const struct knob *knob_named(const char *name)
{
	const struct knob *k;

	for (k = knobs; k->name; k++)
		if (!strcmp(k->name, name))
			return k;
	return NULL;
}

static int read_knob(const char *path, const char *name, const json_t *v, struct policy *policy)
{
	const struct knob *k = knob_named(name);

	if (!k)
		return pnic_error("%s: \"%s\" is no knob", path, name);
	if (!json_is_integer(v) || json_integer_value(v) < k->min || json_integer_value(v) > k->max)
		return pnic_error("%s: \"%s\" is not %u to %u", path, name, k->min, k->max);
	policy->knob[k->attr] = json_integer_value(v);
	policy->has |= 1ull << k->attr;
	return 0;
}

static int read_doc(const char *path, json_t *doc, struct policy *policy)
{
	json_t *values = json_object_get(doc, "knobs"), *v;
	const char *name;

	if (kept_form(path, doc, POLICY_FORMAT, POLICY_VERSION, WRITER))
		return ST_FAILED;
	if (!json_is_object(values) || !json_object_size(values))
		return pnic_error("%s: has no \"knobs\"", path);
	json_object_foreach(values, name, v)
		if (read_knob(path, name, v, policy))
			return ST_FAILED;
	return 0;
}

int policy_read(const char *path, struct policy *policy)
{
	json_t *doc = kept_json(path, WRITER);
	int ret;

	if (!doc)
		return ST_FAILED;
	ret = read_doc(path, doc, policy);
	json_decref(doc);
	return ret;
}
