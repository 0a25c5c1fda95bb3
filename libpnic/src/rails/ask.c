// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Whether a message has come.
 *
 * When a card is lost, or the link below a transfer, its end isn't known. A write with immediate may have been told of at the
 * far end by then, and its memory be in use for something else: repeating it would write over that. So its sender asks first, and the
 * receiver answers when it has looked through its queues, in one of which the message may lie.
 */
#include "rails.h"

#define RAILS_ASK_FIRST_US	1000000		/* an answer that did not come is asked for again: first after so long, and at most */
#define RAILS_ASK_LAST_US	32000000

/* The immediate's lower half, in question and answer. */
#define RAILS_ASK_PART		0x0000000fu
#define RAILS_ASK_HAVE		0x00000010u
#define RAILS_ASK_TURN_SHIFT	8		/* of the question, so that the answer to an older one isn't taken for one to this */

bool rails_must_ask(const struct rails_piece *pc)
{
	return pc->op->type == PNIC_RAILS_WRITE_IMM && pc->op->whole && pc->length;
}

/* ------------------------------------------------------------------------- */
/* The sender                                                                */

static struct rails_piece *rails_asking(struct rails_peer *p, uint32_t seq, uint32_t imm)
{
	struct rails_set *s = p->set;
	uint32_t i;

	for (i = 0; i < s->piece_count; i++) {
		struct rails_piece *pc = &s->pieces[i];

		if (pc->op && pc->op->peer == p && pc->ask && !pc->probe && !pc->op->internal &&
		    ((pc->op->seq ^ seq) & RAILS_SEQ_MASK) == 0 && pc->part == (imm & RAILS_ASK_PART) &&
		    pc->ask_turn << RAILS_ASK_TURN_SHIFT == (imm & ~(RAILS_ASK_PART | RAILS_ASK_HAVE)))
			return pc;
	}
	return NULL;
}

bool rails_ask(struct rails_piece *pc)
{
	struct rails_peer *p = pc->op->peer;
	int64_t now = p->set->now;
	struct rails_op *op;

	if (pc->unasked) {
		pc->unasked = false;
		return false;
	}
	if (pc->asked && now - pc->asked < pc->ask_delay)
		return true;
	op = rails_internal(p, RAILS_ASK_MESSAGE, NULL, 0);
	if (!op)
		return false;
	pc->ask_delay = !pc->asked ? RAILS_ASK_FIRST_US :
			pc->ask_delay < RAILS_ASK_LAST_US / 2 ? pc->ask_delay * 2 : RAILS_ASK_LAST_US;
	pc->asked = now ? now : 1;
	pc->ask_turn = (pc->ask_turn + 1) & (UINT32_MAX >> RAILS_ASK_TURN_SHIFT);
	op->seq = pc->op->seq;
	op->imm = pc->part | pc->ask_turn << RAILS_ASK_TURN_SHIFT;
	rails_say(op);
	return true;
}

void rails_ask_over(const struct rails_op *op)
{
	struct rails_piece *pc = rails_asking(op->peer, op->seq, op->imm);

	if (!pc)
		return;
	if (op->status) {
		pc->asked = 0;
		pc->unasked = true;
	} else {
		pc->op->deadline = 0;	/* somebody is there, however long he takes */
	}
}

void rails_got_answer(struct rails_peer *p, uint32_t seq, uint32_t imm)
{
	struct rails_piece *pc = rails_asking(p, seq, imm);

	if (!pc)
		return;
	/* The far end is there, and all its ways may be tried again. */
	pc->op->deadline = 0;
	pc->ask = false;
	pc->have = imm & RAILS_ASK_HAVE;
	p->set->stir = true;
}

/* ------------------------------------------------------------------------- */
/* The receiver                                                              */

void rails_got_question(struct rails_peer *p, uint32_t seq, uint32_t imm)
{
	struct rails_set *s = p->set;
	struct rails_question *q;

	if (s->nr_questions == RAILS_QUESTIONS)
		return;			/* it comes again */
	q = &s->questions[s->nr_questions++];
	q->peer = p;
	q->seq = seq;
	q->imm = imm & ~RAILS_ASK_HAVE;
	q->wait = (1u << s->rails->count) - 1;
	s->skips++;
}

void rails_questions_seen(struct rails_set *s, unsigned int rail)
{
	unsigned int i;

	for (i = 0; i < s->nr_questions; i++)
		s->questions[i].wait &= ~(1u << rail);
}

void rails_answer(struct rails_set *s)
{
	struct rails_question q;
	struct rails_op *op;
	unsigned int i = 0;

	while (i < s->nr_questions) {
		q = s->questions[i];
		op = q.wait ? NULL : rails_internal(q.peer, RAILS_ANSWER, NULL, 0);
		if (!op) {
			i++;
			continue;
		}
		s->questions[i] = s->questions[--s->nr_questions];
		s->skips--;
		op->seq = q.seq;
		op->imm = q.imm;
		if (rails_have(q.peer, q.seq, q.imm & RAILS_ASK_PART))
			op->imm |= RAILS_ASK_HAVE;
		rails_say(op);
	}
}
