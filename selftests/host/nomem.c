// SPDX-License-Identifier: GPL-2.0
/*
 * The library's allocations, and nobody else's, for programs that make them fail: the Makefile beside this file links a
 * library in which calloc() and its like are those below.
 */
#include <stdbool.h>
#include <stdlib.h>

/* nomem.h */
unsigned int nomem_at, nomem_every, nomem_failed;

void *nomem_calloc(size_t n, size_t size);
void *nomem_malloc(size_t size);
void *nomem_realloc(void *p, size_t size);

static unsigned int made;

static bool fails(void)
{
	bool fail = nomem_at && !--nomem_at;

	if (nomem_every && ++made % nomem_every == 0)
		fail = true;
	nomem_failed += fail;
	return fail;
}

void *nomem_calloc(size_t n, size_t size)
{
	return fails() ? NULL : calloc(n, size);
}

void *nomem_malloc(size_t size)
{
	return fails() ? NULL : malloc(size);
}

void *nomem_realloc(void *p, size_t size)
{
	return fails() ? NULL : realloc(p, size);
}
