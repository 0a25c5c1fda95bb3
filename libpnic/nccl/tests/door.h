/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* One shape for all net tables: the tests call this, and it calls the version's functions as NCCL of that version does. */
#ifndef PNIC_NCCL_DOOR_H
#define PNIC_NCCL_DOOR_H

#include "../abi.h"

struct door {
	int version;
	const char *name;
	bool optional;			/* knows receives whose completion is optional */
	bool virtual_devices;
	nccl_result (*init)(void **ctx, uint64_t id);
	nccl_result (*devices)(int *n);
	nccl_result (*props)(int dev, struct nccl_props_v12 *props);	/* what the version hasn't is 0 */
	nccl_result (*listen)(void *ctx, int dev, void *handle, void **lc);
	nccl_result (*connect)(void *ctx, int dev, void *handle, void **sc);
	nccl_result (*accept)(void *lc, void **rc);
	nccl_result (*reg)(void *comm, void *data, size_t size, int type, void **mh);
	nccl_result (*reg_dmabuf)(void *comm, void *data, size_t size, int type, uint64_t offset, int fd, void **mh);
	nccl_result (*dereg)(void *comm, void *mh);
	nccl_result (*isend)(void *sc, void *data, size_t size, int tag, void *mh, void **req);
	nccl_result (*irecv)(void *rc, int n, void **data, size_t *sizes, int *tags, void **mhs, void **req);
	nccl_result (*iflush)(void *rc, int n, void **data, int *sizes, void **mhs, void **req);
	nccl_result (*test)(void *req, int *done, int *sizes);
	nccl_result (*close_send)(void *sc);
	nccl_result (*close_recv)(void *rc);
	nccl_result (*close_listen)(void *lc);
	nccl_result (*fuse)(int *dev, int n, const int *devs);
	nccl_result (*finalize)(void *ctx);
};

#define DOORS	6
extern struct door doors[DOORS];

/* Finds the tables: in the library @path as NCCL does, or, NULL, in this program. False: said why. */
bool doors_open(const char *path);
/* A symbol of the same. */
const void *door_symbol(const char *name);
struct door *door_of(int version);

/* What the plugin said to NCCL's log: the last warning, and how many. */
extern char door_warning[1024];
extern unsigned int door_warnings;
void door_log(int level, unsigned long subsystems, const char *file, int line, const char *fmt, ...);
/* What it said to the profiler. */
extern unsigned int prof_started, prof_stopped, prof_updated, prof_wrong;

#endif /* PNIC_NCCL_DOOR_H */
