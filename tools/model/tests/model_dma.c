// SPDX-License-Identifier: GPL-2.0
/*
 * The DMA table by itself: is every address translated to just the byte that
 * the client mapped there?
 *
 * The test keeps a plain model beside the table, one entry for each 256-byte piece of a small
 * address space, and compares after every random map and unmap.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "dma.h"
#include "selftests/ktap.h"

#define PIECE		256
#define PIECES		256
#define FILES		3
#define FILE_PIECES	64
#define BASE		0xffffffff00000000ull

struct piece {
	int file;		/* -1: nothing, FILES: mapped without memory */
	unsigned int at;	/* piece of the file */
	uint32_t prot;
};

static int file[FILES];
static uint64_t seed = 1;

static uint32_t draw(uint32_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 33) % n;
}

/* Each piece of each file begins with its own number. */
static void make_files(void)
{
	uint32_t word;
	int f, i;

	for (f = 0; f < FILES; f++) {
		file[f] = memfd_create("dma", MFD_CLOEXEC);
		REQUIRE_OK(ftruncate(file[f], FILE_PIECES * PIECE));
		for (i = 0; i < FILE_PIECES; i++) {
			word = f << 16 | i;
			REQUIRE_EQ(pwrite(file[f], &word, 4, i * PIECE), 4);
		}
	}
}

static bool agrees(struct dma_table *t, const struct piece *want, unsigned int i, bool write)
{
	bool mapped = want->file >= 0 && want->file < FILES &&
		      want->prot & (write ? DMA_WRITE : DMA_READ);
	size_t len = PIECE;
	uint32_t *p = dma_translate(t, BASE + i * PIECE, &len, write);

	if (!mapped)
		return !p;
	return p && len == PIECE && *p == ((uint32_t)want->file << 16 | want->at);
}

static unsigned int differing(struct dma_table *t, const struct piece *model)
{
	unsigned int i, n = 0;

	for (i = 0; i < PIECES; i++)
		n += !agrees(t, &model[i], i, false) + !agrees(t, &model[i], i, true);
	return n;
}

static void random_map(struct dma_table *t, struct piece *model)
{
	unsigned int first = draw(PIECES), n = 1 + draw(16), i, at;
	int f = draw(FILES + 1), err;
	uint32_t prot = draw(4);
	bool taken = false;

	if (first + n > PIECES)
		n = PIECES - first;
	at = draw(FILE_PIECES - n + 1);
	for (i = 0; i < n; i++)
		taken |= model[first + i].file >= 0;
	err = dma_map(t, BASE + first * PIECE, n * PIECE, prot, f < FILES ? file[f] : -1, at * PIECE);
	/* Identical to what is there would be right too, and changes nothing either. */
	CHECK(taken ? err == -EEXIST || err == 0 : err == 0);
	for (i = 0; !taken && i < n; i++)
		model[first + i] = (struct piece){ f, at + i, prot };
}

static void random_unmap(struct dma_table *t, struct piece *model)
{
	unsigned int first = draw(PIECES), n = 1 + draw(40), i;

	if (first + n > PIECES)
		n = PIECES - first;
	CHECK_EQ(dma_unmap(t, BASE + first * PIECE, BASE + (first + n) * PIECE - 1), 0);
	for (i = 0; i < n; i++)
		model[first + i].file = -1;
}

KTAP_TEST(random_maps_and_unmaps)
{
	struct piece model[PIECES];
	struct dma_table t = {};
	unsigned int i;

	make_files();
	for (i = 0; i < PIECES; i++)
		model[i].file = -1;
	for (i = 0; i < 20000; i++) {
		if (draw(3))
			random_map(&t, model);
		else
			random_unmap(&t, model);
		REQUIRE_EQ(differing(&t, model), 0);
		REQUIRE(dma_files() <= FILES);
	}
	dma_clear(&t);
	CHECK_EQ(dma_files(), 0);
	for (i = 0; i < FILES; i++)
		close(file[i]);
}

KTAP_TEST(a_file_is_mapped_once)
{
	struct dma_table a = {}, b = {};
	size_t len = 16;
	char *p, *q;
	int fd = memfd_create("once", MFD_CLOEXEC), again;

	REQUIRE_OK(ftruncate(fd, 1 << 20));
	again = dup(fd);
	CHECK_EQ(dma_map(&a, 0, 0x1000, 3, fd, 0), 0);
	CHECK_EQ(dma_map(&a, 0x5000, 0x1000, 3, again, 0x1000), 0);
	CHECK_EQ(dma_map(&b, 0x1000, 0x1000, 3, again, 0), 0);
	close(fd);
	close(again);
	CHECK_EQ(dma_files(), 1);
	p = dma_translate(&a, 0, &len, true);
	q = dma_translate(&b, 0x1000, &len, true);
	REQUIRE(p && p == q);
	/* Lives as long as any range does, and no longer. */
	dma_clear(&a);
	*q = 1;
	CHECK_EQ(dma_files(), 1);
	dma_clear(&b);
	CHECK_EQ(dma_files(), 0);
}

KTAP_TEST(a_file_that_grew)
{
	struct dma_table t = {};
	size_t len = 0x2000;
	char *p;
	int fd = memfd_create("grows", MFD_CLOEXEC);

	REQUIRE_OK(ftruncate(fd, 0x1000));
	CHECK_EQ(dma_map(&t, 0, 0x1000, 3, fd, 0), 0);
	CHECK_EQ(dma_map(&t, 0x1000, 0x1000, 3, fd, 0x1000), -EINVAL);
	REQUIRE_OK(ftruncate(fd, 0x2000));
	CHECK_EQ(dma_map(&t, 0x1000, 0x1000, 3, fd, 0x1000), 0);
	p = dma_translate(&t, 0x1ff0, &len, true);
	REQUIRE(p);
	CHECK_EQ(len, 16);
	*p = 7;
	dma_clear(&t);
	CHECK_EQ(dma_files(), 0);
	close(fd);
}

/* Two clients may share a file; what one may write the other may only if its own descriptor says so. */
KTAP_TEST(open_for_reading_only)
{
	struct dma_table a = {}, b = {};
	int fd = memfd_create("shared", MFD_CLOEXEC), ro;
	char path[32];

	REQUIRE_OK(ftruncate(fd, 0x1000));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY | O_CLOEXEC);
	REQUIRE_OK(ro);
	CHECK_EQ(dma_map(&b, 0, 0x1000, DMA_WRITE, ro, 0), -EACCES);
	CHECK_EQ(dma_map(&a, 0, 0x1000, 3, fd, 0), 0);
	CHECK_EQ(dma_map(&b, 0, 0x1000, 3, ro, 0), -EACCES);
	CHECK_EQ(dma_map(&b, 0, 0x1000, DMA_READ, ro, 0), 0);
	dma_clear(&a);
	dma_clear(&b);
	CHECK_EQ(dma_files(), 0);
	close(ro);
	close(fd);
}

/* A client that shortens its file loses its memory, and the model nothing. */
KTAP_TEST(a_file_that_shrank)
{
	struct dma_table t = {};
	size_t len = 0x4000;
	int fd = memfd_create("shrinks", MFD_CLOEXEC);
	volatile char *p;

	dma_survive();
	REQUIRE_OK(ftruncate(fd, 0x4000));
	CHECK_EQ(dma_map(&t, 0, 0x4000, 3, fd, 0), 0);
	p = dma_translate(&t, 0, &len, true);
	REQUIRE(p);
	p[0x3000] = 7;
	REQUIRE_OK(ftruncate(fd, 0x1000));
	CHECK_EQ(p[0x3000], 0);
	p[0x1fff] = 1;
	CHECK(!dma_translate(&t, 0, &len, false));
	/* It may come with it anew. */
	CHECK_EQ(dma_map(&t, 0x10000, 0x1000, 3, fd, 0), 0);
	p = dma_translate(&t, 0x10000, &len, true);
	REQUIRE(p);
	*p = 1;
	dma_clear(&t);
	CHECK_EQ(dma_files(), 0);
	close(fd);
}

KTAP_TEST(last_byte_of_the_address_space)
{
	struct dma_table t = {};
	int fd = memfd_create("last", MFD_CLOEXEC);
	size_t len = 4096;

	REQUIRE_OK(ftruncate(fd, 0x1000));
	CHECK_EQ(dma_map(&t, -0x1000ull, 0x1000, 3, fd, 0), 0);
	CHECK(dma_translate(&t, UINT64_MAX, &len, true));
	CHECK_EQ(len, 1);
	CHECK(!dma_translate(&t, 0, &len, false));
	CHECK_EQ(dma_unmap(&t, -0x800ull, UINT64_MAX), 0);
	CHECK(!dma_translate(&t, UINT64_MAX, &len, true));
	len = 4096;
	CHECK(dma_translate(&t, -0x1000ull, &len, true));
	CHECK_EQ(len, 0x800);
	CHECK_EQ(dma_unmap(&t, 0, UINT64_MAX), 0);
	CHECK_EQ(dma_files(), 0);
	dma_clear(&t);
	close(fd);
}

KTAP_MAIN()
