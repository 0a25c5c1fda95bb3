// SPDX-License-Identifier: GPL-2.0
/*
 * pnic: devlink's health reporters: what is wrong, what there was to be seen of it, and mending it.
 *
 *	fw_fatal	the card: it failed, hangs, lost its set-up, writes nonsense, is not seen
 *	admin		the admin queue: commands without an answer
 *	lanes		the link, by the alarms of the lane manager
 *
 * Trouble of the first two ends in the reset path of pnic_reset.c, which has it reported here
 * first: devlink takes the dump and calls back to recover, unless an administrator has
 * switched that off (auto_recover). Lanes are mended by the lane manager; only an
 * administrator resets the card for them.
 *
 * All requests, and reports while they dump and recover, hold devlink's lock, below which
 * pd->reset_lock is taken: so reports come from work items.
 */
#include <linux/slab.h>

#include "pnic_csr.h"
#include "pnic_devlink.h"
#include "pnic_history.h"
#include "pnic_lanes.h"
#include "pnic_nl.h"

#define PNIC_HEALTH_NOTES	64	/* of the history, in a dump */

static enum pnic_reporter reporter_of(enum pnic_trouble trouble)
{
	switch (trouble) {
	case PNIC_TROUBLE_ADMIN_TIMEOUT:
	case PNIC_TROUBLE_ADMIN_STOPPED:
	case PNIC_TROUBLE_TEST_ADMIN:
		return PNIC_REPORTER_ADMIN;
	default:
		return PNIC_REPORTER_FW;
	}
}

/* ---- recover ---- */

/* 0: the card serves. With pd->reset_lock. */
static int health_outcome(struct pnic_dev *pd, struct netlink_ext_ack *extack)
{
	enum pnic_state state = pnic_state(pd);

	if (state == PNIC_STATE_READY)
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "the device is %s now", pnic_state_name(state));
	return pnic_state_passing(state) ? -EBUSY : -EIO;
}

/*
 * @ctx: what is wrong, if it is pnic_health_report() that asks: then somebody may have been
 * faster. NULL: an administrator, who gets a reset in any case.
 */
static int health_recover(struct devlink_health_reporter *reporter, void *ctx,
			  struct netlink_ext_ack *extack)
{
	struct pnic_dev *pd = devlink_health_reporter_priv(reporter);
	int err;

	mutex_lock(&pd->reset_lock);
	if (ctx) {
		pd->devlink->called = true;
		pnic_reset_now(pd, false);
	} else if (pnic_reachable(pd)) {
		pnic_recover(pd, "devlink health recover");
	}
	err = health_outcome(pd, extack);
	mutex_unlock(&pd->reset_lock);
	return err;
}

/* Of the lanes: nothing that happens to them is worth the contexts, unless somebody says so. */
static int health_recover_lanes(struct devlink_health_reporter *reporter, void *ctx,
				struct netlink_ext_ack *extack)
{
	return ctx ? -EINPROGRESS : health_recover(reporter, NULL, extack);
}

/* ---- test ---- */

static int health_test(struct devlink_health_reporter *reporter, enum pnic_trouble trouble,
		       struct netlink_ext_ack *extack)
{
	struct pnic_dev *pd = devlink_health_reporter_priv(reporter);

	if (pnic_state(pd) != PNIC_STATE_READY) {
		NL_SET_ERR_MSG_FMT(extack, "the device is %s", pnic_state_name(pnic_state(pd)));
		return -EBUSY;
	}
	pnic_reset_trigger(pd, trouble);
	return 0;
}

static int health_test_fw(struct devlink_health_reporter *reporter, struct netlink_ext_ack *extack)
{
	return health_test(reporter, PNIC_TROUBLE_TEST_FW, extack);
}

static int health_test_admin(struct devlink_health_reporter *reporter,
			     struct netlink_ext_ack *extack)
{
	return health_test(reporter, PNIC_TROUBLE_TEST_ADMIN, extack);
}

/* ---- fw_fatal ---- */

static const struct {
	const char *name;
	u32 off;
} health_regs[] = {
	{ "ID", PNIC_REG_ID },
	{ "VERSION", PNIC_REG_VERSION },
	{ "CAPS_LO", PNIC_REG_CAPS_LO },
	{ "CTRL", PNIC_REG_CTRL },
	{ "STATUS", PNIC_REG_STATUS },
	{ "FATAL_CODE", PNIC_REG_FATAL_CODE },
	{ "FATAL_INFO", PNIC_REG_FATAL_INFO },
	{ "TIMEOUT", PNIC_REG_TIMEOUT },
	{ "HEARTBEAT", PNIC_REG_HEARTBEAT },
	{ "DB_PAGES", PNIC_REG_DB_PAGES },
	{ "CLOCK_LO", PNIC_REG_CLOCK_LO },
	{ "CLOCK_HI", PNIC_REG_CLOCK_HI },
	{ "ADMIN_SIZE", PNIC_REG_ADMIN_SIZE },
	{ "ASQ_TAIL", PNIC_REG_ASQ_TAIL },
	{ "ACQ_HEAD", PNIC_REG_ACQ_HEAD },
};

/* Registers as they are at this moment. With pd->reset_lock. */
static void health_put_regs(struct pnic_dev *pd, struct devlink_fmsg *fmsg)
{
	int i;

	devlink_fmsg_bool_pair_put(fmsg, "reachable", pnic_reachable(pd));
	if (!pnic_reachable(pd))
		return;
	devlink_fmsg_pair_nest_start(fmsg, "registers");
	devlink_fmsg_obj_nest_start(fmsg);
	for (i = 0; i < ARRAY_SIZE(health_regs); i++)
		devlink_fmsg_u32_pair_put(fmsg, health_regs[i].name,
					  pnic_rd32(pd, health_regs[i].off));
	devlink_fmsg_obj_nest_end(fmsg);
	devlink_fmsg_pair_nest_end(fmsg);
}

static void health_put_count(struct devlink_fmsg *fmsg, const char *name, const atomic_t *count)
{
	devlink_fmsg_u32_pair_put(fmsg, name, atomic_read(count));
}

static void health_put_state(struct pnic_dev *pd, struct devlink_fmsg *fmsg)
{
	devlink_fmsg_string_pair_put(fmsg, "state", pnic_state_name(pnic_state(pd)));
	devlink_fmsg_bool_pair_put(fmsg, "held", pd->held);
	devlink_fmsg_u32_pair_put(fmsg, "epoch", pd->epoch);
	devlink_fmsg_string_pair_put(fmsg, "last_reset", READ_ONCE(pd->last_why) ?: "never");
	health_put_count(fmsg, "resets", &pd->stats.resets);
	health_put_count(fmsg, "nonsense", &pd->stats.nonsense);
	health_put_count(fmsg, "lost_interrupts", &pd->stats.lost_irqs);
	health_put_count(fmsg, "stray_events", &pd->stats.stray_events);
	health_put_count(fmsg, "pci_correctable", &pd->stats.pci_correctable);
	health_put_count(fmsg, "pci_nonfatal", &pd->stats.pci_nonfatal);
	health_put_count(fmsg, "pci_fatal", &pd->stats.pci_fatal);
}

static int health_diagnose_fw(struct devlink_health_reporter *reporter, struct devlink_fmsg *fmsg,
			      struct netlink_ext_ack *extack)
{
	struct pnic_dev *pd = devlink_health_reporter_priv(reporter);

	mutex_lock(&pd->reset_lock);
	health_put_state(pd, fmsg);
	if (pnic_reachable(pd)) {
		devlink_fmsg_u32_pair_put(fmsg, "status", pnic_rd32(pd, PNIC_REG_STATUS));
		devlink_fmsg_u32_pair_put(fmsg, "fatal_code", pnic_rd32(pd, PNIC_REG_FATAL_CODE));
		devlink_fmsg_u32_pair_put(fmsg, "fatal_info", pnic_rd32(pd, PNIC_REG_FATAL_INFO));
		devlink_fmsg_u32_pair_put(fmsg, "heartbeat", pnic_rd32(pd, PNIC_REG_HEARTBEAT));
	}
	mutex_unlock(&pd->reset_lock);
	return 0;
}

/* @ctx: what is wrong, NULL: somebody just wants to look. */
static int health_dump_fw(struct devlink_health_reporter *reporter, struct devlink_fmsg *fmsg,
			  void *ctx, struct netlink_ext_ack *extack)
{
	struct pnic_dev *pd = devlink_health_reporter_priv(reporter);
	const enum pnic_trouble *trouble = ctx;

	mutex_lock(&pd->reset_lock);
	if (trouble)
		devlink_fmsg_string_pair_put(fmsg, "trouble", pnic_trouble_text(*trouble));
	health_put_state(pd, fmsg);
	health_put_regs(pd, fmsg);
	mutex_unlock(&pd->reset_lock);
	return 0;
}

/* ---- admin ---- */

/**
 * struct health_admin - a copy of what there is of the admin queue
 * @asq: its commands
 * @acq: its completions
 * @tail: our producer index
 * @asq_head: the card's consumer index
 * @acq_head: our consumer index
 * @timeouts: commands without an answer
 * @late: answers that came too late
 * @busy: commands under way
 * @up: commands are taken
 */
struct health_admin {
	u8 asq[PNIC_ADMIN_SLOTS][PNIC_ASQE_SIZE];
	struct pnic_acqe acq[PNIC_ADMIN_SLOTS];
	u32 tail;
	u32 asq_head;
	u32 acq_head;
	u64 timeouts;
	u64 late;
	u32 busy;
	bool up;
};

static struct health_admin *health_admin_copy(struct pnic_dev *pd)
{
	struct pnic_admin *a = &pd->admin;
	struct health_admin *copy;
	int i;

	copy = kzalloc(sizeof(*copy), GFP_KERNEL);
	if (!copy)
		return NULL;
	spin_lock_irq(&a->lock);
	memcpy(copy->asq, a->asq, sizeof(copy->asq));
	memcpy(copy->acq, a->acq, sizeof(copy->acq));
	copy->tail = a->tail;
	copy->asq_head = a->asq_head;
	copy->acq_head = a->acq_head;
	copy->timeouts = a->timeouts;
	copy->late = a->late;
	copy->up = a->up;
	for (i = 0; i < PNIC_ADMIN_SLOTS; i++)
		copy->busy += a->slot[i].id.busy;
	spin_unlock_irq(&a->lock);
	return copy;
}

static void health_put_admin(struct devlink_fmsg *fmsg, const struct health_admin *a)
{
	devlink_fmsg_bool_pair_put(fmsg, "up", a->up);
	devlink_fmsg_u32_pair_put(fmsg, "commands", a->tail);
	devlink_fmsg_u32_pair_put(fmsg, "taken", a->asq_head);
	devlink_fmsg_u32_pair_put(fmsg, "answers", a->acq_head);
	devlink_fmsg_u32_pair_put(fmsg, "waiting", a->busy);
	devlink_fmsg_u64_pair_put(fmsg, "timeouts", a->timeouts);
	devlink_fmsg_u64_pair_put(fmsg, "late_answers", a->late);
}

/* The last commands, the newest first. */
static void health_put_commands(struct devlink_fmsg *fmsg, const struct health_admin *a)
{
	u32 n = min_t(u32, a->tail, PNIC_ADMIN_SLOTS), i;

	devlink_fmsg_arr_pair_nest_start(fmsg, "last_commands");
	for (i = 0; i < n; i++) {
		u32 at = (a->tail - 1 - i) & (PNIC_ADMIN_SLOTS - 1);
		const struct pnic_adm_hdr *hdr = (const void *)a->asq[at];

		devlink_fmsg_obj_nest_start(fmsg);
		devlink_fmsg_u32_pair_put(fmsg, "opcode", hdr->opcode);
		devlink_fmsg_u32_pair_put(fmsg, "id", le16_to_cpu(hdr->cid));
		devlink_fmsg_obj_nest_end(fmsg);
	}
	devlink_fmsg_arr_pair_nest_end(fmsg);
}

static void health_put_answers(struct devlink_fmsg *fmsg, const struct health_admin *a)
{
	u32 n = min_t(u32, a->acq_head, PNIC_ADMIN_SLOTS), i;

	devlink_fmsg_arr_pair_nest_start(fmsg, "last_answers");
	for (i = 0; i < n; i++) {
		const struct pnic_acqe *e = &a->acq[(a->acq_head - 1 - i) & (PNIC_ADMIN_SLOTS - 1)];

		devlink_fmsg_obj_nest_start(fmsg);
		devlink_fmsg_u32_pair_put(fmsg, "opcode", e->opcode);
		devlink_fmsg_u32_pair_put(fmsg, "id", le16_to_cpu(e->cid));
		devlink_fmsg_u32_pair_put(fmsg, "status", e->status);
		devlink_fmsg_obj_nest_end(fmsg);
	}
	devlink_fmsg_arr_pair_nest_end(fmsg);
}

static int health_diagnose_admin(struct devlink_health_reporter *reporter,
				 struct devlink_fmsg *fmsg, struct netlink_ext_ack *extack)
{
	struct health_admin *copy = health_admin_copy(devlink_health_reporter_priv(reporter));

	if (!copy)
		return -ENOMEM;
	health_put_admin(fmsg, copy);
	kfree(copy);
	return 0;
}

static int health_dump_admin(struct devlink_health_reporter *reporter, struct devlink_fmsg *fmsg,
			     void *ctx, struct netlink_ext_ack *extack)
{
	struct pnic_dev *pd = devlink_health_reporter_priv(reporter);
	const enum pnic_trouble *trouble = ctx;
	struct health_admin *copy = health_admin_copy(pd);

	if (!copy)
		return -ENOMEM;
	if (trouble)
		devlink_fmsg_string_pair_put(fmsg, "trouble", pnic_trouble_text(*trouble));
	health_put_admin(fmsg, copy);
	health_put_commands(fmsg, copy);
	health_put_answers(fmsg, copy);
	kfree(copy);
	mutex_lock(&pd->reset_lock);
	health_put_regs(pd, fmsg);
	mutex_unlock(&pd->reset_lock);
	return 0;
}

/* ---- lanes ---- */

static void health_put_alarms(struct devlink_fmsg *fmsg, unsigned long alarms)
{
	int bit;

	devlink_fmsg_arr_pair_nest_start(fmsg, "alarms");
	for_each_set_bit(bit, &alarms, 32)
		devlink_fmsg_string_put(fmsg, pnic_nl_alarm_name(BIT(bit)));
	devlink_fmsg_arr_pair_nest_end(fmsg);
}

/* Nothing of a card that does not serve, or has no lane management. */
static int health_put_link(struct pnic_dev *pd, struct devlink_fmsg *fmsg)
{
	struct pnic_link_view *view;
	int err = -EAGAIN;

	view = kzalloc(sizeof(*view), GFP_KERNEL);
	if (!view)
		return -ENOMEM;
	down_read(&pd->reg_lock);
	if (pd->lanes && pnic_state(pd) == PNIC_STATE_READY)
		err = pnic_lanes_link_view(pd, false, view);
	up_read(&pd->reg_lock);
	devlink_fmsg_bool_pair_put(fmsg, "served", !err);
	if (!err) {
		devlink_fmsg_bool_pair_put(fmsg, "up", view->state == PNIC_LINK_UP);
		devlink_fmsg_u32_pair_put(fmsg, "width", view->dir[PNIC_DIR_RX].width);
		devlink_fmsg_u32_pair_put(fmsg, "width_max", view->width_max);
		devlink_fmsg_u32_pair_put(fmsg, "generation", view->dir[PNIC_DIR_RX].generation);
		/* -1, codewords are lost, is 0 here. */
		devlink_fmsg_u32_pair_put(fmsg, "margin", max(view->margin, 0));
		devlink_fmsg_u32_pair_put(fmsg, "spares", view->lanes[LANE_SPARE]);
		devlink_fmsg_u32_pair_put(fmsg, "failed", view->lanes[LANE_FAILED]);
		devlink_fmsg_u64_pair_put(fmsg, "remaps", view->remaps);
		devlink_fmsg_u64_pair_put(fmsg, "downs", view->downs);
	}
	kfree(view);
	return 0;
}

static int health_diagnose_lanes(struct devlink_health_reporter *reporter,
				 struct devlink_fmsg *fmsg, struct netlink_ext_ack *extack)
{
	struct pnic_dev *pd = devlink_health_reporter_priv(reporter);

	health_put_alarms(fmsg, READ_ONCE(pd->devlink->alarms));
	return health_put_link(pd, fmsg);
}

static void health_put_history(struct pnic_history *h, struct devlink_fmsg *fmsg)
{
	struct pnic_history_entry entry;
	char text[LANE_NOTE_TEXT_MAX];
	u64 last = pnic_history_last(h), seq = 0;

	if (last > PNIC_HEALTH_NOTES)
		seq = last - PNIC_HEALTH_NOTES;
	devlink_fmsg_arr_pair_nest_start(fmsg, "history");
	while (pnic_history_next(h, seq, &entry) && entry.seq <= last) {
		seq = entry.seq;
		lane_note_text(&entry.note, text, sizeof(text));
		devlink_fmsg_string_put(fmsg, text);
	}
	devlink_fmsg_arr_pair_nest_end(fmsg);
}

static int health_dump_lanes(struct devlink_health_reporter *reporter, struct devlink_fmsg *fmsg,
			     void *ctx, struct netlink_ext_ack *extack)
{
	struct pnic_dev *pd = devlink_health_reporter_priv(reporter);
	int err;

	health_put_alarms(fmsg, READ_ONCE(pd->devlink->alarms));
	err = health_put_link(pd, fmsg);
	/* Pairs with the release in pnic_lanes_start(). */
	if (!err && smp_load_acquire(&pd->lanes))
		health_put_history(pnic_lanes_history(pd), fmsg);
	return err;
}

/* ---- reports ---- */

static const struct devlink_health_reporter_ops pnic_health_ops[PNIC_REPORTERS] = {
	[PNIC_REPORTER_FW] = {
		.name		= "fw_fatal",
		.recover	= health_recover,
		.dump		= health_dump_fw,
		.diagnose	= health_diagnose_fw,
		.test		= health_test_fw,
	},
	[PNIC_REPORTER_ADMIN] = {
		.name		= "admin",
		.recover	= health_recover,
		.dump		= health_dump_admin,
		.diagnose	= health_diagnose_admin,
		.test		= health_test_admin,
	},
	[PNIC_REPORTER_LANES] = {
		.name		= "lanes",
		.recover	= health_recover_lanes,
		.dump		= health_dump_lanes,
		.diagnose	= health_diagnose_lanes,
	},
};

/* By the reset work only, so that there is one at a time. */
bool pnic_health_report(struct pnic_dev *pd, enum pnic_trouble trouble)
{
	struct devlink_health_reporter *reporter;
	int err;

	reporter = pd->devlink->reporter[reporter_of(trouble)];
	pd->devlink->called = false;
	err = devlink_health_report(reporter, pnic_trouble_text(trouble), &trouble);
	/* Nobody was called to recover it, and not because of an earlier failure. */
	return !err && !READ_ONCE(pd->devlink->called);
}

static void health_alarms_changed(struct pnic_devlink *pdl)
{
	struct devlink_health_reporter *lanes = pdl->reporter[PNIC_REPORTER_LANES];
	u32 now = READ_ONCE(pdl->alarms), before = pdl->told;

	pdl->told = now;
	if (now & ~before)
		devlink_health_report(lanes, pnic_nl_alarm_name(BIT(__ffs(now & ~before))), pdl);
	else if (!now && before)
		devlink_health_reporter_state_update(lanes, DEVLINK_HEALTH_REPORTER_STATE_HEALTHY);
}

static void health_work(struct work_struct *work)
{
	struct pnic_devlink *pdl = container_of(work, struct pnic_devlink, work);

	health_alarms_changed(pdl);
}

void pnic_health_alarms(struct pnic_dev *pd, u32 alarms)
{
	WRITE_ONCE(pd->devlink->alarms, alarms);
	queue_work(pnic_wq, &pd->devlink->work);
}

/* Called by the reset work, for the same reason. */
void pnic_health_served(struct pnic_dev *pd)
{
	enum pnic_reporter i;

	for (i = PNIC_REPORTER_FW; i <= PNIC_REPORTER_ADMIN; i++)
		devlink_health_reporter_state_update(pd->devlink->reporter[i],
						     DEVLINK_HEALTH_REPORTER_STATE_HEALTHY);
}

/*
 * The card did not come up. Called by the reset work. devlink does not recover what it takes for
 * healthy, whoever asks.
 */
void pnic_health_failed(struct pnic_dev *pd)
{
	devlink_health_reporter_state_update(pd->devlink->reporter[PNIC_REPORTER_FW],
					     DEVLINK_HEALTH_REPORTER_STATE_ERROR);
}

/* Nobody reports any more when this returns. */
void pnic_health_stop(struct pnic_dev *pd)
{
	cancel_work_sync(&pd->devlink->work);
}

int pnic_health_create(struct pnic_devlink *pdl)
{
	struct devlink *devlink = priv_to_devlink(pdl);
	struct devlink_health_reporter *reporter;
	int i;

	INIT_WORK(&pdl->work, health_work);
	for (i = 0; i < PNIC_REPORTERS; i++) {
		reporter = devlink_health_reporter_create(devlink, &pnic_health_ops[i], pdl->pd);
		if (IS_ERR(reporter)) {
			pnic_health_destroy(pdl);
			return PTR_ERR(reporter);
		}
		pdl->reporter[i] = reporter;
	}
	return 0;
}

void pnic_health_destroy(struct pnic_devlink *pdl)
{
	int i;

	for (i = 0; i < PNIC_REPORTERS; i++)
		if (pdl->reporter[i])
			devlink_health_reporter_destroy(pdl->reporter[i]);
}
