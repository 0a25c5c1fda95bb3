/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* What the MPI programs of the tests share: patterns, and which provider a process has. */
#ifndef MPI_VERIFY_H
#define MPI_VERIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Word @i of the pattern @seed. Neighbouring words and seeds differ in all bytes. */
static inline uint64_t verify_word(uint64_t seed, size_t i)
{
	return (seed * 0x9e3779b97f4a7c15ull ^ (i + 1)) * 0xbf58476d1ce4e5b9ull;
}

/* By words, as the guest's processor is slow. */
static inline void verify_fill(void *mem, size_t len, uint64_t seed)
{
	size_t i, words = len / 8;
	unsigned char *p = mem;
	uint64_t w;

	for (i = 0; i < words; i++) {
		w = verify_word(seed, i);
		memcpy(p + i * 8, &w, 8);
	}
	w = verify_word(seed, words);
	memcpy(p + words * 8, &w, len % 8);
}

static inline bool verify_same(const void *mem, size_t len, uint64_t seed)
{
	size_t i, words = len / 8;
	const unsigned char *p = mem;
	uint64_t w, there;

	for (i = 0; i < words; i++) {
		memcpy(&there, p + i * 8, 8);
		if (there != verify_word(seed, i))
			return false;
	}
	w = verify_word(seed, words);
	return !memcmp(p + words * 8, &w, len % 8);
}

/* The path of libpnic-fi.so in this process's maps, or NULL. */
static inline const char *verify_provider(void)
{
	static char line[512];
	FILE *maps = fopen("/proc/self/maps", "r");
	char *path;

	while (maps && fgets(line, sizeof(line), maps)) {
		path = strstr(line, "libpnic-fi.so") ? strchr(line, '/') : NULL;
		if (path) {
			fclose(maps);
			path[strcspn(path, "\n")] = 0;
			return path;
		}
	}
	if (maps)
		fclose(maps);
	return NULL;
}

#endif /* MPI_VERIFY_H */
