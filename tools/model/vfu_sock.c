// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets of the vfio-user server: accepting a client, taking its bytes and
 * descriptors apart into messages, sending replies; see vfu.h.
 *
 * Nothing here blocks. A message is read in two steps, the header and then
 * exactly the body it announces, so that descriptors, which travel with a
 * message's first byte, are never taken for another message's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "trace.h"
#include "vfu.h"

#define MESSAGES_AT_ONCE	64	/* then the fabric gets its turn */

#define server_of(w, member) \
	((struct vfu_server *)((char *)(w) - offsetof(struct vfu_server, member)))

bool vfu_buf_reserve(struct vfu_buf *b, size_t len)
{
	uint8_t *p;

	if (len <= b->cap)
		return true;
	p = realloc(b->p, len);
	if (!p)
		return false;
	b->p = p;
	b->cap = len;
	return true;
}

static void buf_free(struct vfu_buf *b)
{
	free(b->p);
	*b = (struct vfu_buf){};
}

static void close_fds(struct vfu_server *s)
{
	unsigned int i;

	for (i = 0; i < s->nfds; i++)
		if (s->fds[i] >= 0)
			close(s->fds[i]);
	s->nfds = 0;
	s->fds_lost = false;
}

static void next_message(struct vfu_server *s)
{
	close_fds(s);
	s->in.len = 0;
	s->want = sizeof(struct vfu_hdr);
}

void vfu_drop_client(struct vfu_server *s, const char *why)
{
	if (s->client.fd < 0)
		return;
	trace(s->nic->index, "client closed: %s", why);
	pm_loop_del(&s->client);
	next_message(s);
	buf_free(&s->in);
	buf_free(&s->out);
	s->negotiated = false;
	nic_detach(s->nic);
}

/* False: the client is gone. */
static bool flush(struct vfu_server *s)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t n;

	while (s->out_done < s->out.len) {
		iov.iov_base = s->out.p + s->out_done;
		iov.iov_len = s->out.len - s->out_done;
		msg.msg_control = NULL;
		msg.msg_controllen = 0;
		if (s->out_fd >= 0) {
			msg.msg_control = control;
			msg.msg_controllen = sizeof(control);
			c = CMSG_FIRSTHDR(&msg);
			c->cmsg_level = SOL_SOCKET;
			c->cmsg_type = SCM_RIGHTS;
			c->cmsg_len = CMSG_LEN(sizeof(int));
			memcpy(CMSG_DATA(c), &s->out_fd, sizeof(int));
		}
		n = sendmsg(s->client.fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			pm_loop_change(&s->client, EPOLLOUT);
			return true;
		}
		if (n < 0) {
			vfu_drop_client(s, "send failed");
			return false;
		}
		s->out_fd = -1;
		s->out_done += n;
	}
	s->out.len = 0;
	s->out_done = 0;
	pm_loop_change(&s->client, EPOLLIN);
	return true;
}

static void take_fds(struct vfu_server *s, struct msghdr *msg)
{
	struct cmsghdr *c;
	size_t n, i;
	int fd;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (s->nfds < VFU_MAX_FDS) {
				s->fds[s->nfds++] = fd;
			} else {
				close(fd);
				s->fds_lost = true;
			}
		}
	}
	if (msg->msg_flags & MSG_CTRUNC)
		s->fds_lost = true;
}

/* Reads toward s->want. 1: complete, 0: not yet, -1: end of the stream. */
static int fill(struct vfu_server *s)
{
	char control[CMSG_SPACE(VFU_MAX_FDS * sizeof(int))];
	struct msghdr msg = { .msg_iovlen = 1 };
	struct iovec iov;
	ssize_t n;

	while (s->in.len < s->want) {
		iov.iov_base = s->in.p + s->in.len;
		iov.iov_len = s->want - s->in.len;
		msg.msg_iov = &iov;
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		n = recvmsg(s->client.fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -1;
		take_fds(s, &msg);
		if (!n)
			return -1;
		s->in.len += n;
	}
	return 1;
}

/* The header is there: how long is the whole? False: no length that could be right. */
static bool announce(struct vfu_server *s)
{
	struct vfu_hdr h;

	memcpy(&h, s->in.p, sizeof(h));
	if (h.size < sizeof(h) || h.size > VFU_MAX_MSG)
		return false;
	s->want = h.size;
	return vfu_buf_reserve(&s->in, s->want);
}

/* No message of such a length can be skipped: the client hears why, then it is let go. */
static void refuse_size(struct vfu_server *s)
{
	struct vfu_hdr h;

	memcpy(&h, s->in.p, sizeof(h));
	h = (struct vfu_hdr){
		.id = h.id,
		.command = h.command,
		.size = sizeof(h),
		.flags = VFU_F_REPLY | VFU_F_ERROR,
		.error = EINVAL,
	};
	if (send(s->client.fd, &h, sizeof(h), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		trace(s->nic->index, "error reply lost");
	vfu_drop_client(s, "impossible message size");
}

/* 1: a message was handled, 0: no whole message is there, -1: the client is gone. */
static int one_message(struct vfu_server *s)
{
	int r;

	if (!vfu_buf_reserve(&s->in, sizeof(struct vfu_hdr))) {
		vfu_drop_client(s, "no memory");
		return -1;
	}
	r = fill(s);
	if (r > 0 && s->want == sizeof(struct vfu_hdr)) {
		if (!announce(s)) {
			refuse_size(s);
			return -1;
		}
		r = fill(s);
	}
	if (r < 0) {
		vfu_drop_client(s, s->in.len ? "gone amid a message" : "gone");
		return -1;
	}
	if (!r)
		return 0;
	if (!vfu_handle(s)) {
		vfu_drop_client(s, "no memory");
		return -1;
	}
	next_message(s);
	return flush(s) ? 1 : -1;
}

static void client_ready(struct pm_watch *w, uint32_t events)
{
	struct vfu_server *s = server_of(w, client);
	unsigned int i;

	if (s->out_done < s->out.len && !flush(s))
		return;
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	for (i = 0; i < MESSAGES_AT_ONCE && s->out_done == s->out.len; i++)
		if (one_message(s) <= 0)
			return;
}

static void listener_ready(struct pm_watch *w, uint32_t events)
{
	struct vfu_server *s = server_of(w, listener);
	int fd;

	(void)events;
	/* The old client's end may stand in this very batch of events, still unseen. */
	if (s->client.fd >= 0)
		client_ready(&s->client, EPOLLIN);
	fd = accept4(s->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	if (s->client.fd >= 0) {
		trace(s->nic->index, "second client refused");
		close(fd);
		return;
	}
	s->client = (struct pm_watch){ .fd = fd, .events = EPOLLIN, .ready = client_ready };
	s->out_fd = -1;
	s->out_done = 0;
	next_message(s);
	if (pm_loop_add(s->listener.loop, &s->client)) {
		close(fd);
		s->client.fd = -1;
		return;
	}
	trace(s->nic->index, "client connected");
}

int vfu_open(struct vfu_server *s, struct pm_loop *loop, struct nic *nic, const char *path)
{
	int err;

	*s = (struct vfu_server){ .nic = nic, .client.fd = -1, .listener.fd = -1, .out_fd = -1 };
	err = pm_listen(loop, &s->listener, path, listener_ready);
	if (!err)
		strcpy(s->path, path);
	return err;
}

void vfu_close(struct vfu_server *s)
{
	if (s->listener.fd < 0)
		return;
	vfu_drop_client(s, "model ends");
	pm_loop_del(&s->listener);
	unlink(s->path);
}
