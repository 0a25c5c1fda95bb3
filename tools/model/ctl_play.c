// SPDX-License-Identifier: GPL-2.0
/* The control command that plays field traces, and --trace-play; see ctl.h, core/fieldtrace.h. */
#include <string.h>

#include "core/fieldtrace.h"
#include "ctl.h"

static struct pm_port *port_of(void *arg, unsigned int nic, bool at_switch)
{
	struct ctl_server *s = arg;

	return at_switch ? pm_fabric_switch_port(s->fabric, nic) :
			   pm_card_port(pm_fabric_card(s->fabric, nic));
}

void ctl_play_stop(struct ctl_server *s)
{
	pm_player_free(s->player);
	s->player = NULL;
}

static struct pm_trace_shape shape_of(const struct ctl_server *s)
{
	return (struct pm_trace_shape){
		.link = pm_port_config(pm_card_port(pm_fabric_card(s->fabric, 0))),
		.nics = s->num_nics,
		.has_switch = pm_fabric_switch_port(s->fabric, 0),
	};
}

static bool play(struct ctl_server *s, struct pm_trace *t, char *err, size_t errlen)
{
	struct pm_player *p;

	if (!t)
		return false;
	p = pm_player_new(pm_fabric_sim(s->fabric), t, port_of, s);
	if (!p) {
		snprintf(err, errlen, "no memory");
		return false;
	}
	ctl_play_stop(s);
	s->player = p;
	return true;
}

bool ctl_play_file(struct ctl_server *s, const char *path, char *err, size_t errlen)
{
	struct pm_trace_shape shape = shape_of(s);

	return play(s, pm_trace_open(path, &shape, err, errlen), err, errlen);
}

/* "file", "text", "stop", or nothing: how far is it. */
static bool do_play(struct ctl_call *c)
{
	static const char *const ways[] = { "file", "text", "stop" };
	struct pm_trace_shape shape = shape_of(c->server);
	struct ctl_server *s = c->server;
	unsigned int i, given = 0;
	const char *text = NULL;
	char err[160];
	bool stop, ok = true;

	for (i = 0; i < 3; i++)
		given += json_object_get(c->args, ways[i]) != NULL;
	if (given > 1)
		return ctl_fail(c, "only one of \"file\", \"text\" and \"stop\" can be given");
	if (json_object_get(c->args, "stop")) {
		if (!ctl_bool(c, "stop", &stop))
			return false;
		if (stop)
			ctl_play_stop(s);
	} else if (given) {
		text = ctl_text(c, json_object_get(c->args, "file") ? "file" : "text");
		if (!text)
			return false;
		if (json_object_get(c->args, "file"))
			ok = ctl_play_file(s, text, err, sizeof(err));
		else
			ok = play(s, pm_trace_parse(text, strlen(text), &shape, err, sizeof(err)),
				  err, sizeof(err));
	}
	if (!ok)
		return ctl_fail(c, "%s", err);
	json_object_set_new(c->reply, "left",
			    json_integer(s->player ? pm_player_left(s->player) : 0));
	return true;
}

const struct ctl_command ctl_play_commands[] = {
	{ "play", do_play, "file text stop",
	  "plays a field trace from now on, in place of one that runs; says how many events are left" },
	{}
};
