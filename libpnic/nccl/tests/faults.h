/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* The embedded cards of the tests, and what happens to their lanes and links meanwhile. */
#ifndef PNIC_NCCL_FAULTS_H
#define PNIC_NCCL_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include <pnic.h>

#define CARDS	4	/* at a switch: devices 0 to 3 */
#define PAIR	2	/* two more, back to back, where what dies at one end is what the other sends by: 4 and 5 */
#define ALL	(CARDS + PAIR)

/* Names the cards to the plugin (PNIC_NCCL_DEVICES), with short times for errors; before it is loaded. */
void cards_name(void);
/* A context of the test's own on each, to have a hand on them. */
bool cards_open(void);
void cards_close(void);
struct pnic_ctx *card(int nic);
/* Everything is as good as new, and every link is up. */
bool cards_heal(void);
/* Lets the cards' clocks run until @done, or for some seconds: false. */
bool cards_until(bool (*done)(void *arg), void *arg);

enum { FAULT_LANES = 1, FAULT_RAILS = 2, FAULT_CARDS = 4 };

struct faults {
	unsigned int lanes;		/* that died */
	unsigned int rails;		/* that were taken down */
	unsigned int back;		/* and came back */
	unsigned int cards;		/* that failed and were reset */
	unsigned int dropped;		/* frames that vanished */
};

void faults_start(int kinds, uint64_t seed);
struct faults faults_stop(void);

#endif /* PNIC_NCCL_FAULTS_H */
