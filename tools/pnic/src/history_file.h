/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is kept of a cable in a file: JSON with the version of the form, the cable's serial
 * number, its lanes, a record for each lane that has one, and the history.
 */
#ifndef PNIC_TOOL_HISTORY_FILE_H
#define PNIC_TOOL_HISTORY_FILE_H

#include "pnic.h"

#define HISTORY_FORMAT	"pnic-history"
#define HISTORY_VERSION	1

/*
 * Writes the file so that at any moment it is the old one or the new one, whole. In a directory
 * it is named by the cable's serial number. @path gets its name. 0, or ST_FAILED and it was said.
 */
int history_write(const char *where, const struct dev *dev, const struct cable *cable,
		  const struct list *entries, char *path, size_t size);
/*
 * Reads the file back into @cable: @cable_serial and @lanes are what it must be of. 0, or
 * ST_FAILED and it was said.
 */
int history_read(const char *where, const char *cable_serial, uint32_t lanes,
		 struct cable *cable, char *path, size_t size);

#endif /* PNIC_TOOL_HISTORY_FILE_H */
