// SPDX-License-Identifier: GPL-2.0
/* pnic res: who holds what. */
#include "args.h"
#include "cmd.h"
#include "json.h"
#include "out.h"

#define KINDS	6

static void add_process(struct table *t, const char *dev, uint32_t file, uint32_t pid,
			const char *comm)
{
	table_add(t, HUE_NONE, "%s", dev);
	table_add(t, HUE_NONE, "%u", file);
	if (pid)
		table_add(t, HUE_NONE, "%u", pid);
	else
		table_add(t, HUE_NONE, "-");
	table_add(t, HUE_NONE, "%s", comm);
}

static void add_file(struct table *t, const char *dev, const struct res *r)
{
	add_process(t, dev, r->file, r->pid, r->comm);
	if (!HAS(r, PNIC_A_RES_CONTEXT))
		table_add(t, HUE_NONE, "-");
	else
		table_add(t, r->dead ? HUE_BAD : HUE_NONE, "%u%s", r->context,
			  r->dead ? " dead" : "");
	table_add(t, HUE_NONE, "%u", r->partition);
	table_add(t, HUE_NONE, "%u", r->regions);
	table_add(t, HUE_NONE, "%u", r->cqs);
	table_add(t, HUE_NONE, "%u", r->endpoints);
	table_add(t, HUE_NONE, "%s", fmt_bytes(r->pinned_bytes));
	table_add(t, HUE_NONE, "%s", fmt_bytes(r->ring_bytes));
}

static int show_files(struct pnic *p, const struct list *devs)
{
	struct table t = { .columns = { "DEV", ">FILE", ">PID", "COMM", ">CONTEXT", ">PART", ">MR",
					">CQ", ">EP", ">PINNED", ">RINGS" } };
	const struct dev *d;
	const struct res *r;
	int ret = 0;

	LIST_FOR_EACH(d, devs) {
		struct list list = {};

		if (drv_res(&p->drv, d->index, &list))
			ret = pnic_failed(p);
		LIST_FOR_EACH(r, &list) {
			if (p->json)
				json_put(p, json_of(&res_set, r, d->name));
			else
				add_file(&t, d->name, r);
		}
		fields_clear_list(&res_set, &list);
		if (ret)
			break;
	}
	if (!t.n && !ret && !p->json)
		puts("no program has a card open");
	table_print(&t);
	return ret;
}

static void object_words(char *s, size_t size, const struct object *o)
{
	size_t at = 0;

	*s = 0;
	if (HAS(o, PNIC_A_OBJECT_ENTRIES))
		at += snprintf(s + at, size - at, "%u entries ", o->entries);
	if (HAS(o, PNIC_A_OBJECT_RX_ENTRIES))
		at += snprintf(s + at, size - at, "rx %u ", o->rx_entries);
	if (HAS(o, PNIC_A_OBJECT_RIGHTS))
		at += snprintf(s + at, size - at, "rights 0x%x ", o->rights);
	if (HAS(o, PNIC_A_OBJECT_SEND_CQ))
		at += snprintf(s + at, size - at, "cq %u, %u ", o->send_cq, o->recv_cq);
	if (o->dead)
		at += snprintf(s + at, size - at, "dead ");
	if (at)
		s[at - 1] = 0;
}

static void add_object(struct table *t, const char *dev, const struct object *o)
{
	char s[96];

	add_process(t, dev, o->file, o->pid, o->comm);
	table_add(t, HUE_NONE, "%s", name_of(&object_kind_names, o->kind));
	table_add(t, HUE_NONE, "%u", o->id);
	table_add(t, HUE_NONE, "%s", HAS(o, PNIC_A_OBJECT_BYTES) ? fmt_bytes(o->bytes) : "-");
	object_words(s, sizeof(s), o);
	table_add(t, o->dead ? HUE_BAD : HUE_NONE, "%s", s);
}

/* @kinds: bits of enum pnic_object_kind. */
static int show_objects(struct pnic *p, const struct list *devs, unsigned int kinds)
{
	struct table t = { .columns = { "DEV", ">FILE", ">PID", "COMM", "KIND", ">ID", ">BYTES",
					"MORE" } };
	const struct object *o;
	const struct dev *d;
	unsigned int kind;
	int ret = 0;

	LIST_FOR_EACH(d, devs)
		for (kind = 0; kind < KINDS && !ret; kind++) {
			struct list list = {};

			if (!(kinds >> kind & 1))
				continue;
			if (drv_objects(&p->drv, d->index, kind, &list))
				ret = pnic_failed(p);
			LIST_FOR_EACH(o, &list) {
				if (p->json)
					json_put(p, json_of(&object_set, o, d->name));
				else
					add_object(&t, d->name, o);
			}
			fields_clear_list(&object_set, &list);
		}
	if (!t.n && !ret && !p->json)
		puts("there are none");
	table_print(&t);
	return ret;
}

int cmd_res_show(struct pnic *p)
{
	struct list devs = {};
	unsigned int kinds = 0;
	bool objects;
	int ret, kind;

	objects = arg_is(p, "object");
	ret = objects ? arg_all_devs(p, &devs) : arg_devs(p, &devs);
	if (!ret && !objects)
		objects = arg_is(p, "object");
	while (!ret && objects && arg_peek(p)) {
		kind = arg_word(p, &object_kind_names, "kind");
		if (kind < 0)
			ret = -kind;
		else
			kinds |= 1u << kind;
	}
	if (!ret)
		ret = arg_end(p);
	if (!ret)
		ret = objects ? show_objects(p, &devs, kinds ? kinds : (1u << KINDS) - 1) :
		      show_files(p, &devs);
	fields_clear_list(&dev_set, &devs);
	return ret;
}
