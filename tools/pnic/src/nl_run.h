/* SPDX-License-Identifier: GPL-2.0 */
/* Between nl.c (connection) and nl_ops.c (requests). */
#ifndef PNIC_TOOL_NL_RUN_H
#define PNIC_TOOL_NL_RUN_H

#include <netlink/msg.h>

#include "nl.h"

/* Notes a failure; -1. */
__attribute__((format(printf, 3, 4)))
int drv_fail(struct drv *n, int code, const char *fmt, ...);
/* A request with @room bytes for its attributes, or NULL. */
struct nl_msg *drv_message(struct drv *n, uint8_t cmd, size_t room);

/* These free @msg, and fail if it is NULL. */
int drv_list(struct drv *n, struct nl_msg *msg, bool dump, const struct field_set *set,
	    struct list *list);
int drv_one(struct drv *n, struct nl_msg *msg, const struct field_set *set, void *obj);
int drv_nothing(struct drv *n, struct nl_msg *msg);

#endif /* PNIC_TOOL_NL_RUN_H */
