/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * The plugin ABIs of NCCL that this library exports, as facts: tables, properties and numbers, in member order.
 *
 * NCCL finds a table as a data symbol, ncclNetPlugin_v12 say, and takes the newest that it knows. Which NCCL speaks what:
 *
 *	net v6 2.13-2.18, v8 2.20-2.23, v9 2.24-2.25, v10 2.26-2.27, v11 2.28-2.29, v12 2.30-;
 *	RMA v14 2.30, v15 2.31; tuner v3 2.22-, v4 2.24-, v5 2.28-, v6 2.30-
 *
 * A newer NCCL takes older tables as well. Names are the project's own where only the layout matters.
 */
#ifndef PNIC_NCCL_ABI_H
#define PNIC_NCCL_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What every call returns. */
typedef int nccl_result;
#define NCCL_OK			0
#define NCCL_SYSTEM_ERROR	2
#define NCCL_INTERNAL_ERROR	3
#define NCCL_INVALID_ARGUMENT	4
#define NCCL_INVALID_USAGE	5
#define NCCL_REMOTE_ERROR	6

#define NCCL_HANDLE_SIZE	128
#define NCCL_PTR_HOST		1
#define NCCL_PTR_CUDA		2
#define NCCL_PTR_DMABUF		4
#define NCCL_OPTIONAL_RECV	((void *)1)	/* in *request of a receive of one buffer */
#define NCCL_MAX_REQUESTS	32		/* receives in flight on a connection */
#define NCCL_DEVICE_HOST	0
#define NCCL_DEVICE_GIN_PROXY	2
#define NCCL_ID_UNDEF		(-1)

#define NCCL_MR_FORCE_SO	(1U << 0)
#define NCCL_SIGNAL_INC		1
#define NCCL_SIGNAL_ADD		2
#define NCCL_RMA_AGGREGATE	(1U << 0)

/* The logger: level, subsystems, file, line, format. */
enum { NCCL_LOG_WARN = 2, NCCL_LOG_INFO = 3, NCCL_LOG_TRACE = 5 };
enum { NCCL_SUB_INIT = 0x1, NCCL_SUB_NET = 0x10, NCCL_SUB_TUNING = 0x40, NCCL_SUB_ALL = ~0 };
typedef void (*nccl_logger)(int level, unsigned long subsystems, const char *file, int line, const char *fmt, ...);

/* Events of a transfer, to the profiler: handle, enum, the transfer's phandle, who says so, what. */
enum { NCCL_PROF_START, NCCL_PROF_STOP, NCCL_PROF_UPDATE, NCCL_PROF_UPDATE_STOP };
typedef nccl_result (*nccl_profiler)(void **event, int type, void *phandle, int64_t plugin, void *data);

struct nccl_config {
	int traffic_class;
};

struct nccl_device_handle {
	int type;
	int version;
	void *handle;
	size_t size;
	int needs_proxy_progress;
};

struct nccl_vprops_v12 {
	int ndevs;
	int devs[8];
};

struct nccl_vprops_v9 {			/* to v11 */
	int ndevs;
	int devs[4];
};

struct nccl_props_v12 {
	char *name;
	char *pci_path;
	uint64_t guid;
	int ptr_support;
	int reg_is_global;
	int force_flush;
	int speed;			/* Mb/s */
	int port;
	float latency;			/* us; 0: NCCL's own idea */
	int max_comms;
	int max_recvs;
	int device_type;
	int device_version;
	struct nccl_vprops_v12 vprops;
	size_t max_p2p_bytes;
	size_t max_coll_bytes;
	int max_multi_request;
	int16_t rail_id;
	int16_t plane_id;
};

struct nccl_props_v11 {
	char *name;
	char *pci_path;
	uint64_t guid;
	int ptr_support;
	int reg_is_global;
	int force_flush;
	int speed;
	int port;
	float latency;
	int max_comms;
	int max_recvs;
	int device_type;
	int device_version;
	struct nccl_vprops_v9 vprops;
	size_t max_p2p_bytes;
	size_t max_coll_bytes;
	int max_multi_request;
};

struct nccl_props_v9 {			/* and v10 */
	char *name;
	char *pci_path;
	uint64_t guid;
	int ptr_support;
	int reg_is_global;
	int force_flush;
	int speed;
	int port;
	float latency;
	int max_comms;
	int max_recvs;
	int device_type;
	int device_version;
	struct nccl_vprops_v9 vprops;
	size_t max_p2p_bytes;
	size_t max_coll_bytes;
};

struct nccl_props_v8 {
	char *name;
	char *pci_path;
	uint64_t guid;
	int ptr_support;
	int reg_is_global;
	int speed;
	int port;
	float latency;
	int max_comms;
	int max_recvs;
	int device_type;
	int device_version;
};

struct nccl_props_v6 {
	char *name;
	char *pci_path;
	uint64_t guid;
	int ptr_support;
	int speed;
	int port;
	float latency;
	int max_comms;
	int max_recvs;
};

struct nccl_comm_attr {
	int32_t max_peers, min_peers, max_flows, min_flows;
};

struct nccl_attr {
	struct nccl_comm_attr send, recv;
	uint32_t op, algo, proto;
};

/* v11 and v12 differ in the properties that they name. */
#define NCCL_NET_NEW(v, props_type, vprops_type)						\
struct nccl_net_v##v {										\
	const char *name;									\
	nccl_result (*init)(void **ctx, uint64_t id, struct nccl_config *config, nccl_logger log,	\
			    nccl_profiler prof);							\
	nccl_result (*devices)(int *n);								\
	nccl_result (*get_properties)(int dev, props_type *props);				\
	nccl_result (*listen)(void *ctx, int dev, void *handle, void **lc);			\
	nccl_result (*connect)(void *ctx, int dev, void *handle, void **sc,			\
			       struct nccl_device_handle **dh);					\
	nccl_result (*accept)(void *lc, void **rc, struct nccl_device_handle **dh);		\
	nccl_result (*reg_mr)(void *comm, void *data, size_t size, int type, void **mh);	\
	nccl_result (*reg_mr_dmabuf)(void *comm, void *data, size_t size, int type, uint64_t offset, int fd, \
				     void **mh);						\
	nccl_result (*dereg_mr)(void *comm, void *mh);						\
	nccl_result (*isend)(void *sc, void *data, size_t size, int tag, void *mh, void *phandle, void **req); \
	nccl_result (*irecv)(void *rc, int n, void **data, size_t *sizes, int *tags, void **mhs, void **phandles, \
			     void **req);							\
	nccl_result (*iflush)(void *rc, int n, void **data, int *sizes, void **mhs, void **req); \
	nccl_result (*test)(void *req, int *done, int *sizes);					\
	nccl_result (*close_send)(void *sc);							\
	nccl_result (*close_recv)(void *rc);							\
	nccl_result (*close_listen)(void *lc);							\
	nccl_result (*get_device_mr)(void *comm, void *mh, void **dptr);			\
	nccl_result (*irecv_consumed)(void *rc, int n, void *req);				\
	nccl_result (*make_vdevice)(int *dev, vprops_type *props);				\
	nccl_result (*finalize)(void *ctx);							\
	nccl_result (*set_net_attr)(void *ctx, struct nccl_attr *attr);				\
}
NCCL_NET_NEW(12, struct nccl_props_v12, struct nccl_vprops_v12);
NCCL_NET_NEW(11, struct nccl_props_v11, struct nccl_vprops_v9);

struct nccl_net_v10 {
	const char *name;
	nccl_result (*init)(nccl_logger log, nccl_profiler prof);
	nccl_result (*devices)(int *n);
	nccl_result (*get_properties)(int dev, struct nccl_props_v9 *props);
	nccl_result (*listen)(int dev, void *handle, void **lc);
	nccl_result (*connect)(int dev, struct nccl_config *config, void *handle, void **sc,
			       struct nccl_device_handle **dh);
	nccl_result (*accept)(void *lc, void **rc, struct nccl_device_handle **dh);
	nccl_result (*reg_mr)(void *comm, void *data, size_t size, int type, void **mh);
	nccl_result (*reg_mr_dmabuf)(void *comm, void *data, size_t size, int type, uint64_t offset, int fd, void **mh);
	nccl_result (*dereg_mr)(void *comm, void *mh);
	nccl_result (*isend)(void *sc, void *data, size_t size, int tag, void *mh, void *phandle, void **req);
	nccl_result (*irecv)(void *rc, int n, void **data, size_t *sizes, int *tags, void **mhs, void **phandles,
			     void **req);
	nccl_result (*iflush)(void *rc, int n, void **data, int *sizes, void **mhs, void **req);
	nccl_result (*test)(void *req, int *done, int *sizes);
	nccl_result (*close_send)(void *sc);
	nccl_result (*close_recv)(void *rc);
	nccl_result (*close_listen)(void *lc);
	nccl_result (*get_device_mr)(void *comm, void *mh, void **dptr);
	nccl_result (*irecv_consumed)(void *rc, int n, void *req);
	nccl_result (*make_vdevice)(int *dev, struct nccl_vprops_v9 *props);
};

struct nccl_net_v9 {
	const char *name;
	nccl_result (*init)(nccl_logger log);
	nccl_result (*devices)(int *n);
	nccl_result (*get_properties)(int dev, struct nccl_props_v9 *props);
	nccl_result (*listen)(int dev, void *handle, void **lc);
	nccl_result (*connect)(int dev, void *handle, void **sc, struct nccl_device_handle **dh);
	nccl_result (*accept)(void *lc, void **rc, struct nccl_device_handle **dh);
	nccl_result (*reg_mr)(void *comm, void *data, size_t size, int type, void **mh);
	nccl_result (*reg_mr_dmabuf)(void *comm, void *data, size_t size, int type, uint64_t offset, int fd, void **mh);
	nccl_result (*dereg_mr)(void *comm, void *mh);
	nccl_result (*isend)(void *sc, void *data, size_t size, int tag, void *mh, void **req);
	nccl_result (*irecv)(void *rc, int n, void **data, size_t *sizes, int *tags, void **mhs, void **req);
	nccl_result (*iflush)(void *rc, int n, void **data, int *sizes, void **mhs, void **req);
	nccl_result (*test)(void *req, int *done, int *sizes);
	nccl_result (*close_send)(void *sc);
	nccl_result (*close_recv)(void *rc);
	nccl_result (*close_listen)(void *lc);
	nccl_result (*get_device_mr)(void *comm, void *mh, void **dptr);
	nccl_result (*irecv_consumed)(void *rc, int n, void *req);
	nccl_result (*make_vdevice)(int *dev, struct nccl_vprops_v9 *props);
};

struct nccl_net_v8 {
	const char *name;
	nccl_result (*init)(nccl_logger log);
	nccl_result (*devices)(int *n);
	nccl_result (*get_properties)(int dev, struct nccl_props_v8 *props);
	nccl_result (*listen)(int dev, void *handle, void **lc);
	nccl_result (*connect)(int dev, void *handle, void **sc, struct nccl_device_handle **dh);
	nccl_result (*accept)(void *lc, void **rc, struct nccl_device_handle **dh);
	nccl_result (*reg_mr)(void *comm, void *data, size_t size, int type, void **mh);
	nccl_result (*reg_mr_dmabuf)(void *comm, void *data, size_t size, int type, uint64_t offset, int fd, void **mh);
	nccl_result (*dereg_mr)(void *comm, void *mh);
	nccl_result (*isend)(void *sc, void *data, int size, int tag, void *mh, void **req);
	nccl_result (*irecv)(void *rc, int n, void **data, int *sizes, int *tags, void **mhs, void **req);
	nccl_result (*iflush)(void *rc, int n, void **data, int *sizes, void **mhs, void **req);
	nccl_result (*test)(void *req, int *done, int *sizes);
	nccl_result (*close_send)(void *sc);
	nccl_result (*close_recv)(void *rc);
	nccl_result (*close_listen)(void *lc);
	nccl_result (*get_device_mr)(void *comm, void *mh, void **dptr);
	nccl_result (*irecv_consumed)(void *rc, int n, void *req);
};

struct nccl_net_v6 {
	const char *name;
	nccl_result (*init)(nccl_logger log);
	nccl_result (*devices)(int *n);
	nccl_result (*get_properties)(int dev, struct nccl_props_v6 *props);
	nccl_result (*listen)(int dev, void *handle, void **lc);
	nccl_result (*connect)(int dev, void *handle, void **sc);
	nccl_result (*accept)(void *lc, void **rc);
	nccl_result (*reg_mr)(void *comm, void *data, int size, int type, void **mh);
	nccl_result (*reg_mr_dmabuf)(void *comm, void *data, size_t size, int type, uint64_t offset, int fd, void **mh);
	nccl_result (*dereg_mr)(void *comm, void *mh);
	nccl_result (*isend)(void *sc, void *data, int size, int tag, void *mh, void **req);
	nccl_result (*irecv)(void *rc, int n, void **data, int *sizes, int *tags, void **mhs, void **req);
	nccl_result (*iflush)(void *rc, int n, void **data, int *sizes, void **mhs, void **req);
	nccl_result (*test)(void *req, int *done, int *sizes);
	nccl_result (*close_send)(void *sc);
	nccl_result (*close_recv)(void *rc);
	nccl_result (*close_listen)(void *lc);
};

/* One-sided: puts, gets and signals within a group. */
struct nccl_rma_config {
	int contexts;
	int traffic_class;
	int rank_stride;
};

#define NCCL_RMA(v, opt)									\
struct nccl_rma_v##v {										\
	const char *name;									\
	nccl_result (*init)(void **ctx, uint64_t id, nccl_logger log);				\
	nccl_result (*devices)(int *n);								\
	nccl_result (*get_properties)(int dev, struct nccl_props_v12 *props);			\
	nccl_result (*listen)(void *ctx, int dev, void *handle, void **lc);			\
	nccl_result (*connect)(void *ctx, void **handles, int nranks, int rank, void *lc, void **coll);	\
	nccl_result (*create_context)(void *coll, struct nccl_rma_config *config, void **rma);	\
	nccl_result (*reg_mr_sym)(void *coll, void *data, size_t size, int type, uint64_t flags, void **mh);	\
	nccl_result (*reg_mr_sym_dmabuf)(void *coll, void *data, size_t size, int type, uint64_t offset, int fd, \
					 uint64_t flags, void **mh);				\
	nccl_result (*dereg_mr_sym)(void *coll, void *mh);					\
	nccl_result (*destroy_context)(void *rma);						\
	nccl_result (*close_coll)(void *coll);							\
	nccl_result (*close_listen)(void *lc);							\
	nccl_result (*iput)(void *rma, int context, uint64_t src, void *smh, size_t size, uint64_t dst, void *dmh, \
			    uint32_t rank, opt void **req);					\
	nccl_result (*iput_signal)(void *rma, int context, uint64_t src, void *smh, size_t size, uint64_t dst, \
				   void *dmh, uint32_t rank, uint64_t sig, void *sigmh, uint64_t value, uint32_t op, \
				   bool strong, opt void **req);				\
	nccl_result (*iget)(void *rma, int context, uint64_t remote, void *rmh, size_t size, uint64_t local, \
			    void *lmh, uint32_t rank, opt void **req);				\
	nccl_result (*iflush)(void *rma, int context, void *mh, uint32_t rank, void **req);	\
	nccl_result (*test)(void *coll, void *req, int *done);					\
	nccl_result (*progress)(void *rma);							\
	nccl_result (*query_last_error)(void *rma, bool *has_error);				\
	nccl_result (*finalize)(void *ctx);							\
}
#define NCCL_RMA_NO_FLAGS
#define NCCL_RMA_FLAGS	uint32_t flags,
NCCL_RMA(14, NCCL_RMA_NO_FLAGS);
NCCL_RMA(15, NCCL_RMA_FLAGS);

/* The tuner. The cost table is float[algorithms][protocols], microseconds; -1: not to be had. */
#define NCCL_COST_IGNORE	(-1.0f)

struct nccl_tuner_v3 {
	const char *name;
	nccl_result (*init)(size_t ranks, size_t nodes, nccl_logger log, void **ctx);
	nccl_result (*get_coll_info)(void *ctx, int coll, size_t bytes, int pipe_ops, float **table, int algos,
				     int protos, int *channels);
	nccl_result (*destroy)(void *ctx);
};

struct nccl_tuner_v4 {
	const char *name;
	nccl_result (*init)(size_t ranks, size_t nodes, nccl_logger log, void **ctx);
	nccl_result (*get_coll_info)(void *ctx, int coll, size_t bytes, int pipe_ops, float **table, int algos,
				     int protos, int reg_buff, int *channels);
	nccl_result (*destroy)(void *ctx);
};

struct nccl_tuner_v5 {
	const char *name;
	nccl_result (*init)(void **ctx, uint64_t id, size_t ranks, size_t nodes, nccl_logger log, void *nvl_domain,
			    void *constants);
	nccl_result (*get_coll_info)(void *ctx, int coll, size_t bytes, int pipe_ops, float **table, int algos,
				     int protos, int reg_buff, int *channels);
	nccl_result (*finalize)(void *ctx);
};

struct nccl_tuner_v6 {
	const char *name;
	nccl_result (*init)(void **ctx, uint64_t id, size_t ranks, size_t nodes, nccl_logger log, void *nvl_domain,
			    void *constants);
	nccl_result (*get_coll_info)(void *ctx, int coll, size_t bytes, int pipe_ops, float **table, int algos,
				     int protos, int reg_buff, int *channels);
	nccl_result (*finalize)(void *ctx);
	nccl_result (*get_chunk_size)(void *ctx, int coll, size_t bytes, int algo, int proto, int channels,
				      size_t *chunk);
};

extern const struct nccl_net_v12 ncclNetPlugin_v12;
extern const struct nccl_net_v11 ncclNetPlugin_v11;
extern const struct nccl_net_v10 ncclNetPlugin_v10;
extern const struct nccl_net_v9 ncclNetPlugin_v9;
extern const struct nccl_net_v8 ncclNetPlugin_v8;
extern const struct nccl_net_v6 ncclNetPlugin_v6;
extern const struct nccl_rma_v14 ncclRmaPlugin_v14;
extern const struct nccl_rma_v15 ncclRmaPlugin_v15;
extern const struct nccl_tuner_v3 ncclTunerPlugin_v3;
extern const struct nccl_tuner_v4 ncclTunerPlugin_v4;
extern const struct nccl_tuner_v5 ncclTunerPlugin_v5;
extern const struct nccl_tuner_v6 ncclTunerPlugin_v6;

#endif /* PNIC_NCCL_ABI_H */
