// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * MPI traffic of chance, every byte verified, for as long as one likes: exchanges, storms of messages from anybody,
 * collectives, windows. All ranks draw from the same dice, so each step is the same everywhere.
 *
 *	mpi_soak PREFIX SECONDS SEED [windows]
 *
 * KTAP by rank 0, with lines "# figure PREFIX_KEY VALUE ...". "windows": one-sided accesses too.
 */
#include <mpi.h>

#include "mpi_verify.h"

#define LARGEST	(1u << 20)
#define MANY	16
#define WINDOW	(256u << 10)

static int rank, size;
static uint64_t dice;
static unsigned char *a, *b, *mem;
static MPI_Win win;
static unsigned long steps, messages, bytes, errors;

static uint32_t below(uint32_t n)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (uint32_t)(dice >> 24) % n;
}

/* As many short ones as long ones, by orders of magnitude. */
static uint32_t length(uint32_t most)
{
	uint32_t scale = 1u << below(21);

	scale = scale > most ? most : scale;
	return 1 + below(scale);
}

static uint64_t seed(int from, int to, int k)
{
	return (uint64_t)steps << 24 | (uint64_t)from << 16 | (uint64_t)to << 8 | (uint64_t)k;
}

static void expect(const void *p, size_t len, uint64_t s, const char *what)
{
	messages++;
	bytes += len;
	if (verify_same(p, len, s))
		return;
	if (errors++ < 10)
		fprintf(stderr, "# rank %d, step %lu: %s of %zu bytes is wrong\n", rank, steps, what, len);
}

/* Several messages to one and from one, received in another order. */
static void exchange(void)
{
	int far = 1 + (int)below((uint32_t)size - 1), n = 1 + (int)below(MANY), k, first = (int)below(MANY);
	int to = (rank + far) % size, from = (rank + size - far) % size;
	MPI_Request req[2 * MANY];
	uint32_t len[MANY];

	for (k = 0; k < n; k++)
		len[k] = length(LARGEST / MANY);
	if (!below(8)) {
		n = 1;
		len[0] = length(LARGEST);
	}
	for (k = 0; k < n; k++) {
		verify_fill(a + (size_t)k * (LARGEST / MANY), len[k], seed(rank, to, k));
		MPI_Isend(a + (size_t)k * (LARGEST / MANY), (int)len[k], MPI_BYTE, to, k, MPI_COMM_WORLD, &req[k]);
	}
	for (k = 0; k < n; k++) {
		int which = (k + first) % n;

		MPI_Irecv(b + (size_t)which * (LARGEST / MANY), (int)len[which], MPI_BYTE, from, which, MPI_COMM_WORLD,
			  &req[n + k]);
	}
	MPI_Waitall(2 * n, req, MPI_STATUSES_IGNORE);
	for (k = 0; k < n; k++)
		expect(b + (size_t)k * (LARGEST / MANY), len[k], seed(from, rank, k), "a message");
}

/* All to one, who takes whatever comes. */
static void storm(void)
{
	int to = (int)below((uint32_t)size), n = 1 + (int)below(40), k, count;
	uint32_t len = length(20000);
	MPI_Status st;

	for (k = 0; rank != to && k < n; k++) {
		verify_fill(a, len, seed(rank, to, k));
		MPI_Send(a, (int)len, MPI_BYTE, to, k, MPI_COMM_WORLD);
	}
	for (k = 0; rank == to && k < n * (size - 1); k++) {
		MPI_Recv(b, (int)len, MPI_BYTE, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &st);
		MPI_Get_count(&st, MPI_BYTE, &count);
		expect(b, (size_t)count == len ? len : 0, seed(st.MPI_SOURCE, rank, st.MPI_TAG), "one of a storm");
		errors += (size_t)count != len;
	}
	/* Else messages of the next step might be taken for some of this one. */
	MPI_Barrier(MPI_COMM_WORLD);
}

static void broadcast(void)
{
	int root = (int)below((uint32_t)size);
	uint32_t len = length(LARGEST);

	if (rank == root)
		verify_fill(b, len, seed(root, 0, 0));
	else
		memset(b, 0, len);
	MPI_Bcast(b, (int)len, MPI_BYTE, root, MPI_COMM_WORLD);
	expect(b, len, seed(root, 0, 0), "a broadcast");
}

static void alltoall(void)
{
	uint32_t len = length(LARGEST / (uint32_t)size);
	MPI_Request req;
	int r;

	for (r = 0; r < size; r++)
		verify_fill(a + (size_t)r * len, len, seed(rank, r, 1));
	if (below(2)) {
		MPI_Alltoall(a, (int)len, MPI_BYTE, b, (int)len, MPI_BYTE, MPI_COMM_WORLD);
	} else {
		MPI_Ialltoall(a, (int)len, MPI_BYTE, b, (int)len, MPI_BYTE, MPI_COMM_WORLD, &req);
		MPI_Wait(&req, MPI_STATUS_IGNORE);
	}
	for (r = 0; r < size; r++)
		expect(b + (size_t)r * len, len, seed(r, rank, 1), "an all-to-all");
}

static void gather(void)
{
	uint32_t len = length(LARGEST / (uint32_t)size);
	int r;

	verify_fill(a, len, seed(rank, 0, 2));
	MPI_Allgather(a, (int)len, MPI_BYTE, b, (int)len, MPI_BYTE, MPI_COMM_WORLD);
	for (r = 0; r < size; r++)
		expect(b + (size_t)r * len, len, seed(r, 0, 2), "an all-gather");
}

static void reduce(void)
{
	uint32_t n = (length(LARGEST) + 7) / 8, i;
	uint64_t *in = (uint64_t *)(void *)a, *out = (uint64_t *)(void *)b, want;
	int r;

	for (i = 0; i < n; i++)
		in[i] = verify_word(seed(rank, 0, 3), i);
	if (below(2)) {
		MPI_Allreduce(in, out, (int)n, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
	} else {
		MPI_Reduce(in, out, (int)n, MPI_UINT64_T, MPI_SUM, 0, MPI_COMM_WORLD);
		if (rank)
			return;
	}
	for (i = 0; i < n; i++) {
		for (want = 0, r = 0; r < size; r++)
			want += verify_word(seed(r, 0, 3), i);
		if (out[i] != want)
			break;
	}
	messages++;
	bytes += n * 8ul;
	if (i < n && errors++ < 10)
		fprintf(stderr, "# rank %d, step %lu: word %u of a reduction of %u is wrong\n", rank, steps, i, n);
}

/* Put to the next but some, fetched back from there; and sums that all add to. */
static void window(void)
{
	int far = 1 + (int)below((uint32_t)size - 1), to = (rank + far) % size, from = (rank + size - far) % size;
	uint32_t len = length(WINDOW / 2), at = 64 + below(WINDOW / 2 - 64);
	uint64_t one = 1, *sum = (uint64_t *)(void *)mem;

	verify_fill(a, len, seed(rank, to, 4));
	MPI_Win_lock(MPI_LOCK_EXCLUSIVE, rank, 0, win);
	memset(mem, 0, 64);
	MPI_Win_unlock(rank, win);
	MPI_Win_fence(0, win);
	MPI_Put(a, (int)len, MPI_BYTE, to, at, (int)len, MPI_BYTE, win);
	MPI_Accumulate(&one, 1, MPI_UINT64_T, 0, 0, 1, MPI_UINT64_T, MPI_SUM, win);
	MPI_Win_fence(0, win);
	expect(mem + at, len, seed(from, rank, 4), "a put");
	if (!rank && *sum != (uint64_t)size)
		errors++;
	MPI_Get(b, (int)len, MPI_BYTE, to, at, (int)len, MPI_BYTE, win);
	MPI_Win_fence(0, win);
	expect(b, len, seed(rank, to, 4), "a get");
	MPI_Win_fence(0, win);
}

static void (*const actions[])(void) = { exchange, exchange, storm, broadcast, alltoall, gather, reduce, window };

#define ACTIONS	((uint32_t)(sizeof(actions) / sizeof(actions[0])))

static void figure(const char *prefix, const char *key, unsigned long mine, const char *meaning)
{
	unsigned long all = 0;

	MPI_Reduce(&mine, &all, 1, MPI_UNSIGNED_LONG, MPI_SUM, 0, MPI_COMM_WORLD);
	if (!rank)
		printf("# figure %s_%s %lu %s\n", prefix, key, all, meaning);
}

int main(int argc, char **argv)
{
	const char *prefix = argc > 1 ? argv[1] : "mpi";
	double seconds = argc > 2 ? atof(argv[2]) : 5, begun, said = 0, now;
	bool windows = argc > 4, on_pnic;
	unsigned long all = 0;
	int go = 1, mapped, everywhere = 0;

	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &size);
	dice = (argc > 3 ? strtoull(argv[3], NULL, 0) : 1) * 0x9e3779b97f4a7c15ull + 1;
	a = malloc(LARGEST + 4096);
	b = malloc(LARGEST + 4096);
	if (!a || !b || size < 2)
		MPI_Abort(MPI_COMM_WORLD, 1);
	if (windows)
		MPI_Win_allocate(WINDOW, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &mem, &win);
	if (!rank)
		printf("KTAP version 1\n1..2\n");
	begun = MPI_Wtime();
	while (go) {
		actions[below(windows ? ACTIONS : ACTIONS - 1)]();
		steps++;
		if (steps % 16)
			continue;
		now = MPI_Wtime() - begun;
		go = now < seconds;
		MPI_Bcast(&go, 1, MPI_INT, 0, MPI_COMM_WORLD);
		if (!rank && now > said + 10) {
			printf("# %.0f s: %lu steps, %lu MB verified by rank 0, %lu errors\n", now, steps, bytes / 1000000,
			       errors);
			fflush(stdout);
			said = now;
		}
	}
	if (windows)
		MPI_Win_free(&win);
	MPI_Allreduce(&errors, &all, 1, MPI_UNSIGNED_LONG, MPI_SUM, MPI_COMM_WORLD);
	figure(prefix, "steps", rank ? 0 : steps, "steps of all ranks together");
	figure(prefix, "transfers", messages, "messages, blocks and results that were verified");
	figure(prefix, "mb", bytes / 1000000, "MB that were verified");
	figure(prefix, "errors", errors, "of them wrong");
	mapped = verify_provider() ? 1 : 0;
	MPI_Allreduce(&mapped, &everywhere, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
	on_pnic = everywhere == size;
	if (!rank) {
		printf("%s 1 %s_soak\n", all || !steps ? "not ok" : "ok", prefix);
		printf("%s 2 %s_on_pnic\n", on_pnic ? "ok" : "not ok", prefix);
	}
	MPI_Finalize();
	free(a);
	free(b);
	return all || !on_pnic;
}
