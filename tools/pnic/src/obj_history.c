// SPDX-License-Identifier: GPL-2.0
/* pnic history: what was seen and done; and what is kept of a cable. */
#include "args.h"
#include "cmd.h"
#include "history_file.h"
#include "json.h"
#include "text.h"

#define ASK	"which file? or a directory, for one named by the cable"

int cmd_history_show(struct pnic *p)
{
	struct list entries = {};
	const struct history *h;
	uint64_t since = 0;
	struct dev dev;
	int ret;

	ret = arg_dev(p, &dev);
	if (!ret && arg_is(p, "since"))
		ret = arg_u64(p, "since", &since);
	if (!ret)
		ret = arg_end(p);
	if (ret)
		return ret;
	if (drv_history(&p->drv, dev.index, since, &entries))
		ret = pnic_failed(p);
	LIST_FOR_EACH(h, &entries) {
		if (ret)
			break;
		if (p->json)
			json_put(p, json_of(&history_set, h, dev.name));
		else
			text_history(h, p->details);
	}
	fields_clear_list(&history_set, &entries);
	return ret;
}

static void tell(struct pnic *p, const struct dev *dev, const char *what, const char *path,
		 const struct cable *cable)
{
	if (p->json)
		json_put(p, json_pack("{s:o, s:o, s:o, s:I}", "dev", json_text(dev->name), "file",
				      json_text(path), "cable_serial",
				      json_text(cable->cable_serial), "records",
				      (json_int_t)cable->records.n));
	else
		printf("%s: %s %s: cable %s, %u lanes with a record\n", dev->name, what, path,
		       cable->cable_serial, cable->records.n);
}

int cmd_history_save(struct pnic *p)
{
	struct list entries = {};
	struct cable cable = {};
	const char *where;
	struct dev dev;
	char path[4096];
	int ret;

	ret = arg_dev_file(p, &dev, &where, ASK);
	if (ret)
		return ret;
	if (drv_cable_get(&p->drv, dev.index, &cable) ||
	    drv_history(&p->drv, dev.index, 0, &entries))
		ret = pnic_failed(p);
	if (!ret)
		ret = history_write(where, &dev, &cable, &entries, path, sizeof(path));
	if (!ret)
		tell(p, &dev, "saved in", path, &cable);
	fields_clear_list(&history_set, &entries);
	fields_clear(&cable_set, &cable);
	return ret;
}

int cmd_history_load(struct pnic *p)
{
	struct cable cable = {}, now = {};
	const char *where;
	struct dev dev;
	char path[4096];
	int ret;

	ret = arg_dev_file(p, &dev, &where, ASK);
	if (ret)
		return ret;
	if (drv_cable_get(&p->drv, dev.index, &now))
		return pnic_failed(p);
	ret = history_read(where, now.cable_serial, now.lanes, &cable, path, sizeof(path));
	cable.dev_index = dev.index;
	if (!ret && drv_cable_set(&p->drv, &cable))
		ret = pnic_failed(p);
	if (!ret)
		tell(p, &dev, "loaded from", path, &cable);
	fields_clear(&cable_set, &cable);
	fields_clear(&cable_set, &now);
	return ret;
}
