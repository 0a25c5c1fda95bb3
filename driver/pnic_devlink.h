/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pnic: what the two files about devlink share. Included by pnic_devlink.c (the instance, info,
 * reload) and pnic_health.c (the health reporters).
 */
#ifndef PNIC_DEVLINK_H
#define PNIC_DEVLINK_H

#include "compat.h"
#include "pnic.h"

enum pnic_reporter {
	PNIC_REPORTER_FW,
	PNIC_REPORTER_ADMIN,
	PNIC_REPORTER_LANES,
	PNIC_REPORTERS
};

/**
 * struct pnic_devlink - the private part of the devlink instance
 * @pd: the device
 * @reporter: by enum pnic_reporter
 * @work: tells what follows; not before the instance is registered
 * @called: devlink had the last report recovered
 * @alarms: of the lanes, enum pnic_alarm bits
 * @told: of them what devlink was told
 */
struct pnic_devlink {
	struct pnic_dev *pd;
	struct devlink_health_reporter *reporter[PNIC_REPORTERS];
	struct work_struct work;
	bool called;
	u32 alarms;
	u32 told;
};

/* pnic_health.c */
int pnic_health_create(struct pnic_devlink *pdl);
void pnic_health_destroy(struct pnic_devlink *pdl);

#endif /* PNIC_DEVLINK_H */
