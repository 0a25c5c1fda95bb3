/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which state of a device may follow which. Pure, so that the host tests have it too.
 */
#ifndef PNIC_STATE_TABLE_H
#define PNIC_STATE_TABLE_H

/**
 * enum pnic_state - where a device is in its life
 * @PNIC_STATE_PROBING: not yet visible
 * @PNIC_STATE_READY: serves
 * @PNIC_STATE_RESETTING: the contexts are gone, the card is being brought up again
 * @PNIC_STATE_FAILED: bring-up failed, and is tried again from time to time; or an administrator
 *	wants to do that himself
 * @PNIC_STATE_LOST: the bus does not lead to the card: the PCI core is mending an error, or the
 *	registers read all ones. Nobody touches the card, and its memory is kept, until the
 *	bus works again or the card is known to be gone
 * @PNIC_STATE_SUSPENDED: the contexts are gone, the card sleeps
 * @PNIC_STATE_GONE: removed, or the card is not on the bus any more; the last
 * @PNIC_STATES: how many there are
 */
enum pnic_state {
	PNIC_STATE_PROBING,
	PNIC_STATE_READY,
	PNIC_STATE_RESETTING,
	PNIC_STATE_FAILED,
	PNIC_STATE_LOST,
	PNIC_STATE_SUSPENDED,
	PNIC_STATE_GONE,
	PNIC_STATES
};

bool pnic_state_legal(enum pnic_state from, enum pnic_state to);
/* Somebody is at it: who wants to use the device waits for what follows. */
bool pnic_state_passing(enum pnic_state state);
const char *pnic_state_name(enum pnic_state state);

#endif /* PNIC_STATE_TABLE_H */
