/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vfio-user client that says just what a test wants said, right or wrong.
 *
 * Used by the tests of the server. Results: 0, the errno of an error reply, or VC_GONE when the
 * server hung up or gave no answer.
 */
#ifndef PM_TESTS_CLIENT_H
#define PM_TESTS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vfu_proto.h"

#define VC_GONE		10000
#define VC_REPLY_MAX	(VFU_MAX_MSG + 64)

struct vclient {
	int fd;
	uint16_t id;			/* of the last request */
	struct vfu_hdr hdr;		/* of the last reply */
	uint8_t reply[VC_REPLY_MAX];	/* its body */
	size_t len;
	int fds[4];
	unsigned int nfds;		/* came along with it; closed at the next */
};

/* What QEMU says of itself. */
extern const char vc_qemu_caps[];

int vc_open(struct vclient *c, const char *path);	/* 0 or VC_GONE; sends nothing */
void vc_close(struct vclient *c);
int vc_bytes(struct vclient *c, const void *p, size_t len, const int *fds, unsigned int nfds);
int vc_send(struct vclient *c, unsigned int command, uint32_t flags, const void *body, size_t len,
	    const int *fds, unsigned int nfds);
int vc_receive(struct vclient *c);
/* True if the server has hung up. */
bool vc_hung_up(struct vclient *c);
/* True if nothing comes within some milliseconds. */
bool vc_silent(struct vclient *c);
int vc_call(struct vclient *c, unsigned int command, const void *body, size_t len, const int *fds,
	    unsigned int nfds);

int vc_version(struct vclient *c);
int vc_start(struct vclient *c, const char *path);	/* open and version */
int vc_read(struct vclient *c, uint32_t region, uint64_t off, void *buf, uint32_t len);
int vc_write(struct vclient *c, uint32_t region, uint64_t off, const void *buf, uint32_t len);
/* All ones if it fails. */
uint64_t vc_get(struct vclient *c, uint32_t region, uint64_t off, uint32_t len);
int vc_put(struct vclient *c, uint32_t region, uint64_t off, uint64_t v, uint32_t len);
int vc_map(struct vclient *c, uint64_t iova, uint64_t size, uint32_t prot, int fd, uint64_t off);
int vc_unmap(struct vclient *c, uint64_t iova, uint64_t size);
int vc_irqs(struct vclient *c, uint32_t index, uint32_t flags, uint32_t start, uint32_t count,
	    const int *fds, unsigned int nfds);

#endif /* PM_TESTS_CLIENT_H */
