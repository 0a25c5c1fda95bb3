// SPDX-License-Identifier: GPL-2.0
/*
 * The tensor table, buckets, shards and chunks.
 */
#include "buckets.h"
#include "selftests/ktap.h"

static uint64_t elements_of(const struct tensor *t, const char *name)
{
	int i;

	for (i = 0; i < RESNET50_TENSORS; i++)
		if (!strcmp(t[i].name, name))
			return t[i].elements;
	return 0;
}

/* Sizes as torchvision's resnet50().named_parameters() gives them. */
KTAP_TEST(resnet50)
{
	struct tensor t[RESNET50_TENSORS];
	uint64_t sum = 0;
	int i;

	memset(t, 0, sizeof(t));
	resnet50_tensors(t);
	for (i = 0; i < RESNET50_TENSORS; i++) {
		CHECK(t[i].elements > 0);
		sum += t[i].elements;
	}
	CHECK_EQ(sum, 25557032);
	CHECK_STREQ(t[0].name, "conv1.weight");
	CHECK_EQ(t[0].elements, 9408);
	CHECK_STREQ(t[160].name, "fc.bias");
	CHECK_EQ(t[160].elements, 1000);
	CHECK_EQ(elements_of(t, "bn1.bias"), 64);
	CHECK_EQ(elements_of(t, "layer1.0.conv1.weight"), 4096);
	CHECK_EQ(elements_of(t, "layer1.0.downsample.0.weight"), 16384);
	CHECK_EQ(elements_of(t, "layer1.1.conv1.weight"), 16384);
	CHECK_EQ(elements_of(t, "layer2.0.conv2.weight"), 147456);
	CHECK_EQ(elements_of(t, "layer3.0.downsample.0.weight"), 524288);
	CHECK_EQ(elements_of(t, "layer3.5.conv2.weight"), 589824);
	CHECK_EQ(elements_of(t, "layer4.0.conv1.weight"), 524288);
	CHECK_EQ(elements_of(t, "layer4.2.conv3.weight"), 1048576);
	CHECK_EQ(elements_of(t, "fc.weight"), 2048000);
	CHECK_EQ(elements_of(t, "layer4.2.downsample.0.weight"), 0);
}

KTAP_TEST(buckets_of_a_step)
{
	struct tensor t[RESNET50_TENSORS];
	uint64_t at = 0;
	struct plan p;
	size_t i;

	resnet50_tensors(t);
	REQUIRE_EQ(plan_tensors(&p, t, RESNET50_TENSORS, 1 << 20, 25 << 20), 0);
	CHECK_EQ(p.elements, 25557032);
	/* The classifier alone is more than the first bucket's limit. */
	CHECK_EQ(p.bucket[0].elements * 4, 8196000);
	for (i = 0; i < p.n; i++) {
		CHECK_EQ(p.bucket[i].first, at);
		at += p.bucket[i].elements;
		if (i && i + 1 < p.n)
			CHECK_GE(p.bucket[i].elements * 4, 25 << 20);
		CHECK_LE(p.bucket[i].elements, p.largest);
	}
	CHECK_EQ(at, 25557032);
	CHECK_EQ(p.n, 5);
	plan_free(&p);
}

KTAP_TEST(bucket_limits)
{
	struct tensor t[4] = { { "a", 10 }, { "b", 20 }, { "c", 30 }, { "d", 1 } };
	struct plan p;

	/* Reverse order: d and c reach 40 bytes, b reaches 80, a is left over. */
	REQUIRE_EQ(plan_tensors(&p, t, 4, 40, 80), 0);
	REQUIRE_EQ(p.n, 3);
	CHECK_EQ(p.bucket[0].elements, 31);
	CHECK_EQ(p.bucket[1].elements, 20);
	CHECK_EQ(p.bucket[2].elements, 10);
	CHECK_EQ(p.largest, 31);
	plan_free(&p);
	REQUIRE_EQ(plan_flat(&p, 10, 16), 0);
	REQUIRE_EQ(p.n, 3);
	CHECK_EQ(p.bucket[1].first, 4);
	CHECK_EQ(p.bucket[2].elements, 2);
	plan_free(&p);
	REQUIRE_EQ(plan_flat(&p, 0, 16), 0);
	CHECK_EQ(p.n, 0);
	plan_free(&p);
}

/* Shards and chunks cover a bucket exactly, whatever its size. */
KTAP_TEST(shards_and_chunks)
{
	uint64_t elements, at;
	unsigned int ranks, s, c;
	struct span shard, chunk;

	for (ranks = 2; ranks <= 8; ranks++) {
		for (elements = 1; elements < 1200; elements += elements < 70 ? 1 : 37) {
			at = 0;
			for (s = 0; s < ranks; s++) {
				shard = shard_of(elements, ranks, s);
				REQUIRE_EQ(shard.first, at);
				for (c = 0; c < chunks_of(shard, 48); c++) {
					chunk = chunk_of(shard, 48, c);
					REQUIRE_EQ(chunk.first, at);
					REQUIRE(chunk.elements > 0 && chunk.elements <= 48);
					at += chunk.elements;
				}
				REQUIRE_EQ(shard.first + shard.elements, at);
			}
			CHECK_EQ(at, elements);
		}
	}
}

KTAP_MAIN()
