// SPDX-License-Identifier: GPL-2.0
/* The command table, see cmd.h. */
#include "cmd.h"

#include "out.h"

static const struct verb dev_verbs[] = {
	{ "show", cmd_dev_show, "[DEV]", "what the devices are, and how they are" },
	{}
};

static const struct verb link_verbs[] = {
	{"show", cmd_link_show, "[DEV]", "state, width, rate, margin, agreement, alarms, forecast"},
	{"set", cmd_link_set, "DEV {up|down}", "switch the link on or off at this end"},
	{"margin", cmd_link_margin, "DEV [take]", "the margin alone; take begins its minimum anew"},
	{}};

static const struct verb lane_verbs[] = {
	{ "show", cmd_lane_show, "DEV [lane N[-M]] [dir {rx|tx}]",
	  "a summary and what is abnormal; -d: all lanes" },
	{ "map", cmd_lane_map, "DEV [dir {rx|tx}] [--svg FILE|-]", "the grid as a picture" },
	{ "set", cmd_lane_set,
	  "DEV lane N {disable|enable|retire|test} [preview] [force] [generation G]",
	  "have something done with a receive lane" },
	{ "undo", cmd_lane_undo, "DEV [preview]", "undo the last change by an administrator" },
	{}
};

static const struct verb spare_verbs[] = {
	{ "show", cmd_spare_show, "DEV", "spares, best first; standby plan; forecast" },
	{}
};

static const struct verb policy_verbs[] = {
	{ "show", cmd_policy_show, "[DEV]", "knobs of the lane manager" },
	{ "set", cmd_policy_set, "DEV KNOB VALUE [KNOB VALUE ...] [revision R]",
	  "change knobs: all or none" },
	{ "preview", cmd_policy_preview, "DEV [KNOB VALUE ...]",
	  "what would be done now with such knobs" },
	{ "reset", cmd_policy_reset, "DEV", "every knob to its default" },
	{ "save", cmd_policy_save, "DEV FILE", "keep the knobs" },
	{ "load", cmd_policy_load, "DEV FILE", "as they were kept; all others to their defaults" },
	{}
};

static const struct verb history_verbs[] = {
	{ "show", cmd_history_show, "DEV [since SEQ]", "what was seen, decided and done" },
	{ "save", cmd_history_save, "DEV {FILE|DIR}",
	  "keep what is known of the cable, in DIR by its serial number" },
	{ "load", cmd_history_load, "DEV {FILE|DIR}", "have the driver remember it" },
	{}
};

static const struct verb stat_verbs[] = {
	{ "show", cmd_stat_show, "[DEV]", "counters; -s: wrong symbols in codewords" },
	{ "openmetrics", cmd_stat_openmetrics, "[DEV]", "everything in numbers, for Prometheus" },
	{}
};

static const struct verb res_verbs[] = {
	{ "show", cmd_res_show, "[DEV] [object [KIND ...]]",
	  "who holds what: by open file, or object by object" },
	{}
};

static const struct verb grant_verbs[] = {
	{ "show", cmd_grant_show, "[DEV]", "which users may be in which partitions" },
	{ "add", cmd_grant_add, "DEV partition N {user NAME|uid N}", "let a user into a partition" },
	{ "del", cmd_grant_del, "DEV partition N {user NAME|uid N}",
	  "take that back; what the user has there stays until it is closed" },
	{}
};

static const struct verb monitor_verbs[] = {
	{ "all", cmd_monitor_all, "[-t FORM]", "every event" },
	{ "lane", cmd_monitor_lane, "[-t FORM]", "what happens to lanes and maps" },
	{ "link", cmd_monitor_link, "[-t FORM]", "state, width, rate, agreement; knobs" },
	{ "health", cmd_monitor_health, "[-t FORM]", "alarms" },
	{ "dev", cmd_monitor_dev, "[-t FORM]", "devices that come, go and are reset" },
	{}
};

static const struct verb top_verbs[] = {
	{ "show", cmd_top, "[DEV] [-i SECONDS] [-b N]",
	  "live view; -b: print N frames as text" },
	{}
};

const struct cmd_object cmd_objects[] = {
	{ .name = "dev", .help = "devices", .verbs = dev_verbs },
	{ .name = "link", .help = "their links", .verbs = link_verbs },
	{ .name = "lane", .help = "lanes of a link", .verbs = lane_verbs },
	{ .name = "spare", .help = "spare lanes", .verbs = spare_verbs },
	{ .name = "policy", .help = "knobs of the lane manager", .verbs = policy_verbs, .notes =
	  "VALUE: a number in the knob's unit; times also as 10ms, 5s, 2h; rates of wrong\n"
	  "symbols also as 2.4e-6; switches as on and off. KNOB: see pnic policy show\n" },
	{ .name = "history", .help = "what was seen and done", .verbs = history_verbs },
	{ .name = "stat", .help = "counters", .verbs = stat_verbs },
	{ .name = "res", .help = "what programs hold", .verbs = res_verbs,
	  .notes = "KIND: context, region, cq, endpoint, srq, counter\n" },
	{ .name = "grant", .help = "partitions that users may be in", .verbs = grant_verbs },
	{ .name = "monitor", .help = "events as they come", .verbs = monitor_verbs,
	  .notes = "FORM: iso, unix, none\n" },
	{ .name = "top", .help = "live full-screen view", .verbs = top_verbs, .bare = true },
	{}
};

void cmd_help(FILE *f)
{
	const struct cmd_object *o;

	fputs("Usage: pnic [OPTIONS] OBJECT {COMMAND|help}\n"
	      "       pnic [-force] -b FILE\n\n"
	      "OBJECT:\n", f);
	for (o = cmd_objects; o->name; o++)
		fprintf(f, "  %-9s %s\n", o->name, o->help);
	fputs("\nOPTIONS:\n"
	      "  -j, --json        JSON\n"
	      "  -p, --pretty      JSON, indented\n"
	      "  -s, --statistics  more numbers\n"
	      "  -d, --details     everything\n"
	      "  -c, --color[=WHEN] colours: auto (default: on a terminal), always, never\n"
	      "  -N, --netns NAME  in a network namespace\n"
	      "  -b, --batch FILE  commands from a file, - for standard input\n"
	      "  -force            a batch goes on after a failure\n"
	      "  -V, --Version     version\n"
	      "  -h, --help        this\n"
	      "\nDEV is pnicN, N, or a PCI address. Words may be cut short while they stay clear.\n"
	      "Status: 0 done, 1 refused or failed, 2 wrong usage. See pnic(8).\n", f);
}

void cmd_object_help(const struct cmd_object *o)
{
	const struct verb *v;
	char line[256];

	for (v = o->verbs; v->name; v++) {
		snprintf(line, sizeof(line), "%s pnic %s %s%s%s",
			 v == o->verbs ? "Usage:" : "      ", o->name, v->name, *v->args ? " " : "",
			 v->args);
		out_wrap(line, 0, 15);
		printf("           %s\n", v->help);
	}
	if (o->notes)
		printf("\n%s", o->notes);
}
