// SPDX-License-Identifier: GPL-2.0
/* A generic netlink socket with the kernel behind it, see sock.h. */
#include "sock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "names.h"

/* A cut bundle tells of hundreds of lanes at once. */
#define RECEIVE_BYTES	(4 << 20)
/* The records of a cable with 4,096 lanes are one message. */
#define SEND_BYTES	(1 << 20)

struct sock {
	struct nl_sock *nl;
};

static void options(struct sock *s)
{
	static const int on[] = { NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK };
	unsigned int i;
	int one = 1;

	/* What an old kernel does not have is done without. */
	for (i = 0; i < ARRAY_SIZE(on); i++)
		setsockopt(sock_fd(s), SOL_NETLINK, on[i], &one, sizeof(one));
	nl_socket_set_buffer_size(s->nl, RECEIVE_BYTES, SEND_BYTES);
	/* Past the administrator's limit, if we may. */
	one = RECEIVE_BYTES;
	setsockopt(sock_fd(s), SOL_SOCKET, SO_RCVBUFFORCE, &one, sizeof(one));
}

struct sock *sock_open(char *why, size_t size)
{
	struct sock *s = calloc(1, sizeof(*s));
	int ret;

	if (s)
		s->nl = nl_socket_alloc();
	if (!s || !s->nl) {
		snprintf(why, size, "out of memory");
		free(s);
		return NULL;
	}
	ret = genl_connect(s->nl);
	if (ret < 0) {
		snprintf(why, size, "no netlink socket: %s", nl_geterror(ret));
		sock_close(s);
		return NULL;
	}
	options(s);
	return s;
}

void sock_close(struct sock *s)
{
	nl_socket_free(s->nl);
	free(s);
}

int sock_family(struct sock *s, const char *name)
{
	int ret = genl_ctrl_resolve(s->nl, name);

	return ret < 0 ? -ENOENT : ret;
}

int sock_group(struct sock *s, const char *family, const char *group)
{
	int ret = genl_ctrl_resolve_grp(s->nl, family, group);

	return ret < 0 ? -ENOENT : ret;
}

int sock_join(struct sock *s, int group)
{
	int ret =
		setsockopt(sock_fd(s), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group));

	return ret ? -errno : 0;
}

int sock_send(struct sock *s, const void *msg, size_t len)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	if (sendto(sock_fd(s), msg, len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	return 0;
}

ssize_t sock_recv(struct sock *s, void *buf, size_t size, int timeout_ms)
{
	struct pollfd pfd = { .fd = sock_fd(s), .events = POLLIN };
	struct sockaddr_nl from = {};
	socklen_t from_len = sizeof(from);
	ssize_t n;

	do {
		n = poll(&pfd, 1, timeout_ms);
		if (n <= 0)
			return n ? -errno : -EAGAIN;
		n = recvfrom(pfd.fd, buf, size, MSG_TRUNC, (struct sockaddr *)&from, &from_len);
		if (n < 0)
			return -errno;
	} while (from.nl_pid);	/* only the kernel is listened to */
	return (size_t)n > size ? -EMSGSIZE : n;
}

int sock_fd(struct sock *s)
{
	return nl_socket_get_fd(s->nl);
}
