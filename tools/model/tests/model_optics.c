// SPDX-License-Identifier: GPL-2.0
/*
 * Light, age and field traces as the running model takes them: control commands, options,
 * gen-trace.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "selftests/ktap.h"
#include "server.h"

#define LANES	20		/* of test-16: 16 + 4, 5 x 4 */

static struct server server;

static void start(void)
{
	static const char *const args[] = {
		"--nics", "2", "--profile", "test-16", "--opt", "ber_sigma_db=0", "--opt", "noise_db=0",
		"--opt", "burn_in_db=0", "--opt", "life_h=1e12", "--opt", "drift_sigma=0",
		"--opt", "reach_m=25", "--opt", "fit=0", NULL
	};
	static bool up;

	if (!server.pid)
		up = server_start(&server, "pnic-model", args);
	REQUIRE(up);
}

static double lane_real(unsigned int nic, unsigned int n, const char *key)
{
	json_t *reply = server_ctl(&server, "{\"cmd\":\"lanes\",\"nic\":%u}", nic);
	double d = json_number_value(json_object_get(json_array_get(json_object_get(reply, "lanes"),
								    n), key));

	json_decref(reply);
	return d;
}

/* Loss against the 25 m of fibre that this model was started with. */
static double loss(unsigned int nic, unsigned int lane)
{
	return -1 - lane_real(nic, lane, "power_db");
}

#define CHECK_NEAR(a, b)	CHECK(fabs((a) - (b)) <= 0.005)
#define OK(...)			CHECK(server_ctl_ok(&server, __VA_ARGS__))

KTAP_TEST(where_light_goes)
{
	start();
	CHECK_NEAR(loss(1, 7), 0);
	OK("{\"cmd\":\"patch\",\"nic\":1,\"x\":2,\"y\":1,\"radius\":0.5,\"edge\":2,\"db\":4}");
	CHECK_NEAR(loss(1, 7), 4);
	CHECK_NEAR(loss(1, 8), 3);
	OK("{\"cmd\":\"patch\",\"nic\":1,\"x\":2,\"y\":1,\"radius\":0.5,\"edge\":2,\"db\":0}");
	CHECK_NEAR(loss(1, 8), 0);
	OK("{\"cmd\":\"row\",\"nic\":1,\"row\":1,\"db\":2}");
	CHECK_NEAR(loss(1, 5), 2);
	CHECK_NEAR(loss(1, 10), 0);
	OK("{\"cmd\":\"row\",\"nic\":1,\"row\":1,\"db\":0}");
	OK("{\"cmd\":\"misalign\",\"nic\":1,\"x\":0.5,\"db\":1}");
	CHECK_NEAR(loss(1, 4), 3.0103 + 1);
	CHECK_NEAR(loss(1, 0), 0);
	OK("{\"cmd\":\"misalign\",\"nic\":1}");
	CHECK_NEAR(loss(1, 4), 0);
	OK("{\"cmd\":\"temperature\",\"celsius\":65}");
	CHECK_NEAR(loss(0, 4), 0.2);
	CHECK_NEAR(loss(1, 4), 0.2);
	OK("{\"cmd\":\"temperature\",\"celsius\":45}");
	OK("{\"cmd\":\"supply\",\"supply\":0.5}");
	CHECK_NEAR(loss(0, 4), 3.0103);
	OK("{\"cmd\":\"supply\",\"supply\":1}");
	OK("{\"cmd\":\"drift\",\"nic\":1,\"lane\":[1,2],\"db_per_hour\":0.01}");
	OK("{\"cmd\":\"age\",\"hours\":100}");
	CHECK_NEAR(loss(1, 1), 1);
	CHECK_NEAR(loss(1, 2), 1);
	CHECK_NEAR(lane_real(1, 1, "age_db"), 1);
	CHECK_NEAR(lane_real(1, 1, "drift"), 0.01);
	CHECK_NEAR(lane_real(1, 1, "hours"), 100);
	OK("{\"cmd\":\"age\",\"rate\":1e6}");
	OK("{\"cmd\":\"age\",\"rate\":0}");
	CHECK(lane_real(1, 1, "hours") > 100);
	OK("{\"cmd\":\"heal\",\"nic\":1,\"lane\":\"all\"}");
	CHECK_NEAR(loss(1, 1), 0);
}

/* The link needs its time for it. */
static void wait_for_margin(bool some)
{
	unsigned int i;

	for (i = 0; i < 5000 && (server_counter(&server, 0, "margin") > 0) != some; i++)
		usleep(1000);
	CHECK_EQ(server_counter(&server, 0, "margin") > 0, some);
}

KTAP_TEST(a_wrong_map)
{
	json_t *reply;

	start();
	OK("{\"cmd\":\"drop_requests\",\"requests\":0}");
	OK("{\"cmd\":\"corrupt_map\",\"nic\":1,\"dir\":\"tx\",\"logical\":3,\"lane\":10}");
	reply = server_ctl(&server, "{\"cmd\":\"map\",\"nic\":1,\"dir\":\"tx\"}");
	CHECK_EQ(json_integer_value(json_array_get(json_object_get(json_object_get(reply, "active"),
								   "phys"), 3)), 10);
	CHECK_EQ(json_integer_value(json_array_get(json_object_get(json_object_get(reply, "active"),
								   "phys"), 10)), 3);
	CHECK(json_is_null(json_object_get(reply, "standby")));
	json_decref(reply);
	wait_for_margin(false);
	OK("{\"cmd\":\"corrupt_map\",\"nic\":1,\"dir\":\"tx\",\"logical\":3,\"lane\":3}");
	wait_for_margin(true);
	CHECK_EQ(server_counter(&server, 0, "standby_switches"), 0);
	CHECK_EQ(server_counter(&server, 0, "standby_switches_rx"), 0);
}

KTAP_TEST(bad_requests)
{
	static const char *const bad[] = {
		"{\"cmd\":\"row\"}", "{\"cmd\":\"row\",\"row\":4,\"db\":1}",
		"{\"cmd\":\"row\",\"row\":1}", "{\"cmd\":\"row\",\"row\":1,\"db\":201}",
		"{\"cmd\":\"row\",\"row\":1.5,\"db\":1}", "{\"cmd\":\"misalign\",\"x\":6}",
		"{\"cmd\":\"misalign\",\"db\":1}", "{\"cmd\":\"misalign\",\"x\":1,\"db\":-1}",
		"{\"cmd\":\"misalign\",\"x\":\"1\"}", "{\"cmd\":\"drift\",\"lane\":1}",
		"{\"cmd\":\"drift\",\"db_per_hour\":1}", "{\"cmd\":\"drift\",\"lane\":20,\"db_per_hour\":1}",
		"{\"cmd\":\"drift\",\"lane\":1,\"db_per_hour\":1e10}", "{\"cmd\":\"temperature\"}",
		"{\"cmd\":\"temperature\",\"celsius\":1000}", "{\"cmd\":\"supply\",\"supply\":0}",
		"{\"cmd\":\"age\"}", "{\"cmd\":\"age\",\"hours\":-1}", "{\"cmd\":\"age\",\"rate\":-1}",
		"{\"cmd\":\"age\",\"hours\":1,\"rate\":\"x\"}", "{\"cmd\":\"age\",\"days\":1}",
		"{\"cmd\":\"patch\",\"x\":1,\"y\":1,\"radius\":1,\"edge\":-1,\"db\":1}",
		"{\"cmd\":\"drop_requests\"}", "{\"cmd\":\"drop_requests\",\"requests\":-1}",
		"{\"cmd\":\"corrupt_map\",\"dir\":\"up\",\"logical\":1,\"lane\":2}",
		"{\"cmd\":\"corrupt_map\",\"dir\":\"rx\",\"logical\":1,\"lane\":1}",
		"{\"cmd\":\"corrupt_map\",\"dir\":\"rx\",\"logical\":16,\"lane\":1}",
		"{\"cmd\":\"corrupt_map\",\"dir\":\"rx\",\"logical\":1,\"lane\":20}",
		"{\"cmd\":\"play\",\"file\":\"/nonexistent/trace\"}", "{\"cmd\":\"play\",\"file\":3}",
		"{\"cmd\":\"play\",\"text\":\"\"}", "{\"cmd\":\"play\",\"stop\":1}",
		"{\"cmd\":\"play\",\"text\":\"pnic-trace 1\\n0 0 1 kill\\n0 0 20 kill\"}",
		"{\"cmd\":\"play\",\"text\":\"pnic-trace 1\",\"stop\":true}",
	};
	unsigned int i, n;

	start();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		SUBTEST("%s", bad[i]) {
			json_t *reply = server_ctl(&server, "%s", bad[i]);
			const char *why = json_string_value(json_object_get(reply, "error"));

			CHECK(json_is_false(json_object_get(reply, "ok")));
			CHECK(why && strlen(why) > 5);
			json_decref(reply);
		}
	}
	for (n = 0; n < 2; n++)
		for (i = 0; i < LANES; i++)
			CHECK_NEAR(loss(n, i), 0);
}

static unsigned int left(void)
{
	json_t *reply = server_ctl(&server, "{\"cmd\":\"play\"}");
	unsigned int n = json_integer_value(json_object_get(reply, "left"));

	json_decref(reply);
	return n;
}

KTAP_TEST(plays_traces)
{
	json_t *reply;
	const char *why;

	start();
	CHECK_EQ(left(), 0);
	OK("{\"cmd\":\"play\",\"text\":\"pnic-trace 1\\n0 1 3 degrade 2\\n0.001 0 4 degrade 3\\n"
	   "1000 0 5 kill\\n\"}");
	while (left() > 1)
		usleep(1000);
	CHECK_NEAR(loss(1, 3), 2);
	CHECK_NEAR(loss(0, 4), 3);
	/* A bad one does nothing, and leaves the one that runs. */
	reply = server_ctl(&server, "{\"cmd\":\"play\",\"text\":\"pnic-trace 1\\n0 1 6 kill\\n0 1 link kill\\n\"}");
	why = json_string_value(json_object_get(reply, "error"));
	CHECK(why && !strncmp(why, "line 3: ", 8));
	json_decref(reply);
	usleep(2000);
	CHECK_NEAR(loss(1, 6), 0);
	CHECK_EQ(left(), 1);
	OK("{\"cmd\":\"play\",\"stop\":true}");
	CHECK_EQ(left(), 0);
	OK("{\"cmd\":\"heal\",\"nic\":1,\"lane\":\"all\"}");
	OK("{\"cmd\":\"heal\",\"nic\":0,\"lane\":\"all\"}");
}

static void put_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	REQUIRE(f);
	fputs(text, f);
	fclose(f);
}

KTAP_TEST(options)
{
	static const struct { int status; const char *args[6]; } runs[] = {
		{ 0, { "--opt", "help" } }, { 2, { "--opt", "nothing=1" } }, { 2, { "--opt", "life_h" } },
		{ 2, { "--opt", "life_h=" } }, { 2, { "--opt", "life_h=0" } },
		{ 2, { "--opt", "life_h=1x" } }, { 2, { "--opt", "heartbeat_us=1.5" } },
		{ 2, { "--opt", "=1" } }, { 2, { "--opt", "grid_x=2" } }, { 2, { "--opt", "fec_n=543" } },
		{ 2, { "--age-rate", "-1" } },
		{ 0, { "gen-trace", "--count", "10" } }, { 0, { "gen-trace", "--help" } },
		{ 0, { "gen-trace", "--mix", "rows=1,supply=2", "--nics", "3" } },
		{ 2, { "gen-trace", "--mix", "rows" } }, { 2, { "gen-trace", "--mix", "rows=0" } },
		{ 2, { "gen-trace", "--count", "-1" } }, { 2, { "gen-trace", "--count", "2000000" } },
		{ 2, { "gen-trace", "--nics", "0" } }, { 2, { "gen-trace", "--gap", "0" } },
		{ 2, { "gen-trace", "--profile", "x" } }, { 2, { "gen-trace", "x" } },
		{ 2, { "gen-trace", "--nothing" } },
	};
	const char *args[16] = { NULL };
	unsigned int i, k, n;

	for (i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		SUBTEST("%s %s", runs[i].args[0], runs[i].args[1]) {
			n = 0;
			if (runs[i].args[0][0] == '-') {
				args[n++] = "--socket-dir";
				args[n++] = "/tmp";
				args[n++] = "--ctl";
				args[n++] = "/tmp/pnic-never";
			}
			for (k = 0; k < 6; k++)
				args[n++] = runs[i].args[k];
			args[n] = NULL;
			CHECK_EQ(server_run("pnic-model", args), runs[i].status);
		}
	}
}

KTAP_TEST(plays_from_the_start)
{
	char dir[] = "/tmp/pnic-test-XXXXXX", path[64];
	const char *args[] = { "--profile", "test-16", "--trace-play", path, "--no-standby", NULL };
	const char *bad[] = { "--profile", "test-16", "--socket-dir", dir, "--ctl", "/tmp/pnic-never2",
			      "--trace-play", path, NULL };
	struct server other, mine = server;
	double light = 0;

	REQUIRE(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/trace", dir);
	put_file(path, "pnic-trace 1\n0 1 3 kill\n");
	REQUIRE(server_start(&other, "pnic-model", args));
	server = other;
	while (light > -30) {
		light = lane_real(1, 3, "power_db");
		usleep(1000);
	}
	CHECK_EQ(server_stop(&server), 0);
	server = mine;
	put_file(path, "pnic-trace 1\n0 1 3 kill\n0 9 3 kill\n");
	CHECK_EQ(server_run("pnic-model", bad), 2);
	CHECK_OK(unlink(path));
	CHECK_OK(rmdir(dir));
}

KTAP_TEST(ends_cleanly)
{
	start();
	OK("{\"cmd\":\"play\",\"text\":\"pnic-trace 1\\n1000 1 3 kill\\n\"}");
	CHECK_EQ(server_stop(&server), 0);
}

KTAP_MAIN()
