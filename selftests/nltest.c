// SPDX-License-Identifier: GPL-2.0
/* What the netlink tests have in common, see nltest.h. */
#include "nltest.h"

#include <stdio.h>
#include <string.h>

#include "device.h"

int nltest_get(struct nl_sock *s, struct nl_msg *m, uint8_t cmd, uint32_t dev, struct nl_attrs *out)
{
	nl_begin(m, cmd);
	nl_put_u32(m, PNIC_A_DEV_INDEX, dev);
	return nl_do(s, m, out);
}

int nltest_policy_set(struct nl_sock *s, struct nl_msg *m, uint32_t dev, uint16_t knob, uint32_t value,
		      struct nl_attrs *out)
{
	nl_begin(m, PNIC_CMD_POLICY_SET);
	nl_put_u32(m, PNIC_A_POLICY_DEV_INDEX, dev);
	nl_put_u32(m, knob, value);
	return nl_do(s, m, out);
}

int nltest_policy_reset(struct nl_sock *s, struct nl_msg *m, uint32_t dev)
{
	nl_begin(m, PNIC_CMD_POLICY_SET);
	nl_put_u32(m, PNIC_A_POLICY_DEV_INDEX, dev);
	nl_put_flag(m, PNIC_A_POLICY_RESET);
	return nl_do(s, m, NULL);
}

int nltest_lane(struct nl_sock *s, struct nl_msg *m, uint32_t dev, uint32_t lane,
		struct nl_attrs *out)
{
	nl_begin(m, PNIC_CMD_LANE_GET);
	nl_put_u32(m, PNIC_A_LANE_DEV_INDEX, dev);
	nl_put_u32(m, PNIC_A_LANE_INDEX, lane);
	return nl_do(s, m, out);
}

static uint64_t deadline(void)
{
	return now_ns() + NLTEST_WAIT_MS * 1000000ull;
}

bool nltest_wait_lane(struct nl_sock *s, struct nl_msg *m, uint32_t dev, uint32_t lane,
		      uint32_t status)
{
	uint64_t end = deadline();
	struct nl_attrs a = {};
	int err;

	while (now_ns() < end) {
		err = nltest_lane(s, m, dev, lane, &a);
		if (err && err != -EBUSY)
			return false;
		if (!err && nl_num(&a, PNIC_A_LANE_STATUS) == status)
			return true;
		sleep_ms(20);
	}
	printf("# lane %u is in state %llu\n", lane,
	       (unsigned long long)nl_num(&a, PNIC_A_LANE_STATUS));
	return false;
}

bool nltest_wait_link(struct nl_sock *s, struct nl_msg *m, uint32_t dev, uint32_t status)
{
	uint64_t end = deadline();
	struct nl_attrs a = {};
	int err;

	while (now_ns() < end) {
		err = nltest_get(s, m, PNIC_CMD_LINK_GET, dev, &a);
		if (err && err != -EBUSY)
			return false;
		if (!err && nl_num(&a, PNIC_A_LINK_STATUS) == status)
			return true;
		sleep_ms(20);
	}
	return false;
}

static bool settled(const struct nlattr *nest)
{
	struct nl_attrs d;

	nl_parse_nest(nest, &d);
	return nl_has(&d, PNIC_A_LINK_DIR_AGREED) && !nl_has(&d, PNIC_A_LINK_DIR_STAGED) &&
	       !strcmp(nl_str(&d, PNIC_A_LINK_DIR_PROTO_STATE), "idle");
}

bool nltest_wait_agreed(struct nl_sock *s, struct nl_msg *m, uint32_t dev)
{
	uint64_t end = deadline();
	struct nl_attrs a = {};
	int err;

	while (now_ns() < end) {
		err = nltest_get(s, m, PNIC_CMD_LINK_GET, dev, &a);
		if (err && err != -EBUSY)
			return false;
		if (!err && nl_num(&a, PNIC_A_LINK_STATUS) == PNIC_LINK_STATUS_UP &&
		    settled(a.at[PNIC_A_LINK_RX]) && settled(a.at[PNIC_A_LINK_TX]))
			return true;
		sleep_ms(20);
	}
	return false;
}

int nltest_reset(uint32_t dev)
{
	char pci[32], path[128];

	if (dev_pci(dev, pci, sizeof(pci)))
		return -1;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/reset", pci);
	return write_file(path, "1");
}
