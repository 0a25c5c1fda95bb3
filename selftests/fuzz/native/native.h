/* SPDX-License-Identifier: GPL-2.0 */
/* The entry that libFuzzer calls with one input after the other, in one process. Always 0. */
#ifndef PNIC_FUZZ_NATIVE_H
#define PNIC_FUZZ_NATIVE_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* PNIC_FUZZ_NATIVE_H */
