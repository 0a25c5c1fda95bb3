/* SPDX-License-Identifier: GPL-2.0 */
/* What /dev/pnic_movebuf and its tests share, see pnic_movebuf.c. */
#ifndef PNIC_MOVEBUF_H
#define PNIC_MOVEBUF_H

#include <linux/ioctl.h>
#include <linux/types.h>

struct movebuf_arg {
	__s32	fd;
	__u32	flags;		/* CREATE: MOVEBUF_READ_ONLY; FAIL: an errno */
	__u64	offset;
	__u64	length;
	__u64	user;
	__u32	write;
	__u32	rsvd;
};

#define MOVEBUF_READ_ONLY	1
#define MOVEBUF_CREATE		_IO('M', 0xb0)
#define MOVEBUF_MOVE		_IO('M', 0xb1)
#define MOVEBUF_COPY		_IO('M', 0xb2)
#define MOVEBUF_FAIL		_IO('M', 0xb3)

#endif /* PNIC_MOVEBUF_H */
