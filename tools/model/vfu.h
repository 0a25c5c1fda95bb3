/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The vfio-user server of one NIC: a listening socket, at most one client, its
 * messages.
 *
 * main.c opens and closes it. vfu_sock.c moves bytes and descriptors, vfu_msg.c judges
 * messages and answers them, vfu_info.c has the answers about regions and interrupts.
 */
#ifndef PM_VFU_H
#define PM_VFU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#include "loop.h"
#include "nic.h"
#include "vfu_proto.h"

struct vfu_buf {
	uint8_t *p;
	size_t len, cap;
};

struct vfu_server {
	struct nic *nic;
	struct pm_watch listener;
	struct pm_watch client;		/* fd < 0: none */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	bool negotiated;		/* VERSION was answered */

	/* The message that is coming in, with the descriptors that came along. */
	struct vfu_buf in;		/* header, then body */
	size_t want;			/* bytes of it, as far as is known */
	int fds[VFU_MAX_FDS];
	unsigned int nfds;
	bool fds_lost;			/* more came than a message may have */

	/* The reply that the socket did not take yet; nothing is read meanwhile. */
	struct vfu_buf out;
	size_t out_done;
	int out_fd;			/* goes with the first byte; -1: none. Not owned */
};

/* 0 or -errno. A stale socket of a server that is gone is replaced. */
int vfu_open(struct vfu_server *s, struct pm_loop *loop, struct nic *nic, const char *path);
void vfu_close(struct vfu_server *s);
void vfu_drop_client(struct vfu_server *s, const char *why);

/* Room for @len bytes, contents kept. */
bool vfu_buf_reserve(struct vfu_buf *b, size_t len);

/*
 * vfu_msg.c: s->in holds a whole message. Makes the reply in s->out (length 0: none).
 * False: no memory for one.
 */
bool vfu_handle(struct vfu_server *s);
const char *vfu_command_name(unsigned int command);

/* A message on its way through its handler. */
struct vfu_msg {
	struct vfu_hdr hdr;
	const uint8_t *body;
	size_t len;			/* of the body */
	int *fds;			/* a handler that keeps one puts -1 in its place */
	unsigned int nfds;
	uint8_t *reply;			/* VFU_REPLY_ROOM bytes, more after vfu_reply_room() */
	size_t reply_len;
	int reply_fd;
};
#define VFU_REPLY_ROOM		256

/* Room for a larger reply body; NULL: no memory. */
uint8_t *vfu_reply_room(struct vfu_server *s, struct vfu_msg *m, size_t len);

/* vfu_info.c: handlers; 0 or -errno. */
int vfu_get_info(struct vfu_server *s, struct vfu_msg *m);
int vfu_get_region_info(struct vfu_server *s, struct vfu_msg *m);
int vfu_get_irq_info(struct vfu_server *s, struct vfu_msg *m);
int vfu_set_irqs(struct vfu_server *s, struct vfu_msg *m);

#endif /* PM_VFU_H */
