// SPDX-License-Identifier: GPL-2.0
/*
 * LANE_TEST: wrong bits of the PRBS that a lane carries while it is in no map
 * (hardware-interface.rst, 8.8). Called for the command, before a lane's error rate
 * changes, and when lanes are lost or maps staged.
 *
 * The bits are counted by time and the errors drawn from the lane's error rate, so a test costs
 * nothing while it runs.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "link_int.h"
#include "rng.h"

#define MBIT	(1ull << 20)

static void schedule(struct pm_dir *d)
{
	uint64_t due = UINT64_MAX;
	unsigned int i;

	for (i = 0; d->tests && i < d->lanes; i++)
		if (d->test[i].running && d->test[i].due < due)
			due = d->test[i].due;
	if (due == UINT64_MAX)
		pm_sim_cancel(d->link->sim, &d->test_due);
	else
		pm_sim_at(d->link->sim, &d->test_due, due);
}

bool pm_lanetest_running(const struct pm_dir *d, unsigned int lane)
{
	return d->tests && d->test[lane].running;
}

/* Counts up to now. */
static void count(struct pm_dir *d, unsigned int i)
{
	struct pm_lane_test *t = &d->test[i];
	uint64_t bits = (uint64_t)((double)(pm_dir_now(d) - t->began) *
				   d->link->config.lane_gbps);

	if (bits > t->limit || pm_dir_now(d) >= t->due)
		bits = t->limit;
	if (bits <= t->bits)
		return;
	t->errors += pm_rng_binomial(&d->test_rng, bits - t->bits, d->lane[i].ber);
	t->bits = bits;
}

void pm_lanetest_settle(struct pm_dir *d)
{
	unsigned int i;

	for (i = 0; d->tests && i < d->lanes; i++)
		if (d->test[i].running)
			count(d, i);
}

static void end(struct pm_dir *d, unsigned int i)
{
	struct pm_lane_test *t = &d->test[i];

	t->running = false;
	d->tests--;
	pm_port_notify_lane(d, i, PNIC_LANE_CAUSE_TESTED, t->errors, t->bits);
}

static bool in_staged(const struct pm_dir *d, unsigned int lane)
{
	unsigned int l;

	for (l = 0; d->rx_staged && l < d->rx_staged->width; l++)
		if (d->rx_staged->phys[l] == lane)
			return true;
	return false;
}

/* Can't carry a PRBS that is looked at. */
static bool unfit(const struct pm_dir *d, unsigned int lane)
{
	return !d->lane[lane].locked || d->lane[lane].logical != PNIC_LANE_NONE ||
	       in_staged(d, lane);
}

void pm_lanetest_review(struct pm_dir *d)
{
	unsigned int i;

	if (!d->tests)
		return;
	for (i = 0; i < d->lanes; i++) {
		if (!d->test[i].running || !unfit(d, i))
			continue;
		count(d, i);
		end(d, i);
	}
	schedule(d);
}

static void due_event(void *arg, uint64_t now)
{
	struct pm_dir *d = arg;
	unsigned int i;

	for (i = 0; d->tests && i < d->lanes; i++) {
		if (!d->test[i].running || d->test[i].due > now)
			continue;
		count(d, i);
		end(d, i);
	}
	schedule(d);
	/* A spare that was under test may be wanted. */
	pm_standby_review(d);
}

/* Commands */

static int start(struct pm_dir *d, unsigned int lane, uint32_t mbits)
{
	double ns;

	if (pm_lanetest_running(d, lane))
		return PNIC_AS_EXISTS;
	if (unfit(d, lane) || d->lane[lane].off)
		return PNIC_AS_WRONG_STATE;
	if (!d->test)
		d->test = calloc(d->lanes, sizeof(*d->test));
	if (!d->test)
		return PNIC_AS_NO_RESOURCE;
	ns = (double)mbits * MBIT / d->link->config.lane_gbps;
	d->test[lane] = (struct pm_lane_test){
		.running = true,
		.began = pm_dir_now(d),
		.due = pm_dir_now(d) + 1 + (uint64_t)ns,
		.limit = mbits * MBIT,
	};
	d->tests++;
	schedule(d);
	return PNIC_AS_OK;
}

static int look(struct pm_dir *d, unsigned int lane, bool stop, uint64_t *result)
{
	struct pm_lane_test *t = d->test ? &d->test[lane] : NULL;

	if (!t || !t->limit)
		return PNIC_AS_NOT_FOUND;
	if (t->running)
		count(d, lane);
	result[0] = t->errors;
	result[1] = t->bits;
	if (!stop)
		return PNIC_AS_OK;
	d->tests -= t->running;
	memset(t, 0, sizeof(*t));
	schedule(d);
	pm_standby_review(d);
	return PNIC_AS_OK;
}

static int bad_field(uint64_t *result, size_t offset)
{
	result[0] = offset;
	return PNIC_AS_INVALID_FIELD;
}

int pm_port_lane_test(struct pm_port *p, uint16_t lane, uint8_t op, uint32_t mbits,
		      uint64_t *result)
{
	struct pm_dir *d = p->in;

	result[0] = 0;
	result[1] = 0;
	if (!p->link->config.lane_test)
		return PNIC_AS_BAD_OPCODE;
	if (lane >= d->lanes)
		return bad_field(result, offsetof(struct pnic_adm_lane_test, lane));
	if (op > PNIC_LANE_TEST_STOP)
		return bad_field(result, offsetof(struct pnic_adm_lane_test, op));
	if (!mbits != (op != PNIC_LANE_TEST_START))
		return bad_field(result, offsetof(struct pnic_adm_lane_test, mbits));
	pm_stream_settle(d);
	if (op == PNIC_LANE_TEST_START)
		return start(d, lane, mbits);
	return look(d, lane, op == PNIC_LANE_TEST_STOP, result);
}

void pm_lanetest_reset(struct pm_dir *d)
{
	if (d->test)
		memset(d->test, 0, d->lanes * sizeof(*d->test));
	d->tests = 0;
	pm_sim_cancel(d->link->sim, &d->test_due);
}

void pm_lanetest_init(struct pm_dir *d, uint64_t stream)
{
	pm_event_init(&d->test_due, due_event, d, true);
	pm_rng_init(&d->test_rng, d->link->config.seed, "lane tests", stream);
}

void pm_lanetest_free(struct pm_dir *d)
{
	pm_sim_cancel(d->link->sim, &d->test_due);
	free(d->test);
}
