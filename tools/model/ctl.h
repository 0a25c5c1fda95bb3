/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control socket: newline-delimited JSON, one reply line for each request.
 *
 * main.c opens it. ctl.c moves lines and judges requests, ctl_show.c has the commands that only
 * look, ctl_fault.c those that break and mend, ctl_optics.c those about light and age,
 * ctl_play.c plays field traces, ctl_client.c is the other end ("pnic-model ctl").
 * Documentation/model.rst describes every command.
 */
#ifndef PM_CTL_H
#define PM_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>
#include <jansson.h>

#include "loop.h"
#include "nic.h"

#define CTL_LINE_MAX	65536		/* of a request, with its newline */
#define CTL_CLIENTS_MAX	64		/* at once: more are let go, so that descriptors don't run out */

struct ctl_client;

struct ctl_server {
	struct pm_fabric *fabric;
	struct nic *nics;
	unsigned int num_nics;
	struct pm_watch listener;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct ctl_client *clients;
	unsigned int num_clients;
	struct pm_player *player;	/* of a field trace, NULL: none */
};

/* @nics: as many as the fabric has. 0 or -errno. */
int ctl_open(struct ctl_server *s, struct pm_loop *loop, struct pm_fabric *fabric, struct nic *nics,
	     const char *path);
void ctl_close(struct ctl_server *s);
/* Plays a field trace from now on, in place of one that may be running. False: @err says why. */
bool ctl_play_file(struct ctl_server *s, const char *path, char *err, size_t errlen);
void ctl_play_stop(struct ctl_server *s);

/* A request on its way through its handler. */
struct ctl_call {
	struct ctl_server *server;
	json_t *args;
	struct nic *nic;		/* the one that "nic" names, by default the first */
	struct pm_port *port;		/* its port */
	bool nic_given;
	json_t *reply;			/* a handler adds its members here */
	char error[256];		/* why it failed */
};

struct ctl_command {
	const char *name;
	bool (*run)(struct ctl_call *c);	/* false: c->error says why, and nothing was changed */
	const char *keys;			/* members it takes besides cmd, nic and tag */
	const char *help;
};

/* Ended by a NULL name. */
extern const struct ctl_command ctl_show_commands[], ctl_fault_commands[], ctl_optics_commands[],
	ctl_play_commands[];
extern const struct ctl_command *const ctl_tables[];	/* all of them; NULL behind the last */

/* Fails the call with a message. Always false. */
bool ctl_fail(struct ctl_call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Required members of the request: false, with the error set, if one is missing or wrong. */
bool ctl_uint(struct ctl_call *c, const char *key, uint64_t max, uint64_t *v);
bool ctl_real(struct ctl_call *c, const char *key, double min, double max, double *v);
bool ctl_bool(struct ctl_call *c, const char *key, bool *v);
const char *ctl_text(struct ctl_call *c, const char *key);
/* The same where it may be missing: *@v stays then. */
bool ctl_real_or(struct ctl_call *c, const char *key, double min, double max, double *v);
/* "lane": a number, a list or "all"; at most PNIC_LANES_MAX, in the order given. */
bool ctl_lanes(struct ctl_call *c, uint16_t *lanes, size_t *n);
/* "end": makes c->port the port whose incoming lanes are meant. */
bool ctl_end(struct ctl_call *c);
/* What pm_fault_*() returned. */
bool ctl_result(struct ctl_call *c, int err);

/* The client command: argv[0] is "ctl". Exit status. */
int ctl_client_main(int argc, char **argv);

#endif /* PM_CTL_H */
