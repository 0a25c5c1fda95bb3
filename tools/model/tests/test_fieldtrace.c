// SPDX-License-Identifier: GPL-2.0
/*
 * Field traces: what is read, what is refused and how, what an event does, random ones, and that a
 * played trace is the same run each time (Documentation/field-trace.rst).
 */
#include <math.h>

#include "link_rig.h"
#include "tools/model/core/fieldtrace.h"

#define HEAD	"pnic-trace 1\n"

static struct pm_link_config mosaic;
static struct pm_trace_shape pair_shape = { &mosaic, 2, false }, star_shape = { &mosaic, 4, true };
static char why[160];

static struct pm_trace *parse(const char *text, const struct pm_trace_shape *shape)
{
	if (!mosaic.profile)
		pm_link_config_defaults(&mosaic, "mosaic-800g");
	why[0] = 0;
	return pm_trace_parse(text, strlen(text), shape, why, sizeof(why));
}

KTAP_TEST(reads_all_there_is)
{
	static const char text[] = HEAD
		"# a comment, and an empty line\n"
		"\n"
		"0.5       0        17     kill\n"
		"0.25\t1:nic  3-5    degrade 2.5   # behind it\r\n"
		"0.75      3:switch 0-459  heal\n"
		"1e-6      0        link   patch 4 9 2.5 3\n"
		"1e-6      0        link   patch 4 9 2.5 3 0.5\n"
		"2         0        9      drift -0.125\n"
		"3         0        link   row 22 100\n"
		"4         0        link   misalign 0.5 -0.5\n"
		"4.1       0        link   misalign 0.5 0 2\n"
		"5         0        link   common 2\n"
		"6         0        link   temperature 75\n"
		"7         0        link   supply 0.9\n"
		"8         0        link   cut 1\n"
		"9         0        link   age 1000\n"
		"10        0        link   age-rate 3600\n"
		"11        0        link   heal";
	const struct pm_trace_event *ev;
	struct pm_trace *t = parse(text, &star_shape);
	uint64_t last = 0;
	unsigned int n;

	REQUIRE(t);
	CHECK_EQ(pm_trace_count(t), 17 - 1);
	ev = pm_trace_next(t);
	CHECK_EQ(ev->at, 1000);
	CHECK_EQ(ev->line, 7);
	CHECK_EQ(ev->what, PM_TRACE_PATCH);
	CHECK_EQ(ev->values, 5);
	CHECK(ev->v[4] == mosaic.optics.dirt_edge);
	ev = pm_trace_next(t);
	CHECK_EQ(ev->line, 8);
	CHECK(ev->v[4] == 0.5);
	ev = pm_trace_next(t);
	CHECK_EQ(ev->line, 5);
	CHECK_EQ(ev->at, 250000000);
	CHECK_EQ(ev->nic, 1);
	CHECK_EQ(ev->first, 3);
	CHECK_EQ(ev->last, 5);
	CHECK(ev->v[0] == 2.5);
	pm_trace_rewind(t);
	for (n = 0; (ev = pm_trace_next(t)); n++) {
		CHECK_GE(ev->at, last);
		last = ev->at;
		CHECK_EQ(ev->at_switch, ev->nic == 3);
	}
	CHECK_EQ(n, 16);
	pm_trace_free(t);
}

KTAP_TEST(says_what_is_wrong_and_where)
{
	static const struct { const char *line, *says; } bad[] = {
		{ "0.1", "needed" },
		{ "0.1 0 17", "needed" },
		{ "x 0 17 kill", "time" },
		{ "-1 0 17 kill", "time" },
		{ "nan 0 17 kill", "time" },
		{ "1e7 0 17 kill", "time" },
		{ "0x10 0 17 kill", "time" },
		{ "1 2 17 kill", "NIC" },
		{ "1 -1 17 kill", "NIC" },
		{ "1 one 17 kill", "NIC" },
		{ "1 0:switch 17 kill", "no switch" },
		{ "1 0:far 17 kill", "neither" },
		{ "1 0 460 kill", "lanes are 0 to 459" },
		{ "1 0 5-3 kill", "range" },
		{ "1 0 5- kill", "range" },
		{ "1 0 -5 kill", "range" },
		{ "1 0 5,6 kill", "range" },
		{ "1 0 all kill", "range" },
		{ "1 0 17 explode", "no event" },
		{ "1 0 link kill", "is for lanes" },
		{ "1 0 17 common 1", "is for a link" },
		{ "1 0 17 kill 1", "takes 0" },
		{ "1 0 17 degrade", "takes 1" },
		{ "1 0 17 degrade 1 2", "takes 1" },
		{ "1 0 17 degrade one", "dB" },
		{ "1 0 17 degrade 1x", "dB" },
		{ "1 0 17 degrade -1", "from 0 to 200" },
		{ "1 0 17 degrade inf", "dB" },
		{ "1 0 link patch 1 2 3", "takes 4 or more" },
		{ "1 0 link patch 1 2 3 4 5 6", "too many" },
		{ "1 0 link patch 20 2 3 4", "from 0 to 19" },
		{ "1 0 link patch 1 23 3 4", "from 0 to 22" },
		{ "1 0 link patch 1 2 -1 4", "radius" },
		{ "1 0 link row 23 1", "from 0 to 22" },
		{ "1 0 link row 2.5 1", "an integer" },
		{ "1 0 link misalign 21 0", "grid" },
		{ "1 0 link misalign 0 0 1", "gradient" },
		{ "1 0 link cut 2", "an integer from 0 to 1" },
		{ "1 0 link supply 0", "from 0.01" },
		{ "1 0 link age -1", "hours" },
		{ "1 0 link kill 1 2 3 4 5 6 7 8 9 10", "too many" },
	};
	char text[512], line[300];
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		SUBTEST("%s", bad[i].line) {
			snprintf(text, sizeof(text), HEAD "0 0 1 kill\n%s\n0 0 1 nonsense\n", bad[i].line);
			CHECK(!parse(text, &pair_shape));
			CHECK(!strncmp(why, "line 3: ", 8));
			if (!strstr(why, bad[i].says))
				CHECK(!"says what is wrong");
			CHECK(!strchr(why, '\n'));
		}
	}
	SUBTEST("a long line") {
		memset(line, '1', sizeof(line) - 1);
		line[sizeof(line) - 1] = 0;
		snprintf(text, sizeof(text), HEAD "%s", line);
		CHECK(!parse(text, &pair_shape));
		CHECK(!strcmp(why, "line 2: longer than 255 characters"));
	}
	SUBTEST("no text at all") {
		CHECK(!pm_trace_parse(HEAD "0 0 1\0 kill\n", 26, &pair_shape, why, sizeof(why)));
		CHECK(!strncmp(why, "line 2: ", 8));
	}
	SUBTEST("the first line") {
		CHECK(!parse("", &pair_shape));
		CHECK(!strncmp(why, "line 1: ", 8));
		CHECK(!parse("0 0 1 kill\n", &pair_shape));
		CHECK(!strncmp(why, "line 1: ", 8));
		CHECK(!parse("# nothing\n\n", &pair_shape));
		CHECK(!parse("pnic-trace 2\n", &pair_shape));
	}
	SUBTEST("a message longer than its room") {
		CHECK(!pm_trace_parse("nonsense\n", 9, &pair_shape, why, 12));
		CHECK_EQ(strlen(why), 11);
	}
	SUBTEST("a file that is not there") {
		CHECK(!pm_trace_open("/nonexistent/trace", &pair_shape, why, sizeof(why)));
		CHECK(strstr(why, "No such file"));
	}
	SUBTEST("nothing but the head") {
		struct pm_trace *t = parse(HEAD, &pair_shape);

		REQUIRE(t);
		CHECK_EQ(pm_trace_count(t), 0);
		CHECK(!pm_trace_next(t));
		pm_trace_free(t);
	}
}

static void apply_all(struct rig *r, const char *events)
{
	const struct pm_trace_event *ev;
	struct pm_trace *t;
	char text[1024];

	snprintf(text, sizeof(text), HEAD "%s", events);
	t = parse(text, &pair_shape);
	REQUIRE(t);
	while ((ev = pm_trace_next(t)))
		CHECK_EQ(pm_trace_apply(ev, r->end[ev->nic].port), 0);
	pm_trace_free(t);
}

static double power(struct rig *r, unsigned int lane)
{
	struct pm_lane_truth t;

	REQUIRE_EQ(pm_lane_truth(r->end[1].port, lane, &t), 0);
	return t.power_db;
}

#define CHECK_NEAR(a, b)	CHECK(fabs((a) - (b)) <= 0.004)

KTAP_TEST(events_do_what_they_say)
{
	struct pm_lane_truth t;
	unsigned int i;
	struct rig r;

	rig_init(&r, "mosaic-800g", 1);
	r.config.ber_sigma_db = 0;
	r.config.optics.noise_db = 0;
	r.config.optics.burn_in_db = 0;
	r.config.optics.life_h = 1e12;
	r.config.optics.drift_sigma = 0;
	rig_open(&r);
	apply_all(&r, "0 1 3-5 degrade 2\n0 1 4 kill\n0 1 9 drift 0.1\n0 1 link age 10\n");
	CHECK_NEAR(power(&r, 3), -2);
	CHECK_NEAR(power(&r, 5), -2);
	CHECK_NEAR(power(&r, 6), 0);
	CHECK_NEAR(power(&r, 9), -1);
	pm_lane_truth(r.end[1].port, 4, &t);
	CHECK(t.dead);
	apply_all(&r, "0 1 3-5 heal\n0 1 link patch 10 10 2 1 1\n0 1 link row 0 3\n0 1 link common 0.5\n");
	CHECK_NEAR(power(&r, 4), -3.5);
	CHECK_NEAR(power(&r, 210), -1.5);
	apply_all(&r, "0 1 link heal\n0 0 link temperature 65\n0 1 link supply 0.5\n");
	for (i = 0; i < 460; i++)
		CHECK_NEAR(power(&r, i), -0.2 - 3.0103);
	apply_all(&r, "0 0 link temperature 45\n0 1 link supply 1\n0 1 link misalign 0.5 0\n");
	CHECK_NEAR(power(&r, 19), -3.0103);
	apply_all(&r, "0 1 link misalign 0 0\n0 1 link cut 1\n");
	CHECK(power(&r, 19) < -30);
	apply_all(&r, "0 1 link cut 0\n0 1 link age-rate 1000000\n");
	CHECK_NEAR(power(&r, 19), 0);
	rig_want(&r, 0, 1000);
	CHECK(rig_until(&r, rig_delivered, 10000));
	CHECK_EQ(pm_fault_age(r.end[1].port, 0), 0);
	pm_lane_truth(r.end[1].port, 19, &t);
	CHECK(t.hours > 20);
	rig_free(&r);
}

/* Text of a random trace; to be freed. */
static char *draw(const struct pm_trace_mix *mix, const struct pm_trace_shape *shape)
{
	struct pm_trace *t = pm_trace_random(mix, shape, why, sizeof(why));
	char *text = NULL;
	size_t len;
	FILE *f;

	REQUIRE(t);
	f = open_memstream(&text, &len);
	REQUIRE(f);
	CHECK_EQ(pm_trace_write(t, f), 0);
	fclose(f);
	pm_trace_free(t);
	return text;
}

KTAP_TEST(random_traces)
{
	struct pm_trace_mix mix;
	char *text, *again, *copy = NULL;
	struct pm_trace *t;
	unsigned int i;
	size_t len;
	FILE *f;

	CHECK(!parse("", &pair_shape));
	pm_trace_mix_defaults(&mix);
	for (i = 0; i < PM_FAULT_KINDS; i++)
		mix.weight[i] = 1 + i;
	mix.count = 2000;
	text = draw(&mix, &star_shape);
	again = draw(&mix, &star_shape);
	CHECK(!strcmp(text, again));
	free(again);
	mix.seed = 2;
	again = draw(&mix, &star_shape);
	CHECK(strcmp(text, again));
	free(again);
	/* What is written reads as what was drawn, and is right in every line. */
	t = parse(text, &star_shape);
	if (!t)
		ktap_say("%s", why);
	REQUIRE(t);
	f = open_memstream(&copy, &len);
	CHECK_EQ(pm_trace_write(t, f), 0);
	fclose(f);
	CHECK(!strcmp(text, copy));
	pm_trace_free(t);
	free(copy);
	free(text);
}

static unsigned int occurrences(const char *text, const char *what)
{
	unsigned int n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

KTAP_TEST(the_mix_is_what_was_asked_for)
{
	struct pm_trace_mix mix;
	char *text;

	CHECK(!parse("", &pair_shape));
	pm_trace_mix_defaults(&mix);
	mix.count = 1000;
	CHECK(pm_trace_mix_parse(&mix, "deaths=3,patches=1", why, sizeof(why)));
	text = draw(&mix, &pair_shape);
	CHECK_GE(occurrences(text, "kill\n"), 750 - 90);
	CHECK_LE(occurrences(text, "kill\n"), 750 + 90);
	CHECK_EQ(occurrences(text, "kill\n"), occurrences(text, "heal\n"));
	CHECK_EQ(occurrences(text, "kill\n") + occurrences(text, "patch") / 2, 1000);
	CHECK_EQ(occurrences(text, "drift") + occurrences(text, "common") +
		 occurrences(text, "row") + occurrences(text, "age-rate"), 0);
	CHECK_EQ(occurrences(text, "switch"), 0);
	free(text);
	CHECK(!pm_trace_mix_parse(&mix, "", why, sizeof(why)));
	CHECK(!pm_trace_mix_parse(&mix, "deaths", why, sizeof(why)));
	CHECK(!pm_trace_mix_parse(&mix, "deaths=", why, sizeof(why)));
	CHECK(!pm_trace_mix_parse(&mix, "deaths=1,", why, sizeof(why)));
	CHECK(!pm_trace_mix_parse(&mix, "deaths=-1", why, sizeof(why)));
	CHECK(!pm_trace_mix_parse(&mix, "deaths=1x", why, sizeof(why)));
	CHECK(!pm_trace_mix_parse(&mix, "death=1", why, sizeof(why)));
	CHECK(!pm_trace_mix_parse(&mix, "deaths=0,flaps=0", why, sizeof(why)));
	/* A refused one changes nothing. */
	CHECK(mix.weight[PM_FAULT_DEATHS] == 3 && mix.weight[PM_FAULT_PATCHES] == 1);
	mix.gap_us = 0;
	CHECK(!pm_trace_random(&mix, &pair_shape, why, sizeof(why)));
	mix.gap_us = 1;
	mix.weight[PM_FAULT_DRIFTS] = 1;
	mix.age_rate = 0;
	CHECK(!pm_trace_random(&mix, &pair_shape, why, sizeof(why)));
}

static struct pm_port *port_of(void *arg, unsigned int nic, bool at_switch)
{
	struct rig *r = arg;

	CHECK(!at_switch);
	return r->end[nic].port;
}

static struct pm_player *player;

static bool played(struct rig *r)
{
	return !pm_player_left(player) || rig_delivered(r);
}

/* By the clock of the link, and at the right moment. */
KTAP_TEST(events_come_when_they_are_due)
{
	struct pm_trace *t = parse(HEAD "0.0003 1 17 kill\n0.0001 1 16 kill\n0.0003 0 5 kill\n",
				   &pair_shape);
	struct pm_lane_truth truth;
	uint64_t start;
	struct rig r;

	REQUIRE(t);
	rig_new(&r);
	rig_want(&r, 0, 20000);
	rig_want(&r, 1, 20000);
	start = pm_sim_now(r.sim);
	player = pm_player_new(r.sim, t, port_of, &r);
	REQUIRE(player);
	CHECK_EQ(pm_player_left(player), 3);
	CHECK(rig_until(&r, rig_delivered, 20000));
	CHECK_EQ(pm_player_left(player), 0);
	CHECK_EQ(r.end[1].los, 2);
	CHECK_EQ(r.end[0].los, 1);
	CHECK_EQ(r.end[1].last_lane.data[0], start + 300000);
	CHECK_EQ(r.end[0].last_lane.data[0], start + 300000);
	pm_player_free(player);
	/* Freed in the middle, nothing more comes. */
	t = parse(HEAD "0.0001 1 20 kill\n100 1 21 kill\n", &pair_shape);
	player = pm_player_new(r.sim, t, port_of, &r);
	rig_pass_us(&r, 300);
	CHECK_EQ(pm_player_left(player), 1);
	pm_player_free(player);
	pm_lane_truth(r.end[1].port, 20, &truth);
	CHECK(truth.dead);
	rig_check(&r);
	rig_free(&r);
}

KTAP_TEST(the_same_seed_is_the_same_run)
{
	struct pnic_counters first[2], c;
	struct pm_trace_mix mix;
	double light = 0, sum;
	unsigned int k, i;
	struct rig r;

	CHECK(!parse("", &pair_shape));
	for (k = 0; k < 2; k++) {
		pm_trace_mix_defaults(&mix);
		mix.seed = 7;
		mix.count = 200;
		mix.gap_us = 20;
		mix.repair_us = 100;
		rig_init(&r, "mosaic-800g", 1);
		rig_open(&r);
		player = pm_player_new(r.sim, pm_trace_random(&mix, &pair_shape, why, sizeof(why)),
				       port_of, &r);
		rig_want(&r, 0, 120000);
		rig_want(&r, 1, 120000);
		CHECK(rig_until(&r, played, 60000));
		CHECK_EQ(pm_player_left(player), 0);
		sum = 0;
		for (i = 0; i < 460; i++)
			sum += power(&r, i);
		for (i = 0; i < 2; i++) {
			c = rig_counters(&r, (int)i);
			if (k)
				CHECK(!memcmp(&c, &first[i], sizeof(c)));
			first[i] = c;
		}
		if (k)
			CHECK(sum == light);
		light = sum;
		CHECK_GT(first[0].symbols_corrected, 0);
		CHECK(rig_until(&r, rig_delivered, 60000));
		rig_check(&r);
		pm_player_free(player);
		rig_free(&r);
	}
}

KTAP_MAIN()
