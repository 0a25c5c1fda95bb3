// SPDX-License-Identifier: GPL-2.0
/*
 * The messages of the model's vfio-user server: an input is a row of messages, of which each says its command, its
 * descriptors and how much of a body it has. What comes in as a stream, with wrong lengths, is model_fuzz's.
 */
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "native.h"
#include "rig.h"
#include "tools/model/vfu.h"

#define BODY_MAX	256u
#define MESSAGES_MAX	64u
#define RAM		(1u << 20)

static int one_fd(unsigned int which)
{
	int fd;

	if (which & 1)
		return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fd = memfd_create("ram", MFD_CLOEXEC);
	if (fd >= 0 && ftruncate(fd, RAM))
		abort();
	return fd;
}

static bool one_message(struct vfu_server *s, const uint8_t **at, const uint8_t *end)
{
	struct vfu_hdr h = { .flags = VFU_F_COMMAND };
	unsigned int body, i, fds;

	if (end - *at < 4)
		return false;
	h.command = (*at)[0] % 20;
	if ((*at)[1] & 0x80)
		h.flags |= VFU_F_NO_REPLY;
	if ((*at)[1] & 0x40)
		h.flags ^= (*at)[1] & 0x3f;
	fds = (*at)[2] & 7;
	body = (*at)[3] % BODY_MAX;
	*at += 4;
	if (body > end - *at)
		body = end - *at;
	h.size = sizeof(h) + body;
	s->in.len = 0;
	if (!vfu_buf_reserve(&s->in, h.size))
		return false;
	memcpy(s->in.p, &h, sizeof(h));
	memcpy(s->in.p + sizeof(h), *at, body);
	s->in.len = h.size;
	*at += body;
	s->nfds = 0;
	while (s->nfds < fds)
		s->fds[s->nfds++] = one_fd((*at)[-1] >> s->nfds);
	s->fds_lost = (h.flags & 0x1000) != 0;
	s->out.len = 0;
	vfu_handle(s);
	for (i = 0; i < s->nfds; i++)
		if (s->fds[i] >= 0)
			close(s->fds[i]);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vfu_server s = { .client.fd = -1, .listener.fd = -1, .out_fd = -1 };
	const uint8_t *at = data, *end = data + size;
	unsigned int n;

	rig_take();
	s.nic = &rig_nic[0];
	for (n = 0; n < MESSAGES_MAX && one_message(&s, &at, end); n++)
		rig_run(2);
	free(s.in.p);
	free(s.out.p);
	rig_give();
	return 0;
}
