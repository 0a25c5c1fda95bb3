// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of the vfio-user server: judged first, then handled, then answered;
 * see vfu.h.
 *
 * A message that makes no sense gets an error reply and changes nothing. Replies go out in the
 * order of the requests, because each is made before the next message is read.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <jansson.h>

#include "trace.h"
#include "vfu.h"

/*
 * write_multiple is left out on purpose: QEMU's flag for it collides with two
 * others. max_msg_fds must not exceed what the client offers, which is 16 with QEMU.
 */
static const char our_caps[] =
	"{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":1048576}}";

/* True if @text is a JSON object, ended by the only NUL, whose "capabilities" is one as well. */
static bool sane_caps(const char *text, size_t len)
{
	json_t *j, *caps;
	bool ok;

	if (memchr(text, 0, len) != text + len - 1)
		return false;
	j = json_loads(text, 0, NULL);
	caps = json_object_get(j, "capabilities");
	ok = json_is_object(j) && (!caps || json_is_object(caps));
	json_decref(j);
	return ok;
}

/*
 * The reply must fit into the request's length, where QEMU receives it. It
 * always says something, since a reply without text would make QEMU read its own request
 * as the answer; only a request too short for that gets none.
 */
static int do_version(struct vfu_server *s, struct vfu_msg *m)
{
	struct vfu_version v;
	size_t room = m->len - sizeof(v);
	const char *text = sizeof(our_caps) <= room ? our_caps : "{}";

	memcpy(&v, m->body, sizeof(v));
	if (s->negotiated || v.major)
		return -EINVAL;
	if (room && !sane_caps((const char *)m->body + sizeof(v), room))
		return -EINVAL;
	v.minor = 0;
	memcpy(m->reply, &v, sizeof(v));
	m->reply_len = sizeof(v);
	if (room >= strlen(text) + 1) {
		memcpy(m->reply + sizeof(v), text, strlen(text) + 1);
		m->reply_len += strlen(text) + 1;
	}
	s->negotiated = true;
	return 0;
}

static int do_dma_map(struct vfu_server *s, struct vfu_msg *m)
{
	struct vfu_dma_map d;
	uint32_t prot = 0;

	memcpy(&d, m->body, sizeof(d));
	if (d.argsz < sizeof(d) || m->nfds > 1 ||
	    d.flags & ~(VFU_DMA_MAP_READ | VFU_DMA_MAP_WRITE | VFU_DMA_MAP_MMAP))
		return -EINVAL;
	if (d.flags & VFU_DMA_MAP_READ)
		prot |= DMA_READ;
	if (d.flags & VFU_DMA_MAP_WRITE)
		prot |= DMA_WRITE;
	return dma_map(&s->nic->dma, d.iova, d.size, prot, m->nfds ? m->fds[0] : -1, d.offset);
}

/* Whatever lies in the range goes: with a virtual IOMMU, ranges that never were mapped arrive. */
static int do_dma_unmap(struct vfu_server *s, struct vfu_msg *m)
{
	struct vfu_dma_unmap d;
	int err;

	memcpy(&d, m->body, sizeof(d));
	if (d.argsz < sizeof(d))
		return -EINVAL;
	if (d.flags == VFU_DMA_UNMAP_ALL) {
		if (d.iova || d.size)
			return -EINVAL;
		err = dma_unmap(&s->nic->dma, 0, UINT64_MAX);
	} else {
		if (d.flags || !d.size || d.iova + d.size - 1 < d.iova)
			return -EINVAL;
		err = dma_unmap(&s->nic->dma, d.iova, d.iova + d.size - 1);
	}
	memcpy(m->reply, &d, sizeof(d));
	m->reply_len = sizeof(d);
	return err;
}

static bool in_region(const struct vfu_server *s, uint32_t region, uint64_t off, uint64_t count)
{
	uint64_t size = nic_region_size(s->nic, region);

	return count && count <= VFU_MAX_XFER && off <= size && count <= size - off;
}

static int do_region_read(struct vfu_server *s, struct vfu_msg *m)
{
	struct vfu_region_rw r;
	uint8_t *reply;

	memcpy(&r, m->body, sizeof(r));
	if (!in_region(s, r.region, r.offset, r.count))
		return -EINVAL;
	reply = vfu_reply_room(s, m, sizeof(r) + r.count);
	if (!reply)
		return -ENOMEM;
	memcpy(reply, &r, sizeof(r));
	nic_read(s->nic, r.region, r.offset, reply + sizeof(r), r.count);
	m->reply_len = sizeof(r) + r.count;
	return 0;
}

static int do_region_write(struct vfu_server *s, struct vfu_msg *m)
{
	struct vfu_region_rw r;

	memcpy(&r, m->body, sizeof(r));
	if (m->len - sizeof(r) != r.count || !in_region(s, r.region, r.offset, r.count))
		return -EINVAL;
	nic_write(s->nic, r.region, r.offset, m->body + sizeof(r), r.count);
	memcpy(m->reply, &r, sizeof(r));
	m->reply_len = sizeof(r);
	return 0;
}

/* Not offered; a client that sends it all the same is served, all or nothing. */
static int do_write_multi(struct vfu_server *s, struct vfu_msg *m)
{
	const uint8_t *p = m->body + sizeof(struct vfu_write_multi);
	struct vfu_write_multi h;
	struct vfu_write_one w;
	uint64_t i;

	memcpy(&h, m->body, sizeof(h));
	if (!h.count || h.count > VFU_WRITE_MULTI_MAX || m->len != sizeof(h) + h.count * sizeof(w))
		return -EINVAL;
	for (i = 0; i < h.count; i++) {
		memcpy(&w, p + i * sizeof(w), sizeof(w));
		if (w.count > sizeof(w.data) || !in_region(s, w.region, w.offset, w.count))
			return -EINVAL;
	}
	for (i = 0; i < h.count; i++) {
		memcpy(&w, p + i * sizeof(w), sizeof(w));
		nic_write(s->nic, w.region, w.offset, w.data, w.count);
	}
	memcpy(m->reply, &h, sizeof(h));
	m->reply_len = sizeof(h);
	return 0;
}

static int do_reset(struct vfu_server *s, struct vfu_msg *m)
{
	(void)m;
	nic_reset(s->nic, "bus reset");
	return 0;
}

static const struct command {
	const char *name;
	int (*handle)(struct vfu_server *s, struct vfu_msg *m);	/* NULL: not served */
	size_t min, max;					/* bytes of the body */
} commands[] = {
	[VFU_VERSION]		= { "VERSION", do_version, sizeof(struct vfu_version), SIZE_MAX },
	[VFU_DMA_MAP]		= { "DMA_MAP", do_dma_map, sizeof(struct vfu_dma_map),
				    sizeof(struct vfu_dma_map) },
	[VFU_DMA_UNMAP]		= { "DMA_UNMAP", do_dma_unmap, sizeof(struct vfu_dma_unmap),
				    sizeof(struct vfu_dma_unmap) },
	[VFU_GET_INFO]		= { "GET_INFO", vfu_get_info, sizeof(struct vfu_device_info), 4096 },
	[VFU_GET_REGION_INFO]	= { "GET_REGION_INFO", vfu_get_region_info,
				    sizeof(struct vfu_region_info), 4096 },
	[VFU_GET_REGION_IO_FDS]	= { .name = "GET_REGION_IO_FDS" },
	[VFU_GET_IRQ_INFO]	= { "GET_IRQ_INFO", vfu_get_irq_info, sizeof(struct vfu_irq_info), 4096 },
	[VFU_SET_IRQS]		= { "SET_IRQS", vfu_set_irqs, sizeof(struct vfu_irq_set), 4096 },
	[VFU_REGION_READ]	= { "REGION_READ", do_region_read, sizeof(struct vfu_region_rw),
				    sizeof(struct vfu_region_rw) },
	[VFU_REGION_WRITE]	= { "REGION_WRITE", do_region_write, sizeof(struct vfu_region_rw), SIZE_MAX },
	[VFU_DMA_READ]		= { .name = "DMA_READ" },
	[VFU_DMA_WRITE]		= { .name = "DMA_WRITE" },
	[VFU_RESET]		= { "RESET", do_reset, 0, 0 },
	[VFU_DIRTY_PAGES]	= { .name = "DIRTY_PAGES" },
	[VFU_REGION_WRITE_MULTI] = { "REGION_WRITE_MULTI", do_write_multi,
				     sizeof(struct vfu_write_multi), SIZE_MAX },
};

#define NR_COMMANDS	(sizeof(commands) / sizeof(commands[0]))

const char *vfu_command_name(unsigned int command)
{
	return command < NR_COMMANDS && commands[command].name ? commands[command].name : "?";
}

static int handle(struct vfu_server *s, struct vfu_msg *m)
{
	const struct command *c;

	if (m->hdr.flags & ~(VFU_F_TYPE | VFU_F_NO_REPLY) || s->fds_lost)
		return -EINVAL;
	if (m->hdr.command >= NR_COMMANDS || !commands[m->hdr.command].handle)
		return -ENOTSUP;
	if (!s->negotiated && m->hdr.command != VFU_VERSION)
		return -EINVAL;
	c = &commands[m->hdr.command];
	if (m->len < c->min || m->len > c->max)
		return -EINVAL;
	return c->handle(s, m);
}

/* What the trace says of a message besides its name. */
static void describe(const struct vfu_msg *m, char *text, size_t size)
{
	struct vfu_region_rw rw;
	struct vfu_irq_set irq;
	struct vfu_dma_map map;
	uint32_t data = 0;

	*text = 0;
	if (m->hdr.command == VFU_DMA_MAP && m->len == sizeof(map)) {
		memcpy(&map, m->body, sizeof(map));
		snprintf(text, size, " iova=0x%llx size=0x%llx offset=0x%llx prot=%u%s",
			 (unsigned long long)map.iova, (unsigned long long)map.size,
			 (unsigned long long)map.offset, map.flags, m->nfds ? " fd" : "");
	} else if (m->hdr.command == VFU_DMA_UNMAP && m->len == sizeof(struct vfu_dma_unmap)) {
		struct vfu_dma_unmap un;

		memcpy(&un, m->body, sizeof(un));
		snprintf(text, size, " iova=0x%llx size=0x%llx", (unsigned long long)un.iova,
			 (unsigned long long)un.size);
	} else if (m->hdr.command == VFU_SET_IRQS && m->len >= sizeof(irq)) {
		memcpy(&irq, m->body, sizeof(irq));
		snprintf(text, size, " index=%u flags=0x%x start=%u count=%u fds=%u", irq.index,
			 irq.flags, irq.start, irq.count, m->nfds);
	} else if ((m->hdr.command == VFU_REGION_READ || m->hdr.command == VFU_REGION_WRITE) &&
		   m->len >= sizeof(rw)) {
		memcpy(&rw, m->body, sizeof(rw));
		if (m->len > sizeof(rw))
			memcpy(&data, m->body + sizeof(rw),
			       m->len - sizeof(rw) < 4 ? m->len - sizeof(rw) : 4);
		else if (m->reply_len > sizeof(rw))
			memcpy(&data, m->reply + sizeof(rw),
			       m->reply_len - sizeof(rw) < 4 ? m->reply_len - sizeof(rw) : 4);
		snprintf(text, size, " region=%u 0x%llx+%u data=0x%x", rw.region,
			 (unsigned long long)rw.offset, rw.count, data);
	}
}

static void trace_message(const struct vfu_server *s, const struct vfu_msg *m, int err)
{
	char text[160];

	if (!trace_on())
		return;
	describe(m, text, sizeof(text));
	trace(s->nic->index, "%s(%u) id=%u size=%u%s%s%s%s", vfu_command_name(m->hdr.command),
	      m->hdr.command, m->hdr.id, m->hdr.size, text,
	      m->hdr.flags & VFU_F_NO_REPLY ? " posted" : "", err ? " error: " : "",
	      err ? strerror(-err) : "");
}

uint8_t *vfu_reply_room(struct vfu_server *s, struct vfu_msg *m, size_t len)
{
	if (!vfu_buf_reserve(&s->out, sizeof(struct vfu_hdr) + len))
		return NULL;
	m->reply = s->out.p + sizeof(struct vfu_hdr);
	return m->reply;
}

static void make_reply(struct vfu_server *s, const struct vfu_msg *m, int err)
{
	struct vfu_hdr h = { .id = m->hdr.id, .command = m->hdr.command, .flags = VFU_F_REPLY };

	s->out.len = sizeof(h) + (err ? 0 : m->reply_len);
	h.size = s->out.len;
	if (err) {
		h.flags |= VFU_F_ERROR;
		h.error = -err;
	}
	memcpy(s->out.p, &h, sizeof(h));
	s->out_fd = err ? -1 : m->reply_fd;
}

bool vfu_handle(struct vfu_server *s)
{
	struct vfu_msg m = {
		.body = s->in.p + sizeof(struct vfu_hdr),
		.len = s->in.len - sizeof(struct vfu_hdr),
		.fds = s->fds,
		.nfds = s->nfds,
		.reply_fd = -1,
	};
	int err;

	memcpy(&m.hdr, s->in.p, sizeof(m.hdr));
	/* We ask the client nothing, so nothing can be an answer; nor is one given to it. */
	if ((m.hdr.flags & VFU_F_TYPE) == VFU_F_REPLY) {
		trace(s->nic->index, "stray reply id=%u", m.hdr.id);
		return true;
	}
	if (!vfu_reply_room(s, &m, VFU_REPLY_ROOM))
		return false;
	err = (m.hdr.flags & VFU_F_TYPE) == VFU_F_COMMAND ? handle(s, &m) : -EINVAL;
	trace_message(s, &m, err);
	if (!(m.hdr.flags & VFU_F_NO_REPLY))
		make_reply(s, &m, err);
	return true;
}
