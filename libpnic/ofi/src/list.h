/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Doubly linked rings, the usual way: a head is a link too, an unlinked one points to itself. */
#ifndef PFI_LIST_H
#define PFI_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct pfi_link {
	struct pfi_link *next, *prev;
};

#define pfi_entry(link, type, member) ((type *)(void *)((char *)(link) - offsetof(type, member)))

static inline void pfi_list_init(struct pfi_link *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool pfi_list_empty(const struct pfi_link *l)
{
	return l->next == l;
}

static inline void pfi_list_add_tail(struct pfi_link *head, struct pfi_link *l)
{
	l->next = head;
	l->prev = head->prev;
	head->prev->next = l;
	head->prev = l;
}

static inline void pfi_list_add(struct pfi_link *head, struct pfi_link *l)
{
	pfi_list_add_tail(head->next, l);
}

/* An unlinked one may be deleted again. */
static inline void pfi_list_del(struct pfi_link *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	pfi_list_init(l);
}

/* All of @from, which is empty afterwards; @to was empty. */
static inline void pfi_list_move(struct pfi_link *from, struct pfi_link *to)
{
	pfi_list_init(to);
	if (pfi_list_empty(from))
		return;
	*to = *from;
	to->next->prev = to;
	to->prev->next = to;
	pfi_list_init(from);
}

#define pfi_list_for(pos, head) for ((pos) = (head)->next; (pos) != (head); (pos) = (pos)->next)
#define pfi_list_for_safe(pos, tmp, head) \
	for ((pos) = (head)->next, (tmp) = (pos)->next; (pos) != (head); (pos) = (tmp), (tmp) = (pos)->next)

#endif /* PFI_LIST_H */
