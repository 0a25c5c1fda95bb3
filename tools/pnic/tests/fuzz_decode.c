// SPDX-License-Identifier: GPL-2.0
/*
 * Entry for a fuzzer: a datagram is read as replies, and everything that is drawn of them is.
 *
 * `make fuzz` builds it with clang's libFuzzer; test_decode.c calls it a bounded number of times.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "fields.h"
#include "json.h"
#include "reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FAMILY	31

static int item(void *arg, uint8_t cmd, const void *attrs, size_t len)
{
	unsigned int n = 0;
	char why[128];
	json_t *v;
	void *obj;

	(void)arg;
	while (field_sets[n])
		n++;
	/* The command's number picks the set, so that all are reached. */
	obj = calloc(1, field_sets[cmd % n]->size);
	if (!decode(field_sets[cmd % n], attrs, len, obj, why, sizeof(why))) {
		v = json_of(field_sets[cmd % n], obj, "pnic0");
		free(json_dumps(v, JSON_COMPACT));
		json_decref(v);
	}
	fields_clear(field_sets[cmd % n], obj);
	free(obj);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reply r = { .family = FAMILY, .fn = item, .ctrl = item };

	reply_datagram(&r, data, size);
	return 0;
}
