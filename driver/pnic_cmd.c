// SPDX-License-Identifier: GPL-2.0
/*
 * Admin commands: one typed wrapper each, over the transport in pnic_admin.c.
 *
 * Called by everybody who wants something of the card. The rules for errors are
 * in pnic.h.
 */
#include <linux/dma-mapping.h>

#include "pnic_object.h"

/* The largest thing that a command moves: a lane table of PNIC_LANES_MAX lanes. */
#define PNIC_CMD_BUF_SIZE	ALIGN(sizeof(struct pnic_lane_table) + \
				      PNIC_LANES_MAX * sizeof(struct pnic_lane_rec), PNIC_PAGE_SIZE)

/**
 * enum pnic_cmd_kind - what may be done when the answer is missing
 * @PNIC_CMD_REPEAT: send it again; the second has the same effect as one
 * @PNIC_CMD_CREATE: the same, and EXISTS then says that the first one worked
 * @PNIC_CMD_DESTROY: the same, and NOT_FOUND says so
 * @PNIC_CMD_ONCE: give up
 */
enum pnic_cmd_kind {
	PNIC_CMD_REPEAT,
	PNIC_CMD_CREATE,
	PNIC_CMD_DESTROY,
	PNIC_CMD_ONCE,
};

static const struct {
	int err;
	const char *text;
} pnic_cmd_statuses[] = {
	[PNIC_AS_OK]		= { 0, "ok" },
	[PNIC_AS_BAD_OPCODE]	= { -EOPNOTSUPP, "unknown command" },
	[PNIC_AS_INVALID_FIELD]	= { -EINVAL, "invalid field" },
	[PNIC_AS_EXISTS]	= { -EEXIST, "exists" },
	[PNIC_AS_NOT_FOUND]	= { -ENOENT, "not found" },
	[PNIC_AS_BUSY]		= { -EBUSY, "busy" },
	[PNIC_AS_NO_RESOURCE]	= { -ENOSPC, "no resource" },
	[PNIC_AS_DMA_FAULT]	= { -EFAULT, "DMA fault" },
	[PNIC_AS_WRONG_STATE]	= { -EPROTO, "wrong state" },
	[PNIC_AS_REFUSED]	= { -EPERM, "refused" },
	[PNIC_AS_LINK_DOWN]	= { -ENETDOWN, "link down" },
	[PNIC_AS_INTERNAL]	= { -EREMOTEIO, "internal error" },
};

int pnic_cmd_buf_alloc(struct pnic_dev *pd)
{
	mutex_init(&pd->buf_lock);
	pd->buf = dma_alloc_coherent(&pd->pdev->dev, PNIC_CMD_BUF_SIZE, &pd->buf_dma, GFP_KERNEL);
	return pd->buf ? 0 : -ENOMEM;
}

void pnic_cmd_buf_free(struct pnic_dev *pd)
{
	if (pd->buf)
		dma_free_coherent(&pd->pdev->dev, PNIC_CMD_BUF_SIZE, pd->buf, pd->buf_dma);
	pd->buf = NULL;
}

/* @cmd is one of the 64-byte structs of pnic_admin.h. */
static int pnic_cmd_send(struct pnic_dev *pd, u8 opcode, void *cmd, enum pnic_cmd_kind kind,
			 struct pnic_acqe *answer)
{
	struct pnic_adm_hdr *hdr = cmd;
	bool repeated;
	int err;

	hdr->opcode = opcode;
	err = pnic_admin_exec(pd, cmd, kind != PNIC_CMD_ONCE, answer, &repeated);
	if (err)
		return pnic_state(pd) == PNIC_STATE_GONE ? -ENODEV : err;

	err = pnic_cmd_statuses[answer->status].err;
	if (repeated && ((kind == PNIC_CMD_CREATE && err == -EEXIST) ||
			 (kind == PNIC_CMD_DESTROY && err == -ENOENT)))
		err = 0;
	if (err)
		dev_dbg(&pd->pdev->dev, "command %#x: %s (%#llx)\n", opcode,
			pnic_cmd_statuses[answer->status].text, le64_to_cpu(answer->result[0]));
	return err;
}

/* @result: result[0], may be NULL. */
static int pnic_cmd_do(struct pnic_dev *pd, u8 opcode, void *cmd, enum pnic_cmd_kind kind,
		       u64 *result)
{
	struct pnic_acqe answer = {};
	int err = pnic_cmd_send(pd, opcode, cmd, kind, &answer);

	if (result)
		*result = le64_to_cpu(answer.result[0]);
	return err;
}

/*
 * What a card that works may answer, with nothing changed: it has no room, it had a fault of its
 * own, it couldn't read what it was to read. Not where something is to end: the memory has to be
 * given back, and a card that doesn't let go of it is reset.
 */
static bool pnic_cmd_may_fail(enum pnic_cmd_kind kind, int err)
{
	switch (err) {
	case -ENOSPC:
	case -EREMOTEIO:
		return kind != PNIC_CMD_DESTROY;
	case -EFAULT:
		return kind == PNIC_CMD_CREATE;
	default:
		return false;
	}
}

/*
 * Objects of users: the numbers are the driver's and every value was checked, so any refusal that
 * isn't @allowed means that the card and the driver no longer agree on what there is. Only a reset
 * makes that good.
 */
static int pnic_cmd_judge(struct pnic_dev *pd, u8 opcode, int err, bool allowed, u64 result)
{
	if (!err || allowed || pnic_cmd_unconfirmed(err))
		return err;
	pnic_nonsense(pd, "command %#x refused: %pe, %#llx", opcode, ERR_PTR(err), result);
	return -EIO;
}

static int pnic_cmd_object(struct pnic_dev *pd, u8 opcode, void *cmd, enum pnic_cmd_kind kind)
{
	u64 result = 0;
	int err;

	err = pnic_cmd_do(pd, opcode, cmd, kind, &result);
	return pnic_cmd_judge(pd, opcode, err, pnic_cmd_may_fail(kind, err), result);
}

static int pnic_cmd_destroy(struct pnic_dev *pd, u8 opcode, u32 id)
{
	struct pnic_adm_destroy cmd = { .id = cpu_to_le32(id) };

	return pnic_cmd_object(pd, opcode, &cmd, PNIC_CMD_DESTROY);
}

int pnic_cmd_create_eq(struct pnic_dev *pd, const struct pnic_eq *eq)
{
	struct pnic_adm_create_eq cmd = {
		.eqn = cpu_to_le16(eq->eqn),
		.vector = cpu_to_le16(eq->eqn),
		.log_size = eq->log_size,
		.base = cpu_to_le64(eq->dma),
	};

	return pnic_cmd_do(pd, PNIC_ADM_CREATE_EQ, &cmd, PNIC_CMD_CREATE, NULL);
}

int pnic_cmd_create_ctx(struct pnic_dev *pd, u32 ctx, u32 partition)
{
	struct pnic_adm_create_ctx cmd = {
		.ctx = cpu_to_le32(ctx),
		.partition = cpu_to_le32(partition),
	};

	return pnic_cmd_object(pd, PNIC_ADM_CREATE_CTX, &cmd, PNIC_CMD_CREATE);
}

int pnic_cmd_destroy_ctx(struct pnic_dev *pd, u32 ctx)
{
	return pnic_cmd_destroy(pd, PNIC_ADM_DESTROY_CTX, ctx);
}

int pnic_cmd_bind_db(struct pnic_dev *pd, u32 ctx, u32 page)
{
	struct pnic_adm_bind_db cmd = { .ctx = cpu_to_le32(ctx), .page = cpu_to_le32(page) };

	return pnic_cmd_object(pd, PNIC_ADM_BIND_DB, &cmd, PNIC_CMD_CREATE);
}

int pnic_cmd_unbind_db(struct pnic_dev *pd, u32 ctx, u32 page)
{
	struct pnic_adm_bind_db cmd = { .ctx = cpu_to_le32(ctx), .page = cpu_to_le32(page) };

	return pnic_cmd_object(pd, PNIC_ADM_UNBIND_DB, &cmd, PNIC_CMD_DESTROY);
}

int pnic_cmd_create_mr(struct pnic_dev *pd, struct pnic_adm_create_mr *cmd)
{
	return pnic_cmd_object(pd, PNIC_ADM_CREATE_MR, cmd, PNIC_CMD_CREATE);
}

int pnic_cmd_destroy_mr(struct pnic_dev *pd, u32 index)
{
	return pnic_cmd_destroy(pd, PNIC_ADM_DESTROY_MR, index);
}

/* The memory's owner does not wait: nothing but success will do. */
int pnic_cmd_mr_suspend(struct pnic_dev *pd, u32 index)
{
	struct pnic_adm_destroy cmd = { .id = cpu_to_le32(index) };
	u64 result = 0;
	int err;

	err = pnic_cmd_do(pd, PNIC_ADM_MR_SUSPEND, &cmd, PNIC_CMD_REPEAT, &result);
	return pnic_cmd_judge(pd, PNIC_ADM_MR_SUSPEND, err, false, result);
}

/* Not to be repeated: the second finds the region at work. It may fail as a new one may. */
int pnic_cmd_mr_resume(struct pnic_dev *pd, struct pnic_adm_create_mr *cmd)
{
	u64 result = 0;
	int err;

	err = pnic_cmd_do(pd, PNIC_ADM_MR_RESUME, cmd, PNIC_CMD_ONCE, &result);
	return pnic_cmd_judge(pd, PNIC_ADM_MR_RESUME, err, pnic_cmd_may_fail(PNIC_CMD_CREATE, err),
			      result);
}

int pnic_cmd_create_cq(struct pnic_dev *pd, struct pnic_adm_create_cq *cmd)
{
	return pnic_cmd_object(pd, PNIC_ADM_CREATE_CQ, cmd, PNIC_CMD_CREATE);
}

int pnic_cmd_destroy_cq(struct pnic_dev *pd, u32 cqn)
{
	return pnic_cmd_destroy(pd, PNIC_ADM_DESTROY_CQ, cqn);
}

int pnic_cmd_create_ep(struct pnic_dev *pd, struct pnic_adm_create_ep *cmd)
{
	return pnic_cmd_object(pd, PNIC_ADM_CREATE_EP, cmd, PNIC_CMD_CREATE);
}

int pnic_cmd_destroy_ep(struct pnic_dev *pd, u32 epn)
{
	return pnic_cmd_destroy(pd, PNIC_ADM_DESTROY_EP, epn);
}

int pnic_cmd_reset_ep(struct pnic_dev *pd, u32 epn)
{
	struct pnic_adm_destroy cmd = { .id = cpu_to_le32(epn) };
	u64 result = 0;
	int err;

	err = pnic_cmd_do(pd, PNIC_ADM_RESET_EP, &cmd, PNIC_CMD_REPEAT, &result);
	/* A process can kill its own queues at any time, by its doorbells. */
	if (err == -EPROTO)
		return -ENOTRECOVERABLE;
	return pnic_cmd_judge(pd, PNIC_ADM_RESET_EP, err, pnic_cmd_may_fail(PNIC_CMD_REPEAT, err),
			      result);
}

int pnic_cmd_create_srq(struct pnic_dev *pd, struct pnic_adm_create_srq *cmd)
{
	return pnic_cmd_object(pd, PNIC_ADM_CREATE_SRQ, cmd, PNIC_CMD_CREATE);
}

int pnic_cmd_destroy_srq(struct pnic_dev *pd, u32 srqn)
{
	return pnic_cmd_destroy(pd, PNIC_ADM_DESTROY_SRQ, srqn);
}

int pnic_cmd_create_ctr(struct pnic_dev *pd, struct pnic_adm_create_ctr *cmd)
{
	return pnic_cmd_object(pd, PNIC_ADM_CREATE_CTR, cmd, PNIC_CMD_CREATE);
}

int pnic_cmd_destroy_ctr(struct pnic_dev *pd, u32 ctrn)
{
	return pnic_cmd_destroy(pd, PNIC_ADM_DESTROY_CTR, ctrn);
}

int pnic_cmd_bind_ctr(struct pnic_dev *pd, struct pnic_adm_bind_ctr *cmd)
{
	return pnic_cmd_object(pd, PNIC_ADM_BIND_CTR, cmd, PNIC_CMD_REPEAT);
}

int pnic_cmd_cancel_recv(struct pnic_dev *pd, struct pnic_adm_cancel_recv *cmd)
{
	u64 result = 0;
	int err;

	/* Repeated it would not tell a cancelled entry from one that was taken. */
	err = pnic_cmd_do(pd, PNIC_ADM_CANCEL_RECV, cmd, PNIC_CMD_ONCE, &result);
	return pnic_cmd_judge(pd, PNIC_ADM_CANCEL_RECV, err,
			      err == -ENOENT || pnic_cmd_may_fail(PNIC_CMD_ONCE, err), result);
}

int pnic_cmd_identify(struct pnic_dev *pd, struct pnic_identify *id)
{
	struct pnic_adm_identify cmd = { .addr = cpu_to_le64(pd->buf_dma) };
	int err;

	BUILD_BUG_ON(sizeof(*id) != PNIC_PAGE_SIZE);

	mutex_lock(&pd->buf_lock);
	memset(pd->buf, 0, sizeof(*id));
	err = pnic_cmd_do(pd, PNIC_ADM_IDENTIFY, &cmd, PNIC_CMD_REPEAT, NULL);
	if (!err)
		memcpy(id, pd->buf, sizeof(*id));
	mutex_unlock(&pd->buf_lock);
	return err;
}

/* The commands that fill a buffer: @len bytes of what the card wrote to @out. */
static int pnic_cmd_fetch(struct pnic_dev *pd, u8 opcode, u32 arg, void *out, size_t len)
{
	struct pnic_adm_buf cmd = {
		.addr = cpu_to_le64(pd->buf_dma),
		.length = cpu_to_le32(len),
		.arg = cpu_to_le32(arg),
	};
	int err;

	if (len > PNIC_CMD_BUF_SIZE)
		return -EINVAL;

	mutex_lock(&pd->buf_lock);
	memset(pd->buf, 0, len);
	err = pnic_cmd_do(pd, opcode, &cmd, PNIC_CMD_REPEAT, NULL);
	if (!err)
		memcpy(out, pd->buf, len);
	mutex_unlock(&pd->buf_lock);
	return err;
}

int pnic_cmd_link_query(struct pnic_dev *pd, struct pnic_link_info *out)
{
	return pnic_cmd_fetch(pd, PNIC_ADM_LINK_QUERY, 0, out, sizeof(*out));
}

int pnic_cmd_lane_table(struct pnic_dev *pd, u8 dir, void *buf, size_t len)
{
	atomic_inc(&pd->stats.lane_tables);
	return pnic_cmd_fetch(pd, PNIC_ADM_LANE_TABLE, dir, buf, len);
}

int pnic_cmd_map_query(struct pnic_dev *pd, u8 dir, void *buf, size_t len)
{
	return pnic_cmd_fetch(pd, PNIC_ADM_MAP_QUERY, dir, buf, len);
}

int pnic_cmd_counters(struct pnic_dev *pd, struct pnic_counters *out)
{
	return pnic_cmd_fetch(pd, PNIC_ADM_COUNTERS, 0, out, sizeof(*out));
}

int pnic_cmd_link_set(struct pnic_dev *pd, bool up)
{
	struct pnic_adm_link_set cmd = { .admin_up = up };

	return pnic_cmd_do(pd, PNIC_ADM_LINK_SET, &cmd, PNIC_CMD_REPEAT, NULL);
}

/* MAP_STAGE and STANDBY: a map goes to the card; none, if @len is 0. */
static int pnic_cmd_put_map(struct pnic_dev *pd, u8 opcode, u8 dir, u32 generation,
			    const void *map, size_t len, u64 *why)
{
	struct pnic_adm_map cmd = {
		.addr = cpu_to_le64(len ? pd->buf_dma : 0),
		.length = cpu_to_le32(len),
		.generation = cpu_to_le32(generation),
		.dir = dir,
	};
	int err;

	if (len > PNIC_CMD_BUF_SIZE)
		return -EINVAL;

	mutex_lock(&pd->buf_lock);
	if (len)
		memcpy(pd->buf, map, len);
	err = pnic_cmd_do(pd, opcode, &cmd, PNIC_CMD_REPEAT, why);
	mutex_unlock(&pd->buf_lock);
	return err;
}

int pnic_cmd_map_stage(struct pnic_dev *pd, u8 dir, u32 generation, const void *map, size_t len,
		       u64 *why)
{
	return pnic_cmd_put_map(pd, PNIC_ADM_MAP_STAGE, dir, generation, map, len, why);
}

int pnic_cmd_standby(struct pnic_dev *pd, u8 dir, u32 generation, const void *map, size_t len,
		     u64 *why)
{
	return pnic_cmd_put_map(pd, PNIC_ADM_STANDBY, dir, generation, map, len, why);
}

int pnic_cmd_map_switch(struct pnic_dev *pd, u32 generation, u64 *why)
{
	struct pnic_adm_map cmd = {
		.generation = cpu_to_le32(generation),
		.dir = PNIC_DIR_TX,
	};

	return pnic_cmd_do(pd, PNIC_ADM_MAP_SWITCH, &cmd, PNIC_CMD_ONCE, why);
}

int pnic_cmd_map_abort(struct pnic_dev *pd, u8 dir, u32 generation)
{
	struct pnic_adm_map cmd = {
		.generation = cpu_to_le32(generation),
		.dir = dir,
	};

	return pnic_cmd_do(pd, PNIC_ADM_MAP_ABORT, &cmd, PNIC_CMD_ONCE, NULL);
}

int pnic_cmd_lane_test(struct pnic_dev *pd, u16 lane, u32 mbits)
{
	struct pnic_adm_lane_test cmd = {
		.lane = cpu_to_le16(lane),
		.op = mbits ? PNIC_LANE_TEST_START : PNIC_LANE_TEST_STOP,
		.mbits = cpu_to_le32(mbits),
	};

	return pnic_cmd_do(pd, PNIC_ADM_LANE_TEST, &cmd,
			   mbits ? PNIC_CMD_CREATE : PNIC_CMD_DESTROY, NULL);
}

int pnic_cmd_mgmt_send(struct pnic_dev *pd, const void *buf, size_t len)
{
	struct pnic_adm_mgmt cmd = {
		.addr = cpu_to_le64(pd->buf_dma),
		.length = cpu_to_le32(len),
	};
	int err;

	if (len > pd->caps.mgmt_max)
		return -EINVAL;

	mutex_lock(&pd->buf_lock);
	memcpy(pd->buf, buf, len);
	err = pnic_cmd_do(pd, PNIC_ADM_MGMT_SEND, &cmd, PNIC_CMD_ONCE, NULL);
	mutex_unlock(&pd->buf_lock);
	return err;
}

int pnic_cmd_mgmt_recv(struct pnic_dev *pd, void *buf, size_t cap)
{
	struct pnic_adm_mgmt cmd = {
		.addr = cpu_to_le64(pd->buf_dma),
		.length = cpu_to_le32(min_t(size_t, cap, PNIC_CMD_BUF_SIZE)),
	};
	u64 len;
	int err;

	mutex_lock(&pd->buf_lock);
	err = pnic_cmd_do(pd, PNIC_ADM_MGMT_RECV, &cmd, PNIC_CMD_ONCE, &len);
	if (err)
		goto unlock;
	if (len > cap || len > pd->caps.mgmt_max) {
		pnic_nonsense(pd, "management message of %llu bytes", len);
		err = -EIO;
		goto unlock;
	}
	memcpy(buf, pd->buf, len);
	err = len;
unlock:
	mutex_unlock(&pd->buf_lock);
	return err;
}
