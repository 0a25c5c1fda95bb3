/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pnic: the administrator's tool. What its parts share: the state of a run and the ends of a
 * command.
 *
 *	main.c, command.c, options.c, batch.c	command line -> object, verb (cmd.c: the table)
 *	obj_*.c, monitor.c, top.c	one object each: read the arguments, ask, draw
 *	args.c				reading arguments
 *	nl.c, nl_ops.c			asking the driver: plain structs
 *	reply.c, decode.c, fields.c	messages -> structs
 *	sock.c				the only file that knows a real kernel
 *	text_*.c, out.c, table.c, json.c	drawing
 */
#ifndef PNIC_TOOL_PNIC_H
#define PNIC_TOOL_PNIC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "nl.h"

/* Exit status. */
enum {
	ST_OK,
	ST_FAILED,		/* refused, or it did not work */
	ST_USAGE,		/* wrong usage */
};

enum when { WHEN_AUTO, WHEN_ALWAYS, WHEN_NEVER };

/**
 * struct pnic - a run of the tool
 * @json: print JSON
 * @pretty: indented
 * @stats: -s
 * @details: -d
 * @when: colours
 * @force: a batch goes on after a failure
 * @batch: its file, or NULL
 * @netns: namespace to work in, or NULL
 * @argc: arguments that were not read yet
 * @argv: they
 * @what: "OBJECT VERB", for messages
 * @drv: connection to the driver
 * @connected: it is open
 * @doc: the JSON array that the command fills
 * @raw: the command prints by itself, no JSON is to follow
 */
struct pnic {
	bool json, pretty, stats, details;
	enum when when;
	bool force;
	const char *batch, *netns;
	int argc;
	char **argv;
	char what[64];
	struct drv drv;
	bool connected;
	json_t *doc;
	bool raw;
};

/* Connects to the driver, if that was not done. 0, or ST_FAILED and it was said. */
int pnic_connect(struct pnic *p);
/* Says what the driver answered; ST_FAILED. */
int pnic_failed(struct pnic *p);
/* Says that something went wrong; ST_FAILED. */
__attribute__((format(printf, 1, 2)))
int pnic_error(const char *fmt, ...);
/* Says in one line what is wrong with the command line; ST_USAGE. */
__attribute__((format(printf, 2, 3)))
int pnic_usage(struct pnic *p, const char *fmt, ...);

/* Runs @argc, @argv as one command: OBJECT VERB ... */
int pnic_command(struct pnic *p);
/* Reads the options before the object. -1: go on; else the exit status. */
int pnic_options(struct pnic *p);
/* Takes the options that may stand anywhere out of the arguments of a command. -1, or ST_USAGE. */
int pnic_late_options(struct pnic *p);
int pnic_batch(struct pnic *p);

#endif /* PNIC_TOOL_PNIC_H */
