// SPDX-License-Identifier: GPL-2.0
/*
 * Open MPI over shared memory, natively, between two ranks: sends, as it is mostly used.
 */
#include <mpi.h>
#include <string.h>

#include "bench.h"

#define WINDOW	64

#ifndef BENCH_WHO
#define BENCH_WHO	"ompi_sm"
#endif

static uint8_t mem[BENCH_MIB];
static int me;

static void lat(struct bench_best *b)
{
	double t;
	int i;

	MPI_Barrier(MPI_COMM_WORLD);
	t = bench_ns();
	for (i = 0; i < BENCH_LAT; i++) {
		if (!me)
			MPI_Send(mem, 8, MPI_BYTE, 1, 1, MPI_COMM_WORLD);
		MPI_Recv(mem, 8, MPI_BYTE, !me, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
		if (me)
			MPI_Send(mem, 8, MPI_BYTE, 0, 1, MPI_COMM_WORLD);
	}
	bench_lat(b, bench_ns() - t, BENCH_LAT);
}

/* @count messages of @size in windows; the last window is answered. */
static double stream(int count, int size)
{
	MPI_Request r[WINDOW];
	double t;
	int i, k;

	MPI_Barrier(MPI_COMM_WORLD);
	t = bench_ns();
	for (i = 0; i < count; i += WINDOW) {
		for (k = 0; k < WINDOW; k++) {
			if (me)
				MPI_Irecv(mem, size, MPI_BYTE, 0, 2, MPI_COMM_WORLD, &r[k]);
			else
				MPI_Isend(mem, size, MPI_BYTE, 1, 2, MPI_COMM_WORLD, &r[k]);
		}
		MPI_Waitall(WINDOW, r, MPI_STATUSES_IGNORE);
	}
	MPI_Barrier(MPI_COMM_WORLD);
	return bench_ns() - t;
}

int main(int argc, char **argv)
{
	struct bench_best b = { 0 };
	int i, n = BENCH_RATE / WINDOW * WINDOW, m = (BENCH_BW + WINDOW - 1) / WINDOW * WINDOW;

	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &me);
	memset(mem, 1, sizeof(mem));
	for (i = 0; i < BENCH_ROUNDS; i++) {
		lat(&b);
		bench_rate(&b, stream(n, 8), n);
		bench_bw(&b, stream(m, BENCH_MIB), (double)m * BENCH_MIB);
	}
	if (!me)
		bench_say(BENCH_WHO, &b, "MPI_Send between two processes over shared memory, " BENCH_WHO);
	MPI_Finalize();
	return 0;
}
