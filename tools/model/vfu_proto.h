/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vfio-user on the wire: the part that a PCI device needs.
 *
 * Included by the server (vfu*.c) and by its tests. Flags and indices that
 * vfio-user shares with the kernel's VFIO come from <linux/vfio.h>; the
 * structures are spelled out because the kernel's grow with its version.
 * Everything is in host byte order: the socket never leaves the machine.
 */
#ifndef PM_VFU_PROTO_H
#define PM_VFU_PROTO_H

#include <stdint.h>
#include <linux/vfio.h>

#define VFU_MAX_FDS		16		/* file descriptors of one message */
#define VFU_MAX_XFER		0x100000	/* bytes of one region access */
#define VFU_MAX_MSG		(VFU_MAX_XFER + 4096)	/* whole message, header included */
#define VFU_MAX_MAPS		65536		/* DMA ranges of one device */

enum vfu_command {
	VFU_VERSION		= 1,
	VFU_DMA_MAP		= 2,
	VFU_DMA_UNMAP		= 3,
	VFU_GET_INFO		= 4,
	VFU_GET_REGION_INFO	= 5,
	VFU_GET_REGION_IO_FDS	= 6,
	VFU_GET_IRQ_INFO	= 7,
	VFU_SET_IRQS		= 8,
	VFU_REGION_READ		= 9,
	VFU_REGION_WRITE	= 10,
	VFU_DMA_READ		= 11,
	VFU_DMA_WRITE		= 12,
	VFU_RESET		= 13,
	VFU_DIRTY_PAGES		= 14,
	VFU_REGION_WRITE_MULTI	= 15,
};

#define VFU_F_TYPE		0x0fu
#define  VFU_F_COMMAND		0x00u
#define  VFU_F_REPLY		0x01u
#define VFU_F_NO_REPLY		0x10u
#define VFU_F_ERROR		0x20u

struct vfu_hdr {
	uint16_t id;
	uint16_t command;
	uint32_t size;			/* with this header */
	uint32_t flags;
	uint32_t error;			/* errno, with VFU_F_ERROR */
};

struct vfu_version {
	uint16_t major;
	uint16_t minor;
	/* JSON text and NUL */
};

struct vfu_dma_map {
	uint32_t argsz;
	uint32_t flags;
	uint64_t offset;		/* in the file that comes along */
	uint64_t iova;
	uint64_t size;
};
#define VFU_DMA_MAP_READ	0x1u
#define VFU_DMA_MAP_WRITE	0x2u
#define VFU_DMA_MAP_MMAP	0x4u	/* some clients say so, the descriptor says it anyway */

struct vfu_dma_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t iova;
	uint64_t size;
};
#define VFU_DMA_UNMAP_ALL	0x2u

struct vfu_device_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t num_regions;
	uint32_t num_irqs;
};

struct vfu_region_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t cap_offset;
	uint64_t size;
	uint64_t offset;
};

/* The one capability used: which part of a region may be mapped. */
struct vfu_sparse_mmap {
	uint16_t id;
	uint16_t version;
	uint32_t next;
	uint32_t nr_areas;
	uint32_t reserved;
	uint64_t offset;
	uint64_t size;
};

struct vfu_irq_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t count;
};

struct vfu_irq_set {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t start;
	uint32_t count;
	/* one byte for each vector with DATA_BOOL */
};

struct vfu_region_rw {
	uint64_t offset;
	uint32_t region;
	uint32_t count;
	/* data */
};

struct vfu_write_multi {
	uint64_t count;
	/* struct vfu_write_one [count] */
};
#define VFU_WRITE_MULTI_MAX	200

struct vfu_write_one {
	uint64_t offset;
	uint32_t region;
	uint32_t count;
	uint8_t data[8];
};

#endif /* PM_VFU_PROTO_H */
