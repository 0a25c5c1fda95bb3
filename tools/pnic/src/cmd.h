/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command table: what can be said, and its help. The man pages and the completion are
 * checked against it.
 */
#ifndef PNIC_TOOL_CMD_H
#define PNIC_TOOL_CMD_H

#include "pnic.h"

/**
 * struct verb - one command
 * @name: the word
 * @fn: runs it; the exit status
 * @args: the rest of its synopsis
 * @help: what it does, in a line
 */
struct verb {
	const char *name;
	int (*fn)(struct pnic *p);
	const char *args;
	const char *help;
};

/**
 * struct object - what commands are about
 * @name: the word
 * @help: a line
 * @verbs: ended by one without a name; the first is the default
 * @notes: more help, or NULL
 * @bare: needs no verb in front of its arguments
 */
struct cmd_object {
	const char *name;
	const char *help;
	const struct verb *verbs;
	const char *notes;
	bool bare;
};

/* Ended by one without a name. */
extern const struct cmd_object cmd_objects[];

void cmd_help(FILE *f);
void cmd_object_help(const struct cmd_object *o);

int cmd_dev_show(struct pnic *p);
int cmd_link_show(struct pnic *p);
int cmd_link_set(struct pnic *p);
int cmd_link_margin(struct pnic *p);
int cmd_lane_show(struct pnic *p);
int cmd_lane_map(struct pnic *p);
int cmd_lane_set(struct pnic *p);
int cmd_lane_undo(struct pnic *p);
int cmd_spare_show(struct pnic *p);
int cmd_policy_show(struct pnic *p);
int cmd_policy_set(struct pnic *p);
int cmd_policy_preview(struct pnic *p);
int cmd_policy_reset(struct pnic *p);
int cmd_policy_save(struct pnic *p);
int cmd_policy_load(struct pnic *p);
int cmd_history_show(struct pnic *p);
int cmd_history_save(struct pnic *p);
int cmd_history_load(struct pnic *p);
int cmd_stat_show(struct pnic *p);
int cmd_stat_openmetrics(struct pnic *p);
int cmd_res_show(struct pnic *p);
int cmd_grant_show(struct pnic *p);
int cmd_grant_add(struct pnic *p);
int cmd_grant_del(struct pnic *p);
int cmd_monitor_all(struct pnic *p);
int cmd_monitor_lane(struct pnic *p);
int cmd_monitor_link(struct pnic *p);
int cmd_monitor_health(struct pnic *p);
int cmd_monitor_dev(struct pnic *p);
int cmd_top(struct pnic *p);

#endif /* PNIC_TOOL_CMD_H */
