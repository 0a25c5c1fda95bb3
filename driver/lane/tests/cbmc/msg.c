// SPDX-License-Identifier: GPL-2.0
/* Any bytes as a message of the lane protocol. */
#include "prove.h"
#include "../../proto_msg.h"

#define LEN	96

int main(void)
{
	static u32 words[LEN / sizeof(u32)];
	u8 *buf = (u8 *)words;
	struct lane_msg m;
	size_t len = nondet_size();
	u16 i;

	__CPROVER_havoc_object(words);
	__CPROVER_assume(len <= LEN);
	if (lane_msg_decode(&m, buf, len))
		return 0;
	__CPROVER_assert(m.type && m.type < LANE_MSG_TYPES, "a type");
	for (i = 0; i < m.count; i++) {
		const u8 *move = (const u8 *)&m.moves[i];

		__CPROVER_assert(move >= buf && move + sizeof(m.moves[i]) <= buf + len,
				 "moves lie in the message");
	}
	return 0;
}
