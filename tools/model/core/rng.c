// SPDX-License-Identifier: GPL-2.0
/*
 * Random numbers of the model: xoshiro256** streams, each seeded by splitmix64 from
 * (seed, purpose, index), and the distributions drawn from them. Poisson and
 * binomial use Hoermann's transformed rejection (PTRS 1993, BTRS 1993) above
 * a mean of 10 and count by inversion or skipping below it; both are exact.
 */
#include <math.h>

#include "rng.h"

#define SMALL_MEAN	10.0

static uint64_t splitmix(uint64_t *x)
{
	uint64_t z = *x += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

void pm_rng_init(struct pm_rng *r, uint64_t seed, const char *purpose, uint64_t index)
{
	uint64_t hash = 0xcbf29ce484222325u;	/* FNV-1a */
	uint64_t x;
	int i;

	for (; *purpose; purpose++)
		hash = (hash ^ (unsigned char)*purpose) * 0x100000001b3u;
	x = seed;
	x = splitmix(&x) ^ hash;
	x = splitmix(&x) ^ index;
	for (i = 0; i < 4; i++)
		r->s[i] = splitmix(&x);
}

static uint64_t rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

uint64_t pm_rng_u64(struct pm_rng *r)
{
	uint64_t result = rotl(r->s[1] * 5, 7) * 9;
	uint64_t t = r->s[1] << 17;

	r->s[2] ^= r->s[0];
	r->s[3] ^= r->s[1];
	r->s[1] ^= r->s[2];
	r->s[0] ^= r->s[3];
	r->s[2] ^= t;
	r->s[3] = rotl(r->s[3], 45);
	return result;
}

double pm_rng_unit(struct pm_rng *r)
{
	return (double)(pm_rng_u64(r) >> 11) * 0x1.0p-53;
}

uint32_t pm_rng_below(struct pm_rng *r, uint32_t n)
{
	uint64_t m;

	if (!n)
		return 0;
	/* Multiply and shift; the rejection keeps it exactly even. */
	do {
		m = (pm_rng_u64(r) >> 32) * n;
	} while ((uint32_t)m < (uint32_t)-n % n);
	return (uint32_t)(m >> 32);
}

double pm_rng_normal(struct pm_rng *r)
{
	double u, v, s;

	do {
		u = 2 * pm_rng_unit(r) - 1;
		v = 2 * pm_rng_unit(r) - 1;
		s = u * u + v * v;
	} while (s >= 1 || s == 0);
	return u * sqrt(-2 * log(s) / s);
}

static double log_factorial(double k)
{
	int sign;

	return lgamma_r(k + 1, &sign);
}

static uint64_t poisson_small(struct pm_rng *r, double mean)
{
	double p = exp(-mean), u = pm_rng_unit(r);
	uint64_t k = 0;

	while (u > p && k < 1000) {
		u -= p;
		p *= mean / (double)++k;
	}
	return k;
}

uint64_t pm_rng_poisson(struct pm_rng *r, double mean)
{
	double a, b, inv_alpha, vr, u, v, us, k, logmean;

	if (!(mean > 0))
		return 0;
	if (mean < SMALL_MEAN)
		return poisson_small(r, mean);
	b = 0.931 + 2.53 * sqrt(mean);
	a = -0.059 + 0.02483 * b;
	inv_alpha = 1.1239 + 1.1328 / (b - 3.4);
	vr = 0.9277 - 3.6224 / (b - 2);
	logmean = log(mean);
	for (;;) {
		u = pm_rng_unit(r) - 0.5;
		v = pm_rng_unit(r);
		us = 0.5 - fabs(u);
		if (us <= 0)
			continue;
		k = floor((2 * a / us + b) * u + mean + 0.43);
		if (us >= 0.07 && v <= vr)
			return (uint64_t)k;
		if (k < 0 || (us < 0.013 && v > us))
			continue;
		if (log(v * inv_alpha / (a / (us * us) + b)) <=
		    k * logmean - mean - log_factorial(k))
			return (uint64_t)k;
	}
}

double pm_rng_skip_scale(double p)
{
	return 1 / log1p(-p);
}

uint64_t pm_rng_skip(struct pm_rng *r, double scale)
{
	double k = log(1 - pm_rng_unit(r)) * scale;

	return k < 0x1.0p62 ? (uint64_t)k : UINT64_MAX / 4;
}

static uint64_t binomial_small(struct pm_rng *r, uint64_t n, double p)
{
	double scale = pm_rng_skip_scale(p);
	uint64_t at = pm_rng_skip(r, scale), k = 0;

	while (at < n) {
		k++;
		at += 1 + pm_rng_skip(r, scale);
	}
	return k;
}

static uint64_t binomial_large(struct pm_rng *r, double n, double p)
{
	double spq = sqrt(n * p * (1 - p)), b = 1.15 + 2.53 * spq;
	double a = -0.0873 + 0.0248 * b + 0.01 * p, c = n * p + 0.5;
	double vr = 0.92 - 4.2 / b, alpha = (2.83 + 5.1 / b) * spq;
	double odds = log(p / (1 - p)), m = floor((n + 1) * p);
	double top = log_factorial(m) + log_factorial(n - m);
	double u, v, us, k;

	for (;;) {
		u = pm_rng_unit(r) - 0.5;
		v = pm_rng_unit(r);
		us = 0.5 - fabs(u);
		if (us <= 0)
			continue;
		k = floor((2 * a / us + b) * u + c);
		if (k < 0 || k > n)
			continue;
		if (us >= 0.07 && v <= vr)
			return (uint64_t)k;
		if (log(v * alpha / (a / (us * us) + b)) <=
		    top - log_factorial(k) - log_factorial(n - k) + (k - m) * odds)
			return (uint64_t)k;
	}
}

uint64_t pm_rng_binomial(struct pm_rng *r, uint64_t n, double p)
{
	if (!n || !(p > 0))
		return 0;
	if (p >= 1)
		return n;
	if (p > 0.5)
		return n - pm_rng_binomial(r, n, 1 - p);
	if ((double)n * p < SMALL_MEAN)
		return binomial_small(r, n, p);
	return binomial_large(r, (double)n, p);
}
