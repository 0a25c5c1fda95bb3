// SPDX-License-Identifier: GPL-2.0
/*
 * Frames: their memory, their bytes on the line, their CRC32C, and what an uncorrectable
 * codeword does to them.
 *
 * A frame that FEC handed over whole is intact by construction, so its CRC is never
 * computed. Of one that lies in an uncorrectable codeword the bytes are gathered as the
 * transmitter would send them, its CRC appended, the wrong symbols flipped where they fall,
 * and the CRC is computed anew as the receiver would. If it is right all the same (no wrong
 * symbol fell on this frame, or one chance in 2^32) the frame passes.
 *
 * On the line a frame is 8 bytes of preamble, 4 of sequence number, 36 of header, the
 * payload, and 4 of CRC that covers all but the preamble.
 */
#include <endian.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "crc32c.h"
#include "link_int.h"

#define PREAMBLE	8
#define SEQUENCE	4
#define HEADER		36
#define CRC		4
_Static_assert(PREAMBLE + SEQUENCE + HEADER + CRC == PM_FRAME_OVERHEAD, "as link.h has it");

/* Memory: each thread keeps those it freed, since a fabric stays in one thread. */

#define KEEP_MAX	4096

static __thread struct pm_frame *kept;
static __thread unsigned int kept_count;
static __thread bool kept_noted;	/* the thread's end frees them */
static pthread_key_t thread_end;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void free_kept(void *unused)
{
	struct pm_frame *f;

	(void)unused;
	kept_noted = false;
	while ((f = kept)) {
		kept = f->next;
		free(f);
	}
	kept_count = 0;
}

static void free_kept_at_exit(void)
{
	free_kept(NULL);
}

static void make_key(void)
{
	/* The main thread's end runs no key destructor. */
	pthread_key_create(&thread_end, free_kept);
	atexit(free_kept_at_exit);
}

/* All is 0, but header and payload may hold anything. */
struct pm_frame *pm_frame_new(void)
{
	struct pm_frame *f = kept;

	if (f) {
		kept = f->next;
		kept_count--;
		if (kept)
			__builtin_prefetch(kept, 1);
	} else {
		f = calloc(1, sizeof(*f));
		if (!f)
			return NULL;
	}
	f->next = NULL;
	f->src_nic = 0;
	f->dst_nic = 0;
	f->seq = 0;
	f->payload_len = 0;
	f->origin = NULL;
	f->ref = NULL;
	f->ref_off = 0;
	f->is_inline = false;
	return f;
}

void pm_frame_free(struct pm_frame *f)
{
	if (!f)
		return;
	if (kept_count >= KEEP_MAX) {
		free(f);
		return;
	}
	if (!kept_noted) {
		pthread_once(&once, make_key);
		kept_noted = !pthread_setspecific(thread_end, &kept);
	}
	f->next = kept;
	kept = f;
	kept_count++;
}

/* On the line */

static bool image_room(struct pm_link *link, size_t len)
{
	uint8_t *image;

	if (len <= link->image_room)
		return true;
	image = realloc(link->image, len);
	if (!image)
		return false;
	link->image = image;
	link->image_room = len;
	return true;
}

/* What memory that is gone holds doesn't matter: nobody will be given it. */
static void gather(const struct pm_frame *f, uint8_t *to)
{
	const struct pm_port *p = f->origin;

	if (f->is_inline) {
		memcpy(to, f->data, f->payload_len);
		return;
	}
	if (p && p->ops && p->ops->gather &&
	    p->ops->gather(p->owner, f, 0, to, f->payload_len))
		return;
	memset(to, 0, f->payload_len);
}

static void put_crc(uint8_t *image, size_t len)
{
	uint32_t crc = htole32(pm_crc32c(image + PREAMBLE, len - CRC - PREAMBLE));

	memcpy(image + len - CRC, &crc, CRC);
}

static bool crc_right(const uint8_t *image, size_t len)
{
	uint32_t crc = htole32(pm_crc32c(image + PREAMBLE, len - CRC - PREAMBLE));

	return !memcmp(image + len - CRC, &crc, CRC);
}

static void encode(const struct pm_frame *f, uint8_t *image, size_t len)
{
	uint32_t seq = htole32(f->seq);

	memset(image, 0x55, PREAMBLE);
	memcpy(image + PREAMBLE, &seq, SEQUENCE);
	memcpy(image + PREAMBLE + SEQUENCE, f->hdr, HEADER);
	gather(f, image + PREAMBLE + SEQUENCE + HEADER);
	put_crc(image, len);
}

/* Damage */

static void xor_byte(uint8_t *image, size_t len, int64_t at, unsigned int with)
{
	if (at >= 0 && at < (int64_t)len)
		image[at] ^= (uint8_t)with;
}

static void randomise(struct pm_rng *rng, uint8_t *image, size_t len, double from, double to)
{
	int64_t i = from > 0 ? (int64_t)from : 0;

	for (; i < (int64_t)to && i < (int64_t)len; i++)
		image[i] = (uint8_t)pm_rng_u64(rng);
}

/*
 * Flips @wrong symbols of a codeword whose data begin at byte @from of the frame and take
 * @bytes.
 */
static void flip_symbols(struct pm_dir *d, uint8_t *image, size_t len, double from, double bytes,
			 unsigned int wrong)
{
	const struct pm_link_config *c = &d->link->config;
	struct pm_rng *rng = &d->link->damage_rng;
	unsigned int i, bit, pattern;
	uint32_t sym;
	double at;

	for (i = 0; i < wrong; i++) {
		sym = pm_rng_below(rng, c->fec_n);
		if (sym >= c->fec_k)
			continue;	/* parity */
		at = (from + bytes * sym / c->fec_k) * 8;
		if (at < 0)
			continue;
		bit = (unsigned int)((uint64_t)at % 8);
		pattern = (1 + pm_rng_below(rng, (1u << c->fec_symbol_bits) - 1)) << bit;
		xor_byte(image, len, (int64_t)(at / 8), pattern);
		xor_byte(image, len, (int64_t)(at / 8) + 1, pattern >> 8);
		xor_byte(image, len, (int64_t)(at / 8) + 2, pattern >> 16);
	}
}

static void damage(struct pm_dir *d, const struct pm_flight *e, uint8_t *image, size_t len)
{
	double per_byte = d->out.units_per_byte, bytes = d->fec.per_cw / per_byte;
	uint64_t cw, count = e->last_cw - e->damage.first + 1;

	for (cw = 0; cw < count; cw++) {
		double from = ((double)cw * d->fec.per_cw - e->offset_q8 / 256.0) / per_byte;

		if (!(e->damage.mask & (1ull << (cw < 63 ? cw : 63))))
			continue;
		/* Past half of the codeword nothing of it is left. */
		if (e->damage.wrong >= d->fec.n / 2)
			randomise(&d->link->damage_rng, image, len, from, from + bytes);
		else
			flip_symbols(d, image, len, from, bytes, e->damage.wrong);
	}
}

bool pm_frame_survives(struct pm_dir *d, const struct pm_frame *f, const struct pm_flight *e,
		       bool spoil)
{
	struct pm_link *link = d->link;
	size_t len = PM_FRAME_OVERHEAD + (size_t)f->payload_len;

	if (!image_room(link, len))
		return false;
	encode(f, link->image, len);
	damage(d, e, link->image, len);
	if (spoil)
		link->image[PREAMBLE + pm_rng_below(&link->damage_rng, (uint32_t)len - PREAMBLE)] ^=
			(uint8_t)(1 + pm_rng_below(&link->damage_rng, 255));
	return crc_right(link->image, len);
}
