/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Field traces: what happens to the lanes of a fabric, and when. Documentation/field-trace.rst
 * has the format.
 *
 * A trace is read as a whole and judged before anything of it happens. pnic-model plays traces by
 * --trace-play and by the control socket; a test in one process opens or draws one, and plays it or
 * applies its events itself.
 */
#ifndef PM_FIELDTRACE_H
#define PM_FIELDTRACE_H

#include <stdio.h>

#include "link.h"

#define PM_TRACE_VALUES		5
#define PM_TRACE_LINK		0xffff	/* in place of a lane: the whole direction, or link */

enum pm_trace_what {
	PM_TRACE_KILL,
	PM_TRACE_HEAL,
	PM_TRACE_DEGRADE,	/* dB */
	PM_TRACE_DRIFT,		/* dB/h */
	PM_TRACE_PATCH,		/* x, y, radius, dB, edge */
	PM_TRACE_ROW,		/* row, dB */
	PM_TRACE_MISALIGN,	/* x, y, dB */
	PM_TRACE_COMMON,	/* dB */
	PM_TRACE_TEMPERATURE,	/* degrees Celsius */
	PM_TRACE_SUPPLY,	/* against nominal */
	PM_TRACE_CUT,		/* 1, 0 */
	PM_TRACE_AGE,		/* hours */
	PM_TRACE_AGE_RATE,	/* hours for each second */
	PM_TRACE_WHATS
};

struct pm_trace_event {
	uint64_t at;			/* ns from the start of the trace */
	uint32_t line;			/* in the text, or the order in which it was drawn */
	uint16_t first, last;		/* lanes; PM_TRACE_LINK */
	uint8_t nic;
	bool at_switch;			/* the other end of that NIC's link */
	uint8_t what;			/* enum pm_trace_what */
	uint8_t values;
	double v[PM_TRACE_VALUES];
};

/* What a trace can speak of. */
struct pm_trace_shape {
	const struct pm_link_config *link;
	unsigned int nics;
	bool has_switch;
};

struct pm_trace;

/*
 * NULL: @err says why, with the line where it is one's fault. *@shape isn't needed afterwards.
 * Events come by time; those of one time by line.
 */
struct pm_trace *pm_trace_open(const char *path, const struct pm_trace_shape *shape, char *err,
			       size_t errlen);
struct pm_trace *pm_trace_parse(const char *text, size_t len, const struct pm_trace_shape *shape,
				char *err, size_t errlen);
void pm_trace_free(struct pm_trace *t);
size_t pm_trace_count(const struct pm_trace *t);
/* The next one, or NULL; from the beginning again after pm_trace_rewind(). */
const struct pm_trace_event *pm_trace_next(struct pm_trace *t);
void pm_trace_rewind(struct pm_trace *t);
/* @port: the one whose incoming lanes are meant. 0 or -errno. */
int pm_trace_apply(const struct pm_trace_event *ev, struct pm_port *port);
/* As text, so that it can be read again. 0 or -errno. */
int pm_trace_write(const struct pm_trace *t, FILE *to);

/* Random traces. */
enum pm_trace_fault {
	PM_FAULT_DEATHS,	/* a lane goes dark, and is replaced later */
	PM_FAULT_DRIFTS,	/* a lane loses light until it is past use */
	PM_FAULT_FLAPS,		/* a lane goes and comes, several times */
	PM_FAULT_PATCHES,	/* dirt, and a cleaning */
	PM_FAULT_COMMON,	/* all lanes together */
	PM_FAULT_ROWS,		/* a row's driver */
	PM_FAULT_MISALIGNS,
	PM_FAULT_TEMPERATURE,
	PM_FAULT_SUPPLY,
	PM_FAULT_KINDS
};
extern const char *const pm_trace_fault_names[PM_FAULT_KINDS];

struct pm_trace_mix {
	uint64_t seed;
	unsigned int count;		/* faults; each has several events */
	double weight[PM_FAULT_KINDS];
	double gap_us;			/* from one fault to the next, mean, exponential */
	double repair_us;		/* until it is mended, mean, exponential */
	double age_rate;		/* for drifts: hours for each second of link time */
};
void pm_trace_mix_defaults(struct pm_trace_mix *mix);
/* "deaths=60,drifts=25": what isn't named is 0. False: @err says why. */
bool pm_trace_mix_parse(struct pm_trace_mix *mix, const char *text, char *err, size_t errlen);
struct pm_trace *pm_trace_random(const struct pm_trace_mix *mix, const struct pm_trace_shape *shape,
				 char *err, size_t errlen);

/* Playing. */
struct pm_player;
typedef struct pm_port *(*pm_trace_port)(void *arg, unsigned int nic, bool at_switch);

/* Takes over @t, whose time 0 is now. NULL: no memory, and @t is freed. */
struct pm_player *pm_player_new(struct pm_sim *sim, struct pm_trace *t, pm_trace_port port,
				void *arg);
void pm_player_free(struct pm_player *p);	/* what is still to come doesn't */
size_t pm_player_left(const struct pm_player *p);

/* For fieldtrace.c and fieldtrace_random.c. False: no memory. */
struct pm_trace *pm_trace_new(void);
bool pm_trace_add(struct pm_trace *t, const struct pm_trace_event *ev);
void pm_trace_sort(struct pm_trace *t);

#endif /* PM_FIELDTRACE_H */
