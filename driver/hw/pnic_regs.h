/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Control registers of a pnic card (BAR 0), its PCI identity and its BARs.
 *
 * No code. Included by the driver and by the model of the card, by nobody
 * else; Documentation/hardware-interface.rst explains every name.
 *
 * All registers are 32 bits wide, little endian, naturally aligned. A read of
 * an undefined offset gives 0, a write to one is dropped. A card that is gone
 * reads all ones: PNIC_REG_ID can never be all ones.
 */
#ifndef PNIC_HW_REGS_H
#define PNIC_HW_REGS_H

/* PCI identity: placeholders, "PN" "IC"; no vendor has been assigned. */
#define PNIC_PCI_VENDOR_ID		0x504e
#define PNIC_PCI_DEVICE_ID		0x4943
#define PNIC_PCI_CLASS			0x028000	/* network, other */

#define PNIC_BAR_REGS			0	/* control registers, trapped */
#define PNIC_BAR_MSIX			2	/* MSI-X table and PBA */
#define PNIC_BAR_DB			4	/* doorbell pages, then wake pages */

#define PNIC_BAR_REGS_SIZE		0x10000
#define PNIC_BAR_MSIX_SIZE		0x8000
#define PNIC_MSIX_TABLE_OFF		0x0000
#define PNIC_MSIX_PBA_OFF		0x4000

/* Identification. */
#define PNIC_REG_ID			0x0000
#define  PNIC_ID_MAGIC			0x43494e50	/* "PNIC" */
#define PNIC_REG_VERSION		0x0004
#define  PNIC_VERSION_MAJOR		0xffff0000u	/* incompatible when it differs */
#define  PNIC_VERSION_MINOR		0x0000ffffu	/* only adds */
#define  PNIC_HW_MAJOR			1
#define  PNIC_HW_MINOR			2
#define PNIC_REG_CAPS_LO		0x0008
#define  PNIC_CAP_LO_PARK		0x00000001u	/* park word and wake pages */
#define  PNIC_CAP_LO_ATOMICS		0x00000002u	/* fetch-add, compare-swap */
#define  PNIC_CAP_LO_LANES		0x00000004u	/* lane table, maps, management channel */
#define  PNIC_CAP_LO_STANDBY		0x00000008u	/* mends lost lanes by a standby plan */
#define  PNIC_CAP_LO_LANE_TEST		0x00000010u	/* LANE_TEST */
#define  PNIC_CAP_LO_SRQ		0x00000020u	/* shared receive queues */
#define  PNIC_CAP_LO_COUNTER		0x00000040u	/* completion counters */
#define  PNIC_CAP_LO_SIGNAL		0x00000080u	/* WRITE_SIGNAL */
#define  PNIC_CAP_LO_QUIET		0x00000100u	/* descriptors with QUIET */
#define  PNIC_CAP_LO_CANCEL		0x00000200u	/* CANCEL_RECV */
#define  PNIC_CAP_LO_MR_MOVE		0x00000400u	/* MR_SUSPEND, MR_RESUME */
#define PNIC_REG_CAPS_HI		0x000c		/* reserved, 0 */

/* State and control. */
#define PNIC_REG_CTRL			0x0010
#define  PNIC_CTRL_ENABLE		0x00000001u
#define  PNIC_CTRL_RESET		0x00000002u	/* self-clearing; same effect as FLR */
#define PNIC_REG_STATUS			0x0014
#define  PNIC_STATUS_READY		0x00000001u	/* follows CTRL.ENABLE */
#define  PNIC_STATUS_FATAL		0x00000002u	/* stopped; reset is the only way on */
#define  PNIC_STATUS_RESETTING		0x00000004u
#define PNIC_REG_FATAL_CODE		0x0018
#define  PNIC_FATAL_NONE		0
#define  PNIC_FATAL_ADMIN_RING		1	/* bad admin ring set-up or index */
#define  PNIC_FATAL_DMA			2	/* DMA fault on a ring of the driver */
#define  PNIC_FATAL_EQ_OVERRUN		3
#define  PNIC_FATAL_INTERNAL		4
#define PNIC_REG_FATAL_INFO		0x001c		/* code specific: ring number, index */
#define PNIC_REG_TIMEOUT		0x0020
#define  PNIC_TIMEOUT_READY		0x0000ffffu	/* ENABLE to READY, and reset, in ms */
#define  PNIC_TIMEOUT_ADMIN		0xffff0000u	/* any admin command, in ms */
#define  PNIC_TIMEOUT_MAX_MS		10000		/* of each */
#define PNIC_REG_HEARTBEAT		0x0024		/* counts at least every 100 ms in READY */
#define PNIC_REG_DB_PAGES		0x0028		/* in BAR 4; as many wake pages follow */
#define PNIC_REG_CLOCK_LO		0x0030		/* link clock, ns; reading LO latches HI */
#define PNIC_REG_CLOCK_HI		0x0034

/* Admin rings: written while STATUS.READY is 0, looked at when ENABLE is set. */
#define PNIC_REG_ASQ_BASE_LO		0x0040		/* DMA address, 4 KiB aligned */
#define PNIC_REG_ASQ_BASE_HI		0x0044
#define PNIC_REG_ACQ_BASE_LO		0x0048
#define PNIC_REG_ACQ_BASE_HI		0x004c
#define PNIC_REG_ADMIN_SIZE		0x0050
#define  PNIC_ADMIN_SIZE_ASQ		0x0000ffffu	/* log2 of entries, 1..PNIC_ADMIN_LOG_MAX */
#define  PNIC_ADMIN_SIZE_ACQ		0xffff0000u	/* log2, not smaller than the ASQ's */
#define  PNIC_ADMIN_LOG_MAX		8
#define PNIC_REG_ASQ_TAIL		0x0060		/* doorbell: free-running producer index */
#define PNIC_REG_ACQ_HEAD		0x0064		/* doorbell: free-running consumer index */

/* Event queue n's consumer index. */
#define PNIC_REG_EQ_HEAD(n)		(0x1000 + 8 * (n))
#define PNIC_REG_EQ_ARM(n)		(0x1004 + 8 * (n))	/* consumer index; also arms */

#define PNIC_EQ_MAX			64		/* upper bound; IDENTIFY tells the card's */

#endif /* PNIC_HW_REGS_H */
