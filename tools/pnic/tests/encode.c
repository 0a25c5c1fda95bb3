// SPDX-License-Identifier: GPL-2.0
/* Messages as the kernel would make them, see encode.h. */
#include "encode.h"

#include <stdlib.h>
#include <string.h>

#include <sanitizer/asan_interface.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>

void bytes_add(struct bytes *b, const void *p, size_t n)
{
	if (b->n + n > b->room) {
		ASAN_UNPOISON_MEMORY_REGION(b->p, b->room);
		b->room = 2 * (b->n + n);
		b->p = realloc(b->p, b->room);
		if (!b->p)
			abort();
	}
	ASAN_UNPOISON_MEMORY_REGION(b->p, b->n + n);
	ASAN_POISON_MEMORY_REGION(b->p + b->n + n, b->room - b->n - n);
	if (p)
		memcpy(b->p + b->n, p, n);
	else
		memset(b->p + b->n, 0, n);
	b->n += n;
}

void bytes_free(struct bytes *b)
{
	ASAN_UNPOISON_MEMORY_REGION(b->p, b->room);
	free(b->p);
	memset(b, 0, sizeof(*b));
}

static void pad(struct bytes *b)
{
	bytes_add(b, NULL, (4 - b->n % 4) % 4);
}

void encode_attr(struct bytes *b, unsigned int type, const void *p, size_t n)
{
	struct nlattr a = { .nla_len = NLA_HDRLEN + n, .nla_type = type };

	bytes_add(b, &a, sizeof(a));
	bytes_add(b, p, n);
	pad(b);
}

void encode_u32(struct bytes *b, unsigned int type, uint32_t v)
{
	encode_attr(b, type, &v, sizeof(v));
}

void encode_string(struct bytes *b, unsigned int type, const char *s)
{
	encode_attr(b, type, s, strlen(s) + 1);
}

static void encode_value(struct bytes *b, const struct field *f, const void *at)
{
	struct bytes nest = {};
	uint64_t v;

	switch (f->kind) {
	case F_U8:
		encode_attr(b, f->attr, at, 1);
		break;
	case F_U32:
	case F_S32:
		encode_attr(b, f->attr, at, 4);
		break;
	case F_UINT:
		/* As the kernel does: in four bytes if it fits. */
		memcpy(&v, at, sizeof(v));
		encode_attr(b, f->attr, at, v > UINT32_MAX ? 8 : 4);
		break;
	case F_STR:
		encode_string(b, f->attr, at);
		break;
	case F_FLAG:
		if (*(const bool *)at)
			encode_attr(b, f->attr, NULL, 0);
		break;
	case F_NEST:
		encode(&nest, f->sub, at);
		encode_attr(b, f->attr | NLA_F_NESTED, nest.p, nest.n);
		bytes_free(&nest);
		break;
	}
}

void encode(struct bytes *b, const struct field_set *set, const void *obj)
{
	const struct field *f;
	unsigned int i;

	for (f = set->fields; f < set->fields + set->n; f++) {
		const void *at = (const char *)obj + f->off;
		const struct list *list = at;

		if (f->kind == F_REQUEST)
			continue;
		if (f->multi)
			for (i = 0; i < list->n; i++)
				encode_value(b, f, (char *)list->items + i * f->size);
		else if (f->kind == F_FLAG || HAS((const struct dev *)obj, f->attr))
			encode_value(b, f, at);
	}
}

void encode_has_all(const struct field_set *set, void *obj)
{
	const struct field *f;

	for (f = set->fields; f < set->fields + set->n; f++) {
		if (f->kind == F_REQUEST || f->kind == F_FLAG || f->multi)
			continue;
		*(uint64_t *)obj |= 1ull << f->attr;
		if (f->kind == F_NEST)
			encode_has_all(f->sub, (char *)obj + f->off);
	}
}

size_t message_begin(struct bytes *b, unsigned int type, unsigned int flags, uint32_t seq)
{
	struct nlmsghdr h = { .nlmsg_type = type, .nlmsg_flags = flags, .nlmsg_seq = seq };
	size_t at = b->n;

	bytes_add(b, &h, sizeof(h));
	return at;
}

void message_end(struct bytes *b, size_t at)
{
	uint32_t len = b->n - at;

	memcpy(b->p + at, &len, sizeof(len));
	pad(b);
}

void message_data(struct bytes *b, unsigned int family, unsigned int flags, uint32_t seq,
		  unsigned int cmd, const struct field_set *set, const void *obj)
{
	struct genlmsghdr g = { .cmd = cmd, .version = 1 };
	size_t at = message_begin(b, family, flags, seq);

	bytes_add(b, &g, sizeof(g));
	encode(b, set, obj);
	message_end(b, at);
}

void message_error(struct bytes *b, uint32_t seq, int error, const char *text, uint32_t offset)
{
	struct nlmsgerr e = { .error = -error, .msg = { .nlmsg_len = NLMSG_HDRLEN } };
	size_t at = message_begin(b, NLMSG_ERROR, NLM_F_CAPPED | (text ? NLM_F_ACK_TLVS : 0), seq);

	bytes_add(b, &e, sizeof(e));
	if (text)
		encode_string(b, NLMSGERR_ATTR_MSG, text);
	if (text && offset)
		encode_u32(b, NLMSGERR_ATTR_OFFS, offset);
	message_end(b, at);
}

void message_done(struct bytes *b, unsigned int flags, uint32_t seq)
{
	size_t at = message_begin(b, NLMSG_DONE, NLM_F_MULTI | flags, seq);
	int32_t zero = 0;

	bytes_add(b, &zero, sizeof(zero));
	message_end(b, at);
}
