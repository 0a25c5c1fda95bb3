// SPDX-License-Identifier: GPL-2.0
/* The model's control socket: lines of whatever, of which each gets an answer that is JSON. */
#include "native.h"
#include "rig.h"

/* For answer(), behind the socket. */
#include "tools/model/ctl.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size, *nl;
	struct ctl_server s = { .listener.fd = -1, .num_nics = RIG_NICS, .nics = rig_nic };
	json_t *v;
	char *text;

	rig_take();
	s.fabric = rig_fabric;
	for (; at < end; at = nl + 1) {
		nl = memchr(at, '\n', end - at);
		nl = nl ? nl : end;
		if (blank(at, nl - at))
			continue;
		text = answer(&s, at, nl - at, NULL);
		v = text ? json_loads(text, 0, NULL) : NULL;
		if (!v || !json_is_boolean(json_object_get(v, "ok")))
			abort();
		json_decref(v);
		free(text);
		rig_run(2);
	}
	ctl_play_stop(&s);
	rig_give();
	return 0;
}
