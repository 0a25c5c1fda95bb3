/* SPDX-License-Identifier: GPL-2.0 */
/* The knobs of the lane manager in a file: JSON with each knob by its name. */
#ifndef PNIC_TOOL_POLICY_FILE_H
#define PNIC_TOOL_POLICY_FILE_H

#include "pnic.h"

/* Writes the file so that at any moment it is the old one or the new one. 0, or ST_FAILED. */
int policy_write(const char *path, const struct policy *policy);
/* Reads the knobs back; those that aren't in the file are left out. 0, or ST_FAILED. */
int policy_read(const char *path, struct policy *policy);

#endif /* PNIC_TOOL_POLICY_FILE_H */
