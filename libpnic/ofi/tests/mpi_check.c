// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * An MPI program like any other, which verifies all that it moves: point to point, collectives, windows, threads.
 *
 *	mpi_check [all|ptp|coll|rma|threads] [largest message in bytes]
 *
 * Rank 0 ends with a line "mpi_check: N checks, M errors, PROVIDER", where PROVIDER is the path of libpnic-fi.so in the
 * process's maps or "not pnic"; the exit status is 0 only if all went well.
 */
#include <mpi.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mpi_verify.h"

static int rank, size;
static long checks, errors;
static size_t largest = 4 << 20;

static void check(bool good, const char *what, size_t len)
{
	__atomic_add_fetch(&checks, 1, __ATOMIC_RELAXED);
	if (good)
		return;
	if (__atomic_add_fetch(&errors, 1, __ATOMIC_RELAXED) < 10)
		fprintf(stderr, "rank %d: %s of %zu bytes is wrong\n", rank, what, len);
}

static void fill(unsigned char *p, size_t len, unsigned int seed)
{
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = (unsigned char)(seed * 37 + i + (i >> 8) * 3);
}

static bool same(const unsigned char *p, size_t len, unsigned int seed)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] != (unsigned char)(seed * 37 + i + (i >> 8) * 3))
			return false;
	return true;
}

static void ptp(unsigned char *a, unsigned char *b)
{
	int next = (rank + 1) % size, prev = (rank + size - 1) % size, flag, count, k;
	MPI_Request req[16];
	MPI_Status st;
	size_t len;

	for (len = 1; len <= largest; len = len < 64 ? len * 4 : len * 8 - 1) {
		fill(a, len, rank);
		MPI_Sendrecv(a, len, MPI_BYTE, next, 7, b, len, MPI_BYTE, prev, 7, MPI_COMM_WORLD, &st);
		check(same(b, len, prev), "sendrecv", len);
		/* From anybody with any tag, looked at before. */
		MPI_Isend(a, len, MPI_BYTE, next, (int)(len % 1000), MPI_COMM_WORLD, &req[0]);
		MPI_Probe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &st);
		MPI_Get_count(&st, MPI_BYTE, &count);
		check((size_t)count == len && st.MPI_SOURCE == prev && st.MPI_TAG == (int)(len % 1000), "probe", len);
		memset(b, 0, len);
		MPI_Recv(b, count, MPI_BYTE, st.MPI_SOURCE, st.MPI_TAG, MPI_COMM_WORLD, &st);
		check(same(b, len, prev), "any source", len);
		MPI_Wait(&req[0], &st);
		/* Synchronous. */
		MPI_Issend(a, len, MPI_BYTE, next, 3, MPI_COMM_WORLD, &req[0]);
		MPI_Recv(b, len, MPI_BYTE, prev, 3, MPI_COMM_WORLD, &st);
		MPI_Wait(&req[0], &st);
	}
	/* Many at once, received in the other order. */
	for (k = 0; k < 8; k++) {
		a[k * 1000] = (unsigned char)(rank * 8 + k);
		MPI_Isend(a + k * 1000, 1000, MPI_BYTE, next, 100 + k, MPI_COMM_WORLD, &req[k]);
	}
	for (k = 7; k >= 0; k--)
		MPI_Irecv(b + k * 1000, 1000, MPI_BYTE, prev, 100 + k, MPI_COMM_WORLD, &req[8 + k]);
	MPI_Waitall(16, req, MPI_STATUSES_IGNORE);
	for (k = 0; k < 8; k++)
		check(b[k * 1000] == (unsigned char)(prev * 8 + k), "order", 1000);
	/* A receive that is taken back. */
	MPI_Irecv(b, 10, MPI_BYTE, prev, 999, MPI_COMM_WORLD, &req[0]);
	MPI_Cancel(&req[0]);
	MPI_Wait(&req[0], &st);
	MPI_Test_cancelled(&st, &flag);
	check(flag, "cancel", 0);
	MPI_Barrier(MPI_COMM_WORLD);
}

static void coll_size(size_t n, int64_t *a, int64_t *b)
{
	int64_t sum = (int64_t)size * (size - 1) / 2;
	size_t i, bytes = n * sizeof(*a);
	bool good;
	int r;

	for (i = 0; i < n; i++)
		a[i] = rank + (int64_t)i * 10;
	MPI_Allreduce(a, b, n, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD);
	for (good = true, i = 0; i < n; i++)
		good &= b[i] == sum + (int64_t)i * 10 * size;
	check(good, "allreduce", bytes);
	MPI_Reduce(a, b, n, MPI_INT64_T, MPI_MAX, size - 1, MPI_COMM_WORLD);
	check(rank != size - 1 || b[n - 1] == size - 1 + (int64_t)(n - 1) * 10, "reduce", bytes);
	MPI_Scan(a, b, n, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD);
	check(b[0] == (int64_t)rank * (rank + 1) / 2, "scan", bytes);
	MPI_Exscan(a, b, n, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD);
	check(!rank || b[0] == (int64_t)rank * (rank - 1) / 2, "exscan", bytes);
	for (r = 0; r < size; r++) {
		fill((unsigned char *)b, bytes, rank == r ? r + 50 : 99);
		MPI_Bcast(b, n, MPI_INT64_T, r, MPI_COMM_WORLD);
		check(same((unsigned char *)b, bytes, r + 50), "bcast", bytes);
	}
	n = n / size ? n / size : 1;
	bytes = n * sizeof(*a);
	fill((unsigned char *)a, bytes, rank);
	MPI_Allgather(a, n, MPI_INT64_T, b, n, MPI_INT64_T, MPI_COMM_WORLD);
	for (r = 0; r < size; r++)
		check(same((unsigned char *)(b + r * n), bytes, r), "allgather", bytes);
	memset(b, 0, bytes * size);
	MPI_Gather(a, n, MPI_INT64_T, b, n, MPI_INT64_T, 0, MPI_COMM_WORLD);
	for (r = 0; r < size && !rank; r++)
		check(same((unsigned char *)(b + r * n), bytes, r), "gather", bytes);
	MPI_Scatter(b, n, MPI_INT64_T, a, n, MPI_INT64_T, 0, MPI_COMM_WORLD);
	check(same((unsigned char *)a, bytes, rank), "scatter", bytes);
	for (r = 0; r < size; r++)
		fill((unsigned char *)(a + r * n), bytes, rank * size + r);
	MPI_Alltoall(a, n, MPI_INT64_T, b, n, MPI_INT64_T, MPI_COMM_WORLD);
	for (r = 0; r < size; r++)
		check(same((unsigned char *)(b + r * n), bytes, r * size + rank), "alltoall", bytes);
	for (i = 0; i < n * size; i++)
		a[i] = rank;
	MPI_Reduce_scatter_block(a, b, n, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD);
	check(b[0] == sum && b[n - 1] == sum, "reduce_scatter", bytes);
	MPI_Barrier(MPI_COMM_WORLD);
}

static void coll(unsigned char *a, unsigned char *b)
{
	size_t n;

	for (n = 1; n * 8 <= largest; n *= 8)
		coll_size(n, (int64_t *)(void *)a, (int64_t *)(void *)b);
	coll_size(largest / 8, (int64_t *)(void *)a, (int64_t *)(void *)b);
}

static void rma(unsigned char *a, unsigned char *b)
{
	size_t bytes = largest < 65536 ? largest : 65536, i;
	int next = (rank + 1) % size, prev = (rank + size - 1) % size, round;
	int64_t one = 1, old, *mem, cmp, swap;
	double d = 0.5;
	MPI_Win win;

	MPI_Win_allocate(1 << 20, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &mem, &win);
	memset(mem, 0, 1 << 20);
	MPI_Win_fence(0, win);
	fill(a, bytes, rank);
	MPI_Put(a, bytes, MPI_BYTE, next, 4096, bytes, MPI_BYTE, win);
	MPI_Win_fence(0, win);
	check(same((unsigned char *)mem + 4096, bytes, prev), "put", bytes);
	MPI_Get(b, bytes, MPI_BYTE, next, 4096, bytes, MPI_BYTE, win);
	MPI_Win_fence(0, win);
	check(same(b, bytes, rank), "get", bytes);
	for (round = 0; round < 20; round++)
		MPI_Accumulate(&one, 1, MPI_INT64_T, 0, 0, 1, MPI_INT64_T, MPI_SUM, win);
	MPI_Accumulate(&d, 1, MPI_DOUBLE, 0, 64, 1, MPI_DOUBLE, MPI_SUM, win);
	MPI_Win_fence(0, win);
	check(rank || mem[0] == 20 * size, "accumulate", 8);
	check(rank || *(double *)(mem + 8) == 0.5 * size, "accumulate", 8);
	MPI_Win_fence(0, win);
	MPI_Win_lock_all(0, win);
	for (round = 0; round < 20; round++) {
		MPI_Fetch_and_op(&one, &old, MPI_INT64_T, 0, 128, MPI_SUM, win);
		MPI_Win_flush(0, win);
		check(old >= round && old < 20 * size, "fetch_and_op", 8);
	}
	/* A lock made of compare and swap. */
	for (i = 0; i < 5; i++) {
		cmp = 0;
		swap = rank + 1;
		do {
			MPI_Compare_and_swap(&swap, &cmp, &old, MPI_INT64_T, 0, 256, win);
			MPI_Win_flush(0, win);
		} while (old);
		cmp = 0;
		MPI_Fetch_and_op(&cmp, &old, MPI_INT64_T, 0, 256, MPI_REPLACE, win);
		MPI_Win_flush(0, win);
		check(old == rank + 1, "compare_and_swap", 8);
	}
	MPI_Win_unlock_all(win);
	MPI_Barrier(MPI_COMM_WORLD);
	MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, win);
	MPI_Get(&old, 1, MPI_INT64_T, 0, 128, 1, MPI_INT64_T, win);
	MPI_Win_unlock(0, win);
	check(old == 20 * size, "fetch_and_op", 8);
	MPI_Barrier(MPI_COMM_WORLD);
	MPI_Win_free(&win);
}

static void *thread_work(void *arg)
{
	int id = (int)(intptr_t)arg, next = (rank + 1) % size, prev = (rank + size - 1) % size, i;
	unsigned char a[3000], b[3000];

	for (i = 1; i < 30; i++) {
		fill(a, i * 100, rank * 100 + i + id);
		MPI_Sendrecv(a, i * 100, MPI_BYTE, next, 500 + id, b, i * 100, MPI_BYTE, prev, 500 + id, MPI_COMM_WORLD,
			     MPI_STATUS_IGNORE);
		check(same(b, i * 100, prev * 100 + i + id), "threads", i * 100);
	}
	return NULL;
}

static void threads(void)
{
	pthread_t thread[3];
	intptr_t i;

	for (i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, thread_work, (void *)i);
	for (i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	MPI_Barrier(MPI_COMM_WORLD);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "all";
	bool all = !strcmp(what, "all");
	unsigned char *a, *b;
	long total[2], mine[2];
	int level;

	MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &size);
	if (argc > 2)
		largest = strtoul(argv[2], NULL, 0);
	a = malloc(largest + 65536);
	b = malloc(largest + 65536);
	if (!a || !b)
		MPI_Abort(MPI_COMM_WORLD, 1);
	if (all || !strcmp(what, "ptp"))
		ptp(a, b);
	if (all || !strcmp(what, "coll"))
		coll(a, b);
	if (all || !strcmp(what, "rma"))
		rma(a, b);
	if ((all && level == MPI_THREAD_MULTIPLE) || !strcmp(what, "threads"))
		threads();
	mine[0] = checks;
	mine[1] = errors;
	MPI_Allreduce(mine, total, 2, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
	if (!rank)
		printf("mpi_check: %ld checks, %ld errors, %s\n", total[0], total[1],
		       verify_provider() ? verify_provider() : "not pnic");
	MPI_Finalize();
	free(a);
	free(b);
	return total[1] != 0;
}
