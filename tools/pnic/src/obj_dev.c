// SPDX-License-Identifier: GPL-2.0
/* pnic dev: what the devices are, and how they are. */
#include "args.h"
#include "cmd.h"
#include "json.h"
#include "text.h"

static void show_identity(const struct dev *d)
{
	if (HAS(d, PNIC_A_DEV_MODEL))
		out_item("model", HUE_NONE, "%s", d->model);
	if (HAS(d, PNIC_A_DEV_SERIAL))
		out_item("serial", HUE_NONE, "%s", d->serial);
	if (HAS(d, PNIC_A_DEV_CABLE_SERIAL))
		out_item("cable", HUE_NONE, "%s", *d->cable_serial ? d->cable_serial : "none");
	if (HAS(d, PNIC_A_DEV_NIC_ADDR))
		out_item("address", HUE_NONE, "%u", d->nic_addr);
	if (HAS(d, PNIC_A_DEV_RESETS))
		out_item("resets", HUE_NONE, "%u%s%s", d->resets,
			 *d->reset_reason ? ", last: " : "", d->reset_reason);
}

static void show_optics(const struct dev *d)
{
	if (HAS(d, PNIC_A_DEV_LANES_DATA))
		out_item("lanes", HUE_NONE, "%u data + %u spare each direction, grid %u x %u",
			 d->lanes_data, d->lanes_spare, d->grid_x, d->grid_y);
	if (HAS(d, PNIC_A_DEV_LANE_KBPS))
		out_item("lane rate", HUE_NONE, "%.3f Gb/s raw, %.3f Gb/s payload",
			 d->lane_kbps / 1e6, d->lane_payload_kbps / 1e6);
	if (HAS(d, PNIC_A_DEV_FEC_N))
		out_item("FEC", HUE_NONE, "RS(%u,%u) of %u-bit symbols, %s striping", d->fec_n,
			 d->fec_k, d->fec_symbol_bits, name_of(&striping_names, d->striping));
	out_item("can", HUE_NONE, "%s", d->standby && d->lane_test ? "standby plans, lane tests" :
		 d->standby ? "standby plans" : d->lane_test ? "lane tests" :
		 "neither standby plans nor lane tests");
}

static void show_details(const struct dev *d)
{
	if (HAS(d, PNIC_A_DEV_GUID))
		out_item("GUID", HUE_NONE, "0x%016llx", (unsigned long long)d->guid);
	if (HAS(d, PNIC_A_DEV_HW_MAJOR))
		out_item("interface", HUE_NONE, "%u.%u", d->hw_major, d->hw_minor);
	if (HAS(d, PNIC_A_DEV_FW_VERSION))
		out_item("firmware", HUE_NONE, "0x%08x", d->fw_version);
	if (HAS(d, PNIC_A_DEV_EPOCH))
		out_item("epoch", HUE_NONE, "%u", d->epoch);
}

static void show_dev(const struct pnic *p, const struct dev *d)
{
	printf("%s%s%s: %s%s%s", out_hue(HUE_BOLD), d->name, out_hue(HUE_NONE),
	       out_hue(text_dev_hue(d->status)), name_of(&dev_status_names, d->status),
	       out_hue(HUE_NONE));
	if (HAS(d, PNIC_A_DEV_BUS_INFO))
		printf(", %s", d->bus_info);
	putchar('\n');
	show_identity(d);
	show_optics(d);
	if (p->details)
		show_details(d);
}

int cmd_dev_show(struct pnic *p)
{
	struct list devs = {};
	const struct dev *d;
	int ret;

	ret = arg_devs(p, &devs);
	if (!ret)
		ret = arg_end(p);
	if (!ret)
		LIST_FOR_EACH(d, &devs) {
			if (p->json)
				json_put(p, json_fields(&dev_set, d));
			else
				show_dev(p, d);
		}
	fields_clear_list(&dev_set, &devs);
	return ret;
}
