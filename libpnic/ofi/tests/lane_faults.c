// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * Makes the lanes of all cards worse while others work: some die, weaken or drift, frames get lost and damaged, and when
 * there are too many it heals them.
 *
 *	lane_faults CARDS SEED		until SIGTERM; then lines "# figure ..." of what it did. The cards are whole then
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "modelctl.h"

#define LANES		460u
#define BAD_MAX		120u	/* lanes of one link at a time: beyond its 35 spares it becomes narrower */
#define CARDS_MAX	8u

static volatile sig_atomic_t over;
static uint64_t dice;
static unsigned int bad[CARDS_MAX];
static unsigned long killed, weakened, frames, healed;

static void end(int sig)
{
	(void)sig;
	over = 1;
}

static uint32_t below(uint32_t n)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (uint32_t)(dice >> 24) % n;
}

static void heal(unsigned int nic)
{
	if (modelctl("{\"cmd\":\"heal\",\"nic\":%u,\"lane\":\"all\"}", nic))
		return;
	healed += bad[nic];
	bad[nic] = 0;
}

static void something(unsigned int nic)
{
	uint32_t what = below(10), lane = below(LANES);
	int err;

	if (bad[nic] >= BAD_MAX || !below(150)) {
		heal(nic);
		return;
	}
	if (what < 5) {
		err = modelctl("{\"cmd\":\"kill\",\"nic\":%u,\"lane\":%u}", nic, lane);
		killed += !err;
	} else if (what < 7) {
		err = modelctl("{\"cmd\":\"degrade\",\"nic\":%u,\"lane\":%u,\"db\":%u.%u}", nic, lane, below(6), below(10));
		weakened += !err;
	} else if (what < 8) {
		err = modelctl("{\"cmd\":\"drift\",\"nic\":%u,\"lane\":%u,\"db_per_hour\":%u}", nic, lane, below(3));
		weakened += !err;
	} else {
		err = modelctl("{\"cmd\":\"%s\",\"nic\":%u,\"frames\":%u}", below(2) ? "drop" : "corrupt", nic, 1 + below(20));
		frames += !err;
		return;
	}
	bad[nic] += !err;
}

int main(int argc, char **argv)
{
	unsigned int cards = argc > 1 ? (unsigned int)atoi(argv[1]) : 2, nic;
	struct sigaction act = { .sa_handler = end };

	dice = (argc > 2 ? strtoull(argv[2], NULL, 0) : 1) * 0x9e3779b97f4a7c15ull + 1;
	sigaction(SIGTERM, &act, NULL);
	if (!cards || cards > CARDS_MAX || !modelctl_present()) {
		fprintf(stderr, "lane_faults: %s\n", modelctl_error());
		return 1;
	}
	while (!over) {
		something(below(cards));
		usleep(1000 * below(100));
	}
	for (nic = 0; nic < cards; nic++)
		heal(nic);
	printf("# figure lanes_killed %lu lanes that died\n", killed);
	printf("# figure lanes_weakened %lu lanes that became weaker, or weaker with time\n", weakened);
	printf("# figure lanes_healed %lu lanes that were made whole again\n", healed);
	printf("# figure frame_faults %lu times that frames were lost or damaged\n", frames);
	return !killed;
}
