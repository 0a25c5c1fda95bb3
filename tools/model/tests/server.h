/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Starts pnic-model for a test, talks to its control socket, ends it.
 *
 * Used by the tests that need the running program. The program stands in the
 * directory "model" beside the test, or in $PNIC_MODEL_DIR.
 */
#ifndef PM_TESTS_SERVER_H
#define PM_TESTS_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <jansson.h>

struct server {
	pid_t pid;
	char dir[64];		/* of its sockets */
	char ctl[96];
	int ctl_fd;
};

/* @args: further options, ended by NULL, or NULL. False: it did not say "ready". */
bool server_start(struct server *s, const char *program, const char *const *args);
/* Ends it by SIGTERM: its exit status, -1 if a signal killed it. */
int server_stop(struct server *s);
bool server_alive(struct server *s);
void server_nic_path(const struct server *s, unsigned int nic, char *path, size_t size);
unsigned int server_open_files(const struct server *s);
/* Processor time that it used so far. */
uint64_t server_cpu_ns(const struct server *s);

/* Runs the program with these arguments only; its exit status. Its output is dropped. */
int server_run(const char *program, const char *const *args);

/* One request line, one reply; NULL if none came. */
json_t *server_ctl(struct server *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, true if the reply says ok. */
bool server_ctl_ok(struct server *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A number among the counters of @nic, -1 if it isn't there. */
int64_t server_counter(struct server *s, unsigned int nic, const char *name);

#endif /* PM_TESTS_SERVER_H */
