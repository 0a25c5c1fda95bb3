// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * All collectives of MPI 3, blocking and not, each with messages of 1 byte up to 4 MiB (of one rank to one other), every
 * byte verified, and that nothing was written beside them.
 *
 *	mpi_coll PREFIX [largest message in bytes]
 *
 * KTAP by rank 0, a test for each collective and a last one: that all ranks have the provider. For each a line
 * "# figure PREFIX_NAME SIZES ...": how many sizes were right.
 */
#include <mpi.h>
#include <time.h>
#include <unistd.h>

#include "mpi_verify.h"

#define GUARD	64
#define KINDS	4	/* of reductions */

static int rank, size;
static size_t largest = 4 << 20;
static unsigned char *a, *b;
static unsigned int turn;	/* changes with each size: other seeds, another kind of reduction */
static bool later;		/* the form that doesn't block */
static long errors;
static MPI_Comm ring;		/* a graph: from the one and the two before to the one and the two behind */
static MPI_Op compose;

/* The one or the other form of a collective. */
#define COLL(name, lower, ...)						\
	do {								\
		MPI_Request req_;					\
									\
		if (later) {						\
			MPI_I##lower(__VA_ARGS__, &req_);		\
			MPI_Wait(&req_, MPI_STATUS_IGNORE);		\
		} else {						\
			MPI_##name(__VA_ARGS__);			\
		}							\
	} while (0)

static uint64_t seed(int from, int to)
{
	return (uint64_t)turn << 20 | (uint64_t)from << 10 | (uint64_t)to;
}

static void expect(bool good, const char *what, size_t len)
{
	if (!good && errors++ < 5)
		fprintf(stderr, "# rank %d: %s, %zu bytes: wrong\n", rank, what, len);
}

/* @len bytes at b + @at are what @from had for @to, and the bytes after the end at @end are untouched. */
static void arrived(size_t at, size_t len, int from, int to)
{
	expect(verify_same(b + at, len, seed(from, to)), "block", len);
}

static void guard_set(size_t end)
{
	memset(b, 0xa5, end + GUARD);
}

static void guard_look(size_t end)
{
	size_t i;

	for (i = 0; i < GUARD; i++)
		if (b[end + i] != 0xa5)
			break;
	expect(i == GUARD, "beside", end);
}

/* Blocks of different lengths, one of them empty, in the other order. */
static int *v_counts(size_t n)
{
	static int counts[64];
	int r;

	for (r = 0; r < size; r++)
		counts[r] = (int)(r == 1 ? 0 : n > (size_t)r ? n - (size_t)r : n);
	return counts;
}

static int *v_places(size_t n)
{
	static int places[64];
	int r;

	for (r = 0; r < size; r++)
		places[r] = (int)((size_t)(size - 1 - r) * n);
	return places;
}

/* --- moving ------------------------------------------------------------------------------------- */

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* Nobody leaves before the last has come; all ranks have one clock. */
static void barrier(size_t n)
{
	double came, left, last, first;
	MPI_Request req;

	if ((turn + (unsigned int)rank) % 3 == 0)
		usleep((unsigned int)(n % 2000));
	came = now();
	if (later) {
		MPI_Ibarrier(MPI_COMM_WORLD, &req);
		MPI_Wait(&req, MPI_STATUS_IGNORE);
	} else {
		MPI_Barrier(MPI_COMM_WORLD);
	}
	left = now();
	MPI_Allreduce(&came, &last, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
	MPI_Allreduce(&left, &first, 1, MPI_DOUBLE, MPI_MIN, MPI_COMM_WORLD);
	expect(first >= last, "barrier", 0);
}

static void bcast(size_t n)
{
	int root;

	for (root = 0; root < size; root++) {
		guard_set(n);
		if (rank == root)
			verify_fill(b, n, seed(root, 0));
		COLL(Bcast, bcast, b, (int)n, MPI_BYTE, root, MPI_COMM_WORLD);
		arrived(0, n, root, 0);
		guard_look(n);
	}
}

static void gather(size_t n)
{
	int root = (int)(turn % (unsigned int)size), r;

	guard_set(n * (size_t)size);
	verify_fill(a, n, seed(rank, root));
	COLL(Gather, gather, a, (int)n, MPI_BYTE, b, (int)n, MPI_BYTE, root, MPI_COMM_WORLD);
	for (r = 0; r < size && rank == root; r++)
		arrived((size_t)r * n, n, r, root);
	guard_look(n * (size_t)size);
}

static void gatherv(size_t n)
{
	int root = (int)(turn % (unsigned int)size), r, *count = v_counts(n), *place = v_places(n);

	guard_set(n * (size_t)size);
	verify_fill(a, (size_t)count[rank], seed(rank, root));
	COLL(Gatherv, gatherv, a, count[rank], MPI_BYTE, b, count, place, MPI_BYTE, root, MPI_COMM_WORLD);
	for (r = 0; r < size && rank == root; r++)
		arrived((size_t)place[r], (size_t)count[r], r, root);
	guard_look(n * (size_t)size);
}

static void scatter(size_t n)
{
	int root = (int)(turn % (unsigned int)size), r;

	guard_set(n);
	for (r = 0; r < size && rank == root; r++)
		verify_fill(a + (size_t)r * n, n, seed(root, r));
	COLL(Scatter, scatter, a, (int)n, MPI_BYTE, b, (int)n, MPI_BYTE, root, MPI_COMM_WORLD);
	arrived(0, n, root, rank);
	guard_look(n);
}

static void scatterv(size_t n)
{
	int root = (int)(turn % (unsigned int)size), r, *count = v_counts(n), *place = v_places(n);

	guard_set(n);
	for (r = 0; r < size && rank == root; r++)
		verify_fill(a + place[r], (size_t)count[r], seed(root, r));
	COLL(Scatterv, scatterv, a, count, place, MPI_BYTE, b, count[rank], MPI_BYTE, root, MPI_COMM_WORLD);
	arrived(0, (size_t)count[rank], root, rank);
	guard_look(n);
}

static void allgather(size_t n)
{
	bool in_place = turn & 1;
	int r;

	guard_set(n * (size_t)size);
	verify_fill(in_place ? b + (size_t)rank * n : a, n, seed(rank, 0));
	COLL(Allgather, allgather, in_place ? MPI_IN_PLACE : a, (int)n, MPI_BYTE, b, (int)n, MPI_BYTE, MPI_COMM_WORLD);
	for (r = 0; r < size; r++)
		arrived((size_t)r * n, n, r, 0);
	guard_look(n * (size_t)size);
}

static void allgatherv(size_t n)
{
	int r, *count = v_counts(n), *place = v_places(n);

	guard_set(n * (size_t)size);
	verify_fill(a, (size_t)count[rank], seed(rank, 0));
	COLL(Allgatherv, allgatherv, a, count[rank], MPI_BYTE, b, count, place, MPI_BYTE, MPI_COMM_WORLD);
	for (r = 0; r < size; r++)
		arrived((size_t)place[r], (size_t)count[r], r, 0);
	guard_look(n * (size_t)size);
}

static void alltoall(size_t n)
{
	int r;

	guard_set(n * (size_t)size);
	for (r = 0; r < size; r++)
		verify_fill(a + (size_t)r * n, n, seed(rank, r));
	COLL(Alltoall, alltoall, a, (int)n, MPI_BYTE, b, (int)n, MPI_BYTE, MPI_COMM_WORLD);
	for (r = 0; r < size; r++)
		arrived((size_t)r * n, n, r, rank);
	guard_look(n * (size_t)size);
}

/* Whom one block is for says how long it is, so what one rank gets from all is equally long. */
static void alltoallv(size_t n)
{
	int r, *count = v_counts(n), *place = v_places(n), mine[64];

	guard_set(n * (size_t)size);
	for (r = 0; r < size; r++) {
		mine[r] = count[rank];
		verify_fill(a + place[r], (size_t)count[r], seed(rank, r));
	}
	COLL(Alltoallv, alltoallv, a, count, place, MPI_BYTE, b, mine, place, MPI_BYTE, MPI_COMM_WORLD);
	for (r = 0; r < size; r++)
		arrived((size_t)place[r], (size_t)count[rank], r, rank);
	guard_look(n * (size_t)size);
}

/* The same by other types: a block as bytes or as one element. */
static void alltoallw(size_t n)
{
	int r, *count = v_counts(n), *place = v_places(n), ones[64], mine[64];
	MPI_Datatype sent[64], got[64], block[64];

	guard_set(n * (size_t)size);
	for (r = 0; r < size; r++) {
		MPI_Type_contiguous(count[r], MPI_BYTE, &block[r]);
		MPI_Type_commit(&block[r]);
		sent[r] = r & 1 ? MPI_BYTE : block[r];
		ones[r] = r & 1 ? count[r] : 1;
		got[r] = MPI_BYTE;
		mine[r] = count[rank];
		verify_fill(a + place[r], (size_t)count[r], seed(rank, r));
	}
	COLL(Alltoallw, alltoallw, a, ones, place, sent, b, mine, place, got, MPI_COMM_WORLD);
	for (r = 0; r < size; r++) {
		arrived((size_t)place[r], (size_t)count[rank], r, rank);
		MPI_Type_free(&block[r]);
	}
	guard_look(n * (size_t)size);
}

/* --- reducing ----------------------------------------------------------------------------------- */

/* What a reduction is of: kind and type go with the size. */
enum kind { SUM, MAX, EXACT_DOUBLE, COMPOSED };

struct reduction {
	enum kind kind;
	MPI_Datatype type;
	MPI_Op op;
	size_t width;		/* bytes of an element */
};

static struct reduction reduction(size_t n)
{
	bool wide = !(n % 8);
	struct reduction r = { .kind = wide ? turn % KINDS : turn % 2, .op = MPI_SUM };

	r.width = wide ? 8 : 1;
	r.type = wide ? MPI_UINT64_T : MPI_UINT8_T;
	if (r.kind == MAX)
		r.op = MPI_MAX;
	if (r.kind == EXACT_DOUBLE)
		r.type = MPI_DOUBLE;
	if (r.kind == COMPOSED)
		r.op = compose;
	return r;
}

/* x -> ax + b, mod 2^32: two of them one after the other. In this order: it doesn't commute. */
static uint64_t after(uint64_t first, uint64_t second)
{
	uint32_t a1 = (uint32_t)(first >> 32), b1 = (uint32_t)first;
	uint32_t a2 = (uint32_t)(second >> 32), b2 = (uint32_t)second;

	return (uint64_t)(a1 * a2) << 32 | (uint32_t)(a2 * b1 + b2);
}

static void compose_all(void *in, void *result, int *len, MPI_Datatype *type)
{
	uint64_t *first = in, *second = result;
	int i;

	(void)type;
	for (i = 0; i < *len; i++)
		second[i] = after(first[i], second[i]);
}

/* Element @i of rank @r. */
static uint64_t element(const struct reduction *k, int r, size_t i)
{
	uint64_t w = verify_word(turn + (unsigned int)r * 1000, i);
	double d = (double)(w & 0xffff);

	if (k->kind == EXACT_DOUBLE)
		memcpy(&w, &d, 8);
	if (k->width == 8)
		return w;
	/* A sum of bytes that overflows is another one in Open MPI's vector code, which saturates. */
	return k->kind == SUM ? w & 3 : w & 0xff;
}

static void elements(const struct reduction *k, void *mem, size_t n)
{
	unsigned char *bytes = mem;
	uint64_t *words = mem;
	size_t i;

	for (i = 0; i < n / k->width; i++) {
		if (k->width == 1)
			bytes[i] = (unsigned char)element(k, rank, i);
		else
			words[i] = element(k, rank, i);
	}
}

static uint64_t both(const struct reduction *k, uint64_t x, uint64_t y)
{
	double dx, dy;

	switch (k->kind) {
	case SUM:
		return k->width == 1 ? (x + y) & 0xff : x + y;
	case MAX:
		return x > y ? x : y;
	case COMPOSED:
		return after(x, y);
	default:
		memcpy(&dx, &x, 8);
		memcpy(&dy, &y, 8);
		dx += dy;
		memcpy(&x, &dx, 8);
		return x;
	}
}

/* The @n bytes at @mem are elements from @first on, reduced over the ranks [0, @ranks). */
static void reduced(const struct reduction *k, const void *mem, size_t n, size_t first, int ranks)
{
	const unsigned char *bytes = mem;
	const uint64_t *words = mem;
	uint64_t want, have;
	size_t i;
	int r;

	for (i = 0; i < n / k->width; i++) {
		want = element(k, 0, first + i);
		for (r = 1; r < ranks; r++)
			want = both(k, want, element(k, r, first + i));
		have = k->width == 1 ? bytes[i] : words[i];
		if (have != want)
			break;
	}
	expect(i == n / k->width, "reduction", n);
}

static void reduce(size_t n)
{
	int root = (int)(turn % (unsigned int)size);
	struct reduction k = reduction(n);

	guard_set(n);
	elements(&k, a, n);
	COLL(Reduce, reduce, a, b, (int)(n / k.width), k.type, k.op, root, MPI_COMM_WORLD);
	if (rank == root)
		reduced(&k, b, n, 0, size);
	guard_look(n);
}

static void allreduce(size_t n)
{
	struct reduction k = reduction(n);
	bool in_place = turn & 4;

	guard_set(n);
	elements(&k, in_place ? b : a, n);
	COLL(Allreduce, allreduce, in_place ? MPI_IN_PLACE : a, b, (int)(n / k.width), k.type, k.op, MPI_COMM_WORLD);
	reduced(&k, b, n, 0, size);
	guard_look(n);
}

static void reduce_scatter(size_t n)
{
	struct reduction k = reduction(n);
	int counts[64], r;

	/* The last gets all that is left of the others, the second nothing. */
	for (r = 0; r < size; r++)
		counts[r] = (int)(n / k.width);
	if (size > 2) {
		counts[size - 1] += counts[1];
		counts[1] = 0;
	}
	guard_set(2 * n);
	elements(&k, a, (size_t)size * n);
	COLL(Reduce_scatter, reduce_scatter, a, b, counts, k.type, k.op, MPI_COMM_WORLD);
	reduced(&k, b, (size_t)counts[rank] * k.width,
		(size_t)(rank > 1 ? rank - 1 : rank) * (n / k.width), size);
	guard_look(2 * n);
}

static void reduce_scatter_block(size_t n)
{
	struct reduction k = reduction(n);

	guard_set(n);
	elements(&k, a, (size_t)size * n);
	COLL(Reduce_scatter_block, reduce_scatter_block, a, b, (int)(n / k.width), k.type, k.op, MPI_COMM_WORLD);
	reduced(&k, b, n, (size_t)rank * (n / k.width), size);
	guard_look(n);
}

static void scan(size_t n)
{
	struct reduction k = reduction(n);

	guard_set(n);
	elements(&k, a, n);
	COLL(Scan, scan, a, b, (int)(n / k.width), k.type, k.op, MPI_COMM_WORLD);
	reduced(&k, b, n, 0, rank + 1);
	guard_look(n);
}

static void exscan(size_t n)
{
	struct reduction k = reduction(n);

	guard_set(n);
	elements(&k, a, n);
	COLL(Exscan, exscan, a, b, (int)(n / k.width), k.type, k.op, MPI_COMM_WORLD);
	if (rank)
		reduced(&k, b, n, 0, rank);
	guard_look(n);
}

/* --- neighbours --------------------------------------------------------------------------------- */

static int from[2], to[2], near;

static void neighbours(void)
{
	int weights[2] = { 1, 1 }, i;

	near = size > 2 ? 2 : 1;
	for (i = 0; i < near; i++) {
		from[i] = (rank + size - 1 - i) % size;
		to[i] = (rank + 1 + i) % size;
	}
	MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, near, from, weights, near, to, weights, MPI_INFO_NULL, 0, &ring);
}

static void neighbor_allgather(size_t n)
{
	int i;

	guard_set(2 * n);
	verify_fill(a, n, seed(rank, 0));
	COLL(Neighbor_allgather, neighbor_allgather, a, (int)n, MPI_BYTE, b, (int)n, MPI_BYTE, ring);
	for (i = 0; i < near; i++)
		arrived((size_t)i * n, n, from[i], 0);
	guard_look(2 * n);
}

static void neighbor_allgatherv(size_t n)
{
	int counts[2] = { (int)n, (int)n }, places[2] = { (int)n, 0 }, i;

	guard_set(2 * n);
	verify_fill(a, n, seed(rank, 0));
	COLL(Neighbor_allgatherv, neighbor_allgatherv, a, (int)n, MPI_BYTE, b, counts, places, MPI_BYTE, ring);
	for (i = 0; i < near; i++)
		arrived((size_t)places[i], n, from[i], 0);
	guard_look(2 * n);
}

static void neighbor_fill(size_t n)
{
	int i;

	guard_set(2 * n);
	for (i = 0; i < near; i++)
		verify_fill(a + (size_t)i * n, n, seed(rank, to[i]));
}

static void neighbor_alltoall(size_t n)
{
	int i;

	neighbor_fill(n);
	COLL(Neighbor_alltoall, neighbor_alltoall, a, (int)n, MPI_BYTE, b, (int)n, MPI_BYTE, ring);
	for (i = 0; i < near; i++)
		arrived((size_t)i * n, n, from[i], rank);
	guard_look(2 * n);
}

static void neighbor_alltoallv(size_t n)
{
	int counts[2] = { (int)n, (int)n }, sent[2] = { 0, (int)n }, got[2] = { (int)n, 0 }, i;

	neighbor_fill(n);
	COLL(Neighbor_alltoallv, neighbor_alltoallv, a, counts, sent, MPI_BYTE, b, counts, got, MPI_BYTE, ring);
	for (i = 0; i < near; i++)
		arrived((size_t)got[i], n, from[i], rank);
	guard_look(2 * n);
}

static void neighbor_alltoallw(size_t n)
{
	MPI_Aint sent[2] = { 0, (MPI_Aint)n }, got[2] = { (MPI_Aint)n, 0 };
	MPI_Datatype types[2] = { MPI_BYTE, MPI_BYTE };
	int counts[2] = { (int)n, (int)n }, i;

	neighbor_fill(n);
	COLL(Neighbor_alltoallw, neighbor_alltoallw, a, counts, sent, types, b, counts, got, types, ring);
	for (i = 0; i < near; i++)
		arrived((size_t)got[i], n, from[i], rank);
	guard_look(2 * n);
}

/* --- all of them -------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*run)(size_t n);
} collectives[] = {
	{ "barrier", barrier }, { "bcast", bcast }, { "gather", gather }, { "gatherv", gatherv },
	{ "scatter", scatter }, { "scatterv", scatterv }, { "allgather", allgather }, { "allgatherv", allgatherv },
	{ "alltoall", alltoall }, { "alltoallv", alltoallv }, { "alltoallw", alltoallw }, { "reduce", reduce },
	{ "allreduce", allreduce }, { "reduce_scatter", reduce_scatter },
	{ "reduce_scatter_block", reduce_scatter_block }, { "scan", scan }, { "exscan", exscan },
	{ "neighbor_allgather", neighbor_allgather }, { "neighbor_allgatherv", neighbor_allgatherv },
	{ "neighbor_alltoall", neighbor_alltoall }, { "neighbor_alltoallv", neighbor_alltoallv },
	{ "neighbor_alltoallw", neighbor_alltoallw },
};

#define COLLECTIVES	((int)(sizeof(collectives) / sizeof(collectives[0])))

/* Powers of two, and what is beside the lengths at which the provider's way of sending changes. */
static const size_t sizes[] = {
	1, 2, 3, 4, 7, 8, 16, 32, 64, 100, 128, 255, 256, 257, 512, 1000, 1024, 2048, 4096, 8064, 8191, 8192, 8193, 16384,
	32768, 65536, 100001, 131072, 262144, 524288, 1 << 20, 1234568, 2 << 20, 4 << 20,
};

#define SIZES	((int)(sizeof(sizes) / sizeof(sizes[0])))

/* One collective with all sizes; errors of all ranks. */
static long collective(int c, int *count)
{
	long all = 0;
	int i;

	*count = 0;
	errors = 0;
	for (i = 0; i < SIZES && sizes[i] <= largest; i++) {
		turn++;
		collectives[c].run(sizes[i]);
		++*count;
	}
	MPI_Allreduce(&errors, &all, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
	return all;
}

static bool report(bool good, int number, const char *prefix, const char *name)
{
	if (!rank) {
		printf("%s %d %s_%s\n", good ? "ok" : "not ok", number, prefix, name);
		fflush(stdout);
	}
	return good;
}

int main(int argc, char **argv)
{
	const char *prefix = argc > 1 ? argv[1] : "mpi";
	int c, count, number = 0, mapped, all;
	bool good = true;
	char name[80];
	long wrong;

	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &size);
	if (argc > 2)
		largest = strtoul(argv[2], NULL, 0);
	a = malloc(largest * (size_t)(size + 1) + GUARD);
	b = malloc(largest * (size_t)(size + 1) + GUARD);
	if (!a || !b || size < 2 || size > 64)
		MPI_Abort(MPI_COMM_WORLD, 1);
	MPI_Op_create(compose_all, 0, &compose);
	neighbours();
	if (!rank)
		printf("KTAP version 1\n1..%d\n", 2 * COLLECTIVES + 1);
	for (c = 0; c < 2 * COLLECTIVES; c++) {
		later = c & 1;
		snprintf(name, sizeof(name), "%s%s", later ? "i" : "", collectives[c / 2].name);
		wrong = collective(c / 2, &count);
		if (!rank)
			printf("# figure %s_%s %d sizes up to %zu bytes that were verified, %d ranks\n", prefix, name,
			       wrong ? 0 : count, largest, size);
		good &= report(!wrong, ++number, prefix, name);
	}
	mapped = verify_provider() ? 1 : 0;
	MPI_Allreduce(&mapped, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
	if (!rank)
		printf("# figure %s_ranks_on_pnic %d of %d that have libpnic-fi.so mapped\n", prefix, all, size);
	good &= report(all == size, ++number, prefix, "on_pnic");
	MPI_Comm_free(&ring);
	MPI_Op_free(&compose);
	MPI_Finalize();
	free(a);
	free(b);
	return !good;
}
