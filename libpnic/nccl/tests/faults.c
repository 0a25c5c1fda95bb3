// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <pnic_embedded.h>

#include "faults.h"
#include "rings.h"

#define LANES	460		/* of mosaic-800g: 425 and 35 */

static struct pnic_ctx *cards[ALL];
static pthread_t thread;
static unsigned int stop;
static int kinds;
static uint64_t seed;
static struct faults faults;

static void name(char *buf, size_t size, int nic)
{
	if (nic < CARDS)
		snprintf(buf, size, "embedded:world=nccl,nics=%d,nic=%d", CARDS, nic);
	else
		snprintf(buf, size, "embedded:world=pair,nics=%d,nic=%d", PAIR, nic - CARDS);
}

void cards_name(void)
{
	char all[512], one[64];
	size_t at = 0;
	int i;

	for (i = 0; i < ALL; i++) {
		name(one, sizeof(one), i);
		at += (size_t)snprintf(all + at, sizeof(all) - at, "%s%s", i ? "," : "", one);
	}
	setenv("PNIC_NCCL_DEVICES", all, 0);
	setenv("PNIC_NCCL_TIMEOUT_MS", "1500", 0);
	setenv("PNIC_NCCL_PROBE_MS", "200", 0);
}

bool cards_open(void)
{
	char buf[64];
	int i, err;

	for (i = 0; i < ALL; i++) {
		name(buf, sizeof(buf), i);
		err = cards[i] ? 0 : pnic_open(buf, NULL, &cards[i]);
		if (err) {
			printf("# %s: %s (%s)\n", buf, pnic_strerror(err), pnic_last_error());
			return false;
		}
	}
	return true;
}

void cards_close(void)
{
	int i;

	for (i = 0; i < ALL; i++) {
		pnic_close(cards[i]);
		cards[i] = NULL;
	}
}

struct pnic_ctx *card(int nic)
{
	return cards[nic];
}

bool cards_until(bool (*done)(void *arg), void *arg)
{
	struct timespec nap = { 0, 200000 }, t;
	time_t end;
	int i;

	clock_gettime(CLOCK_MONOTONIC, &t);
	end = t.tv_sec + 60;
	while (!done(arg)) {
		clock_gettime(CLOCK_MONOTONIC, &t);
		if (t.tv_sec > end)
			return false;
		for (i = 0; i < ALL; i++)
			pnic_embedded_drive(cards[i]);
		nanosleep(&nap, NULL);
	}
	return true;
}

static bool all_up(void *arg)
{
	struct pnic_status_page page;
	int i;

	(void)arg;
	for (i = 0; i < ALL; i++)
		if (pnic_link_status(cards[i], &page) || page.link_state != 1)
			return false;
	return true;
}

bool cards_heal(void)
{
	int i;

	for (i = 0; i < ALL; i++) {
		pnic_embedded_fault(cards[i], PNIC_EMBEDDED_HEAL_ALL, 0, 0);
		pnic_embedded_fault(cards[i], PNIC_EMBEDDED_CUT, 0, 0);
		pnic_embedded_fault(cards[i], PNIC_EMBEDDED_LINK, 1, 0);
	}
	return cards_until(all_up, NULL);
}

/* A card fails; the driver resets it, and who had a context on it makes a new one. */
static void fail(int nic)
{
	struct timespec nap = { 0, 1000000 };
	char buf[64];

	name(buf, sizeof(buf), nic);
	pnic_embedded_fault(cards[nic], PNIC_EMBEDDED_FATAL, 0, 0);
	faults.cards++;
	pnic_close(cards[nic]);
	while (pnic_open(buf, NULL, &cards[nic])) {
		cards[nic] = NULL;
		nanosleep(&nap, NULL);
	}
}

/* One card at a time, that is one rail of one virtual device, is without a link or fails. */
static void *run(void *arg)
{
	struct timespec nap = { 0, 2000000 };
	int down = -1, left = 0, killed = 0, i;

	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		if (kinds & FAULT_LANES) {
			pnic_embedded_fault(cards[rnd(&seed) % CARDS], PNIC_EMBEDDED_KILL, rnd(&seed) % LANES, 0);
			faults.lanes++;
			if (++killed % 400 == 0)
				for (i = 0; i < CARDS; i++)
					pnic_embedded_fault(cards[i], PNIC_EMBEDDED_HEAL_ALL, 0, 0);
		}
		if (rnd(&seed) % 8 == 0) {
			unsigned int n = 1 + (unsigned int)(rnd(&seed) % 4);

			pnic_embedded_fault(cards[rnd(&seed) % CARDS], rnd(&seed) % 2 ? PNIC_EMBEDDED_DROP :
					    PNIC_EMBEDDED_CORRUPT, n, 0);
			faults.dropped += n;
		}
		if (kinds & FAULT_CARDS && down < 0 && rnd(&seed) % 48 == 0) {
			fail((int)(rnd(&seed) % CARDS));
			left = 20;		/* until it is used again */
			down = CARDS;
		} else if (kinds & FAULT_RAILS && down < 0 && rnd(&seed) % 8 == 0) {
			down = (int)(rnd(&seed) % CARDS);
			left = 1 + (int)(rnd(&seed) % 20);
			pnic_embedded_fault(cards[down], PNIC_EMBEDDED_LINK, 0, 0);
			faults.rails++;
		} else if (down >= 0 && !left--) {
			if (down < CARDS) {
				pnic_embedded_fault(cards[down], PNIC_EMBEDDED_LINK, 1, 0);
				faults.back++;
			}
			down = -1;
		}
		nanosleep(&nap, NULL);
	}
	return NULL;
}

void faults_start(int what, uint64_t s)
{
	faults = (struct faults) { 0 };
	kinds = what;
	seed = s;
	stop = 0;
	pthread_create(&thread, NULL, run, NULL);
}

struct faults faults_stop(void)
{
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	cards_heal();
	return faults;
}
