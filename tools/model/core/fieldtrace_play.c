// SPDX-License-Identifier: GPL-2.0
/*
 * Plays a field trace by the clock of a simulation; see fieldtrace.h. Used by pnic-model and by
 * tests.
 */
#include <stdlib.h>

#include "fieldtrace.h"

struct pm_player {
	struct pm_sim *sim;
	struct pm_trace *trace;
	const struct pm_trace_event *next;
	pm_trace_port port;
	void *arg;
	uint64_t began;
	size_t left;
	struct pm_event due;
};

static void take_next(struct pm_player *p)
{
	p->next = pm_trace_next(p->trace);
	if (p->next)
		pm_sim_at(p->sim, &p->due, p->began + p->next->at);
}

/* All of one moment together, before the link does anything about the first of them. */
static void due_event(void *arg, uint64_t now)
{
	struct pm_player *p = arg;
	struct pm_port *port;

	while (p->next && p->began + p->next->at <= now) {
		port = p->port(p->arg, p->next->nic, p->next->at_switch);
		if (port)
			pm_trace_apply(p->next, port);
		p->left--;
		take_next(p);
	}
}

struct pm_player *pm_player_new(struct pm_sim *sim, struct pm_trace *t, pm_trace_port port,
				void *arg)
{
	struct pm_player *p = calloc(1, sizeof(*p));

	if (!p) {
		pm_trace_free(t);
		return NULL;
	}
	p->sim = sim;
	p->trace = t;
	p->port = port;
	p->arg = arg;
	p->began = pm_sim_now(sim);
	p->left = pm_trace_count(t);
	pm_trace_rewind(t);
	pm_event_init(&p->due, due_event, p, true);
	take_next(p);
	return p;
}

void pm_player_free(struct pm_player *p)
{
	if (!p)
		return;
	pm_sim_cancel(p->sim, &p->due);
	pm_trace_free(p->trace);
	free(p);
}

size_t pm_player_left(const struct pm_player *p)
{
	return p->left;
}
