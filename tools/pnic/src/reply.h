/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What comes back for a request, message by message: data, the end of a dump, or an error with
 * the kernel's words. Pure: a datagram in, calls and a verdict out.
 */
#ifndef PNIC_TOOL_REPLY_H
#define PNIC_TOOL_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message of the family. @attrs needs no alignment. Not 0 ends the reading with that status. */
typedef int reply_fn(void *arg, uint8_t cmd, const void *attrs, size_t len);

/**
 * struct reply - the reading of one request's replies
 * @family: messages of this type are data
 * @seq: of the request; 0 takes messages of any (events)
 * @fn: called for each data message
 * @arg: first argument of @fn and @ctrl
 * @ctrl: called for what the controller says of families that come and go; or NULL
 * @done: the request is answered in full
 * @interrupted: the table changed while it was dumped
 * @error: errno, or 0
 * @text: the kernel's words about it, "" if it had none
 * @attr_offset: of the attribute to blame in the request, 0 if none was named
 * @attr_missing: number of the attribute that is missing, 0 if none was named
 * @has_range: the kernel named the range that the attribute may have
 * @low: lower end of it
 * @high: upper end of it
 * @status: of @fn, if it was not 0
 */
struct reply {
	uint16_t family;
	uint32_t seq;
	reply_fn *fn;
	void *arg;
	reply_fn *ctrl;
	bool done, interrupted;
	int error;
	char text[512];
	uint32_t attr_offset, attr_missing;
	bool has_range;
	uint64_t low, high;
	int status;
};

/* Takes in a datagram. -1: it makes no sense. */
int reply_datagram(struct reply *r, const void *buf, size_t len);

#endif /* PNIC_TOOL_REPLY_H */
