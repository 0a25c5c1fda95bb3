// SPDX-License-Identifier: GPL-2.0
/*
 * Codewords and their symbol errors. Called by the receive side of a direction for the
 * codewords that carry frames, and when somebody asks for the idle ones between them.
 *
 * Nothing is encoded; what matters of RS(n, k) is that a codeword with e wrong symbols at
 * unknown places and v erased ones is corrected if 2e + v <= n - k. The stream is dealt to
 * the lanes round robin without a break, unit by unit (a unit is a symbol, or a bit with
 * bit striping), so codeword i begins on logical lane i * per_cw mod width.
 *
 * A dark lane that isn't marked yet is a lane with a BER of one half; a marked one
 * contributes erasures. All other errors are independent, so the stream is never walked:
 * lanes are sorted into classes of like probability, and each class draws how many of its
 * units pass until the next wrong one (geometric with the class's largest probability, then
 * thinned to the lane's own). That is exact, and a healthy link costs a draw per some
 * hundred codewords.
 *
 * Erased symbols are counted neither as corrected nor in the histogram.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "driver/hw/pnic_admin.h"
#include "fec.h"

#define NEVER		UINT64_MAX
/* With less than this chance for a codeword none is tried: all are uncorrectable. */
#define HOPELESS	1e-9
/* The margin counts on no more random errors than are passed once in so many codewords. */
#define RANDOM_TAIL	1e-9
#define HIST_LAST	15

static unsigned int gcd(unsigned int a, unsigned int b)
{
	while (b) {
		unsigned int r = a % b;

		a = b;
		b = r;
	}
	return a;
}

void pm_fec_free(struct pm_fec *f)
{
	free(f->lane);
	free(f->phase_v);
	free(f->v_tail);
	free(f->pmf);
	free(f->tail);
	free(f->cumulative);
	free(f->member);
	free(f->accept);
	free(f->hit);
	free(f->seen);
}

bool pm_fec_init(struct pm_fec *f, const struct pm_link_config *c, uint64_t stream)
{
	bool bitwise = c->striping == PNIC_STRIPE_BIT;

	memset(f, 0, sizeof(*f));
	f->n = c->fec_n;
	f->k = c->fec_k;
	f->t2 = f->n - f->k;
	f->bits = c->fec_symbol_bits;
	f->unit_bits = bitwise ? 1 : f->bits;
	f->per_cw = bitwise ? f->n * f->bits : f->n;
	f->width_max = c->lanes_data;
	f->last_bad = NEVER;

	f->lane = calloc(f->width_max, sizeof(*f->lane));
	f->phase_v = calloc(f->width_max, sizeof(*f->phase_v));
	f->v_tail = calloc(f->t2 + 1, sizeof(*f->v_tail));
	f->pmf = calloc(f->t2 / 2 + 2, sizeof(*f->pmf));
	f->tail = calloc(f->t2 / 2 + 3, sizeof(*f->tail));
	f->cumulative = calloc(f->width_max, sizeof(*f->cumulative));
	f->member = calloc(f->width_max, sizeof(*f->member));
	f->accept = calloc(f->width_max, sizeof(*f->accept));
	f->hit = calloc(f->per_cw, sizeof(*f->hit));
	f->seen = calloc((f->n + 63) / 64, sizeof(*f->seen));
	pm_rng_init(&f->rng, c->seed, "symbol errors", stream);
	pm_rng_init(&f->idle_rng, c->seed, "idle symbol errors", stream);
	return f->lane && f->phase_v && f->v_tail && f->pmf && f->tail && f->cumulative &&
	       f->member && f->accept && f->hit && f->seen;
}

/* Erasures */

/* Marks symbol @sym in the scratch; true if it wasn't yet. */
static bool see(struct pm_fec *f, unsigned int sym)
{
	uint64_t bit = 1ull << (sym % 64);

	if (f->seen[sym / 64] & bit)
		return false;
	f->seen[sym / 64] |= bit;
	return true;
}

static void see_nothing(struct pm_fec *f)
{
	memset(f->seen, 0, (f->n + 63) / 64 * sizeof(*f->seen));
}

/* Symbols of the codeword beginning on logical lane @start that an erased lane touches. */
static unsigned int erased_in(struct pm_fec *f, unsigned int start, unsigned int erased)
{
	unsigned int l, unit, v = 0;

	/* Each lane has at least this many units: beyond 2t it doesn't matter how many. */
	if (erased * (f->per_cw / f->width) * f->unit_bits / f->bits > f->t2)
		return f->t2 + 1;
	see_nothing(f);
	for (l = 0; l < f->width; l++) {
		if (!f->lane[l].erased)
			continue;
		unit = l >= start ? l - start : l + f->width - start;
		for (; unit < f->per_cw; unit += f->width)
			v += see(f, unit * f->unit_bits / f->bits);
	}
	return v > f->t2 ? f->t2 + 1 : v;
}

static void load_erasures(struct pm_fec *f)
{
	unsigned int l, i, v, start = 0, erased = 0;

	for (l = 0; l < f->width; l++)
		erased += f->lane[l].erased;
	f->live = f->width - erased;
	f->v_max = 0;
	memset(f->v_tail, 0, (f->t2 + 1) * sizeof(*f->v_tail));
	if (!erased) {
		memset(f->phase_v, 0, f->period * sizeof(*f->phase_v));
		f->over = false;
		return;
	}
	for (i = 0; i < f->period; i++) {
		v = erased_in(f, start, erased);
		f->phase_v[i] = (uint16_t)v;
		if (v > f->v_max)
			f->v_max = v;
		for (l = 0; l < v; l++)
			f->v_tail[l] += 1.0 / f->period;
		start = (start + f->per_cw) % f->width;
	}
	f->over = f->v_max > f->t2;
}

/* Random errors */

static void add_bernoulli(double *pmf, unsigned int last, double p)
{
	unsigned int e;

	pmf[last] += pmf[last - 1] * p;
	for (e = last - 1; e; e--)
		pmf[e] += (pmf[e - 1] - pmf[e]) * p;
	pmf[0] -= pmf[0] * p;
}

/* How many wrong symbols a codeword has, where in the period it stands left open. */
static void load_distribution(struct pm_fec *f)
{
	unsigned int l, i, e, t = f->t2 / 2, rounds = f->per_cw / f->width;
	double part = (double)(f->per_cw % f->width) / f->width;
	double ok = 0;

	memset(f->pmf, 0, (t + 2) * sizeof(*f->pmf));
	f->pmf[0] = 1;
	for (l = 0; l < f->width; l++) {
		double p = f->lane[l].erased ? 0 : f->lane[l].p;

		f->cumulative[l] = (l ? f->cumulative[l - 1] : 0) + p;
		if (!(p > 0))
			continue;
		for (i = 0; i < rounds; i++)
			add_bernoulli(f->pmf, t + 1, p);
		add_bernoulli(f->pmf, t + 1, p * part);
	}
	f->tail[t + 2] = 0;
	f->tail[t + 1] = f->pmf[t + 1];
	f->random = t + 1;
	for (e = t + 1; e--; ) {
		ok += f->pmf[e] * (1 - f->v_tail[f->t2 - 2 * e]);
		f->tail[e] = f->tail[e + 1] + f->pmf[e];
		if (f->tail[e + 1] <= RANDOM_TAIL)
			f->random = e;
	}
	f->loss = f->all_bad || ok < HOPELESS ? 1 : 1 - ok;
	if (f->loss < 1e-12)
		f->loss = 0;
	f->all_bad = f->loss == 1;
}

/*
 * Units that pass until the next wrong one. Mostly none in a class of dark lanes: no
 * logarithm for those.
 */
static uint64_t class_skip(struct pm_fec *f, const struct pm_fec_class *c)
{
	uint64_t skip = 0;

	if (c->p_max < 0.5)
		return pm_rng_skip(&f->rng, c->scale);
	while (pm_rng_unit(&f->rng) >= c->p_max)
		skip++;
	return skip;
}

static void class_next(struct pm_fec *f, struct pm_fec_class *c, uint64_t from)
{
	uint64_t at = from, round;
	unsigned int i;

	for (;;) {
		uint64_t skip = class_skip(f, c);

		if (skip >= NEVER / 4 - c->count || at > NEVER / 4) {
			c->unit = NEVER;
			return;
		}
		at += skip;
		round = at / c->count;
		i = c->first + (unsigned int)(at - round * c->count);
		if (f->accept[i] >= 1 || pm_rng_unit(&f->rng) < f->accept[i])
			break;
		at++;
	}
	c->at = at;
	if (round > NEVER / 4 / f->width) {
		c->unit = NEVER;
		return;
	}
	c->unit = round * f->width + f->member[i];
}

static void set_first(struct pm_fec *f, uint64_t unit)
{
	f->err_cw = unit == NEVER ? NEVER : f->epoch + unit / f->per_cw;
}

static void find_first(struct pm_fec *f)
{
	uint64_t unit = NEVER;
	unsigned int i;

	f->second = NEVER;
	for (i = 0; i < f->classes; i++) {
		uint64_t u = f->class[i].unit;

		if (u < unit) {
			f->second = unit;
			unit = u;
			f->err_class = i;
		} else if (u < f->second) {
			f->second = u;
		}
	}
	set_first(f, unit);
}

/*
 * The first class has its error behind it. If its next one is still before all others',
 * nothing is searched.
 */
static void advance_first(struct pm_fec *f)
{
	struct pm_fec_class *c = &f->class[f->err_class];

	class_next(f, c, c->at + 1);
	if (c->unit < f->second)
		set_first(f, c->unit);
	else
		find_first(f);
}

static int class_of(const struct pm_fec_lane *lane)
{
	int e;

	if (lane->erased || !(lane->p > 0))
		return -1;
	frexp(lane->p, &e);
	return -e < PM_FEC_CLASSES ? -e : -1;
}

/* Sorts the lanes into classes; within one they stay in logical order, as the stream meets them. */
static void load_classes(struct pm_fec *f)
{
	unsigned int at[PM_FEC_CLASSES], num[PM_FEC_CLASSES] = { 0 };
	double p_max[PM_FEC_CLASSES] = { 0 };
	unsigned int l, i, sum = 0;
	int c;

	for (l = 0; l < f->width; l++) {
		c = class_of(&f->lane[l]);
		if (c < 0)
			continue;
		num[c]++;
		p_max[c] = fmax(p_max[c], f->lane[l].p);
	}
	f->classes = 0;
	for (i = 0; i < PM_FEC_CLASSES; i++) {
		struct pm_fec_class *k = &f->class[f->classes];

		at[i] = sum;
		if (!num[i])
			continue;
		k->first = sum;
		k->count = num[i];
		k->p_max = p_max[i];
		k->scale = pm_rng_skip_scale(p_max[i]);
		sum += num[i];
		f->classes++;
	}
	for (l = 0; l < f->width; l++) {
		c = class_of(&f->lane[l]);
		if (c < 0)
			continue;
		f->member[at[c]] = (uint16_t)l;
		f->accept[at[c]++] = f->lane[l].p / p_max[c];
	}
}

/* Draws every class's next error from the first unit of next_cw on: the past doesn't matter. */
static void draw_classes(struct pm_fec *f)
{
	uint64_t unit = (f->next_cw - f->epoch) * f->per_cw;
	uint64_t round = unit / f->width;
	unsigned int i, m, lane = (unsigned int)(unit % f->width);

	for (i = 0; i < f->classes; i++) {
		struct pm_fec_class *c = &f->class[i];

		for (m = 0; m < c->count && f->member[c->first + m] < lane; m++)
			;
		class_next(f, c, round * c->count + m);
	}
	find_first(f);
}

void pm_fec_load(struct pm_fec *f, unsigned int width, bool fresh, bool all_bad)
{
	if (fresh)
		f->epoch = f->next_cw;
	f->width = width;
	f->period = width / gcd(f->per_cw, width);
	f->all_bad = all_bad;
	load_erasures(f);
	load_distribution(f);
	f->classes = 0;
	f->err_cw = NEVER;
	if (f->all_bad)
		return;
	load_classes(f);
	draw_classes(f);
}

/* The stream */

static void mark_bad(struct pm_fec *f, uint64_t cw, unsigned int wrong, struct pm_damage *d)
{
	f->last_bad = cw;
	f->last_wrong = wrong;
	if (!d || cw < d->first)
		return;
	d->mask |= 1ull << (cw - d->first < 63 ? cw - d->first : 63);
	d->wrong = wrong;
}

static void count_bad(struct pm_fec *f, uint64_t codewords)
{
	f->count.uncorrectable += codewords;
	f->count.hist[HIST_LAST] += codewords;
}

static void count_good(struct pm_fec *f, unsigned int wrong, uint64_t codewords)
{
	if (!wrong)
		return;
	f->count.corrected += codewords;
	f->count.symbols += wrong * codewords;
	f->count.hist[wrong < HIST_LAST ? wrong : HIST_LAST] += codewords;
}

/* Collects the wrong units of codeword err_cw, and draws what comes after them. */
static unsigned int collect(struct pm_fec *f, unsigned int *units)
{
	uint64_t cw = f->err_cw, first = (cw - f->epoch) * f->per_cw;
	unsigned int wrong = 0, hits = 0;

	if (f->unit_bits != f->bits)
		see_nothing(f);
	while (f->err_cw == cw) {
		struct pm_fec_class *c = &f->class[f->err_class];
		unsigned int unit = (unsigned int)(c->unit - first);

		f->hit[hits++] = (uint16_t)(c->unit % f->width);
		wrong += f->unit_bits == f->bits || see(f, unit / f->bits);
		advance_first(f);
	}
	*units = hits;
	return wrong;
}

static unsigned int erased_at(const struct pm_fec *f, uint64_t cw)
{
	return f->v_max ? f->phase_v[(cw - f->epoch) % f->period] : 0;
}

static void take_wrong(struct pm_fec *f, uint64_t cw, struct pm_damage *d)
{
	unsigned int i, units, wrong = collect(f, &units);

	if (2 * wrong + erased_at(f, cw) > f->t2) {
		count_bad(f, 1);
		mark_bad(f, cw, wrong, d);
		return;
	}
	count_good(f, wrong, 1);
	for (i = 0; i < units && !f->ahead; i++)
		++*f->lane[f->hit[i]].errors;
}

/* Codewords without a random error can fail only by their erasures. */
static void take_rightful(struct pm_fec *f, uint64_t upto, struct pm_damage *d)
{
	uint64_t cw;

	if (f->over) {
		for (cw = f->next_cw; cw < upto; cw++) {
			if (erased_at(f, cw) <= f->t2)
				continue;
			count_bad(f, 1);
			mark_bad(f, cw, f->t2 / 2 + 1, d);
		}
	}
	f->next_cw = upto;
}

static void take_garbage(struct pm_fec *f, uint64_t upto, struct pm_damage *d)
{
	uint64_t cw = d && d->first > f->next_cw ? d->first : f->next_cw;

	count_bad(f, upto - f->next_cw);
	for (; cw < upto && d && cw - d->first < 63; cw++)
		mark_bad(f, cw, f->n, d);
	mark_bad(f, upto - 1, f->n, d);
	f->next_cw = upto;
}

void pm_fec_run(struct pm_fec *f, uint64_t upto, struct pm_damage *d)
{
	if (upto <= f->next_cw)
		return;
	f->count.codewords += upto - f->next_cw;
	if (f->all_bad) {
		take_garbage(f, upto, d);
		return;
	}
	while (f->err_cw < upto) {
		take_rightful(f, f->err_cw, d);
		f->next_cw = f->err_cw + 1;
		take_wrong(f, f->err_cw, d);
	}
	take_rightful(f, upto, d);
}

bool pm_fec_frame(struct pm_fec *f, uint64_t first, uint64_t last, struct pm_damage *d)
{
	/* The codeword in which the frame before ended has been looked at already. */
	if (f->last_bad == first)
		mark_bad(f, first, f->last_wrong, d);
	pm_fec_run(f, last + 1, d);
	return d->mask;
}

bool pm_fec_look_ahead(const struct pm_fec *f, uint64_t first, uint64_t last)
{
	struct pm_damage damage = { .first = first };
	struct pm_fec ahead;

	if (f->all_bad || f->over || f->last_bad == first)
		return false;
	/* The errors that chance has for them, without taking these out of its hands. */
	ahead = *f;
	ahead.ahead = true;
	pm_fec_run(&ahead, last + 1, &damage);
	return !damage.mask;
}

void pm_fec_pass(struct pm_fec *f, uint64_t upto)
{
	if (upto <= f->next_cw)
		return;
	f->next_cw = upto;
	if (f->err_cw < upto)
		draw_classes(f);
}

/* Idle stream */

static void attribute(struct pm_fec *f, uint64_t errors)
{
	double left = f->cumulative[f->width - 1];
	unsigned int l, lo, hi;

	if (errors >= f->width) {
		for (l = 0; l < f->width && errors; l++) {
			double p = f->cumulative[l] - (l ? f->cumulative[l - 1] : 0);
			uint64_t mine;

			if (!(p > 0))
				continue;
			mine = pm_rng_binomial(&f->idle_rng, errors, fmin(1, p / left));
			*f->lane[l].errors += mine;
			errors -= mine;
			left -= p;
		}
	}
	while (errors--) {
		double u = pm_rng_unit(&f->idle_rng) * f->cumulative[f->width - 1];

		for (lo = 0, hi = f->width - 1; lo < hi; ) {
			unsigned int mid = (lo + hi) / 2;

			if (f->cumulative[mid] > u)
				hi = mid;
			else
				lo = mid + 1;
		}
		++*f->lane[lo].errors;
	}
}

void pm_fec_idle(struct pm_fec *f, uint64_t codewords)
{
	uint64_t left = codewords, errors = 0, with, bad;
	unsigned int e, t = f->t2 / 2;

	f->count.codewords += codewords;
	if (f->all_bad) {
		count_bad(f, codewords);
		return;
	}
	for (e = 0; e <= t && left && f->tail[e] > 0; e++) {
		with = pm_rng_binomial(&f->idle_rng, left, fmin(1, f->pmf[e] / f->tail[e]));
		bad = pm_rng_binomial(&f->idle_rng, with, f->v_tail[f->t2 - 2 * e]);
		left -= with;
		count_bad(f, bad);
		count_good(f, e, with - bad);
		errors += e * (with - bad);
	}
	count_bad(f, left);
	if (errors)
		attribute(f, errors);
}

unsigned int pm_fec_margin(const struct pm_fec *f, bool erasures)
{
	unsigned int each = (f->per_cw + f->width - 1) / f->width;
	unsigned int used = f->v_max + 2 * f->random, m;

	if (f->all_bad || used >= f->t2)
		return 0;
	if (each > f->n)
		each = f->n;
	m = (f->t2 - used) / (erasures ? each : 2 * each);
	return m < f->live ? m : f->live;
}
