// SPDX-License-Identifier: GPL-2.0
/*
 * CRC32C by the SSE 4.2 instruction, and by a table where there is none. Called for damaged
 * frames only.
 */
#include <pthread.h>
#include <string.h>

#include "crc32c.h"

#define POLY	0x82f63b78u	/* reflected */

static uint32_t table[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_table(void)
{
	uint32_t i, bit, crc;

	for (i = 0; i < 256; i++) {
		crc = i;
		for (bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? POLY : 0);
		table[i] = crc;
	}
}

uint32_t pm_crc32c_table(const void *buf, size_t len)
{
	const uint8_t *p = buf;
	uint32_t crc = ~0u;

	pthread_once(&once, make_table);
	while (len--)
		crc = (crc >> 8) ^ table[(crc ^ *p++) & 0xff];
	return ~crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2")))
static uint32_t crc32c_sse(const uint8_t *p, size_t len)
{
	uint64_t crc = ~0u, word;

	for (; len >= sizeof(word); len -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		crc = __builtin_ia32_crc32di(crc, word);
	}
	while (len--)
		crc = __builtin_ia32_crc32qi((uint32_t)crc, *p++);
	return ~(uint32_t)crc;
}

uint32_t pm_crc32c(const void *buf, size_t len)
{
	if (__builtin_cpu_supports("sse4.2"))
		return crc32c_sse(buf, len);
	return pm_crc32c_table(buf, len);
}
#else
uint32_t pm_crc32c(const void *buf, size_t len)
{
	return pm_crc32c_table(buf, len);
}
#endif
