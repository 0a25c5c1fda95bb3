// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * The tuner: NCCL's costs hold for links of full width, and a link that has 397 of 425 lanes takes 425/397 of the time. The
 * width is read from the status page that the kernel maps, so it costs a few loads for each collective.
 *
 * All ranks of a communicator must choose the same algorithm, and each sees its own links only. So every cost that crosses the
 * network is multiplied by the same number: what a rank estimates becomes right, and which algorithm is the cheapest stays as it
 * was. Anything else would let ranks whose links differ choose differently, and hang.
 */
#include <stdlib.h>

#include "core.h"

struct tuner {
	size_t nodes;
	float told;			/* the factor of the log's last line */
};

static nccl_result tuner_new(size_t nodes, nccl_logger log, void **ctx)
{
	struct tuner *t;
	nccl_result res;

	if (!ctx)
		return NCCL_INVALID_ARGUMENT;
	*ctx = NULL;
	res = device_init(log);
	if (res)
		return res;
	t = calloc(1, sizeof(*t));
	if (!t)
		return NCCL_SYSTEM_ERROR;
	t->nodes = nodes;
	t->told = 1;
	*ctx = t;
	return NCCL_OK;
}

/* How much longer the slowest card takes than it would with all its lanes. One that has no link takes no part. */
static float slowness(void)
{
	struct pnic_rail_stat stat;
	float worst = 1;
	int i;

	for (i = 0; i < device_cards(); i++) {
		struct device *dev = device_get(i);

		stat = (struct pnic_rail_stat) { .size = sizeof(stat) };
		pthread_mutex_lock(&dev->lock);
		if (!dev->rails || pnic_rails_stat(dev->rails, 0, &stat))
			stat.width = 0;
		pthread_mutex_unlock(&dev->lock);
		if (stat.state == PNIC_RAIL_UP && stat.width && stat.width < stat.width_max &&
		    (float)stat.width_max / (float)stat.width > worst)
			worst = (float)stat.width_max / (float)stat.width;
	}
	return worst;
}

static nccl_result coll_info(void *ctx, int coll, size_t bytes, int pipe_ops, float **table, int algos, int protos,
			     int reg_buff, int *channels)
{
	float *cost = (float *)(void *)table, factor;
	struct tuner *t = ctx;
	int i;

	(void)coll, (void)bytes, (void)pipe_ops, (void)reg_buff, (void)channels;
	if (!t || !table || algos < 0 || protos < 0)
		return NCCL_INVALID_ARGUMENT;
	if (!config.tuner || t->nodes < 2)
		return NCCL_OK;
	factor = slowness();
	if (factor != t->told) {
		INFO(NCCL_SUB_TUNING, "what crosses the network takes %.3f times as long as with all lanes",
		     (double)factor);
		t->told = factor;
	}
	for (i = 0; factor != 1 && i < algos * protos; i++)
		if (cost[i] > 0)
			cost[i] *= factor;
	return NCCL_OK;
}

static nccl_result tuner_free(void *ctx)
{
	free(ctx);
	return NCCL_OK;
}

static nccl_result init_v5(void **ctx, uint64_t id, size_t ranks, size_t nodes, nccl_logger log, void *nvl,
			   void *constants)
{
	(void)id, (void)ranks, (void)nvl, (void)constants;
	return tuner_new(nodes, log, ctx);
}

static nccl_result init_v3(size_t ranks, size_t nodes, nccl_logger log, void **ctx)
{
	(void)ranks;
	return tuner_new(nodes, log, ctx);
}

static nccl_result coll_info_v3(void *ctx, int coll, size_t bytes, int pipe_ops, float **table, int algos, int protos,
				int *channels)
{
	return coll_info(ctx, coll, bytes, pipe_ops, table, algos, protos, 0, channels);
}

const struct nccl_tuner_v6 ncclTunerPlugin_v6 = {
	.name = "pnic",
	.init = init_v5,
	.get_coll_info = coll_info,
	.finalize = tuner_free,
};

const struct nccl_tuner_v5 ncclTunerPlugin_v5 = {
	.name = "pnic",
	.init = init_v5,
	.get_coll_info = coll_info,
	.finalize = tuner_free,
};

const struct nccl_tuner_v4 ncclTunerPlugin_v4 = {
	.name = "pnic",
	.init = init_v3,
	.get_coll_info = coll_info,
	.destroy = tuner_free,
};

const struct nccl_tuner_v3 ncclTunerPlugin_v3 = {
	.name = "pnic",
	.init = init_v3,
	.get_coll_info = coll_info_v3,
	.destroy = tuner_free,
};
