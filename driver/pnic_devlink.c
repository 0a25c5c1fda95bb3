// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: the devlink instance: what the card is, and bringing it up anew.
 *
 * Called by probe and removal.
 */
#include "pnic_csr.h"
#include "pnic_devlink.h"

static int devlink_version(struct devlink_info_req *req, const char *name, u32 version,
			   bool running)
{
	char text[16];

	snprintf(text, sizeof(text), "%u.%u", version >> 16, version & 0xffff);
	if (running)
		return devlink_info_version_running_put(req, name, text);
	return devlink_info_version_fixed_put(req, name, text);
}

static int pnic_devlink_info(struct devlink *devlink, struct devlink_info_req *req,
			     struct netlink_ext_ack *extack)
{
	struct pnic_devlink *pdl = devlink_priv(devlink);
	const struct pnic_caps *caps = &pdl->pd->caps;
	int err;

	if (pnic_state(pdl->pd) == PNIC_STATE_PROBING) {
		NL_SET_ERR_MSG(extack, "the card is just being brought up");
		return -EBUSY;
	}
	err = devlink_info_serial_number_put(req, caps->serial);
	if (!err)
		err = devlink_info_version_fixed_put(req, DEVLINK_INFO_VERSION_GENERIC_BOARD_ID,
						     caps->model_name);
	if (!err)
		err = devlink_version(req, "hw.interface", caps->hw_version, false);
	if (!err)
		err = devlink_version(req, DEVLINK_INFO_VERSION_GENERIC_FW, caps->fw_version, true);
	return err;
}

static int pnic_devlink_reload_down(struct devlink *devlink, bool netns_change,
				    enum devlink_reload_action action,
				    enum devlink_reload_limit limit, struct netlink_ext_ack *extack)
{
	struct pnic_devlink *pdl = devlink_priv(devlink);
	struct pnic_dev *pd = pdl->pd;
	int err = 0;

	if (netns_change) {
		NL_SET_ERR_MSG(extack, "the device stays in its network namespace");
		return -EOPNOTSUPP;
	}
	mutex_lock(&pd->reset_lock);
	if (!pnic_down(pd, PNIC_STATE_RESETTING, "devlink reload")) {
		NL_SET_ERR_MSG_FMT(extack, "the device is %s", pnic_state_name(pnic_state(pd)));
		err = -EBUSY;
	}
	mutex_unlock(&pd->reset_lock);
	return err;
}

static int pnic_devlink_reload_up(struct devlink *devlink, enum devlink_reload_action action,
				  enum devlink_reload_limit limit, u32 *actions_performed,
				  struct netlink_ext_ack *extack)
{
	struct pnic_devlink *pdl = devlink_priv(devlink);
	struct pnic_dev *pd = pdl->pd;
	int err = 0;

	mutex_lock(&pd->reset_lock);
	if (pnic_state(pd) == PNIC_STATE_RESETTING) {
		pnic_csr_revive(pd);
		pnic_revive(pd);
	}
	if (pnic_state(pd) != PNIC_STATE_READY) {
		NL_SET_ERR_MSG(extack, "the card does not come up; the kernel's log says why");
		err = -EIO;
	}
	mutex_unlock(&pd->reset_lock);
	*actions_performed = BIT(DEVLINK_RELOAD_ACTION_DRIVER_REINIT);
	return err;
}

static const struct devlink_ops pnic_devlink_ops = {
	.reload_actions	= BIT(DEVLINK_RELOAD_ACTION_DRIVER_REINIT),
	.reload_down	= pnic_devlink_reload_down,
	.reload_up	= pnic_devlink_reload_up,
	.info_get	= pnic_devlink_info,
};

int pnic_devlink_alloc(struct pnic_dev *pd)
{
	struct pnic_devlink *pdl;
	struct devlink *devlink;
	int err;

	devlink = devlink_alloc(&pnic_devlink_ops, sizeof(*pdl), &pd->pdev->dev);
	if (!devlink)
		return -ENOMEM;
	pdl = devlink_priv(devlink);
	pdl->pd = pd;
	err = pnic_health_create(pdl);
	if (err) {
		devlink_free(devlink);
		return err;
	}
	pd->devlink = pdl;
	return 0;
}

void pnic_devlink_free(struct pnic_dev *pd)
{
	struct pnic_devlink *pdl = pd->devlink;

	if (!pdl)
		return;
	pd->devlink = NULL;
	pnic_health_destroy(pdl);
	devlink_free(priv_to_devlink(pdl));
}

void pnic_devlink_register(struct pnic_dev *pd)
{
	devlink_register(priv_to_devlink(pd->devlink));
}

void pnic_devlink_unregister(struct pnic_dev *pd)
{
	devlink_unregister(priv_to_devlink(pd->devlink));
}
