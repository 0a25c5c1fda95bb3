// SPDX-License-Identifier: GPL-2.0
/*
 * The control socket: every command, every kind of bad request, several clients
 * at once, and the client command with its exit status.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "selftests/ktap.h"
#include "server.h"

#define LANES	20		/* of test-16: 16 + 4 */

static struct server server;

static void start(void)
{
	static const char *const args[] = { "--nics", "2", "--profile", "test-16", "--seed", "7", NULL };

	static bool up;

	if (!server.pid)
		up = server_start(&server, "pnic-model", args);
	REQUIRE(up);
}

static json_t *lane(unsigned int nic, unsigned int n)
{
	json_t *reply = server_ctl(&server, "{\"cmd\":\"lanes\",\"nic\":%u}", nic);
	json_t *l = json_array_get(json_object_get(reply, "lanes"), n);

	json_incref(l);
	json_decref(reply);
	return l;
}

static bool lane_dead(unsigned int nic, unsigned int n)
{
	json_t *l = lane(nic, n);
	bool dead = json_is_true(json_object_get(l, "dead"));

	json_decref(l);
	return dead;
}

static double lane_real(unsigned int nic, unsigned int n, const char *key)
{
	json_t *l = lane(nic, n);
	double d = json_number_value(json_object_get(l, key));

	json_decref(l);
	return d;
}

static unsigned int dead_lanes(unsigned int nic)
{
	unsigned int i, n = 0;

	for (i = 0; i < LANES; i++)
		n += lane_dead(nic, i);
	return n;
}

/* It is refused, with a message, and nothing else is in the reply. */
static void check_refused(const char *request)
{
	json_t *reply = server_ctl(&server, "%s", request);
	const char *why = json_string_value(json_object_get(reply, "error"));

	CHECK(json_is_false(json_object_get(reply, "ok")));
	CHECK(why && strlen(why) > 5);
	CHECK_EQ(json_object_size(reply), 2);
	if (!json_is_false(json_object_get(reply, "ok")))
		ktap_say("not refused: %s", request);
	json_decref(reply);
}

KTAP_TEST(ping)
{
	json_t *reply;

	start();
	reply = server_ctl(&server, "{\"cmd\":\"ping\",\"tag\":[1,\"x\"]}");
	CHECK(json_is_true(json_object_get(reply, "ok")));
	CHECK_EQ(json_integer_value(json_object_get(reply, "nics")), 2);
	CHECK_EQ(json_array_size(json_object_get(reply, "tag")), 2);
	json_decref(reply);
}

KTAP_TEST(counters)
{
	static const char *const keys[] = {
		"nic", "addr", "width", "width_rx", "spares", "failed", "margin", "margin_erasure",
		"margin_min", "rate_mbps", "rate_rx_mbps", "remaps", "remaps_rx", "link_downs",
		"generation", "gen_rx", "frames_tx", "frames_replayed", "frames_crc_bad",
		"payload_bytes", "line_bits", "codewords", "codewords_corrected",
		"codewords_uncorrectable", "symbols_corrected", "wqes", "cqes", "doorbells",
		"interrupts", "mgmt_tx", "mgmt_rx", "sim_ns",
	};
	json_t *reply, *nics, *one;
	unsigned int i, n;

	start();
	reply = server_ctl(&server, "{\"cmd\":\"counters\"}");
	CHECK(json_is_integer(json_object_get(reply, "clock_ns")));
	nics = json_object_get(reply, "nics");
	REQUIRE_EQ(json_array_size(nics), 2);
	for (n = 0; n < 2; n++) {
		one = json_array_get(nics, n);
		for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			if (!json_is_integer(json_object_get(one, keys[i])))
				ktap_failed(__FILE__, __LINE__, "no integer \"%s\"", keys[i]);
		CHECK_EQ(json_integer_value(json_object_get(one, "nic")), n);
		CHECK_EQ(json_integer_value(json_object_get(one, "width")), 16);
		CHECK_EQ(json_integer_value(json_object_get(one, "spares")), LANES - 16);
		CHECK_EQ(json_array_size(json_object_get(one, "hist")), 16);
		CHECK_STREQ(json_string_value(json_object_get(one, "state")), "up");
	}
	json_decref(reply);
	/* Of one NIC only, when one is named. */
	CHECK_EQ(server_counter(&server, 1, "nic"), 1);
}

KTAP_TEST(lanes_of_each_direction)
{
	start();
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"kill\",\"nic\":1,\"lane\":[3,5,17]}"));
	CHECK(lane_dead(1, 3) && lane_dead(1, 5) && lane_dead(1, 17));
	CHECK_EQ(dead_lanes(1), 3);
	/* The other direction's light is another. */
	CHECK_EQ(dead_lanes(0), 0);
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"heal\",\"nic\":1,\"lane\":3}"));
	CHECK_EQ(dead_lanes(1), 2);
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"heal\",\"nic\":1,\"lane\":\"all\"}"));
	CHECK_EQ(dead_lanes(1), 0);
}

KTAP_TEST(less_light)
{
	double before, other;

	start();
	before = lane_real(0, 4, "power_db");
	other = lane_real(0, 5, "power_db");
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"degrade\",\"lane\":4,\"db\":2.5}"));
	CHECK(lane_real(0, 4, "power_db") < before - 2.4);
	CHECK(lane_real(0, 4, "power_db") > before - 2.6);
	CHECK(lane_real(0, 5, "power_db") == other);
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"common\",\"db\":1}"));
	CHECK(lane_real(0, 5, "power_db") < other - 0.9);
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"common\",\"db\":0}"));
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"heal\",\"lane\":4}"));
	CHECK(lane_real(0, 4, "power_db") > before - 0.1);
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"patch\",\"x\":1,\"y\":1,\"radius\":1.1,\"db\":100}"));
	/* The middle, and its four neighbours. */
	CHECK_EQ(dead_lanes(0), 5);
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"patch\",\"x\":1,\"y\":1,\"radius\":1.1,\"db\":0}"));
	CHECK_EQ(dead_lanes(0), 0);
}

KTAP_TEST(map_of_power_on)
{
	json_t *reply, *map;
	const char *dir;
	unsigned int i;

	start();
	for (dir = "rx"; dir; dir = strcmp(dir, "rx") ? NULL : "tx") {
		reply = server_ctl(&server, "{\"cmd\":\"map\",\"dir\":\"%s\"}", dir);
		map = json_object_get(reply, "active");
		CHECK_EQ(json_integer_value(json_object_get(map, "generation")), 1);
		CHECK_EQ(json_integer_value(json_object_get(map, "width")), 16);
		REQUIRE_EQ(json_array_size(json_object_get(map, "phys")), 16);
		for (i = 0; i < 16; i++)
			CHECK_EQ(json_integer_value(json_array_get(json_object_get(map, "phys"), i)), i);
		CHECK(json_is_null(json_object_get(reply, "staged")));
		json_decref(reply);
	}
}

KTAP_TEST(cut_and_back)
{
	json_t *reply;

	start();
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"cut\",\"on\":true}"));
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"cut\",\"on\":false}"));
	reply = server_ctl(&server, "{\"cmd\":\"counters\",\"nic\":0}");
	CHECK(json_is_true(json_object_get(reply, "ok")));
	json_decref(reply);
}

KTAP_TEST(good_requests)
{
	static const char *const good[] = {
		"{\"cmd\":\"drop\",\"frames\":0}", "{\"cmd\":\"corrupt\",\"nic\":1,\"frames\":0}",
		"{\"cmd\":\"drop_admin\",\"n\":0}", "{\"cmd\":\"drop_irq\",\"n\":0}",
		"{\"cmd\":\"freeze\",\"on\":true}", "{\"cmd\":\"freeze\",\"on\":false}",
		"{\"cmd\":\"garble\",\"what\":\"acqe_cid\",\"n\":0}",
		"{\"cmd\":\"garble\",\"what\":\"acqe_status\",\"n\":0}",
		"{\"cmd\":\"garble\",\"what\":\"eqe_type\",\"n\":0}",
		"{\"cmd\":\"garble\",\"what\":\"eqe_id\",\"n\":0}",
		"{\"cmd\":\"garble\",\"what\":\"cqe\",\"n\":0}",
		"{\"cmd\":\"garble\",\"what\":\"irq_storm\",\"n\":0}", "{\"cmd\":\"evil\"}",
		"{\"cmd\":\"evil\",\"kinds\":\"all\",\"ppm\":0}", "{\"cmd\":\"evil\",\"nic\":1,\"kinds\":\"none\"}",
		"{\"cmd\":\"evil\",\"kinds\":\"cqe,stray,die\",\"ppm\":0,\"seed\":7}",
		"{\"cmd\":\"lie\",\"what\":\"version\",\"value\":65536}",
		"{\"cmd\":\"fatal\",\"nic\":1,\"code\":4,\"info\":9}",
		"{\"cmd\":\"surprise\",\"on\":true}", "{\"cmd\":\"surprise\",\"on\":false}",
		"{\"cmd\":\"help\"}", "  {\"cmd\": \"ping\"}\t",
	};
	unsigned int i;

	start();
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		SUBTEST("%s", good[i])
			CHECK(server_ctl_ok(&server, "%s", good[i]));
}

KTAP_TEST(bad_requests)
{
	static const char *const bad[] = {
		"x", "{", "[]", "3", "\"ping\"", "{}", "{\"cmd\":3}", "{\"cmd\":null}",
		"{\"cmd\":\"pin\"}", "{\"cmd\":\"\"}", "{\"cmd\":\"ping\",\"cmd\":\"ping\"}",
		"{\"cmd\":\"ping\",\"x\":1}", "{\"cmd\":\"ping\"} x", "{\"cmd\":\"ping\",\"nic\":2}",
		"{\"cmd\":\"ping\",\"nic\":-1}", "{\"cmd\":\"ping\",\"nic\":\"0\"}",
		"{\"cmd\":\"ping\",\"nic\":0.5}", "{\"cmd\":\"ping\",\"nic\":99999999999999999999}",
		"{\"cmd\":\"kill\"}", "{\"cmd\":\"kill\",\"lane\":20}", "{\"cmd\":\"kill\",\"lane\":-1}",
		"{\"cmd\":\"kill\",\"lane\":\"3\"}", "{\"cmd\":\"kill\",\"lane\":[]}",
		"{\"cmd\":\"kill\",\"lane\":[1,2,20]}", "{\"cmd\":\"kill\",\"lane\":[1,[2]]}",
		"{\"cmd\":\"kill\",\"lane\":1.5}", "{\"cmd\":\"kill\",\"lane\":true}",
		"{\"cmd\":\"kill\",\"lane\":1,\"db\":3}", "{\"cmd\":\"kill\",\"lane\":1,\"end\":\"switch\"}",
		"{\"cmd\":\"kill\",\"lane\":1,\"end\":3}", "{\"cmd\":\"kill\",\"lane\":1,\"end\":\"x\"}",
		"{\"cmd\":\"degrade\",\"lane\":1}", "{\"cmd\":\"degrade\",\"db\":1}",
		"{\"cmd\":\"degrade\",\"lane\":1,\"db\":-1}", "{\"cmd\":\"degrade\",\"lane\":1,\"db\":\"1\"}",
		"{\"cmd\":\"degrade\",\"lane\":1,\"db\":1e9}",
		"{\"cmd\":\"patch\",\"x\":5,\"y\":0,\"radius\":1,\"db\":1}",
		"{\"cmd\":\"patch\",\"x\":0,\"y\":4,\"radius\":1,\"db\":1}",
		"{\"cmd\":\"patch\",\"x\":0,\"y\":0,\"radius\":-1,\"db\":1}",
		"{\"cmd\":\"patch\",\"x\":0,\"y\":0,\"radius\":1}",
		"{\"cmd\":\"common\"}", "{\"cmd\":\"drop\"}", "{\"cmd\":\"drop\",\"frames\":-1}",
		"{\"cmd\":\"drop\",\"frames\":1.0}", "{\"cmd\":\"corrupt\",\"frames\":5000000000}",
		"{\"cmd\":\"cut\"}", "{\"cmd\":\"cut\",\"on\":1}", "{\"cmd\":\"freeze\",\"on\":\"yes\"}",
		"{\"cmd\":\"fatal\"}", "{\"cmd\":\"fatal\",\"code\":0}", "{\"cmd\":\"fatal\",\"code\":4294967296}",
		"{\"cmd\":\"fatal\",\"code\":1,\"info\":-2}",
		"{\"cmd\":\"drop_admin\"}", "{\"cmd\":\"drop_irq\",\"n\":null}",
		"{\"cmd\":\"garble\",\"what\":\"acqe\",\"n\":1}", "{\"cmd\":\"garble\",\"what\":\"cqe\"}",
		"{\"cmd\":\"evil\",\"kinds\":\"all\"}", "{\"cmd\":\"evil\",\"kinds\":\"\",\"ppm\":1}",
		"{\"cmd\":\"evil\",\"kinds\":\"cqe,\",\"ppm\":1}", "{\"cmd\":\"evil\",\"kinds\":\"cqes\",\"ppm\":1}",
		"{\"cmd\":\"evil\",\"kinds\":\"cqe\",\"ppm\":1000001}", "{\"cmd\":\"evil\",\"kinds\":7,\"ppm\":1}",
		"{\"cmd\":\"evil\",\"ppm\":1}", "{\"cmd\":\"evil\",\"kinds\":\"cqe\",\"ppm\":1,\"seed\":-1}",
		"{\"cmd\":\"lie\",\"what\":\"nothing\",\"value\":1}", "{\"cmd\":\"lie\",\"what\":\"version\"}",
		"{\"cmd\":\"lie\",\"what\":7,\"value\":1}", "{\"cmd\":\"surprise\"}",
		"{\"cmd\":\"map\"}", "{\"cmd\":\"map\",\"dir\":\"up\"}", "{\"cmd\":\"map\",\"dir\":1}",
		"{\"cmd\":\"p\\u0000ing\"}", "\xff\xfe", "{\"cmd\":\"\xff\"}",
	};
	unsigned int i;

	start();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		SUBTEST("number %u", i)
			check_refused(bad[i]);
	/* None of them had an effect. */
	CHECK_EQ(dead_lanes(0), 0);
	CHECK_EQ(dead_lanes(1), 0);
}

static int connect_ctl(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(a.sun_path, server.ctl);
	REQUIRE_OK(fd);
	REQUIRE_OK(connect(fd, (struct sockaddr *)&a, sizeof(a)));
	return fd;
}

static unsigned int count_lines(int fd, unsigned int want)
{
	unsigned int n = 0;
	char buf[4096];
	ssize_t got, i;

	while (n < want) {
		got = recv(fd, buf, sizeof(buf), 0);
		if (got <= 0)
			return n;
		for (i = 0; i < got; i++)
			n += buf[i] == '\n';
	}
	return n;
}

KTAP_TEST(a_line_that_is_too_long)
{
	static char text[200 * 1024];
	static const char ping[] = "\n{\"cmd\":\"ping\"}\n";
	json_t *reply;

	start();
	memset(text, ' ', sizeof(text));
	/* Skipped to its end and answered once; the connection lives on, as a guest's port must. */
	REQUIRE_EQ(send(server.ctl_fd, text, sizeof(text), MSG_NOSIGNAL), sizeof(text));
	REQUIRE_EQ(send(server.ctl_fd, ping, 1, MSG_NOSIGNAL), 1);
	reply = server_ctl(&server, " ");
	CHECK(json_is_false(json_object_get(reply, "ok")));
	json_decref(reply);
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"ping\"}"));
	/* A request just within the limit is one. */
	memset(text, 0, sizeof(text));
	memset(text, ' ', 65535 - strlen("{\"cmd\":\"ping\"}"));
	strcat(text, "{\"cmd\":\"ping\"}");
	CHECK(server_ctl_ok(&server, "%s", text));
}

KTAP_TEST(several_clients_and_pipelines)
{
	static const char ping[] = "{\"cmd\":\"ping\"}\n\n\r\n";
	int fd[20], i, n;

	start();
	for (i = 0; i < 20; i++)
		fd[i] = connect_ctl();
	for (n = 0; n < 50; n++)
		for (i = 0; i < 20; i++)
			REQUIRE_EQ(send(fd[i], ping, strlen(ping), MSG_NOSIGNAL), strlen(ping));
	/* Half of them leave without reading. */
	for (i = 0; i < 20; i += 2)
		close(fd[i]);
	for (i = 1; i < 20; i += 2) {
		CHECK_EQ(count_lines(fd[i], 50), 50);
		close(fd[i]);
	}
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"ping\"}"));
}

KTAP_TEST(too_many_clients)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	unsigned int i, tries, refused = 0;
	bool gone[200] = {};
	int fd[200];
	char c;

	start();
	for (i = 0; i < 200; i++)
		fd[i] = connect_ctl();
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"ping\"}"));
	/* One of the 64 is ours. */
	for (tries = 0; tries < 500 && refused < 200 - 63; tries++) {
		nanosleep(&pause, NULL);
		for (i = 0; i < 200; i++)
			if (!gone[i] && recv(fd[i], &c, 1, MSG_DONTWAIT) == 0) {
				gone[i] = true;
				refused++;
			}
	}
	CHECK_GE(refused, 200 - 63);
	CHECK_LT(refused, 200);
	for (i = 0; i < 200; i++)
		close(fd[i]);
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"ping\"}"));
}

KTAP_TEST(a_client_that_does_not_read)
{
	static const char lanes[] = "{\"cmd\":\"lanes\"}\n";
	int fd, i;

	start();
	fd = connect_ctl();
	for (i = 0; i < 2000; i++)
		if (send(fd, lanes, strlen(lanes), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"ping\"}"));
	/* Once it reads, all its answers are there. */
	CHECK_EQ(count_lines(fd, i), i);
	close(fd);
}

KTAP_TEST(client_command)
{
	static const struct { int status; const char *args[8]; } runs[] = {
		{ 0, { "ping" } }, { 0, { "kill", "nic=1", "lane=1,4-6" } },
		{ 0, { "heal", "nic=1", "lane=all" } }, { 0, { "cut", "on=false" } },
		{ 0, { "degrade", "lane=2", "db=0.5" } }, { 0, { "heal", "lane=2" } },
		{ 0, { "map", "dir=tx" } }, { 0, { "freeze", "on=off" } },
		{ 1, { "kill", "lane=4-99" } }, { 1, { "nonsense" } }, { 1, { "kill", "lane=4-" } },
		{ 2, { "kill", "lane" } }, { 2, { "kill", "=3" } }, { 2, { "--nonsense" } },
	};
	const char *args[16] = { "ctl", "--ctl", server.ctl };
	static const char *const missing[] = { "ctl", "--ctl", "/nonexistent/ctl", "ping", NULL };
	static const char *const no_path[] = { "ctl", "ping", NULL };
	unsigned int i, k;

	start();
	for (i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		SUBTEST("%s %s", runs[i].args[0], runs[i].args[1] ? runs[i].args[1] : "") {
			for (k = 0; k < 8; k++)
				args[3 + k] = runs[i].args[k];
			CHECK_EQ(server_run("pnic-model", args), runs[i].status);
		}
	}
	CHECK_EQ(dead_lanes(1), 0);
	CHECK_EQ(server_run("pnic-model", missing), 1);
	CHECK_EQ(server_run("pnic-model", no_path), 2);
}

KTAP_TEST(bad_options)
{
	static const char *const bad[][8] = {
		{ "--nics", "0" }, { "--nics", "9" }, { "--nics", "x" }, { "--nics", "" },
		{ "--nics", "-1" }, { "--profile", "nope" }, { "--pace", "-1" }, { "--pace", "nan" },
		{ "--stripe", "both" }, { "--ber", "1" }, { "--reach", "1x" }, { "--seed", "-3" },
		{ "--frame-payload", "1" }, { "--doorbells", "none" }, { "--nothing" }, { "word" },
		{ "--spin" }, { "--socket-dir", "/nonexistent" },
	};
	const char *args[16] = { "--socket-dir", "/tmp", "--ctl", "/tmp/pnic-never" };
	static const char *const help[] = { "--help", NULL };
	static const char *const nothing[] = { NULL };
	unsigned int i, k;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		SUBTEST("%s %s", bad[i][0], bad[i][1] ? bad[i][1] : "") {
			for (k = 0; k < 8; k++)
				args[4 + k] = bad[i][k];
			CHECK_EQ(server_run("pnic-model", args), 2);
		}
	}
	CHECK_EQ(server_run("pnic-model", help), 0);
	CHECK_EQ(server_run("pnic-model", nothing), 2);
}

KTAP_TEST(stale_and_busy_sockets)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const char *args[] = { "--socket-dir", NULL, "--ctl", NULL, NULL };
	char dir[] = "/tmp/pnic-test-XXXXXX", ctl[64];
	struct server other;
	int fd;

	start();
	/* A model that lives keeps its sockets. */
	args[1] = server.dir;
	args[3] = server.ctl;
	CHECK_EQ(server_run("pnic-model", args), 1);
	CHECK(server_ctl_ok(&server, "{\"cmd\":\"ping\"}"));
	/* A socket left behind is replaced, a file isn't. */
	REQUIRE(mkdtemp(dir));
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/ctl", dir);
	strcpy(ctl, a.sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	REQUIRE_OK(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	close(fd);
	{
		const char *const own[] = { "--ctl", ctl, NULL };

		CHECK(!server_start(&other, "pnic-model", own));	/* another --ctl: not where we ask */
		CHECK_EQ(access(ctl, F_OK), 0);
		CHECK_EQ(server_stop(&other), 0);
	}
	CHECK_ERRNO(access(ctl, F_OK), ENOENT);
	REQUIRE_OK(mkdir(ctl, 0700));
	args[1] = dir;
	args[3] = ctl;
	CHECK_EQ(server_run("pnic-model", args), 1);
	CHECK_OK(rmdir(ctl));
	CHECK_OK(rmdir(dir));
}

KTAP_TEST(same_seed_same_light)
{
	static const char *const args[] = { "--nics", "2", "--profile", "test-16", "--seed", "7", NULL };
	static const char *const other_args[] = { "--nics", "2", "--profile", "test-16", "--seed", "8",
						  NULL };
	struct server mine = server, again, other;
	unsigned int i, differ = 0;
	double ber[LANES];

	start();
	for (i = 0; i < LANES; i++)
		ber[i] = lane_real(1, i, "ber");
	mine = server;
	REQUIRE(server_start(&again, "pnic-model", args));
	server = again;
	for (i = 0; i < LANES; i++)
		CHECK(lane_real(1, i, "ber") == ber[i]);
	CHECK_EQ(server_stop(&server), 0);
	REQUIRE(server_start(&other, "pnic-model", other_args));
	server = other;
	for (i = 0; i < LANES; i++)
		differ += lane_real(1, i, "ber") != ber[i];
	CHECK_GT(differ, LANES / 2);
	CHECK_EQ(server_stop(&server), 0);
	server = mine;
}

KTAP_TEST(ends_cleanly)
{
	start();
	CHECK_EQ(server_stop(&server), 0);
	CHECK_ERRNO(access(server.dir, F_OK), ENOENT);
}

KTAP_MAIN()
