// SPDX-License-Identifier: GPL-2.0
/*
 * What the card says of itself. Nothing of it is believed before it was checked.
 *
 * Called by bring-up (pnic_reset.c), the first time and after each reset.
 */
#include <linux/bitfield.h>
#include <linux/ctype.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "pnic_csr.h"

/* More would not fit the cookies of pnic_mmap.c. */
#define PNIC_CAPS_DB_PAGES_MAX	BIT(24)

static int pnic_caps_bad(struct pnic_dev *pd, const char *what, u64 value)
{
	return dev_err_probe(&pd->pdev->dev, -ENODEV, "the card's %s is not acceptable: %#llx\n",
			     what, value);
}

static bool pnic_caps_timeout_ok(u32 ms)
{
	return ms && ms <= PNIC_TIMEOUT_MAX_MS;
}

/* Registers only: can this driver talk to the card at all? */
int pnic_caps_check_version(struct pnic_dev *pd)
{
	u32 id, version, timeout, pages, fit;

	id = pnic_rd32(pd, PNIC_REG_ID);
	if (id != PNIC_ID_MAGIC)
		return pnic_caps_bad(pd, "identification", id);
	version = pnic_rd32(pd, PNIC_REG_VERSION);
	if (FIELD_GET(PNIC_VERSION_MAJOR, version) != PNIC_HW_MAJOR)
		return dev_err_probe(&pd->pdev->dev, -ENODEV,
				     "interface version %u.%u, this driver knows %u.x\n",
				     FIELD_GET(PNIC_VERSION_MAJOR, version),
				     FIELD_GET(PNIC_VERSION_MINOR, version), PNIC_HW_MAJOR);
	/* A card that says more would have every caller wait for minutes. */
	timeout = pnic_rd32(pd, PNIC_REG_TIMEOUT);
	if (!pnic_caps_timeout_ok(FIELD_GET(PNIC_TIMEOUT_READY, timeout)) ||
	    !pnic_caps_timeout_ok(FIELD_GET(PNIC_TIMEOUT_ADMIN, timeout)))
		return pnic_caps_bad(pd, "timeout register", timeout);
	pages = pnic_rd32(pd, PNIC_REG_DB_PAGES);
	fit = pci_resource_len(pd->pdev, PNIC_BAR_DB) / (2 * PNIC_PAGE_SIZE);
	if (!pages || pages > fit || pages > PNIC_CAPS_DB_PAGES_MAX)
		return pnic_caps_bad(pd, "number of doorbell pages", pages);

	pd->ready_ms = FIELD_GET(PNIC_TIMEOUT_READY, timeout);
	pd->admin.timeout_ms = FIELD_GET(PNIC_TIMEOUT_ADMIN, timeout);
	pd->db_pages = pages;
	return 0;
}

struct pnic_caps_range {
	const char *what;
	u64 value;
	u64 min;
	u64 max;
};

static int pnic_caps_check_ranges(struct pnic_dev *pd, const struct pnic_caps *c)
{
	const struct pnic_caps_range ranges[] = {
		{ "fabric address", c->nic_addr, 1, 0xffffff },
		{ "max_eq", c->max_eq, 1, PNIC_EQ_MAX },
		{ "max_ctx", c->max_ctx, 1, S32_MAX },
		{ "max_cq", c->max_cq, 1, 1 << 24 },
		{ "max_ep", c->max_ep, 1, 1 << 24 },
		{ "max_mr", c->max_mr, 1, 1 << 24 },
		{ "max_mr_pages", c->max_mr_pages, 1, S32_MAX },
		{ "max_srq", c->max_srq, !!(c->caps & PNIC_CAP_LO_SRQ), 1 << 24 },
		{ "max_ctr", c->max_ctr, !!(c->caps & PNIC_CAP_LO_COUNTER), 1 << 24 },
		{ "max_log_eq", c->max_log_eq, 4, 20 },
		{ "max_log_cq", c->max_log_cq, 1, 31 },
		{ "max_log_sq", c->max_log_sq, 4, 31 },
		{ "max_log_rq", c->max_log_rq, 1, 31 },
		{ "max_sge", c->max_sge, 1, PNIC_SQE_MAX_SGE },
		{ "max_sqe_slots", c->max_sqe_slots, 1, PNIC_SQE_MAX_SLOTS },
		{ "page_shift_max", c->page_shift_max, 12, 40 },
		{ "max_msg_size", c->max_msg_size, 1, PNIC_MAX_MSG_SIZE },
		{ "lanes_data", c->lanes_data, 1, PNIC_LANES_MAX },
		{ "number of lanes", c->lanes_data + c->lanes_spare, 1, PNIC_LANES_MAX },
		{ "lane grid", c->grid_x * c->grid_y, c->lanes_data + c->lanes_spare, 1 << 16 },
		{ "mgmt_max", c->mgmt_max, 1, U16_MAX },
		{ "FEC code", c->fec_n, c->fec_k + 1ULL, U16_MAX },
		{ "fec_k", c->fec_k, 1, U16_MAX },
		{ "fec_symbol_bits", c->fec_symbol_bits, 1, 64 },
		{ "striping", c->striping, PNIC_STRIPE_SYMBOL, PNIC_STRIPE_BIT },
		{ "lane_kbps", c->lane_kbps, 1, U32_MAX },
		{ "payload_kbps", c->payload_kbps, 1, c->lane_kbps },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		if (ranges[i].value < ranges[i].min || ranges[i].value > ranges[i].max)
			return pnic_caps_bad(pd, ranges[i].what, ranges[i].value);
	return 0;
}

/* Strings are NUL padded on the wire, and may fill their field. */
static void pnic_caps_string(char *to, const char *from, size_t len)
{
	size_t i;

	memcpy(to, from, len);
	to[len] = '\0';
	for (i = 0; i < len && to[i]; i++)
		if (!isascii(to[i]) || !isprint(to[i]))
			to[i] = '?';
}

static void pnic_caps_convert(const struct pnic_identify *id, struct pnic_caps *c)
{
	c->hw_version = le32_to_cpu(id->hw_version);
	c->fw_version = le32_to_cpu(id->fw_version);
	c->caps = le64_to_cpu(id->caps);
	c->nic_addr = le32_to_cpu(id->nic_addr);
	c->max_eq = le32_to_cpu(id->max_eq);
	c->max_ctx = le32_to_cpu(id->max_ctx);
	c->max_cq = le32_to_cpu(id->max_cq);
	c->max_ep = le32_to_cpu(id->max_ep);
	c->max_mr = le32_to_cpu(id->max_mr);
	c->max_mr_pages = le32_to_cpu(id->max_mr_pages);
	if (c->caps & PNIC_CAP_LO_SRQ)
		c->max_srq = le32_to_cpu(id->max_srq);
	if (c->caps & PNIC_CAP_LO_COUNTER)
		c->max_ctr = le32_to_cpu(id->max_ctr);
	c->max_log_eq = id->max_log_eq;
	c->max_log_cq = id->max_log_cq;
	c->max_log_sq = id->max_log_sq;
	c->max_log_rq = id->max_log_rq;
	c->max_sge = id->max_sge;
	c->max_sqe_slots = id->max_sqe_slots;
	c->page_shift_max = id->page_shift_max;
	c->max_msg_size = le32_to_cpu(id->max_msg_size);
	c->frame_payload = le32_to_cpu(id->frame_payload);
	c->lanes_data = le16_to_cpu(id->lanes_data);
	c->lanes_spare = le16_to_cpu(id->lanes_spare);
	c->grid_x = le16_to_cpu(id->grid_x);
	c->grid_y = le16_to_cpu(id->grid_y);
	c->lane_kbps = le32_to_cpu(id->lane_kbps);
	c->payload_kbps = le32_to_cpu(id->payload_kbps);
	c->fec_n = le16_to_cpu(id->fec_n);
	c->fec_k = le16_to_cpu(id->fec_k);
	c->fec_symbol_bits = id->fec_symbol_bits;
	c->striping = id->striping;
	c->mgmt_max = le16_to_cpu(id->mgmt_max);
	c->guid = le64_to_cpu(id->guid);
	pnic_caps_string(c->serial, id->serial, sizeof(id->serial));
	pnic_caps_string(c->cable_serial, id->cable_serial, sizeof(id->cable_serial));
	pnic_caps_string(c->model_name, id->model_name, sizeof(id->model_name));
}

/*
 * After a reset the card must be the one that it was: user space was told its
 * limits, and the lane manager was built for its lanes. Cable and firmware may be others.
 */
static int pnic_caps_same(struct pnic_dev *pd, const struct pnic_caps *c)
{
	struct pnic_caps now = *c;

	now.fw_version = pd->caps.fw_version;
	memcpy(now.cable_serial, pd->caps.cable_serial, sizeof(now.cable_serial));
	if (!memcmp(&now, &pd->caps, sizeof(now)))
		return 0;
	dev_err(&pd->pdev->dev, "the card came back from reset with other properties\n");
	return -ENODEV;
}

/* IDENTIFY: fills pd->caps. */
int pnic_caps_read(struct pnic_dev *pd)
{
	struct pnic_identify *id;
	struct pnic_caps *c;
	int err = -ENOMEM;

	id = kmalloc(sizeof(*id), GFP_KERNEL);
	c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (!id || !c)
		goto free;
	err = pnic_cmd_identify(pd, id);
	if (err) {
		dev_err_probe(&pd->pdev->dev, err, "the card does not identify itself\n");
		goto free;
	}
	pnic_caps_convert(id, c);
	c->db_pages = pd->db_pages;
	err = pnic_caps_check_ranges(pd, c);
	if (!err && pd->caps.nic_addr)
		err = pnic_caps_same(pd, c);
	if (!err) {
		/* After a reset the name of the cable may be another one; netlink reads it. */
		down_write(&pd->reg_lock);
		pd->caps = *c;
		up_write(&pd->reg_lock);
	}
free:
	kfree(c);
	kfree(id);
	return err;
}
