/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Reed-Solomon decoder of one direction, by symbol counts: which codewords
 * of the stream have how many wrong and erased symbols, and on which lanes.
 */
#ifndef PM_FEC_H
#define PM_FEC_H

#include "link.h"
#include "rng.h"

/* Lanes with like error probability, so that errors are found by skipping from one to the next. */
struct pm_fec_class {
	double p_max, scale;
	unsigned int first, count;	/* of the member arrays */
	uint64_t at;			/* the next wrong unit, counted among the class's own */
	uint64_t unit;			/* the same in the stream since the epoch; or UINT64_MAX */
};
#define PM_FEC_CLASSES	64		/* powers of two down to 2^-63; the rest never happens */

struct pm_fec_counts {
	uint64_t codewords, corrected, uncorrectable, symbols;
	uint64_t hist[16];		/* [0] is what the others leave of codewords */
};

/* Which codewords of a frame were uncorrectable, and how bad. */
struct pm_damage {
	uint64_t first;			/* codeword of bit 0 */
	uint64_t mask;			/* bit 63: and all later ones */
	unsigned int wrong;		/* wrong symbols in the last of them */
};

struct pm_fec_lane {
	double p;			/* a unit is wrong: a symbol, with bit striping a bit */
	bool erased;
	uint64_t *errors;		/* the lane's count of corrected symbols */
};

struct pm_fec {
	unsigned int n, k, bits, t2;	/* t2 = n - k */
	unsigned int per_cw;		/* units dealt to the lanes in a codeword */
	unsigned int unit_bits;		/* symbol bits, or 1 */
	unsigned int width_max;

	/* What is loaded. */
	struct pm_fec_lane *lane;	/* by logical lane */
	unsigned int width, period;	/* dealing repeats after period codewords */
	uint64_t epoch;			/* codeword that began with logical lane 0 */
	bool all_bad;			/* nothing can be decoded */
	bool over;			/* erasures alone are too many for some codewords */
	unsigned int live;		/* lanes that aren't erased */
	unsigned int v_max, random;	/* worst erasures; random errors to be expected */
	double loss;			/* probability that a codeword is uncorrectable */
	uint16_t *phase_v;		/* erased symbols by place in the period, up to t2 + 1 */
	double *v_tail;			/* [v]: share of codewords with more than v erased, 0..t2 */
	double *pmf;			/* wrong symbols of a codeword: 0..t2/2, then all beyond */
	double *tail;			/* [e]: e or more, 0..t2/2 + 2 */
	double *cumulative;		/* of the lanes' p, for attribution */

	struct pm_fec_class class[PM_FEC_CLASSES];
	unsigned int classes;
	uint16_t *member;
	double *accept;
	uint64_t err_cw;		/* codeword of the next random error; UINT64_MAX */
	unsigned int err_class;
	uint64_t second;		/* unit of the first one of another class */

	uint64_t next_cw;		/* the first one not yet looked at */
	uint64_t last_bad;
	unsigned int last_wrong;
	uint16_t *hit;			/* scratch: wrong units of the codeword in hand */
	uint64_t *seen;			/* scratch: symbols hit, bit striping */

	bool ahead;			/* a copy that looks ahead: what it shares stays as it is */

	struct pm_fec_counts count;
	struct pm_rng rng, idle_rng;
};

/* False: no memory, and pm_fec_free() is due all the same. */
bool pm_fec_init(struct pm_fec *f, const struct pm_link_config *c, uint64_t stream);
void pm_fec_free(struct pm_fec *f);

/*
 * Loads f->lane[0..width-1], filled in by the caller, as what is true from the next codeword on.
 * @fresh: it is the first codeword of a new map; else dealing goes on. @all_bad: the ends disagree.
 */
void pm_fec_load(struct pm_fec *f, unsigned int width, bool fresh, bool all_bad);

/* Looks at the codewords up to @upto, that one excluded. */
void pm_fec_run(struct pm_fec *f, uint64_t upto, struct pm_damage *d);
/* The same for the codewords of a frame, @first and @last included; true if it is damaged. */
bool pm_fec_frame(struct pm_fec *f, uint64_t first, uint64_t last, struct pm_damage *d);
bool pm_fec_look_ahead(const struct pm_fec *f, uint64_t first, uint64_t last);
/* Whether all these codewords, which are still to come, can be decoded, errors and all. */
static inline bool pm_fec_clean(const struct pm_fec *f, uint64_t first, uint64_t last)
{
	if (f->err_cw > last && f->last_bad != first && !f->all_bad && !f->over)
		return true;
	return pm_fec_look_ahead(f, first, last);
}
/* They passed, and are clean. */
static inline void pm_fec_passed(struct pm_fec *f, uint64_t last)
{
	if (f->err_cw > last && last >= f->next_cw) {
		f->count.codewords += last + 1 - f->next_cw;
		f->next_cw = last + 1;
	} else {
		pm_fec_run(f, last + 1, NULL);
	}
}
/* They passed with nobody listening. */
void pm_fec_pass(struct pm_fec *f, uint64_t upto);
/* @codewords of idle stream went by. */
void pm_fec_idle(struct pm_fec *f, uint64_t codewords);

unsigned int pm_fec_margin(const struct pm_fec *f, bool erasures);

#endif /* PM_FEC_H */
