/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two ends on the library's rails, in one thread, for the selftests: what each gets, verified traffic between them, and
 * what can happen to their cards. Cards 0 and 1 are the rails of one end, 2 and 3 those of the other. What can't be done
 * fails the test.
 */
#ifndef PNIC_SELFTESTS_RAILTEST_H
#define PNIC_SELFTESTS_RAILTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pnic_rails.h>

#include "ktap.h"

#define MEM		(32ul << 20)
#define WAIT_MS		(60000u * ktap_slow())
#define NICS		4
#define RAILS		2

struct side {
	struct pnic_rails *rails;
	struct pnic_rails_ep *ep;
	struct pnic_rails_addr addr;
	struct pnic_rails_mr *mr;
	struct pnic_rails_key key;
	struct pnic_rails_peer *peer;
	uint8_t *mem;
};

extern struct side a, b;

/* How card @nic is opened; embedded ones are of a world of NICS. */
const char *card(unsigned int nic, char *name, size_t size);
/* @count rails from card @first on. */
void side_open(struct side *s, unsigned int first, unsigned int count, const struct pnic_rails_ep_attr *attr);
void side_close(struct side *s);
/* Both ends anew, each other's peers: 0 or the first error, with whatever there is by then in @a and @b. */
int both_make(unsigned int count, const struct pnic_rails_ep_attr *attr);
void both_open(unsigned int count, const struct pnic_rails_ep_attr *attr);
/* What was got and not looked at. */
void forget(void);

/* One look of each end; what it finds is kept. */
void turn(void);
/* The next completion of one end within so many ms, or of either. */
bool get(struct side *s, struct pnic_rails_wc *wc, unsigned int ms);
bool either(struct pnic_rails_wc *wc);
/* The next one is this. */
void want(struct side *s, unsigned int op, uint64_t cookie);
void want_message(struct side *s, uint32_t imm, const void *data, uint32_t length);
/* The next message of b, whatever else there is for a. */
void want_message_imm(uint32_t imm);

/* Cards by their number: a cable that is cut, a card that fails, lanes that die, and all mended. */
struct pnic_ctx *ctx_of(unsigned int nic);
void cut(unsigned int nic, bool on);
void fatal(unsigned int nic);
void kill_lanes(unsigned int nic, unsigned int count);
void mend_all(unsigned int nic);
struct pnic_rail_stat stat_of(struct side *s, unsigned int rail);
void until_state(struct side *s, unsigned int rail, unsigned int state);
bool saw_event(struct side *s, unsigned int rail, uint32_t type);

/* Everything once, both ways. */
void exercise(uint64_t seed);
/* Messages of every kind and length from a to b, in order and each once. */
void messages(uint64_t count);
/* Writes of known bytes, one after another, while something happens at half time; each is compared. */
void through(const char *what, void (*fault)(void), unsigned int rounds);

#endif /* PNIC_SELFTESTS_RAILTEST_H */
