/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Event queue entries of a pnic card.
 *
 * No code. Included by the driver and by the model, by nobody else.
 */
#ifndef PNIC_HW_EVENT_H
#define PNIC_HW_EVENT_H

#include <linux/types.h>

#define PNIC_EQE_SIZE			32

enum pnic_event_type {
	PNIC_EV_NONE		= 0,
	PNIC_EV_ADMIN		= 1,	/* the admin completion ring has entries (EQ 0 only) */
	PNIC_EV_CQ		= 2,	/* id: an armed CQ got an entry */
	PNIC_EV_CQ_ERROR	= 3,	/* id: CQ overrun, DMA fault; code: enum pnic_cqe_status */
	PNIC_EV_EP_ERROR	= 4,	/* id: endpoint stopped; code: enum pnic_cqe_status */
	PNIC_EV_LINK		= 5,	/* code: enum pnic_link_state; data[0]: payload kb/s */
	PNIC_EV_LANE		= 6,	/* id: receive lane; code: enum pnic_lane_cause */
	/*
	 * code: direction; id: generation now active; data[0]: link clock of the switch, ns;
	 * data[1]: by a standby plan: link clock at which the loss was detected, ns; else 0
	 */
	PNIC_EV_MAP		= 7,
	PNIC_EV_MGMT		= 8,	/* a management message waits for MGMT_RECV */
	PNIC_EV_FATAL		= 9,	/* code: PNIC_FATAL_* */
	PNIC_EV_CTR		= 10,	/* id: an armed counter has reached its threshold */
};

/*
 * Lane, link, map, management, fatal and admin events go to EQ 0, CQ and counter events to that of
 * the CQ or counter, EP_ERROR to that of the endpoint's send CQ. What a type gives no meaning is 0.
 */
struct pnic_eqe {
	__u8	type;		/* enum pnic_event_type */
	__u8	rsvd0;
	__le16	code;
	__le32	id;
	__le64	data[2];
	__le32	clock_us;	/* low 32 bits of the link clock in us */
	__le32	phase;		/* bit 0, as in struct pnic_acqe; written last */
};

#endif /* PNIC_HW_EVENT_H */
