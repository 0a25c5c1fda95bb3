// SPDX-License-Identifier: GPL-2.0
/*
 * What a vfio-user client asks about the device, and interrupt set-up; see vfu.h.
 *
 * Answers are never longer than the client said it could take: QEMU receives
 * them in the request's buffer.
 */
#include <errno.h>
#include <string.h>

#include "driver/hw/pnic_regs.h"
#include "vfu.h"

#define SPARSE_SIZE	(sizeof(struct vfu_region_info) + sizeof(struct vfu_sparse_mmap))

int vfu_get_info(struct vfu_server *s, struct vfu_msg *m)
{
	struct vfu_device_info i;

	(void)s;
	memcpy(&i, m->body, sizeof(i));
	if (i.argsz < sizeof(i))
		return -EINVAL;
	i = (struct vfu_device_info){
		.argsz = sizeof(i),
		.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET,
		.num_regions = VFIO_PCI_NUM_REGIONS,
		.num_irqs = VFIO_PCI_NUM_IRQS,
	};
	memcpy(m->reply, &i, sizeof(i));
	m->reply_len = sizeof(i);
	return 0;
}

/*
 * The doorbell half of BAR 4 may be mapped, the wake pages behind it stay trapped. A client
 * whose buffer is too short for the capability is told the size (with an offset where it will
 * be: QEMU insists on that) and asks again; the descriptor comes with the full answer only.
 */
static void add_sparse(struct vfu_server *s, struct vfu_msg *m, struct vfu_region_info *r,
		       uint32_t room)
{
	struct vfu_sparse_mmap c = {
		.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP,
		.version = 1,
		.nr_areas = 1,
		.size = NIC_DB_BYTES,
	};

	r->flags |= VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS;
	r->cap_offset = sizeof(*r);
	r->argsz = SPARSE_SIZE;
	if (room < SPARSE_SIZE)
		return;
	memcpy(m->reply + sizeof(*r), &c, sizeof(c));
	m->reply_len = SPARSE_SIZE;
	m->reply_fd = s->nic->db_fd;
}

int vfu_get_region_info(struct vfu_server *s, struct vfu_msg *m)
{
	struct vfu_region_info q, r = { .argsz = sizeof(r) };

	memcpy(&q, m->body, sizeof(q));
	if (q.argsz < sizeof(q) || q.index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	r.index = q.index;
	r.size = nic_region_size(s->nic, q.index);
	if (r.size)
		r.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	m->reply_len = sizeof(r);
	if (q.index == PNIC_BAR_DB && s->nic->opt.db_mmap)
		add_sparse(s, m, &r, q.argsz);
	memcpy(m->reply, &r, sizeof(r));
	return 0;
}

int vfu_get_irq_info(struct vfu_server *s, struct vfu_msg *m)
{
	struct vfu_irq_info q;

	memcpy(&q, m->body, sizeof(q));
	if (q.argsz < sizeof(q) || q.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	q.argsz = sizeof(q);
	q.count = nic_irq_count(s->nic, q.index);
	/* Without NORESIZE QEMU arms each vector by itself and leaves the others armed. */
	q.flags = q.count ? VFIO_IRQ_INFO_EVENTFD : 0;
	memcpy(m->reply, &q, sizeof(q));
	m->reply_len = sizeof(q);
	return 0;
}

static bool is_ours(const struct vfu_irq_set *q)
{
	return q->index == VFIO_PCI_MSIX_IRQ_INDEX || q->index == VFIO_PCI_MSI_IRQ_INDEX;
}

static void disable_all(struct vfu_server *s, const struct vfu_irq_set *q)
{
	unsigned int i;

	for (i = 0; is_ours(q) && i < PM_VECTORS; i++)
		irq_set(&s->nic->irq, i, -1);
}

/* Descriptors for [start, start + count), or none to take theirs away. */
static int set_eventfds(struct vfu_server *s, struct vfu_msg *m, const struct vfu_irq_set *q)
{
	unsigned int i;

	if (!q->count || m->len != sizeof(*q) || (m->nfds && m->nfds != q->count))
		return -EINVAL;
	for (i = 0; i < m->nfds; i++)
		if (!irq_is_eventfd(m->fds[i]))
			return -EINVAL;
	for (i = 0; is_ours(q) && i < q->count; i++) {
		irq_set(&s->nic->irq, q->start + i, m->nfds ? m->fds[i] : -1);
		if (m->nfds)
			m->fds[i] = -1;
	}
	nic_irq_armed(s->nic);
	return 0;
}

/* The client raises vectors itself, as VFIO lets it: a loop-back test. */
static int trigger(struct vfu_server *s, struct vfu_msg *m, const struct vfu_irq_set *q, bool all)
{
	const uint8_t *want = m->body + sizeof(*q);
	unsigned int i;

	if (m->len != sizeof(*q) + (all ? 0 : q->count) || m->nfds)
		return -EINVAL;
	for (i = 0; is_ours(q) && i < q->count; i++)
		if (all || want[i])
			irq_raise(&s->nic->irq, q->start + i, true);
	return 0;
}

int vfu_set_irqs(struct vfu_server *s, struct vfu_msg *m)
{
	struct vfu_irq_set q;
	unsigned int total;

	memcpy(&q, m->body, sizeof(q));
	if (q.argsz < sizeof(q) || q.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	total = nic_irq_count(s->nic, q.index);
	if (q.start > total || q.count > total - q.start)
		return -EINVAL;
	if (q.flags & (VFIO_IRQ_SET_ACTION_MASK | VFIO_IRQ_SET_ACTION_UNMASK) && total)
		return -ENOTSUP;	/* we don't claim MASKABLE: the client masks */
	switch (q.flags) {
	case VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER:
		if (q.count)
			return trigger(s, m, &q, true);
		if (q.start || m->nfds || m->len != sizeof(q))
			return -EINVAL;
		disable_all(s, &q);
		return 0;
	case VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_TRIGGER:
		return q.count ? trigger(s, m, &q, false) : -EINVAL;
	case VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER:
		return set_eventfds(s, m, &q);
	default:
		return -EINVAL;
	}
}
