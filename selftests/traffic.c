// SPDX-License-Identifier: GPL-2.0
/* Verified traffic between two ends by libpnic, see traffic.h. */
#include "traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "device.h"

static int make(struct end *e, const struct end_attr *attr)
{
	uint32_t sq = attr->sq_slots ? attr->sq_slots : 256;
	uint32_t rq = attr->rq_entries ? attr->rq_entries : 256;
	struct pnic_cq_attr ca = {
		.size = sizeof(ca), .flags = attr->cq_flags,
		.entries = pnic_cq_entries(sq, rq, 1),
	};
	struct pnic_ep_attr ea = {
		.size = sizeof(ea), .flags = attr->ep_flags, .sq_slots = sq, .rq_entries = rq,
		.rnr_timeout_us = attr->rnr_timeout_us,
	};
	int err;

	e->mem = mmap(NULL, e->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (e->mem == MAP_FAILED) {
		e->mem = NULL;
		return -ENOMEM;
	}
	err = pnic_mr_reg(e->ctx, e->mem, e->size, attr->rights ? attr->rights : ALL_RIGHTS, &e->mr);
	if (err)
		return err;
	err = pnic_cq_create(e->ctx, &ca, &e->cq);
	if (err)
		return err;
	ea.send_cq = e->cq;
	err = pnic_ep_create(e->ctx, &ea, &e->ep);
	if (err)
		return err;
	return pnic_ep_addr(e->ep, &e->addr);
}

int end_open(struct end *e, unsigned int nic, const struct end_attr *attr)
{
	char name[128];

	return end_open_name(e, dev_name(nic, name, sizeof(name)), attr);
}

int end_open_name(struct end *e, const char *name, const struct end_attr *attr)
{
	struct pnic_open_attr oa = { .size = sizeof(oa), .partition = attr->partition };
	int err;

	memset(e, 0, sizeof(*e));
	e->size = attr->size;
	err = pnic_open(name, &oa, &e->ctx);
	if (err)
		return err;
	err = make(e, attr);
	if (err)
		end_close(e);
	return err;
}

void end_close(struct end *e)
{
	pnic_close(e->ctx);
	if (e->mem)
		munmap(e->mem, e->size);
	memset(e, 0, sizeof(*e));
}

int end_add_ep(struct end *e, uint32_t sq_slots, uint32_t rq_entries, struct pnic_ep **ep)
{
	struct pnic_ep_attr ea = {
		.size = sizeof(ea), .sq_slots = sq_slots, .rq_entries = rq_entries,
		.send_cq = e->cq, .rnr_timeout_us = 1000000,
	};

	return pnic_ep_create(e->ctx, &ea, ep);
}

int end_wait(struct end *e, struct pnic_wc *wc, int timeout_ms)
{
	int err;

	while (!pnic_poll(e->cq, wc, 1)) {
		err = pnic_wait(e->cq, timeout_ms);
		if (err)
			return err;
	}
	return 0;
}

int end_status(struct end *e, int timeout_ms)
{
	struct pnic_wc wc;
	int err = end_wait(e, &wc, timeout_ms);

	return err ? err : wc.status;
}

bool end_quiet(struct end *e, unsigned int ms)
{
	return pnic_wait(e->cq, ms) == -ETIMEDOUT;
}

/* Eight bytes of a pattern: a mix that differs in every byte for neighbours. */
static uint64_t pattern_word(uint64_t seed, uint64_t index)
{
	uint64_t x = (seed ^ (index + 1)) * 0x9e3779b97f4a7c15ull;

	x ^= x >> 29;
	return x * 0xbf58476d1ce4e5b9ull;
}

void pattern_fill(void *buf, size_t len, uint64_t seed)
{
	uint8_t *p = buf;
	uint64_t word, i;

	for (i = 0; i < len / 8; i++) {
		word = pattern_word(seed, i);
		memcpy(p + 8 * i, &word, 8);
	}
	word = pattern_word(seed, i);
	memcpy(p + 8 * i, &word, len % 8);
}

size_t pattern_check(const void *buf, size_t len, uint64_t seed)
{
	const uint8_t *p = buf;
	uint64_t word, got;
	size_t i, k;

	for (i = 0; i < len; i += 8) {
		word = pattern_word(seed, i / 8);
		if (len - i >= 8) {
			memcpy(&got, p + i, 8);
			if (got == word)
				continue;
		}
		for (k = 0; k < 8 && i + k < len; k++)
			if (p[i + k] != (uint8_t)(word >> 8 * k))
				return i + k;
	}
	return len;
}

size_t byte_check(const void *buf, size_t len, uint8_t byte)
{
	const uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] != byte)
			return i;
	return len;
}

uint64_t random_u64(uint64_t *state)
{
	uint64_t x = *state ? *state : 1;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return x * 0x2545f4914f6cdd1dull;
}

uint32_t random_below(uint64_t *state, uint32_t n)
{
	return (random_u64(state) >> 32) % n;
}
