// SPDX-License-Identifier: GPL-2.0
/*
 * What a clean 4 KiB frame costs the machine, with owners that do nothing, and what a
 * broken link costs. Processor time, so that others on the machine count little; the figures
 * are printed, and what is compared is of one run.
 */
#include "link_rig.h"

static double cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static double frame_cost(struct rig *r, uint64_t frames)
{
	double start = cpu_ns();

	rig_want(r, 0, frames);
	CHECK(rig_until(r, rig_delivered, 60000));
	return (cpu_ns() - start) / (double)frames;
}

/* Dead lanes not yet marked are the dearest that FEC still corrects. */
KTAP_TEST(a_clean_frame_is_cheap)
{
	double best = 1e9, cost;
	unsigned int i;
	struct rig r;

	rig_init(&r, "mosaic-800g", 1);
	r.config.los_detect_ns = 1000000000;
	rig_open(&r);
	frame_cost(&r, 1000);
	for (i = 0; i < 5; i++) {
		cost = frame_cost(&r, 200000);
		best = cost < best ? cost : best;
	}
	for (i = 0; i < 7; i++)
		pm_fault_kill(r.end[1].port, i * 50);
	cost = frame_cost(&r, 20000);
	printf("# %.0f ns for a clean 4 KiB frame, sent to delivered; "
	       "%.0f ns for one with seven dark lanes, not marked\n", best, cost);
	CHECK(best * 3 < cost);
	rig_check(&r);
	rig_free(&r);
}

/* A link that can't deliver waits: nearly no processor time. */
KTAP_TEST(a_stalled_link)
{
	struct rig r;
	double cost;

	rig_init(&r, "mosaic-800g", 1);
	rig_open(&r);
	CHECK_EQ(pm_fault_patch(r.end[1].port, 10, 10, 8, 100), 0);
	rig_want(&r, 0, 1000);
	rig_pass_us(&r, 20000);
	cost = cpu_ns();
	rig_pass_us(&r, 200000);
	cost = (cpu_ns() - cost) / 200e6;
	printf("# %.1f %% of a processor for a stalled link\n", cost * 100);
	CHECK(cost < 0.35);
	CHECK(!rig_delivered(&r));
	rig_free(&r);
}

KTAP_MAIN()
