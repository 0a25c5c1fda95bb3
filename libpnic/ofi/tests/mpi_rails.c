// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * Rails that die under MPI. Two ranks with two cards each, at a switch; rank 0 cuts cables while the two exchange messages, every
 * byte verified:
 *
 *	mpi_rails PREFIX
 *
 * one rail of rank 0 dies and the exchange goes on; it comes back and is used again; then both die, and what is under
 * way ends with an error of MPI's at both ends, within a bound. KTAP by rank 0.
 */
#include <mpi.h>
#include <math.h>
#include <time.h>
#include <unistd.h>

#include "modelctl.h"
#include "mpi_verify.h"

#define LEN		(1u << 20)
#define WINDOW		8
#define BOUND		30.0	/* seconds until the death of the last way is an error; the provider tries for 2 */
#define PATIENCE	60.0	/* until a rail that came back is used again */

static int rank, number;
static unsigned char *a, *b;
static bool good = true;
static unsigned long rounds;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void report(bool ok, const char *prefix, const char *name)
{
	if (rank)
		return;
	printf("%s %d %s_%s\n", ok ? "ok" : "not ok", ++number, prefix, name);
	fflush(stdout);
	good &= ok;
}

/* One exchange in both directions; MPI's error, or 0 and *@right. */
static int exchange(bool *right)
{
	MPI_Request req[2 * WINDOW];
	int peer = !rank, err = 0, k;
	MPI_Status st[2 * WINDOW];
	const size_t part = LEN / WINDOW;

	rounds++;
	for (k = 0; k < WINDOW && !err; k++) {
		verify_fill(a + (size_t)k * part, part, rounds << 8 | (unsigned int)rank << 4 | (unsigned int)k);
		req[k] = MPI_REQUEST_NULL;
		err = MPI_Irecv(b + (size_t)k * part, (int)part, MPI_BYTE, peer, k, MPI_COMM_WORLD, &req[k]);
	}
	for (k = 0; k < WINDOW && !err; k++)
		err = MPI_Isend(a + (size_t)k * part, (int)part, MPI_BYTE, peer, k, MPI_COMM_WORLD, &req[WINDOW + k]);
	if (!err)
		err = MPI_Waitall(2 * WINDOW, req, st);
	for (k = 0; k < WINDOW && !err; k++)
		*right &= verify_same(b + (size_t)k * part, part, rounds << 8 | (unsigned int)peer << 4 | (unsigned int)k);
	return err;
}

/* Rounds until rank 0 has seen @enough; false if a byte was wrong or MPI failed. */
static bool go_on(bool (*enough)(double since))
{
	double start = now();
	bool right = true;
	int more = 1;

	while (more) {
		if (exchange(&right))
			return false;
		if (!rank)
			more = !enough(start);
		MPI_Bcast(&more, 1, MPI_INT, 0, MPI_COMM_WORLD);
	}
	return right;
}

static double sent(unsigned int nic)
{
	double v = modelctl_counter(nic, "payload_bytes");

	return isnan(v) ? 0 : v;
}

static double before[2];

static void mark(void)
{
	if (rank)
		return;
	before[0] = sent(0);
	before[1] = sent(1);
}

/* Both rails of rank 0 carry; or only the first does for a while; or time is over. */
static bool both_carry(double start)
{
	return (sent(0) > before[0] + LEN && sent(1) > before[1] + LEN) || now() > start + PATIENCE;
}

static bool first_carries(double start)
{
	return sent(0) > before[0] + 8 * LEN || now() > start + PATIENCE;
}

static void cut(unsigned int nic, bool on)
{
	if (!rank && modelctl("{\"cmd\":\"cut\",\"nic\":%u,\"on\":%s}", nic, on ? "true" : "false"))
		fprintf(stderr, "# %s\n", modelctl_error());
}

int main(int argc, char **argv)
{
	const char *prefix = argc > 1 ? argv[1] : "mpi";
	bool right = true, ok;
	double start, took;
	char text[MPI_MAX_ERROR_STRING] = "";
	int err, len;

	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
	a = malloc(LEN);
	b = malloc(LEN);
	if (!a || !b || (!rank && !modelctl_present()))
		MPI_Abort(MPI_COMM_WORLD, 1);
	if (!rank)
		printf("KTAP version 1\n1..4\n");
	mark();
	ok = go_on(both_carry);
	report(ok && sent(1) > before[1] + LEN, prefix, "both_rails_carry");

	cut(1, true);
	mark();
	ok = go_on(first_carries);
	report(ok && sent(0) > before[0] + 8 * LEN, prefix, "goes_on_over_the_other");

	cut(1, false);
	mark();
	ok = go_on(both_carry);
	report(ok && sent(1) > before[1] + LEN, prefix, "fails_back");

	/* The last way. Neither rank waits for ever; and what MPI makes of it is its own affair, so this one ends itself. */
	alarm((unsigned int)(2 * BOUND));
	start = now();
	cut(0, true);
	cut(1, true);
	do
		err = exchange(&right);
	while (!err && now() < start + BOUND);
	took = now() - start;
	MPI_Error_string(err, text, &len);
	fprintf(stderr, "# rank %d: %s after %.1f s\n", rank, err ? text : "no error", took);
	if (!rank)
		printf("# figure %s_last_path_s %.1f from the death of the last way to MPI's error\n", prefix, took);
	report(err && took < BOUND && right, prefix, "last_path_is_an_error");
	cut(0, false);
	cut(1, false);
	fflush(NULL);
	/* MPI_Finalize() of ranks that have no way to each other isn't defined. Rank 0 says how it was, by its status. */
	sleep(rank ? (unsigned int)BOUND : 1);	/* mpirun has what was said when it hears of the end, which it takes amiss */
	_exit(rank ? 0 : !good);
}
