// SPDX-License-Identifier: GPL-2.0
/*
 * Prints the frequency of this machine's time stamp counter in kHz, measured
 * against the monotonic clock. Called by pnicvm/tsc.py, for the guest's kernel.
 *
 * A measurement that was interrupted is too high or too low; the median of
 * several short ones is not.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <x86intrin.h>

#define ROUNDS		9
#define ROUND_NS	5000000

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static double measure_khz(void)
{
	uint64_t start = now_ns(), tsc = __rdtsc(), end;

	do {
		end = now_ns();
	} while (end - start < ROUND_NS);
	return (double)(__rdtsc() - tsc) * 1e6 / (double)(end - start);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	double khz[ROUNDS];
	int i;

	for (i = 0; i < ROUNDS; i++)
		khz[i] = measure_khz();
	qsort(khz, ROUNDS, sizeof(khz[0]), by_value);
	printf("%.0f\n", khz[ROUNDS / 2]);
	return 0;
}
