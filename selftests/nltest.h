/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the netlink tests have in common: requests about one device, and waiting for a state. The
 * message given is used and overwritten.
 */
#ifndef PNIC_SELFTESTS_NLTEST_H
#define PNIC_SELFTESTS_NLTEST_H

#include "nl.h"
#include "steer.h"

/* Only a hang takes so long. */
#define NLTEST_WAIT_MS	(60000 * ktap_slow())

/* A request with nothing but the device. */
int nltest_get(struct nl_sock *s, struct nl_msg *m, uint8_t cmd, uint32_t dev, struct nl_attrs *out);
/* A knob of the policy; all of them as they are by default. @out may be NULL. */
int nltest_policy_set(struct nl_sock *s, struct nl_msg *m, uint32_t dev, uint16_t knob, uint32_t value,
		      struct nl_attrs *out);
int nltest_policy_reset(struct nl_sock *s, struct nl_msg *m, uint32_t dev);
int nltest_lane(struct nl_sock *s, struct nl_msg *m, uint32_t dev, uint32_t lane,
		struct nl_attrs *out);
/* These wait, also for a reset, and give false when it takes too long. */
bool nltest_wait_lane(struct nl_sock *s, struct nl_msg *m, uint32_t dev, uint32_t lane,
		      uint32_t status);
bool nltest_wait_link(struct nl_sock *s, struct nl_msg *m, uint32_t dev, uint32_t status);
bool nltest_wait_agreed(struct nl_sock *s, struct nl_msg *m, uint32_t dev);
/* A function-level reset, and the device serves again: 0, or -1 with errno. */
int nltest_reset(uint32_t dev);

/* Ends the test if the link does not come to rest. */
#define nltest_agreed(s, m, dev)	REQUIRE(nltest_wait_agreed(s, m, dev))

#endif /* PNIC_SELFTESTS_NLTEST_H */
