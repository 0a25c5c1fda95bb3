/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Four ranks, a thread each, that put, signal, get and flush by the RMA tables; every byte and every signal is looked at. */
#ifndef PNIC_NCCL_GROUP_H
#define PNIC_NCCL_GROUP_H

#include <stdbool.h>

struct group_run {
	int version;			/* 14 or 15 */
	int devs;
	const int *dev;			/* rank r is on dev[r % devs] */
	int rounds;

	/* Out. */
	unsigned long transfers;	/* that ended well */
	unsigned int failures;
	char why[320];			/* the first */
};

/* True: everything was right. */
bool group_run(struct group_run *run);

#endif /* PNIC_NCCL_GROUP_H */
