// SPDX-License-Identifier: GPL-2.0
/* Attributes of a message into a struct, see decode.h. Pure. */
#include "decode.h"

#include <stdio.h>
#include <string.h>

#include <linux/netlink.h>

/* Nests in nests; the spec has three levels. */
#define DEPTH_MAX	8

struct decoder {
	char *why;
	size_t size;
	unsigned int depth;
};

static int decode_set(struct decoder *d, const struct field_set *set, const char *p, size_t len,
		      void *obj);

/* Bytes of the UTF-8 character at @s, 0 if it is none or a control character. */
static size_t utf8_length(const unsigned char *s, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = *s < 0x80 ? 1 : *s >> 5 == 6 ? 2 : *s >> 4 == 14 ? 3 : *s >> 3 == 30 ? 4 : 0;
	uint32_t c = len == 1 ? *s : *s & (0x7f >> len);
	size_t i;

	if (!len || len > left)
		return 0;
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	/* C0, DEL and C1: a terminal would obey them. */
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return 0;
	return len;
}

void decode_text(char *to, size_t size, const char *from, size_t len)
{
	size_t at = 0, n;

	while (len && *from) {
		n = utf8_length((const unsigned char *)from, len);
		if (at + (n ? n : 1) >= size)
			break;
		if (n)
			memcpy(to + at, from, n);
		else
			to[at] = '?';
		at += n ? n : 1;
		from += n ? n : 1;
		len -= n ? n : 1;
	}
	to[at] = 0;
}

static int bad(struct decoder *d, const struct field_set *set, const struct field *f,
	       const char *what)
{
	snprintf(d->why, d->size, "attribute %s of %s %s", f ? f->name : "?", set->name, what);
	return -1;
}

static int decode_value(struct decoder *d, const struct field_set *set, const struct field *f,
			const char *p, size_t len, void *to)
{
	uint32_t v32;

	switch (f->kind) {
	case F_U8:
		if (len != 1)
			return bad(d, set, f, "does not have one byte");
		v32 = *(const uint8_t *)p;
		memcpy(to, f->size == 4 ? (void *)&v32 : (void *)p, f->size);
		return 0;
	case F_U32:
	case F_S32:
		if (len != 4)
			return bad(d, set, f, "does not have 4 bytes");
		memcpy(to, p, 4);
		return 0;
	case F_UINT:
		if (len == 8) {
			memcpy(to, p, 8);
			return 0;
		}
		if (len != 4)
			return bad(d, set, f, "has neither 4 nor 8 bytes");
		memcpy(&v32, p, 4);
		*(uint64_t *)to = v32;
		return 0;
	case F_STR:
		decode_text(to, f->size, p, len);
		return 0;
	case F_FLAG:
		if (len)
			return bad(d, set, f, "is a flag and has bytes");
		*(bool *)to = true;
		return 0;
	case F_NEST:
		return decode_set(d, f->sub, p, len, to);
	}
	return 0;
}

static int decode_one(struct decoder *d, const struct field_set *set, unsigned int attr,
		      const char *p, size_t len, void *obj)
{
	const struct field *f = field_of(set, attr);
	void *to;

	if (!f || f->kind == F_REQUEST)
		return 0;
	to = (char *)obj + f->off;
	if (f->multi) {
		to = list_add(to, f->size);
		if (!to)
			return bad(d, set, f, "comes too often: out of memory");
	} else if (f->kind == F_NEST) {
		fields_clear(f->sub, to);
	}
	*(uint64_t *)obj |= 1ull << attr;
	return decode_value(d, set, f, p, len, to);
}

static int decode_set(struct decoder *d, const struct field_set *set, const char *p, size_t len,
		      void *obj)
{
	struct nlattr a;
	size_t step;
	int ret = 0;

	if (d->depth == DEPTH_MAX)
		return bad(d, set, NULL, "is nested too deeply");
	d->depth++;
	while (!ret && len) {
		if (len < NLA_HDRLEN) {
			ret = bad(d, set, NULL, "ends in its header");
			break;
		}
		memcpy(&a, p, sizeof(a));
		if (a.nla_len < NLA_HDRLEN || a.nla_len > len) {
			ret = bad(d, set, field_of(set, a.nla_type & NLA_TYPE_MASK),
				  "is longer than its message");
			break;
		}
		ret = decode_one(d, set, a.nla_type & NLA_TYPE_MASK, p + NLA_HDRLEN,
				 a.nla_len - NLA_HDRLEN, obj);
		/* The last one may go without its padding. */
		step = NLA_ALIGN(a.nla_len);
		step = step < len ? step : len;
		p += step;
		len -= step;
	}
	d->depth--;
	return ret;
}

int decode(const struct field_set *set, const void *attrs, size_t len, void *obj, char *why,
	   size_t size)
{
	struct decoder d = { .why = why, .size = size };

	return decode_set(&d, set, attrs, len, obj);
}
