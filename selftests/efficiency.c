// SPDX-License-Identifier: GPL-2.0
/*
 * What of the line's bits is payload, for writes of 1 MiB at full width: at least 0.90, which is what
 * FEC and framing leave. By the model's counters, so it does not depend on this machine.
 */
#include "device.h"
#include "figure.h"
#include "ktap.h"
#include "traffic.h"

#define LEN		(1u << 20)
#define DEPTH		16u	/* under way at once */
#define WRITES		64u
#define WAIT_MS		60000
#define WANTED		0.90

static struct end a, b;

struct reading {
	double payload, line_bits, clock_ns;
};

static struct reading counters(void)
{
	struct reading r;

	r.payload = figure(0, "payload_bytes");
	r.line_bits = figure(0, "line_bits");
	r.clock_ns = figure(0, "clock_ns");
	return r;
}

static void write_all(void)
{
	uint32_t posted = 0, done = 0, slot;

	while (done < WRITES) {
		while (posted < WRITES && posted - done < DEPTH) {
			slot = posted % DEPTH * LEN;
			REQUIRE_EQ(pnic_post_write(a.ep, b.addr, a.mem + slot, LEN, a.mr->key,
						   (uintptr_t)b.mem + slot, b.mr->key, posted,
						   PNIC_SQF_SIGNALED), 0);
			posted++;
		}
		pnic_ring(a.ep);
		REQUIRE_EQ(end_status(&a, WAIT_MS), PNIC_ST_OK);
		done++;
	}
}

KTAP_TEST(one_mib_writes)
{
	const struct end_attr attr = { .size = DEPTH * (size_t)LEN };
	struct reading before, after;
	double efficiency, width, gbps;

	need_cards(2);
	if (!figures_present())
		SKIP("no model to ask: %s", modelctl_error());
	REQUIRE_EQ(end_open(&a, 0, &attr), 0);
	REQUIRE_EQ(end_open(&b, 1, &attr), 0);
	width = figure(0, "width");
	CHECK_EQ(width, 425);
	pattern_fill(a.mem, attr.size, 1);
	before = counters();
	write_all();
	after = counters();
	CHECK_EQ(pattern_check(b.mem, attr.size, 1), attr.size);
	CHECK_EQ(after.payload - before.payload, (double)WRITES * LEN);
	efficiency = (after.payload - before.payload) * 8 / (after.line_bits - before.line_bits);
	gbps = (after.payload - before.payload) * 8 / (after.clock_ns - before.clock_ns);
	ktap_say("simulated link efficiency %.4f (payload bits by line bits), payload %.1f Gb/s by the link clock, idle time included",
		 efficiency, gbps);
	CHECK(efficiency >= WANTED);
	CHECK(efficiency <= 514.0 / 544);	/* more than FEC leaves can't be */
	end_close(&a);
	end_close(&b);
}

KTAP_MAIN()
