/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Firmware of a port whose owner has no driver: a switch's port, or the far
 * end of a link in a test.
 *
 * It is the same lane policy and protocol (driver/lane/) that the driver runs for
 * a NIC. The port's owner makes one for each port and passes the link's events on.
 */
#ifndef PM_PORTFW_H
#define PM_PORTFW_H

#include "link.h"

struct pm_portfw;
struct lane_note;
struct lane_agent_cfg;
struct lane_agent;

/* @port must live longer. NULL: no memory, or the link makes no sense. */
struct pm_portfw *pm_portfw_new(struct pm_sim *sim, struct pm_port *port);
/* The same with judgement of the caller's; *@cfg is pm_portfw_config()'s, changed. */
struct pm_portfw *pm_portfw_new_cfg(struct pm_sim *sim, struct pm_port *port,
				    const struct lane_agent_cfg *cfg);
void pm_portfw_config(struct pm_port *port, struct lane_agent_cfg *cfg);
void pm_portfw_free(struct pm_portfw *fw);
/* What the firmware knows, for requests and looks; pm_portfw_kick() after what gives it work. */
struct lane_agent *pm_portfw_agent(struct pm_portfw *fw);
void pm_portfw_kick(struct pm_portfw *fw);
/* To be called from the port's event callback. */
void pm_portfw_event(struct pm_portfw *fw, const struct pm_link_event *ev);
/* Each note of what is seen and decided, as it comes; NULL: nobody listens. */
void pm_portfw_listen(struct pm_portfw *fw, void (*note)(void *arg, const struct lane_note *note),
		      void *arg);

#endif /* PM_PORTFW_H */
