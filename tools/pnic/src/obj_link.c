// SPDX-License-Identifier: GPL-2.0
/* pnic link: state of the links, and switching them on and off. */
#include "args.h"
#include "cmd.h"
#include "json.h"
#include "text.h"

static int show_links(struct pnic *p, const struct list *devs)
{
	const struct link *l;
	const struct dev *d;
	int ret = 0;

	LIST_FOR_EACH(d, devs) {
		struct list links = {};

		if (drv_links(&p->drv, d->index, false, &links))
			ret = pnic_failed(p);
		LIST_FOR_EACH(l, &links) {
			if (p->json)
				json_put(p, json_of(&link_set, l, d->name));
			else
				text_link(p, d->name, l);
		}
		fields_clear_list(&link_set, &links);
		if (ret)
			break;
	}
	return ret;
}

int cmd_link_show(struct pnic *p)
{
	struct list devs = {};
	int ret;

	ret = arg_devs(p, &devs);
	if (!ret)
		ret = arg_end(p);
	if (!ret)
		ret = show_links(p, &devs);
	fields_clear_list(&dev_set, &devs);
	return ret;
}

int cmd_link_set(struct pnic *p)
{
	static const char *const words[] = { "down", "up" };
	static const struct names states = { words, 0, 2 };
	struct dev dev;
	int ret, up;

	ret = arg_dev(p, &dev);
	if (ret)
		return ret;
	up = arg_word(p, &states, "state");
	if (up < 0)
		return -up;
	ret = arg_end(p);
	if (ret)
		return ret;
	return drv_link_set(&p->drv, dev.index, up) ? pnic_failed(p) : ST_OK;
}

static json_t *margin_json(const struct dev *d, const struct link *l)
{
	static const struct {
		unsigned int attr;
		const char *key;
		size_t off;
	} values[] = {
		{ PNIC_A_LINK_MARGIN, "margin", offsetof(struct link, margin) },
		{ PNIC_A_LINK_MARGIN_ERASURE, "margin_erasure",
		  offsetof(struct link, margin_erasure) },
		{ PNIC_A_LINK_MARGIN_MIN, "margin_min", offsetof(struct link, margin_min) },
		{ PNIC_A_LINK_MARGIN_MIN_WINDOW, "margin_min_window",
		  offsetof(struct link, margin_min_window) },
	};
	json_t *o = json_object();
	unsigned int i;

	json_object_set_new(o, "dev", json_text(d->name));
	for (i = 0; i < ARRAY_SIZE(values); i++)
		if (HAS(l, values[i].attr))
			json_object_set_new(o, values[i].key,
					    json_integer(*(const int32_t *)((const char *)l +
									    values[i].off)));
	return o;
}

int cmd_link_margin(struct pnic *p)
{
	struct list links = {};
	const struct link *l;
	struct dev dev;
	bool take;
	int ret;

	ret = arg_dev(p, &dev);
	if (ret)
		return ret;
	take = arg_is(p, "take");
	ret = arg_end(p);
	if (ret)
		return ret;
	if (drv_links(&p->drv, dev.index, take, &links))
		ret = pnic_failed(p);
	LIST_FOR_EACH(l, &links) {
		if (p->json)
			json_put(p, margin_json(&dev, l));
		else
			text_margin(dev.name, l);
	}
	fields_clear_list(&link_set, &links);
	return ret;
}
