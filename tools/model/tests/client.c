// SPDX-License-Identifier: GPL-2.0
/* A vfio-user client for tests; see client.h. */
#define _GNU_SOURCE
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MS	20000
#define QUIET_MS	50

const char vc_qemu_caps[] =
	"{\"capabilities\": {\"pgsizes\": 4096, \"max_msg_fds\": 16, \"max_dma_maps\": 65535, "
	"\"max_data_xfer_size\": 1048576, \"migration\": {\"max_bitmap_size\": 268435456, "
	"\"pgsize\": 4096}, \"write_multiple\": true}}";

int vc_open(struct vclient *c, const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	c->id = 0;
	c->nfds = 0;
	c->len = 0;
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd >= 0 && !connect(c->fd, (struct sockaddr *)&a, sizeof(a)))
		return 0;
	vc_close(c);
	return VC_GONE;
}

static void close_fds(struct vclient *c)
{
	while (c->nfds)
		close(c->fds[--c->nfds]);
}

void vc_close(struct vclient *c)
{
	close_fds(c);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

int vc_bytes(struct vclient *c, const void *p, size_t len, const int *fds, unsigned int nfds)
{
	char control[CMSG_SPACE(253 * sizeof(int))] = {};
	struct iovec iov = { .iov_base = (void *)p, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *h;
	ssize_t n;

	if (nfds) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		h = CMSG_FIRSTHDR(&msg);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(h), fds, nfds * sizeof(int));
	}
	while (iov.iov_len) {
		n = sendmsg(c->fd, &msg, MSG_NOSIGNAL);
		if (n <= 0)
			return VC_GONE;
		iov.iov_base = (char *)iov.iov_base + n;
		iov.iov_len -= n;
		msg.msg_control = NULL;
		msg.msg_controllen = 0;
	}
	return 0;
}

int vc_send(struct vclient *c, unsigned int command, uint32_t flags, const void *body, size_t len,
	    const int *fds, unsigned int nfds)
{
	struct vfu_hdr h = { .id = ++c->id, .command = command, .size = sizeof(h) + len,
			     .flags = flags };
	static uint8_t whole[sizeof(h) + VC_REPLY_MAX];

	if (len > VC_REPLY_MAX)
		return VC_GONE;
	memcpy(whole, &h, sizeof(h));
	if (len)
		memcpy(whole + sizeof(h), body, len);
	return vc_bytes(c, whole, sizeof(h) + len, fds, nfds);
}

static int receive_bytes(struct vclient *c, void *p, size_t len)
{
	char control[CMSG_SPACE(sizeof(c->fds))];
	struct pollfd pfd = { .fd = c->fd, .events = POLLIN };
	struct iovec iov = { .iov_base = p, .iov_len = len };
	struct cmsghdr *h;
	ssize_t n;

	while (iov.iov_len) {
		struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
				      .msg_controllen = sizeof(control) };

		if (poll(&pfd, 1, ANSWER_MS) != 1)
			return VC_GONE;
		n = recvmsg(c->fd, &msg, MSG_CMSG_CLOEXEC);
		if (n <= 0)
			return VC_GONE;
		h = CMSG_FIRSTHDR(&msg);
		if (h && h->cmsg_type == SCM_RIGHTS) {
			c->nfds = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(c->fds, CMSG_DATA(h), c->nfds * sizeof(int));
		}
		iov.iov_base = (char *)iov.iov_base + n;
		iov.iov_len -= n;
	}
	return 0;
}

int vc_receive(struct vclient *c)
{
	close_fds(c);
	c->len = 0;
	if (receive_bytes(c, &c->hdr, sizeof(c->hdr)))
		return VC_GONE;
	if (c->hdr.size < sizeof(c->hdr) || c->hdr.size - sizeof(c->hdr) > sizeof(c->reply))
		return VC_GONE;
	c->len = c->hdr.size - sizeof(c->hdr);
	if (receive_bytes(c, c->reply, c->len))
		return VC_GONE;
	if (c->hdr.flags & VFU_F_ERROR)
		return c->hdr.error ? (int)c->hdr.error : VC_GONE;
	return (c->hdr.flags & VFU_F_TYPE) == VFU_F_REPLY ? 0 : VC_GONE;
}

bool vc_hung_up(struct vclient *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	char buf[256];
	ssize_t n;

	do {
		if (poll(&p, 1, ANSWER_MS) != 1)
			return false;
		n = recv(c->fd, buf, sizeof(buf), 0);
	} while (n > 0);
	return true;
}

bool vc_silent(struct vclient *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	return !poll(&p, 1, QUIET_MS);
}

/* The reply must be of this request: same id, same command. */
int vc_call(struct vclient *c, unsigned int command, const void *body, size_t len, const int *fds,
	    unsigned int nfds)
{
	int r = vc_send(c, command, 0, body, len, fds, nfds);

	if (!r)
		r = vc_receive(c);
	if (r != VC_GONE && (c->hdr.id != c->id || c->hdr.command != command))
		return VC_GONE;
	return r;
}

int vc_version(struct vclient *c)
{
	uint8_t body[sizeof(struct vfu_version) + 512] = {};

	strcpy((char *)body + sizeof(struct vfu_version), vc_qemu_caps);
	return vc_call(c, VFU_VERSION, body, sizeof(struct vfu_version) + strlen(vc_qemu_caps) + 1,
		       NULL, 0);
}

int vc_start(struct vclient *c, const char *path)
{
	int r = vc_open(c, path);

	return r ? r : vc_version(c);
}

int vc_read(struct vclient *c, uint32_t region, uint64_t off, void *buf, uint32_t len)
{
	struct vfu_region_rw rw = { .offset = off, .region = region, .count = len };
	int r = vc_call(c, VFU_REGION_READ, &rw, sizeof(rw), NULL, 0);

	if (r)
		return r;
	if (c->len != sizeof(rw) + len || memcmp(c->reply, &rw, sizeof(rw)))
		return VC_GONE;
	memcpy(buf, c->reply + sizeof(rw), len);
	return 0;
}

int vc_write(struct vclient *c, uint32_t region, uint64_t off, const void *buf, uint32_t len)
{
	struct vfu_region_rw rw = { .offset = off, .region = region, .count = len };
	uint8_t body[sizeof(rw) + 4096];

	if (len > 4096)
		return VC_GONE;
	memcpy(body, &rw, sizeof(rw));
	memcpy(body + sizeof(rw), buf, len);
	return vc_call(c, VFU_REGION_WRITE, body, sizeof(rw) + len, NULL, 0);
}

uint64_t vc_get(struct vclient *c, uint32_t region, uint64_t off, uint32_t len)
{
	uint64_t v = 0;

	return vc_read(c, region, off, &v, len) ? UINT64_MAX : v;
}

int vc_put(struct vclient *c, uint32_t region, uint64_t off, uint64_t v, uint32_t len)
{
	return vc_write(c, region, off, &v, len);
}

int vc_map(struct vclient *c, uint64_t iova, uint64_t size, uint32_t prot, int fd, uint64_t off)
{
	struct vfu_dma_map d = { .argsz = sizeof(d), .flags = prot, .offset = off, .iova = iova,
				 .size = size };

	return vc_call(c, VFU_DMA_MAP, &d, sizeof(d), &fd, fd >= 0);
}

int vc_unmap(struct vclient *c, uint64_t iova, uint64_t size)
{
	struct vfu_dma_unmap d = { .argsz = sizeof(d), .iova = iova, .size = size };

	return vc_call(c, VFU_DMA_UNMAP, &d, sizeof(d), NULL, 0);
}

int vc_irqs(struct vclient *c, uint32_t index, uint32_t flags, uint32_t start, uint32_t count,
	    const int *fds, unsigned int nfds)
{
	struct vfu_irq_set q = { .argsz = sizeof(q), .flags = flags, .index = index, .start = start,
				 .count = count };

	return vc_call(c, VFU_SET_IRQS, &q, sizeof(q), fds, nfds);
}
