// SPDX-License-Identifier: GPL-2.0
/*
 * What the agent counts, which alarms stand, and how long repairs take.
 */
#include "agent_priv.h"

#define NONSENSE_NS		60000000000ULL	/* an alarm stands for so long after the last */

/* ---- counts ---- */

static bool bad_cluster(const struct lane_track *t)
{
	return t->clustered && t->state != LANE_SPARE && t->state != LANE_ACTIVE;
}

void lane_agent_count(struct lane_agent *a)
{
	struct lane_agent_stats *s = &a->stats;
	struct lane_margin m;
	u16 i;

	s->spares = 0;
	s->failed = 0;
	s->quarantined = 0;
	a->clustered = false;
	for (i = 0; i < a->cfg.policy.shape.total; i++) {
		const struct lane_track *t = &a->policy.track[i];

		s->spares += t->state == LANE_SPARE && !t->known_bad;
		s->failed += t->state == LANE_FAILED || t->state == LANE_DISABLED;
		s->quarantined += t->state == LANE_QUARANTINED || t->state == LANE_TESTING;
		a->clustered |= bad_cluster(t);
	}
	lane_policy_margin(&a->policy, a->rec, &a->proto.rx.active, &m);
	s->margin = m.errors;
	s->margin_erasure = m.erasure;
	if (m.errors < s->margin_min)
		s->margin_min = m.errors;
}

/* ---- alarms ---- */

void lane_agent_note_alarms(struct lane_agent *a, const struct lane_note *note)
{
	switch (note->code) {
	case LANE_NOTE_ASTRAY:
		a->astray = true;
		break;
	case LANE_NOTE_STUCK:
		a->stuck = true;
		break;
	case LANE_NOTE_SWITCHED:
		a->stuck = false;
		if (note->actor == LANE_ACTOR_CARD)
			a->stats.standby_switches++;
		break;
	case LANE_NOTE_RESTART:
		a->stuck = false;
		break;
	}
}

void lane_agent_tick_alarms(struct lane_agent *a, u64 now)
{
	if (lane_proto_agreed(&a->proto))
		a->astray = false;
	/* Not every message that is refused is noted. */
	if (a->proto.nonsense != a->nonsense) {
		a->nonsense = a->proto.nonsense;
		a->nonsense_until = now + NONSENSE_NS;
	}
	if (now >= a->nonsense_until)
		a->nonsense_until = 0;
}

u32 lane_agent_alarms(const struct lane_agent *a)
{
	u32 alarms = 0;

	if (a->policy.common)
		alarms |= LANE_ALARM_COMMON_MODE;
	if (a->clustered)
		alarms |= LANE_ALARM_CLUSTER;
	if (a->stats.decisions && !a->stats.spares)
		alarms |= LANE_ALARM_SPARES_OUT;
	if (a->proto.rx.active.width < a->cfg.policy.shape.data)
		alarms |= LANE_ALARM_NARROW;
	if (a->policy.dark)
		alarms |= LANE_ALARM_DARK;
	if (a->astray)
		alarms |= LANE_ALARM_ASYMMETRIC;
	if (a->proto.peer.silent)
		alarms |= LANE_ALARM_PEER_SILENT;
	if (a->stuck)
		alarms |= LANE_ALARM_PEER_STUCK;
	if (a->nonsense_until)
		alarms |= LANE_ALARM_PEER_NONSENSE;
	if (a->table_bad)
		alarms |= LANE_ALARM_TABLE_BAD;
	return alarms;
}

/* ---- latency ---- */

static void count_latency(struct lane_agent *a, u64 ns)
{
	u16 i = 0;

	while (i < LANE_LATENCY_BUCKETS - 1 && ns > (u64)LANE_LATENCY_FIRST_NS << i)
		i++;
	a->stats.latency[i]++;
}

/* When both are known: the oldest loss that a switch mends, and when it was. */
static void try_latency(struct lane_agent *a)
{
	if (!a->mend.generation || a->mend.generation != a->mend.switched)
		return;
	if (a->mend.lost_at && a->mend.at >= a->mend.lost_at)
		count_latency(a, a->mend.at - a->mend.lost_at);
	a->mend.generation = 0;
	a->mend.switched = 0;
}

void lane_agent_switch_event(struct lane_agent *a, u8 dir, u32 generation, u64 at, u64 detected)
{
	if (dir != PNIC_DIR_RX)
		return;
	a->fell |= generation == LANE_GEN_FIRST;
	if (detected && at >= detected) {
		/* The card says it all; the losses that it mended are done with. */
		count_latency(a, at - detected);
		a->mend.by_card = generation;
		return;
	}
	a->mend.switched = generation;
	a->mend.at = at;
	try_latency(a);
}

void lane_agent_loss_event(struct lane_agent *a, u16 lane, u64 at)
{
	if (lane < a->cfg.policy.shape.total && !a->loss_clock[lane])
		a->loss_clock[lane] = at;
}

void lane_agent_mended(struct lane_agent *a, const struct lane_map *before,
		       const struct lane_map *after)
{
	bool *in_use = a->policy.mark;
	u64 oldest = 0;
	u16 l;

	memset(in_use, 0, a->cfg.policy.shape.total * sizeof(in_use[0]));
	for (l = 0; l < after->width; l++)
		in_use[after->phys[l]] = true;
	for (l = 0; l < before->width; l++) {
		u16 lane = before->phys[l];

		if (in_use[lane] || !a->loss_clock[lane])
			continue;
		if (!oldest || a->loss_clock[lane] < oldest)
			oldest = a->loss_clock[lane];
		a->loss_clock[lane] = 0;
	}
	if (after->generation == a->mend.by_card)
		return;
	a->mend.generation = after->generation;
	a->mend.lost_at = oldest;
	try_latency(a);
}
