// SPDX-License-Identifier: GPL-2.0
/*
 * Contributions and the reference sum: the reference must be what a plain ring
 * makes, to the last bit, and must depend on everything that it should.
 */
#include "buckets.h"
#include "data.h"
#include "selftests/ktap.h"

#define N	1000

static uint8_t file[4 * N];

static void make_file(void)
{
	int i;

	for (i = 0; i < (int)sizeof(file); i++)
		file[i] = (uint8_t)(i * i >> 3 ^ i);
}

/* The textbook: in each step each rank gives one shard to its right neighbour, which adds it. */
static void plain_ring(const struct data *d, uint32_t step, uint32_t (*mem)[N])
{
	unsigned int k, r, s, right;
	uint32_t sent[8][N];
	struct span span;

	for (r = 0; r < d->ranks; r++)
		data_fill(d, step, r, 0, N, mem[r]);
	for (k = 0; k + 1 < d->ranks; k++) {
		memcpy(sent, mem, d->ranks * sizeof(*mem));
		for (r = 0; r < d->ranks; r++) {
			s = (r + d->ranks - k) % d->ranks;
			span = shard_of(N, d->ranks, s);
			right = (r + 1) % d->ranks;
			data_add(d, mem[right] + span.first, sent[r] + span.first, span.elements);
		}
	}
}

static void check_ring(struct data *d)
{
	uint32_t mem[8][N], want[N];
	struct span span;
	unsigned int s;

	for (d->ranks = 2; d->ranks <= 8; d->ranks++) {
		plain_ring(d, 3, mem);
		for (s = 0; s < d->ranks; s++) {
			span = shard_of(N, d->ranks, s);
			data_expect(d, 3, s, span.first, span.elements, want);
			/* The last rank to add to shard s is the one before s. */
			CHECK(!memcmp(want, mem[(s + d->ranks - 1) % d->ranks] + span.first, span.elements * 4));
		}
	}
}

KTAP_TEST(reference)
{
	struct data d = { .seed = 5 };

	make_file();
	SUBTEST("gradients")
		check_ring(&d);
	d.file = file;
	d.bytes = sizeof(file) - 3;
	SUBTEST("file")
		check_ring(&d);
}

static unsigned int differing(const uint32_t *a, const uint32_t *b)
{
	unsigned int n = 0;
	int i;

	for (i = 0; i < N; i++)
		n += a[i] != b[i];
	return n;
}

/* A reference that ignored the order, a rank or the step would not be one. */
KTAP_TEST(sensitivity)
{
	struct data d = { .seed = 5, .ranks = 4 }, other = { .seed = 6, .ranks = 4 };
	uint32_t a[N], b[N];

	data_expect(&d, 0, 0, 0, N, a);
	data_expect(&d, 0, 1, 0, N, b);
	CHECK_GT(differing(a, b), 50);		/* rounding only */
	CHECK_LT(differing(a, b), N);
	data_expect(&d, 1, 0, 0, N, b);
	CHECK_GT(differing(a, b), N - 10);
	data_expect(&other, 0, 0, 0, N, b);
	CHECK_GT(differing(a, b), N - 10);
	data_expect(&d, 0, 0, 1, N, b);
	CHECK_GT(differing(a, b), N - 10);
	d.ranks = 3;
	data_expect(&d, 0, 0, 0, N, b);
	CHECK_GT(differing(a, b), N - 10);
}

/* Parts are the same as the whole. */
KTAP_TEST(slices)
{
	struct data d = { .seed = 5, .ranks = 3 };
	uint32_t whole[N], part[N];
	int i, kind;

	make_file();
	for (kind = 0; kind < 2; kind++) {
		data_fill(&d, 2, 1, 0, N, whole);
		for (i = 0; i < N; i += 7)
			data_fill(&d, 2, 1, i, N - i < 7 ? N - i : 7, part + i);
		CHECK(!memcmp(whole, part, sizeof(whole)));
		d.file = file;
		d.bytes = sizeof(file);
	}
}

KTAP_TEST(values)
{
	struct data d = { .seed = 1, .ranks = 2 };
	uint32_t w[N];
	float f, sum = 0;
	int i, negative = 0;

	data_fill(&d, 0, 0, 0, N, w);
	for (i = 0; i < N; i++) {
		memcpy(&f, &w[i], 4);
		CHECK(f > -1 && f < 1 && (f >= 1.0f / 256 || f <= -1.0f / 256));
		negative += f < 0;
		sum += f;
	}
	CHECK(negative > N / 3 && negative < 2 * N / 3);
	CHECK(sum > -N / 10 && sum < N / 10);
	/* A file's last word is padded by zeroes. */
	memset(file, 0xff, sizeof(file));
	d.file = file;
	d.bytes = 5;
	data_fill(&d, 0, 0, 0, 2, w);
	CHECK_EQ(w[0] ^ w[1], 0xffffff00u);
}

KTAP_MAIN()
