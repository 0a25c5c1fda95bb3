// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "door.h"
#include "../pnic_nccl.h"

static void *library;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
char door_warning[1024];
unsigned int door_warnings;
unsigned int prof_started, prof_stopped, prof_updated, prof_wrong;

static const struct nccl_net_v6 *t6;
static const struct nccl_net_v8 *t8;
static const struct nccl_net_v9 *t9;
static const struct nccl_net_v10 *t10;
static const struct nccl_net_v11 *t11;
static const struct nccl_net_v12 *t12;

void door_log(int level, unsigned long subsystems, const char *file, int line, const char *fmt, ...)
{
	static int show = -1;
	char buf[sizeof(door_warning)];
	va_list ap;

	(void)subsystems, (void)file, (void)line;
	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	pthread_mutex_lock(&log_lock);
	if (show < 0)
		show = !!getenv("NCCL_DEBUG");
	if (show)
		fprintf(stderr, "# %s\n", buf);
	if (level == NCCL_LOG_WARN) {
		memcpy(door_warning, buf, sizeof(buf));
		door_warnings++;
	}
	pthread_mutex_unlock(&log_lock);
}

/* As NCCL's: one event handle for each start, which the stop brings back. */
static nccl_result profiler(void **event, int type, void *phandle, int64_t plugin, void *data)
{
	const struct pnic_nccl_event *ev = data;

	if (plugin != PNIC_NCCL_PROFILER_ID)
		__atomic_add_fetch(&prof_wrong, 1, __ATOMIC_RELAXED);
	switch (type) {
	case NCCL_PROF_START:
		if (!phandle || ev->type != PNIC_NCCL_TRANSFER)
			__atomic_add_fetch(&prof_wrong, 1, __ATOMIC_RELAXED);
		*event = phandle;
		__atomic_add_fetch(&prof_started, 1, __ATOMIC_RELAXED);
		break;
	case NCCL_PROF_STOP:
		if (!*event)
			__atomic_add_fetch(&prof_wrong, 1, __ATOMIC_RELAXED);
		__atomic_add_fetch(&prof_stopped, 1, __ATOMIC_RELAXED);
		break;
	default:
		if (!*event || ev->type != PNIC_NCCL_RAIL || ev->width > ev->width_max)
			__atomic_add_fetch(&prof_wrong, 1, __ATOMIC_RELAXED);
		__atomic_add_fetch(&prof_updated, 1, __ATOMIC_RELAXED);
	}
	return NCCL_OK;
}

/* $1: version, $2: what the call takes; each of the functions below is one of NCCL's calls. */
#define SAME(v)										\
static nccl_result close_send_##v(void *c) { return t##v->close_send(c); }		\
static nccl_result close_recv_##v(void *c) { return t##v->close_recv(c); }		\
static nccl_result close_listen_##v(void *c) { return t##v->close_listen(c); }		\
static nccl_result devices_##v(int *n) { return t##v->devices(n); }			\
static nccl_result test_##v(void *r, int *done, int *sizes) { return t##v->test(r, done, sizes); } \
static nccl_result dereg_##v(void *c, void *mh) { return t##v->dereg_mr(c, mh); }	\
static nccl_result reg_dmabuf_##v(void *c, void *data, size_t size, int type, uint64_t offset, int fd, void **mh) \
{ return t##v->reg_mr_dmabuf(c, data, size, type, offset, fd, mh); }			\
static nccl_result iflush_##v(void *c, int n, void **data, int *sizes, void **mhs, void **req) \
{ return t##v->iflush(c, n, data, sizes, mhs, req); }
SAME(6) SAME(8) SAME(9) SAME(10) SAME(11) SAME(12)

#define REG(v, size_type)								\
static nccl_result reg_##v(void *c, void *data, size_t size, int type, void **mh)	\
{ return t##v->reg_mr(c, data, (size_type)size, type, mh); }
REG(6, int) REG(8, size_t) REG(9, size_t) REG(10, size_t) REG(11, size_t) REG(12, size_t)

#define OLD(v)										\
static nccl_result init_##v(void **ctx, uint64_t id) { *ctx = NULL; (void)id; return t##v->init(door_log); } \
static nccl_result finalize_##v(void *ctx) { (void)ctx; return NCCL_OK; }
OLD(6) OLD(8) OLD(9)
static nccl_result init_10(void **ctx, uint64_t id) { *ctx = NULL; (void)id; return t10->init(door_log, profiler); }
static nccl_result finalize_10(void *ctx) { (void)ctx; return NCCL_OK; }

#define LISTEN(v)									\
static nccl_result listen_##v(void *ctx, int dev, void *h, void **lc) { (void)ctx; return t##v->listen(dev, h, lc); }
LISTEN(6) LISTEN(8) LISTEN(9) LISTEN(10)

static nccl_result connect_6(void *ctx, int dev, void *h, void **sc)
{
	(void)ctx;
	return t6->connect(dev, h, sc);
}

static nccl_result accept_6(void *lc, void **rc)
{
	return t6->accept(lc, rc);
}

#define CONNECT(v)									\
static nccl_result connect_##v(void *ctx, int dev, void *h, void **sc)			\
{ struct nccl_device_handle *dh = NULL; (void)ctx; return t##v->connect(dev, h, sc, &dh); }
CONNECT(8) CONNECT(9)

static nccl_result connect_10(void *ctx, int dev, void *h, void **sc)
{
	struct nccl_config config = { -1 };
	struct nccl_device_handle *dh = NULL;

	(void)ctx;
	return t10->connect(dev, &config, h, sc, &dh);
}

#define ACCEPT(v)									\
static nccl_result accept_##v(void *lc, void **rc)					\
{ struct nccl_device_handle *dh = NULL; return t##v->accept(lc, rc, &dh); }
ACCEPT(8) ACCEPT(9) ACCEPT(10) ACCEPT(11) ACCEPT(12)

#define NEW(v)										\
static nccl_result init_##v(void **ctx, uint64_t id)					\
{ struct nccl_config config = { -1 }; return t##v->init(ctx, id, &config, door_log, profiler); } \
static nccl_result finalize_##v(void *ctx) { return t##v->finalize(ctx); }		\
static nccl_result listen_##v(void *ctx, int dev, void *h, void **lc) { return t##v->listen(ctx, dev, h, lc); } \
static nccl_result connect_##v(void *ctx, int dev, void *h, void **sc)			\
{ struct nccl_device_handle *dh = NULL; return t##v->connect(ctx, dev, h, sc, &dh); }
NEW(11) NEW(12)

#define INTS(v)										\
static nccl_result isend_##v(void *c, void *data, size_t size, int tag, void *mh, void **req) \
{ return t##v->isend(c, data, (int)size, tag, mh, req); }				\
static nccl_result irecv_##v(void *c, int n, void **data, size_t *sizes, int *tags, void **mhs, void **req) \
{											\
	int narrow[8], i;								\
											\
	for (i = 0; i < n && i < 8; i++)						\
		narrow[i] = (int)sizes[i];						\
	return t##v->irecv(c, n, data, narrow, tags, mhs, req);				\
}
INTS(6) INTS(8)

static nccl_result isend_9(void *c, void *data, size_t size, int tag, void *mh, void **req)
{
	return t9->isend(c, data, size, tag, mh, req);
}

static nccl_result irecv_9(void *c, int n, void **data, size_t *sizes, int *tags, void **mhs, void **req)
{
	return t9->irecv(c, n, data, sizes, tags, mhs, req);
}

/* A handle of the profiler's for each transfer. */
#define PHANDLES(v)									\
static nccl_result isend_##v(void *c, void *data, size_t size, int tag, void *mh, void **req) \
{ return t##v->isend(c, data, size, tag, mh, c, req); }					\
static nccl_result irecv_##v(void *c, int n, void **data, size_t *sizes, int *tags, void **mhs, void **req) \
{ void *ph[8] = { c, c, c, c, c, c, c, c }; return t##v->irecv(c, n, data, sizes, tags, mhs, ph, req); }
PHANDLES(10) PHANDLES(11) PHANDLES(12)

#define PROPS(v, type, more)								\
static nccl_result props_##v(int dev, struct nccl_props_v12 *p)				\
{											\
	type q;										\
	nccl_result res = t##v->get_properties(dev, &q);				\
											\
	memset(p, 0, sizeof(*p));							\
	if (res)									\
		return res;								\
	p->name = q.name; p->pci_path = q.pci_path; p->guid = q.guid; p->ptr_support = q.ptr_support; \
	p->speed = q.speed; p->port = q.port; p->latency = q.latency; p->max_comms = q.max_comms; \
	p->max_recvs = q.max_recvs;							\
	more										\
	return NCCL_OK;									\
}
#define MORE_8	p->reg_is_global = q.reg_is_global; p->device_type = q.device_type;	\
		p->device_version = q.device_version;
#define MORE_9	MORE_8 p->force_flush = q.force_flush; p->vprops.ndevs = q.vprops.ndevs; \
		memcpy(p->vprops.devs, q.vprops.devs, sizeof(q.vprops.devs)); p->max_p2p_bytes = q.max_p2p_bytes; \
		p->max_coll_bytes = q.max_coll_bytes;
#define MORE_11	MORE_9 p->max_multi_request = q.max_multi_request;
#define MORE_12	MORE_11 p->rail_id = q.rail_id; p->plane_id = q.plane_id;
PROPS(6, struct nccl_props_v6,)
PROPS(8, struct nccl_props_v8, MORE_8)
PROPS(9, struct nccl_props_v9, MORE_9)
PROPS(10, struct nccl_props_v9, MORE_9)
PROPS(11, struct nccl_props_v11, MORE_11)
PROPS(12, struct nccl_props_v12, MORE_12)

static nccl_result no_fuse(int *dev, int n, const int *devs)
{
	(void)dev, (void)n, (void)devs;
	return NCCL_INVALID_USAGE;
}
#define fuse_6 no_fuse
#define fuse_8 no_fuse

#define FUSE(v, type)									\
static nccl_result fuse_##v(int *dev, int n, const int *devs)				\
{											\
	type p = { .ndevs = n };							\
											\
	memcpy(p.devs, devs, (size_t)n * sizeof(*devs));				\
	return t##v->make_vdevice(dev, &p);						\
}
FUSE(9, struct nccl_vprops_v9) FUSE(10, struct nccl_vprops_v9) FUSE(11, struct nccl_vprops_v9)
FUSE(12, struct nccl_vprops_v12)

#define DOOR(v)										\
	{ .version = v, .name = "v" #v, .optional = (v) >= 9, .virtual_devices = (v) >= 9, .init = init_##v, \
	  .devices = devices_##v, .props = props_##v, .listen = listen_##v, .connect = connect_##v, \
	  .accept = accept_##v, .reg = reg_##v, .reg_dmabuf = reg_dmabuf_##v, .dereg = dereg_##v, .isend = isend_##v, \
	  .irecv = irecv_##v, .iflush = iflush_##v, .test = test_##v, .close_send = close_send_##v, \
	  .close_recv = close_recv_##v, .close_listen = close_listen_##v, .fuse = fuse_##v, .finalize = finalize_##v }

struct door doors[DOORS] = { DOOR(6), DOOR(8), DOOR(9), DOOR(10), DOOR(11), DOOR(12) };

struct door *door_of(int version)
{
	int i;

	for (i = 0; i < DOORS; i++)
		if (doors[i].version == version)
			return &doors[i];
	return NULL;
}

const void *door_symbol(const char *name)
{
	const void *s = dlsym(library ? library : RTLD_DEFAULT, name);

	if (!s)
		fprintf(stderr, "%s\n", dlerror());
	return s;
}

bool doors_open(const char *path)
{
	if (path) {
		library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		if (!library) {
			fprintf(stderr, "%s\n", dlerror());
			return false;
		}
	}
	t6 = door_symbol("ncclNetPlugin_v6");
	t8 = door_symbol("ncclNetPlugin_v8");
	t9 = door_symbol("ncclNetPlugin_v9");
	t10 = door_symbol("ncclNetPlugin_v10");
	t11 = door_symbol("ncclNetPlugin_v11");
	t12 = door_symbol("ncclNetPlugin_v12");
	return t6 && t8 && t9 && t10 && t11 && t12;
}
