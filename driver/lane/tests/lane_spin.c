// SPDX-License-Identifier: GPL-2.0
/*
 * The Promela model of the lane protocol (spin/lane.pml): it has the transition tables of
 * the C code, spin finds no error in it, and finds the error in each variant that was broken
 * on purpose.
 *
 * "lane_spin --rules" prints spin/rules.pml, the tables as the code has them: every state
 * meets every event, and what happens is written down.
 */
#include <sys/wait.h>

#include "talk.h"
#include "rng.h"

#ifndef LANE_SPIN_DIR
#error "LANE_SPIN_DIR says where lane.pml is"
#endif

/* ---- the tables, as the code has them ---- */

struct names {
	const char *prefix;
	size_t nr;
	const char * const *name;
};

static const char * const rx_state[LANE_RX_STATES] = {
	[LANE_RX_IDLE] = "IDLE", [LANE_RX_PROPOSED] = "PROPOSED", [LANE_RX_STAGING] = "STAGING",
	[LANE_RX_GO] = "GO",
};

static const char * const rx_event[LANE_RX_EVENTS] = {
	[LANE_RXE_PROPOSE] = "PROPOSE", [LANE_RXE_WITHDRAW] = "WITHDRAW",
	[LANE_RXE_ACCEPT] = "ACCEPT", [LANE_RXE_REJECT] = "REJECT", [LANE_RXE_STAGED] = "STAGED",
	[LANE_RXE_REFUSED] = "REFUSED", [LANE_RXE_SWITCHED] = "SWITCHED",
	[LANE_RXE_RESET] = "RESET", [LANE_RXE_TIMEOUT] = "TIMEOUT",
};

static const char * const tx_state[LANE_TX_STATES] = {
	[LANE_TX_IDLE] = "IDLE", [LANE_TX_STAGING] = "STAGING", [LANE_TX_STAGED] = "STAGED",
	[LANE_TX_SWITCHING] = "SWITCHING", [LANE_TX_UNCONFIRMED] = "UNCONFIRMED",
	[LANE_TX_BACK_STAGING] = "BACK_STAGING", [LANE_TX_BACK_SWITCHING] = "BACK_SWITCHING",
};

static const char * const tx_event[LANE_TX_EVENTS] = {
	[LANE_TXE_PROPOSE] = "PROPOSE", [LANE_TXE_AGAIN] = "AGAIN", [LANE_TXE_GO] = "GO",
	[LANE_TXE_STAGED] = "STAGED", [LANE_TXE_REFUSED] = "REFUSED",
	[LANE_TXE_SWITCHED] = "SWITCHED", [LANE_TXE_SWITCH_FAILED] = "SWITCH_FAILED",
	[LANE_TXE_FOREIGN] = "FOREIGN", [LANE_TXE_AGREED] = "AGREED",
	[LANE_TXE_ASTRAY] = "ASTRAY", [LANE_TXE_PEER_RESET] = "PEER_RESET",
	[LANE_TXE_TIMEOUT] = "TIMEOUT",
};

static const char * const rxp_state[LANE_RXP_STATES] = {
	[LANE_RXP_NONE] = "NONE", [LANE_RXP_PROPOSED] = "PROPOSED",
	[LANE_RXP_LOADING] = "LOADING", [LANE_RXP_LOADED] = "LOADED",
};

static const char * const rxp_event[LANE_RXP_EVENTS] = {
	[LANE_RXPE_PLAN] = "PLAN", [LANE_RXPE_DROP] = "DROP", [LANE_RXPE_PLANNED] = "PLANNED",
	[LANE_RXPE_REFUSED] = "REFUSED", [LANE_RXPE_LOADED] = "LOADED",
	[LANE_RXPE_FAILED] = "FAILED", [LANE_RXPE_CARD] = "CARD", [LANE_RXPE_RESET] = "RESET",
	[LANE_RXPE_TIMEOUT] = "TIMEOUT", [LANE_RXPE_GIVE_UP] = "GIVE_UP",
};

static const char * const txp_state[LANE_TXP_STATES] = {
	[LANE_TXP_NONE] = "NONE", [LANE_TXP_LOADING] = "LOADING", [LANE_TXP_LOADED] = "LOADED",
};

static const char * const txp_event[LANE_TXP_EVENTS] = {
	[LANE_TXPE_PLAN] = "PLAN", [LANE_TXPE_AGAIN] = "AGAIN", [LANE_TXPE_EMPTY] = "EMPTY",
	[LANE_TXPE_LOADED] = "LOADED", [LANE_TXPE_FAILED] = "FAILED", [LANE_TXPE_CARD] = "CARD",
	[LANE_TXPE_RESET] = "RESET",
};

static const char * const message[LANE_MSG_TYPES] = {
	[LANE_MSG_HELLO] = "HELLO", [LANE_MSG_HEARTBEAT] = "HEARTBEAT",
	[LANE_MSG_PROPOSE] = "PROPOSE", [LANE_MSG_ACCEPT] = "ACCEPT",
	[LANE_MSG_REJECT] = "REJECT", [LANE_MSG_GO] = "GO", [LANE_MSG_CONFIRM] = "CONFIRM",
	[LANE_MSG_PLAN] = "PLAN", [LANE_MSG_PLANNED] = "PLANNED",
};

static const struct names messages = { "MSG", LANE_MSG_TYPES, message };

/* A machine: its names, its event function, and where its state is. */
struct machine {
	struct names states, events;
	const char *step, *state_var, *act;
	void (*event)(struct lane_proto *proto, u8 event, u64 at);
	u8 *state;
};

static const struct machine machines[] = {
	{ { "RX", LANE_RX_STATES, rx_state }, { "RXE", LANE_RX_EVENTS, rx_event },
	  "rx_step", "r_st", "rx", lane_proto_rx_event, &p.rx.state },
	{ { "TX", LANE_TX_STATES, tx_state }, { "TXE", LANE_TX_EVENTS, tx_event },
	  "tx_step", "t_st", "tx", lane_proto_tx_event, &p.tx.state },
	{ { "RXP", LANE_RXP_STATES, rxp_state }, { "RXPE", LANE_RXP_EVENTS, rxp_event },
	  "rxp_step", "r_pst", "rxp", lane_proto_rx_plan_event, &p.rx.plan.state },
	{ { "TXP", LANE_TXP_STATES, txp_state }, { "TXPE", LANE_TXP_EVENTS, txp_event },
	  "txp_step", "t_pst", "txp", lane_proto_tx_plan_event, &p.tx.plan.state },
};

static const char *action_name(const struct lane_action *act)
{
	static char name[32];

	switch (act->type) {
	case LANE_ACT_STAGE:
		return p.tx.next.generation == LANE_GEN_FIRST ? "stage_back" : "stage";
	case LANE_ACT_SWITCH:
		return "switch";
	case LANE_ACT_ABORT:
		return "abort";
	case LANE_ACT_STANDBY:
		return "load";
	case LANE_ACT_SEND:
		snprintf(name, sizeof(name), "%s_%s", act->ask ? "ask" : "send",
			 message[act->msg]);
		return name;
	}
	return NULL;
}

/* Meets one event in one state. True if it means anything; @does: what it does. */
static bool meet_event(const struct machine *m, u8 state, u8 event, char *does, size_t cap)
{
	struct lane_action act;
	size_t len = 0;

	fresh();
	lane_map_copy(&p.rx.next, &map);
	lane_map_copy(&p.tx.next, &map);
	p.rx.next.generation = 2;
	p.tx.next.generation = 2;
	p.rx.id = 1;
	p.tx.id = 1;
	p.tx.astray = 2;
	*m->state = state;
	m->event(&p, event, now);
	*does = 0;
	while (lane_proto_next_action(&p, &act))
		if (action_name(&act))
			len += snprintf(does + len, cap - len, " %s_%s();", m->act,
					action_name(&act));
	if (!p.tx.astray)
		len += snprintf(does + len, cap - len, " %s_forget();", m->act);
	return *m->state != state || len;
}

/* States and messages count from 1. A new one has to be named above. */
static void print_names(FILE *out, const struct names *n)
{
	size_t i;

	for (i = 0; i < n->nr; i++)
		if (i && !n->name[i])
			fprintf(out, "/* %s %zu has no name */\n", n->prefix, i);
		else if (n->name[i])
			fprintf(out, "#define %s_%s\t%zu\n", n->prefix, n->name[i], i);
	fputc('\n', out);
}

static void print_machine(FILE *out, const struct machine *m)
{
	char does[256];
	u8 state, event;

	fprintf(out, "inline %s(ev)\n{\n\tif\n", m->step);
	for (state = 1; state < m->states.nr; state++)
		for (event = 0; event < m->events.nr; event++)
			if (meet_event(m, state, event, does, sizeof(does)))
				fprintf(out, "\t:: %s == %s_%s && ev == %s_%s -> %s = %s_%s;%s\n",
					m->state_var, m->states.prefix, m->states.name[state],
					m->events.prefix, m->events.name[event], m->state_var,
					m->states.prefix, m->states.name[*m->state], does);
	fprintf(out, "\t:: else\n\tfi\n}\n\n");
}

static void print_rules(FILE *out)
{
	size_t i;

	/* In two pieces, as this is not the licence of this file. */
	fprintf(out, "/* SPDX-License-%s */\n", "Identifier: GPL-2.0");
	fprintf(out, "/* The tables of proto_{rx,tx,plan}.c: made by lane_spin --rules. */\n\n");
	print_names(out, &messages);
	for (i = 0; i < sizeof(machines) / sizeof(*machines); i++) {
		print_names(out, &machines[i].states);
		print_names(out, &machines[i].events);
	}
	for (i = 0; i < sizeof(machines) / sizeof(*machines); i++)
		print_machine(out, &machines[i]);
}

/* ---- is what spin sees what the code does? ---- */

KTAP_TEST(model_has_the_tables_of_the_code)
{
	char *code = NULL, line[512];
	size_t len = 0, at = 0;
	FILE *out, *model;
	unsigned int n = 0;

	out = open_memstream(&code, &len);
	REQUIRE(out);
	print_rules(out);
	fclose(out);
	model = fopen(LANE_SPIN_DIR "/rules.pml", "r");
	REQUIRE(model);
	while (fgets(line, sizeof(line), model)) {
		n++;
		if (at + strlen(line) > len || memcmp(code + at, line, strlen(line))) {
			ktap_say("rules.pml, line %u: %s", n, strtok(line, "\n"));
			ktap_say("the code has: %.*s", (int)strcspn(code + at, "\n"), code + at);
			CHECK(!"the tables of the model and of the code are the same");
			break;
		}
		at += strlen(line);
	}
	CHECK_EQ(at, len);
	fclose(model);
	free(code);
}

/* The sanitizers have nothing to say about another program. */
#if LANE_TEST_SHARE == 1

struct run {
	const char *what;
	const char *with;	/* definitions for lane.pml */
	const char *finds;	/* what it must find, NULL: nothing */
};

static char dir[32];
static char said[65536];

/* Its output is in said. */
static int shell(const char *command)
{
	FILE *p = popen(command, "r");
	size_t len = 0, got;

	REQUIRE(p);
	while ((got = fread(said + len, 1, sizeof(said) - 1 - len, p)) > 0)
		len += got;
	said[len] = 0;
	return pclose(p);
}

/* The number before @what in what the verifier said. */
static double number_before(const char *what)
{
	const char *at = strstr(said, what);

	if (!at)
		return 0;
	while (at > said && at[-1] != '\n')
		at--;
	return strtod(at, NULL);
}

static void say_all(void)
{
	char *line;

	for (line = strtok(said, "\n"); line; line = strtok(NULL, "\n"))
		ktap_say("%s", line);
}

static void verify(const struct run *run)
{
	char command[1024];

	alarm(ktap.timeout_s);		/* of each, not of all */
	snprintf(command, sizeof(command),
		 "cd %s && rm -f pan* *.trail && spin %s -a %s/lane.pml && gcc %s %s -o v pan.c && %s",
		 dir, run->with, LANE_SPIN_DIR, run->finds ? "-O1" : "-O2",
		 "-w -DSAFETY -DCOLLAPSE -DNOFAIR -DVECTORSZ=2048 -DMEMLIM=2000",
		 "./v -m100000 -n 2>&1");
	shell(command);
	if (run->finds) {
		if (!strstr(said, run->finds) || !strstr(said, "assertion violated"))
			say_all();
		CHECK(strstr(said, run->finds));
		return;
	}
	ktap_say("%s: %.0f states, %.0f MB", run->with, number_before("states, stored"),
		 number_before("total actual memory"));
	CHECK_GT(number_before("states, stored"), 100);
	if (!strstr(said, "errors: 0") || strstr(said, "not completed") ||
	    strstr(said, "too small")) {
		say_all();
		CHECK(!"spin has seen every state, and no error");
	}
}

static void verify_all(const struct run *runs, size_t nr)
{
	char command[64];
	size_t i;

	REQUIRE_EQ(shell("spin -V"), 0);
	snprintf(dir, sizeof(dir), "/tmp/lane_spin.XXXXXX");
	REQUIRE(mkdtemp(dir));
	for (i = 0; i < nr; i++)
		SUBTEST("%s", runs[i].what)
			verify(&runs[i]);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	shell(command);
}

#define BOUNDS(faults, resets, delays, wishes)				\
	"-DFAULTS=" #faults " -DRESETS=" #resets " -DDELAYS=" #delays " -DWISHES=" #wishes

KTAP_TEST(model_holds)
{
	static const struct run runs[] = {
		{ "no fault, three wishes", BOUNDS(0, 0, 2, 3), NULL },
		{ "a fault, a reset", BOUNDS(1, 1, 1, 2), NULL },
		{ "a fault, three wishes", BOUNDS(1, 0, 1, 3), NULL },
		{ "two faults, a reset", BOUNDS(2, 1, 0, 2), NULL },
		{ "two faults, two resets", BOUNDS(2, 2, 0, 1), NULL },
	};
	static const struct run wide[] = {
		{ "no fault, much delay", BOUNDS(0, 0, 3, 3), NULL },
		{ "two faults, a reset, a delay", BOUNDS(2, 1, 1, 2), NULL },
	};

	verify_all(runs, sizeof(runs) / sizeof(*runs));
	if (!test_setting("LANE_SPIN_WIDE", 0))
		return;
	ktap.timeout_s = 3600;
	verify_all(wide, sizeof(wide) / sizeof(*wide));
}

KTAP_TEST(model_holds_with_maps_gone_bad)
{
	static const struct run runs[] = {
		{ "two faults", "-DCORRUPT " BOUNDS(2, 0, 0, 2), NULL },
		{ "a fault, a reset", "-DCORRUPT " BOUNDS(1, 1, 0, 2), NULL },
	};

	verify_all(runs, sizeof(runs) / sizeof(*runs));
}

#define PROPERTY_A	"((bad||(rc_g!=ln_g))||(rc_m==ln_m))"
#define PROPERTY_B	"(ts_g&&((ts_m>>2)==(ts_m&3)))"
#define PROPERTY_C	"((calm<7)||"
#define NO_FALLBACK	"||late)"
#define PROPERTY_D	"assertion violated told"

KTAP_TEST(what_is_broken_is_found)
{
	static const struct run runs[] = {
		{ "marker without a sum", "-DBUG_SUM " BOUNDS(0, 0, 3, 3), PROPERTY_A },
		{ "proposals taken unseen", "-DCORRUPT -DBUG_CHECK " BOUNDS(1, 0, 0, 2),
		  PROPERTY_B },
		{ "no fall-back", "-DBUG_FALLBACK " BOUNDS(1, 0, 0, 1), PROPERTY_C },
		{ "a difference isn't told", "-DBUG_TOLD " BOUNDS(1, 0, 0, 1), PROPERTY_D },
		{ "no grace", "-DBUG_GRACE " BOUNDS(0, 0, 1, 1), NO_FALLBACK },
		{ "no look at what is echoed", "-DBUG_ECHO " BOUNDS(0, 0, 2, 1), NO_FALLBACK },
		{ "not bound after GO", "-DBUG_BOUND " BOUNDS(0, 0, 0, 2), NO_FALLBACK },
	};

	verify_all(runs, sizeof(runs) / sizeof(*runs));
}

#endif /* LANE_TEST_SHARE */

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--rules")) {
		print_rules(stdout);
		return 0;
	}
	return ktap_main(argc, argv);
}
