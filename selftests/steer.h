/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Steering the model (modelctl.h) in a KTAP test: a request that is refused ends the test, and where
 * there is no model the test is skipped.
 */
#ifndef PNIC_STEER_H
#define PNIC_STEER_H

#include "ktap.h"
#include "modelctl.h"

#define NEED_MODEL()						\
	do {							\
		if (!modelctl_present())			\
			SKIP("no model to steer: %s", modelctl_error()); \
	} while (0)

#define STEER(...)						\
	do {							\
		if (modelctl(__VA_ARGS__)) {			\
			ktap_failed(__FILE__, __LINE__, "model: %s", modelctl_error()); \
			ktap_leave();				\
		}						\
	} while (0)

#endif /* PNIC_STEER_H */
