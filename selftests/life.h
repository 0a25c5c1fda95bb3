/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Verified traffic that lives through whatever happens to the cards, for the selftests that reset,
 * remove, suspend and break them.
 *
 * A process of its own writes a pattern from card 0 to card 1, looks at it there, reads it
 * back, and so on. When a card takes a context away it wants the event that says so, touches
 * the dead mappings, and opens anew until that works again. What it saw stands in
 * shared memory.
 */
#ifndef PNIC_SELFTESTS_LIFE_H
#define PNIC_SELFTESTS_LIFE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct life - what is shared with the process
 * @pid: of it
 * @stop: it is to end
 * @good: patterns that arrived whole
 * @failed: transfers that ended with an error
 * @opened: times that both ends were opened
 * @resets: contexts that were told PNIC_EVT_RESET
 * @gone: contexts that were told PNIC_EVT_GONE
 * @complaint: what was wrong, "": nothing
 */
struct life {
	pid_t pid;
	bool stop;
	uint64_t good;
	uint64_t failed;
	uint64_t opened;
	uint64_t resets;
	uint64_t gone;
	char complaint[256];
};

/* Traffic flows when this returns; or NULL, and *@why is the reason. */
struct life *life_start(const char **why);
/* Waits for @more good patterns from now on: false if they don't come, or something was wrong. */
bool life_goes_on(struct life *l, unsigned int more, unsigned int timeout_ms);
/* Ends it, and says what was wrong; NULL: nothing. @l is gone. */
const char *life_stop(struct life *l);

#endif /* PNIC_SELFTESTS_LIFE_H */
