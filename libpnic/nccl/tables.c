// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * The net tables. Each version is the one before with something more; where the arguments are the same the function is, too.
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"

/* Of all communicators up to v10, which know no contexts. */
static struct context old;

/* --- the same in all --------------------------------------------------------------------------- */

static nccl_result devices(int *n)
{
	if (!n)
		return NCCL_INVALID_ARGUMENT;
	*n = device_count();
	return NCCL_OK;
}

static nccl_result reg_dmabuf(void *comm, void *data, size_t size, int type, uint64_t offset, int fd, void **mh)
{
	struct comm *c = comm;

	if (!c || !mh || fd < 0)
		return NCCL_INVALID_ARGUMENT;
	*mh = NULL;
	return reg_mr(c->dev, data, size, type, offset, fd, (struct mr **)mh);
}

static nccl_result reg(void *comm, void *data, size_t size, int type, void **mh)
{
	struct comm *c = comm;

	if (!c || !mh)
		return NCCL_INVALID_ARGUMENT;
	*mh = NULL;
	return reg_mr(c->dev, data, size, type, 0, -1, (struct mr **)mh);
}

static nccl_result dereg(void *comm, void *mh)
{
	(void)comm;
	return mh ? reg_put(mh) : NCCL_OK;
}

static nccl_result close_send(void *comm)
{
	return comm_close(comm, COMM_SEND);
}

static nccl_result close_recv(void *comm)
{
	return comm_close(comm, COMM_RECV);
}

static nccl_result close_listen(void *comm)
{
	return comm_close(comm, COMM_LISTEN);
}

/* Devices are of the host's kind. */
static nccl_result no_device_mr(void *comm, void *mh, void **dptr)
{
	(void)comm, (void)mh, (void)dptr;
	return NCCL_INTERNAL_ERROR;
}

static nccl_result no_consumed(void *comm, int n, void *req)
{
	(void)comm, (void)n, (void)req;
	return NCCL_OK;
}

/* --- v11, v12 ---------------------------------------------------------------------------------- */

static nccl_result init_v11(void **ctx, uint64_t id, struct nccl_config *config_, nccl_logger log, nccl_profiler prof)
{
	struct context *c;
	nccl_result res;

	(void)config_;		/* traffic classes: the fabric has none */
	if (!ctx)
		return NCCL_INVALID_ARGUMENT;
	*ctx = NULL;
	res = device_init(log);
	if (res)
		return res;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NCCL_SYSTEM_ERROR;
	c->id = id;
	c->prof = prof;
	*ctx = c;
	device_hold();
	return NCCL_OK;
}

static nccl_result finalize(void *ctx)
{
	if (!ctx)
		return NCCL_OK;
	comm_forget(ctx);
	free(ctx);
	device_release();
	return NCCL_OK;
}

static nccl_result listen_v11(void *ctx, int dev, void *handle, void **lc)
{
	return comm_listen(ctx, dev, handle, lc);
}

static nccl_result connect_v11(void *ctx, int dev, void *handle, void **sc, struct nccl_device_handle **dh)
{
	(void)dh;
	return comm_connect(ctx, dev, handle, sc);
}

static nccl_result accept_v7(void *lc, void **rc, struct nccl_device_handle **dh)
{
	(void)dh;
	return comm_accept(lc, rc);
}

static nccl_result irecv_v10(void *rc, int n, void **data, size_t *sizes, int *tags, void **mhs, void **phandles,
			     void **req)
{
	return data_irecv(rc, n, data, sizes, tags, mhs, phandles, req, true);
}

static nccl_result iflush(void *rc, int n, void **data, int *sizes, void **mhs, void **req)
{
	return data_iflush(rc, n, data, sizes, mhs, req);
}

static nccl_result fuse_v12(int *dev, struct nccl_vprops_v12 *props)
{
	return props ? device_fuse(dev, props->ndevs, props->devs) : NCCL_INVALID_ARGUMENT;
}

static nccl_result fuse_v9(int *dev, struct nccl_vprops_v9 *props)
{
	return props && props->ndevs <= 4 ? device_fuse(dev, props->ndevs, props->devs) : NCCL_INVALID_ARGUMENT;
}

static nccl_result set_net_attr(void *ctx, struct nccl_attr *attr)
{
	(void)ctx, (void)attr;
	return NCCL_OK;
}

static nccl_result props_v9(int dev, struct nccl_props_v9 *p);

_Static_assert(offsetof(struct nccl_props_v11, max_multi_request) == sizeof(struct nccl_props_v9), "v11 begins as v9");

static nccl_result props_v11(int dev, struct nccl_props_v11 *p)
{
	struct nccl_props_v9 p9;
	nccl_result res = props_v9(dev, &p9);

	if (res)
		return res;
	memset(p, 0, sizeof(*p));
	memcpy(p, &p9, sizeof(p9));	/* v11's begin as v9's */
	p->max_multi_request = 1;
	return NCCL_OK;
}

const struct nccl_net_v12 ncclNetPlugin_v12 = {
	.name = "pnic",
	.init = init_v11,
	.devices = devices,
	.get_properties = device_props,
	.listen = listen_v11,
	.connect = connect_v11,
	.accept = accept_v7,
	.reg_mr = reg,
	.reg_mr_dmabuf = reg_dmabuf,
	.dereg_mr = dereg,
	.isend = data_isend,
	.irecv = irecv_v10,
	.iflush = iflush,
	.test = data_test,
	.close_send = close_send,
	.close_recv = close_recv,
	.close_listen = close_listen,
	.get_device_mr = no_device_mr,
	.irecv_consumed = no_consumed,
	.make_vdevice = fuse_v12,
	.finalize = finalize,
	.set_net_attr = set_net_attr,
};

const struct nccl_net_v11 ncclNetPlugin_v11 = {
	.name = "pnic",
	.init = init_v11,
	.devices = devices,
	.get_properties = props_v11,
	.listen = listen_v11,
	.connect = connect_v11,
	.accept = accept_v7,
	.reg_mr = reg,
	.reg_mr_dmabuf = reg_dmabuf,
	.dereg_mr = dereg,
	.isend = data_isend,
	.irecv = irecv_v10,
	.iflush = iflush,
	.test = data_test,
	.close_send = close_send,
	.close_recv = close_recv,
	.close_listen = close_listen,
	.get_device_mr = no_device_mr,
	.irecv_consumed = no_consumed,
	.make_vdevice = fuse_v9,
	.finalize = finalize,
	.set_net_attr = set_net_attr,
};

/* --- v10 --------------------------------------------------------------------------------------- */

static nccl_result init_v10(nccl_logger log, nccl_profiler prof)
{
	__atomic_store_n(&old.prof, prof, __ATOMIC_RELAXED);
	return device_init(log);
}

static nccl_result listen_v6(int dev, void *handle, void **lc)
{
	return comm_listen(&old, dev, handle, lc);
}

static nccl_result connect_v10(int dev, struct nccl_config *config_, void *handle, void **sc,
			       struct nccl_device_handle **dh)
{
	(void)config_, (void)dh;
	return comm_connect(&old, dev, handle, sc);
}

static nccl_result props_v9(int dev, struct nccl_props_v9 *p)
{
	struct nccl_props_v12 q;
	nccl_result res = p ? device_props(dev, &q) : NCCL_INVALID_ARGUMENT;
	int i;

	if (res)
		return res;
	*p = (struct nccl_props_v9) {
		.name = q.name, .pci_path = q.pci_path, .guid = q.guid, .ptr_support = q.ptr_support,
		.reg_is_global = q.reg_is_global, .force_flush = q.force_flush, .speed = q.speed, .port = q.port,
		.latency = q.latency, .max_comms = q.max_comms, .max_recvs = q.max_recvs, .device_type = q.device_type,
		.device_version = q.device_version, .max_p2p_bytes = q.max_p2p_bytes,
		.max_coll_bytes = q.max_coll_bytes,
	};
	p->vprops.ndevs = q.vprops.ndevs;
	for (i = 0; i < 4 && i < q.vprops.ndevs; i++)
		p->vprops.devs[i] = q.vprops.devs[i];
	return NCCL_OK;
}

const struct nccl_net_v10 ncclNetPlugin_v10 = {
	.name = "pnic",
	.init = init_v10,
	.devices = devices,
	.get_properties = props_v9,
	.listen = listen_v6,
	.connect = connect_v10,
	.accept = accept_v7,
	.reg_mr = reg,
	.reg_mr_dmabuf = reg_dmabuf,
	.dereg_mr = dereg,
	.isend = data_isend,
	.irecv = irecv_v10,
	.iflush = iflush,
	.test = data_test,
	.close_send = close_send,
	.close_recv = close_recv,
	.close_listen = close_listen,
	.get_device_mr = no_device_mr,
	.irecv_consumed = no_consumed,
	.make_vdevice = fuse_v9,
};

/* --- v9 ---------------------------------------------------------------------------------------- */

static nccl_result init_v6(nccl_logger log)
{
	return device_init(log);
}

static nccl_result connect_v7(int dev, void *handle, void **sc, struct nccl_device_handle **dh)
{
	(void)dh;
	return comm_connect(&old, dev, handle, sc);
}

static nccl_result isend_v9(void *sc, void *data, size_t size, int tag, void *mh, void **req)
{
	return data_isend(sc, data, size, tag, mh, NULL, req);
}

static nccl_result irecv_v9(void *rc, int n, void **data, size_t *sizes, int *tags, void **mhs, void **req)
{
	return data_irecv(rc, n, data, sizes, tags, mhs, NULL, req, true);
}

const struct nccl_net_v9 ncclNetPlugin_v9 = {
	.name = "pnic",
	.init = init_v6,
	.devices = devices,
	.get_properties = props_v9,
	.listen = listen_v6,
	.connect = connect_v7,
	.accept = accept_v7,
	.reg_mr = reg,
	.reg_mr_dmabuf = reg_dmabuf,
	.dereg_mr = dereg,
	.isend = isend_v9,
	.irecv = irecv_v9,
	.iflush = iflush,
	.test = data_test,
	.close_send = close_send,
	.close_recv = close_recv,
	.close_listen = close_listen,
	.get_device_mr = no_device_mr,
	.irecv_consumed = no_consumed,
	.make_vdevice = fuse_v9,
};

/* --- v8: sizes are int ------------------------------------------------------------------------- */

static nccl_result props_v8(int dev, struct nccl_props_v8 *p)
{
	struct nccl_props_v12 q;
	nccl_result res = p ? device_props(dev, &q) : NCCL_INVALID_ARGUMENT;

	if (res)
		return res;
	*p = (struct nccl_props_v8) {
		.name = q.name, .pci_path = q.pci_path, .guid = q.guid, .ptr_support = q.ptr_support,
		.reg_is_global = q.reg_is_global, .speed = q.speed, .port = q.port, .latency = q.latency,
		.max_comms = q.max_comms, .max_recvs = q.max_recvs, .device_type = q.device_type,
		.device_version = q.device_version,
	};
	return NCCL_OK;
}

static nccl_result isend_v6(void *sc, void *data, int size, int tag, void *mh, void **req)
{
	return size < 0 ? NCCL_INVALID_ARGUMENT : data_isend(sc, data, (size_t)size, tag, mh, NULL, req);
}

static nccl_result irecv_v6(void *rc, int n, void **data, int *sizes, int *tags, void **mhs, void **req)
{
	size_t wide[MAX_RECVS];
	int i;

	if (n < 1 || n > MAX_RECVS)
		return NCCL_INVALID_ARGUMENT;
	for (i = 0; i < n; i++) {
		if (sizes[i] < 0)
			return NCCL_INVALID_ARGUMENT;
		wide[i] = (size_t)sizes[i];
	}
	return data_irecv(rc, n, data, wide, tags, mhs, NULL, req, false);
}

const struct nccl_net_v8 ncclNetPlugin_v8 = {
	.name = "pnic",
	.init = init_v6,
	.devices = devices,
	.get_properties = props_v8,
	.listen = listen_v6,
	.connect = connect_v7,
	.accept = accept_v7,
	.reg_mr = reg,
	.reg_mr_dmabuf = reg_dmabuf,
	.dereg_mr = dereg,
	.isend = isend_v6,
	.irecv = irecv_v6,
	.iflush = iflush,
	.test = data_test,
	.close_send = close_send,
	.close_recv = close_recv,
	.close_listen = close_listen,
	.get_device_mr = no_device_mr,
	.irecv_consumed = no_consumed,
};

/* --- v6: no device handles --------------------------------------------------------------------- */

static nccl_result props_v6(int dev, struct nccl_props_v6 *p)
{
	struct nccl_props_v12 q;
	nccl_result res = p ? device_props(dev, &q) : NCCL_INVALID_ARGUMENT;

	if (res)
		return res;
	*p = (struct nccl_props_v6) {
		.name = q.name, .pci_path = q.pci_path, .guid = q.guid, .ptr_support = q.ptr_support,
		.speed = q.speed, .port = q.port, .latency = q.latency, .max_comms = q.max_comms,
		.max_recvs = q.max_recvs,
	};
	return NCCL_OK;
}

static nccl_result connect_v6(int dev, void *handle, void **sc)
{
	return comm_connect(&old, dev, handle, sc);
}

static nccl_result reg_v6(void *comm, void *data, int size, int type, void **mh)
{
	return size < 0 ? NCCL_INVALID_ARGUMENT : reg(comm, data, (size_t)size, type, mh);
}

const struct nccl_net_v6 ncclNetPlugin_v6 = {
	.name = "pnic",
	.init = init_v6,
	.devices = devices,
	.get_properties = props_v6,
	.listen = listen_v6,
	.connect = connect_v6,
	.accept = comm_accept,
	.reg_mr = reg_v6,
	.reg_mr_dmabuf = reg_dmabuf,
	.dereg_mr = dereg,
	.isend = isend_v6,
	.irecv = irecv_v6,
	.iflush = iflush,
	.test = data_test,
	.close_send = close_send,
	.close_recv = close_recv,
	.close_listen = close_listen,
};
