/* SPDX-License-Identifier: GPL-2.0 */
/* CRC32C (Castagnoli, reflected, initial value and final inversion all ones), by frame.c. */
#ifndef PM_CRC32C_H
#define PM_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t pm_crc32c(const void *buf, size_t len);
uint32_t pm_crc32c_table(const void *buf, size_t len);	/* for machines without the instruction */

#endif /* PM_CRC32C_H */
