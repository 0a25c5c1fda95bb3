/* SPDX-License-Identifier: GPL-2.0 */
/* Messages as the kernel would make them, out of the structs of types.h. */
#ifndef PNIC_TOOL_ENCODE_H
#define PNIC_TOOL_ENCODE_H

#include "../src/fields.h"

/* A message that grows. AddressSanitizer knows its end. */
struct bytes {
	unsigned char *p;
	size_t n;
	size_t room;
};

void bytes_add(struct bytes *b, const void *p, size_t n);
void bytes_free(struct bytes *b);
/* An attribute with a value. */
void encode_attr(struct bytes *b, unsigned int type, const void *p, size_t n);
void encode_u32(struct bytes *b, unsigned int type, uint32_t v);
void encode_string(struct bytes *b, unsigned int type, const char *s);
/* All attributes of @obj that it has. */
void encode(struct bytes *b, const struct field_set *set, const void *obj);
/* Every bit of @obj's @has that a reply may have. */
void encode_has_all(const struct field_set *set, void *obj);

/* Begins a message, and ends it: its length is filled in. */
size_t message_begin(struct bytes *b, unsigned int type, unsigned int flags, uint32_t seq);
void message_end(struct bytes *b, size_t at);
/* A message of the family. */
void message_data(struct bytes *b, unsigned int family, unsigned int flags, uint32_t seq,
		  unsigned int cmd, const struct field_set *set, const void *obj);
/* NLMSG_ERROR with the kernel's words and the attribute to blame; the request's body left off. */
void message_error(struct bytes *b, uint32_t seq, int error, const char *text, uint32_t offset);
void message_done(struct bytes *b, unsigned int flags, uint32_t seq);

#endif /* PNIC_TOOL_ENCODE_H */
