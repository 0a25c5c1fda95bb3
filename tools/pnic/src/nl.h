/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The query layer: one function for each operation of the family, plain structs in and out.
 *
 * All return 0, or -1 with the reason in @error of the connection, as a line for people.
 * Lists must be empty when they are given; free them by fields_clear_list(), also after a
 * failure.
 */
#ifndef PNIC_TOOL_NL_H
#define PNIC_TOOL_NL_H

#include <stdbool.h>
#include <stdint.h>

#include "fields.h"
#include "reply.h"
#include "sock.h"

#define DRV_ALL		UINT32_MAX	/* every device, or every kind */

enum drv_group { DRV_GROUP_LANES, DRV_GROUP_LINK, DRV_GROUP_HEALTH, DRV_GROUPS };

/**
 * struct drv - a connection to the driver
 * @sock: NULL before drv_open()
 * @family: number of the family
 * @seq: of the last request
 * @buf: for datagrams
 * @code: errno of the last failure; 0 if the kernel was not the one who refused
 * @error: the last failure, in words
 */
struct drv {
	struct sock *sock;
	uint16_t family;
	uint32_t seq;
	char *buf;
	int code;
	char error[1024];
};

int drv_open(struct drv *n);
void drv_close(struct drv *n);

int drv_devs(struct drv *n, struct list *devs);
/* @take: begin the window of the minimum margin anew. */
int drv_links(struct drv *n, uint32_t dev, bool take, struct list *links);
int drv_link_set(struct drv *n, uint32_t dev, bool up);

struct lane_query {
	uint32_t dev, direction;
	bool range, abnormal;
	uint32_t first, last;		/* with @range */
};

int drv_lanes(struct drv *n, const struct lane_query *q, struct list *lanes);

struct lane_order {
	uint32_t dev, lane, action;
	bool preview, force, has_generation;
	uint32_t generation;
};

int drv_lane_set(struct drv *n, const struct lane_order *o, struct plan *plan);
int drv_undo(struct drv *n, uint32_t dev, bool preview, struct plan *plan);
/* @knobs: those whose bit is set in @has; NULL: the present ones. */
int drv_plan(struct drv *n, uint32_t dev, const struct policy *knobs, struct plan *plan);
int drv_policies(struct drv *n, uint32_t dev, struct list *policies);
/* Knobs and revision as their bits say. */
int drv_policy_set(struct drv *n, uint32_t dev, const struct policy *knobs, bool reset,
		  struct policy *after);
int drv_history(struct drv *n, uint32_t dev, uint64_t since, struct list *entries);
int drv_cable_get(struct drv *n, uint32_t dev, struct cable *cable);
int drv_cable_set(struct drv *n, const struct cable *cable);
int drv_counters(struct drv *n, uint32_t dev, struct list *counters);
int drv_res(struct drv *n, uint32_t dev, struct list *res);
int drv_objects(struct drv *n, uint32_t dev, uint32_t kind, struct list *objects);
int drv_grants(struct drv *n, uint32_t dev, struct list *grants);
/* @add: else take it back. */
int drv_grant_set(struct drv *n, const struct grant *g, bool add);

/* --- events: on a connection of their own ------------------------------------------------ */

int drv_join(struct drv *n, enum drv_group group);
/* Hear of the driver's being loaded and unloaded. */
int drv_join_ctrl(struct drv *n);

enum {
	EVENTS_NONE,		/* nothing came in time, or a signal did */
	EVENTS_SOME,		/* @fn was called */
	EVENTS_UNLOADED,	/* the driver is gone */
	EVENTS_LOADED,		/* it is there again: open a new connection */
};

/*
 * Waits for a datagram of events and calls @fn for each; @timeout_ms -1: for ever. One of the
 * above, or -1; then @code is ENOBUFS if events were lost.
 */
int drv_events(struct drv *n, int timeout_ms, reply_fn *fn, void *arg);

#endif /* PNIC_TOOL_NL_H */
