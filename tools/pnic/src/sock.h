/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A generic netlink socket. sock.c has the kernel behind it (libnl); the tests link another
 * file, with a made-up kernel.
 */
#ifndef PNIC_TOOL_SOCK_H
#define PNIC_TOOL_SOCK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sock;

/* A connected socket, or NULL with the reason in @why. */
struct sock *sock_open(char *why, size_t size);
void sock_close(struct sock *s);
/* Number of the family @name, -errno: ENOENT if the kernel has none. */
int sock_family(struct sock *s, const char *name);
/* Number of the group @group of @family, -errno. */
int sock_group(struct sock *s, const char *family, const char *group);
/* Joins a group. 0, -errno. */
int sock_join(struct sock *s, int group);
/* Sends a message. 0, -errno. */
int sock_send(struct sock *s, const void *msg, size_t len);
/*
 * The length of the next datagram, which has come into @buf; -errno: EAGAIN if none has come
 * within @timeout_ms (-1: for ever), EINTR by a signal, ENOBUFS when events were lost, EMSGSIZE
 * when it has more than @size bytes.
 */
ssize_t sock_recv(struct sock *s, void *buf, size_t size, int timeout_ms);
int sock_fd(struct sock *s);

#endif /* PNIC_TOOL_SOCK_H */
