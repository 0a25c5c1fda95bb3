// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The cards of a domain: opened, lost, opened again, and what is told of them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "rails.h"

#define RAILS_AGAIN_MIN_US	10000		/* first try to open a lost card again */
#define RAILS_AGAIN_MAX_US	1000000

void rails_event(struct pnic_rails *r, unsigned int rail, uint32_t type, uint32_t value)
{
	struct pnic_rails_event *ev;

	if (r->event_tail - r->event_head == RAILS_EVENTS) {
		r->event_head++;
		r->missed++;
	}
	ev = &r->events[r->event_tail++ % RAILS_EVENTS];
	ev->type = type;
	ev->rail = rail;
	ev->value = value;
	ev->missed = 0;
}

/*
 * Opening and closing may take as long as the kernel needs to reset a card: never with the lock held, or those who have
 * other cards would wait for this one.
 */
static void rails_close_card(struct rails_card *card)
{
	if (!card)
		return;
	pnic_close(card->ctx);
	free(card);
}

/* With the lock held. The card, if it is to be closed now. */
static struct rails_card *rails_drop(struct rails_card *card)
{
	return --card->users ? NULL : card;
}

struct rails_card *rails_card_get(struct pnic_rails *r, unsigned int rail, uint16_t *gen)
{
	struct rails_card *card;

	pthread_mutex_lock(&r->lock);
	card = r->rail[rail].card;
	if (card)
		card->users++;
	*gen = r->rail[rail].gen;
	pthread_mutex_unlock(&r->lock);
	return card;
}

void rails_card_put(struct pnic_rails *r, struct rails_card *card)
{
	pthread_mutex_lock(&r->lock);
	card = rails_drop(card);
	pthread_mutex_unlock(&r->lock);
	rails_close_card(card);
}

bool rails_card_silent(struct rails_card *card)
{
	struct pnic_event ev;
	int err;

	if (__atomic_load_n(&card->silent, __ATOMIC_ACQUIRE))
		return true;
	/* Whoever shares the file may have taken the event: then the errors after it say the same. */
	do {
		err = pnic_read_event(card->ctx, &ev);
		if (!err && (ev.type == PNIC_EVT_RESET || ev.type == PNIC_EVT_GONE))
			err = -EIO;
	} while (!err);
	if (err != -EIO && err != -ENODEV)
		return false;
	__atomic_store_n(&card->silent, true, __ATOMIC_RELEASE);
	return true;
}

/* What the status page says, as an event if that is new. */
static void rails_state(struct pnic_rails *r, unsigned int i)
{
	struct rails_rail *rail = &r->rail[i];
	struct pnic_status_page page;
	uint32_t state, rate;

	rail->seen = pnic_status_changes(rail->card->ctx);
	if (pnic_link_status(rail->card->ctx, &page)) {
		rail->seen--;		/* being written: look again */
		return;
	}
	state = page.link_state == 1 ? PNIC_RAIL_UP : PNIC_RAIL_LINK_DOWN;
	rate = state == PNIC_RAIL_UP ? page.rate_mbps : 0;
	if (state != rail->state)
		rails_event(r, i, state == PNIC_RAIL_UP ? PNIC_RAILS_EVT_UP : PNIC_RAILS_EVT_DOWN, rate);
	else if (rate != rail->rate)
		rails_event(r, i, PNIC_RAILS_EVT_RATE, rate);
	rail->state = state;
	rail->rate = rate;
}

static int rails_open_card(const struct pnic_rails *r, const char *name, struct rails_card **out)
{
	struct pnic_open_attr attr = { .size = sizeof(attr), .partition = r->partition };
	struct rails_card *card;
	int err;

	card = calloc(1, sizeof(*card));
	if (!card)
		return pnic_fail(-ENOMEM, "%s: out of memory", name);
	err = pnic_open(name, &attr, &card->ctx);
	if (err) {
		free(card);
		return err;
	}
	card->users = 1;
	*out = card;
	return 0;
}

/* A card that was pulled out and put back may have another name; it has its fabric address still. */
static void rails_rename(struct pnic_rails *r, struct rails_rail *rail)
{
	struct pnic_device *list;
	unsigned int count, i;

	if (pnic_list(&list, &count))
		return;
	pthread_mutex_lock(&r->lock);
	for (i = 0; i < count; i++)
		if (!list[i].error && list[i].nic == rail->nic)
			snprintf(rail->name, sizeof(rail->name), "%s", list[i].name);
	pthread_mutex_unlock(&r->lock);
	pnic_list_free(list);
}

/* With the lock held: a card that was just opened serves. */
static int rails_back(struct pnic_rails *r, unsigned int i, struct rails_card *card)
{
	struct rails_rail *rail = &r->rail[i];
	int err;

	rail->card = card;
	rail->nic = card->ctx->nic;
	err = rails_regions_renew(r, i);
	if (err) {
		rail->card = NULL;
		return err;
	}
	__atomic_store_n(&rail->gen, (uint16_t)(rail->gen + 1), __ATOMIC_RELEASE);
	rails_event(r, i, PNIC_RAILS_EVT_BACK, 0);
	rail->state = PNIC_RAIL_LINK_DOWN;
	rails_state(r, i);
	return 0;
}

/* Without the lock; rail->opening keeps others away. */
static void rails_reopen(struct pnic_rails *r, unsigned int i)
{
	struct rails_rail *rail = &r->rail[i];
	struct rails_card *card = NULL;
	int err;

	/* Its name is changed by whoever has set opening only. */
	err = rails_open_card(r, rail->name, &card);
	if (err == -ENODEV && strncmp(rail->name, "embedded:", 9))
		rails_rename(r, rail);
	pthread_mutex_lock(&r->lock);
	if (!err)
		err = rails_back(r, i, card);
	if (err) {
		rail->delay = rail->delay * 2 < RAILS_AGAIN_MAX_US ? rail->delay * 2 : RAILS_AGAIN_MAX_US;
		rail->again = pnic_now_us() + rail->delay;
	} else {
		card = NULL;
	}
	rail->opening = false;
	pthread_mutex_unlock(&r->lock);
	rails_close_card(card);
}

void rails_look(struct pnic_rails *r, int64_t now)
{
	struct rails_card *over[PNIC_RAILS_MAX];
	bool due[PNIC_RAILS_MAX];
	struct rails_rail *rail;
	unsigned int i;

	if (pthread_mutex_trylock(&r->lock))
		return;			/* another thread is about it */
	for (i = 0; i < r->count; i++) {
		rail = &r->rail[i];
		over[i] = NULL;
		/* Its file first, so that those who sleep on it don't wake for what is known. */
		if (rail->card && (rails_card_silent(rail->card) || rails_card_dead(rail->card))) {
			over[i] = rails_drop(rail->card);
			rail->card = NULL;
			rail->state = PNIC_RAIL_LOST;
			rail->rate = 0;
			rail->lost++;
			rail->delay = RAILS_AGAIN_MIN_US;
			rail->again = now;
			rails_event(r, i, PNIC_RAILS_EVT_LOST, 0);
		}
		due[i] = !rail->card && !rail->opening && now >= rail->again;
		rail->opening |= due[i];
		if (rail->card && pnic_status_changes(rail->card->ctx) != rail->seen)
			rails_state(r, i);
	}
	pthread_mutex_unlock(&r->lock);
	for (i = 0; i < r->count; i++) {
		rails_close_card(over[i]);
		if (due[i])
			rails_reopen(r, i);
	}
}

static int rails_names(const struct pnic_rails_attr *a, struct pnic_rails *r)
{
	struct pnic_device *list;
	unsigned int count, i;
	int err;

	if (a->names) {
		for (i = 0; i < a->count; i++) {
			if (!a->names[i] || strlen(a->names[i]) >= sizeof(r->rail[i].name))
				return pnic_fail(-EINVAL, "pnic_rails_open: name %u is NULL or too long", i);
			strcpy(r->rail[i].name, a->names[i]);
		}
		r->count = a->count;
		return 0;
	}
	err = pnic_list(&list, &count);
	if (err)
		return err;
	for (i = 0; i < count && r->count < PNIC_RAILS_MAX; i++)
		if (!list[i].error)
			snprintf(r->rail[r->count++].name, sizeof(r->rail[0].name), "%s", list[i].name);
	err = count && !r->count ? list[0].error : -ENODEV;
	pnic_list_free(list);
	if (!r->count)
		return pnic_fail(err, "pnic_rails_open: no card that can be opened: %s", pnic_strerror(err));
	return 0;
}

PNIC_EXPORT int pnic_rails_open(const struct pnic_rails_attr *attr, struct pnic_rails **rails)
{
	struct pnic_rails_attr a = { 0 };
	struct pnic_rails *r;
	unsigned int i, j;
	int err;

	if (!rails)
		return pnic_fail(-EINVAL, "pnic_rails_open: NULL argument");
	if (attr && (pnic_copy_attr(&a, sizeof(a), sizeof(a), attr, attr->size) || a.flags))
		return pnic_fail(-EINVAL, "pnic_rails_open: bad size or flags in struct pnic_rails_attr");
	if (a.count > PNIC_RAILS_MAX || !a.names != !a.count)
		return pnic_fail(-EINVAL, "pnic_rails_open: %u names; 1 to %d, or NULL and 0 for all cards", a.count,
				 PNIC_RAILS_MAX);
	r = calloc(1, sizeof(*r));
	if (!r)
		return pnic_fail(-ENOMEM, "pnic_rails_open: out of memory");
	pthread_mutex_init(&r->lock, NULL);
	r->partition = a.partition;
	err = rails_names(&a, r);
	for (i = 0; !err && i < r->count; i++) {
		err = rails_open_card(r, r->rail[i].name, &r->rail[i].card);
		if (!err)
			r->rail[i].nic = r->rail[i].card->ctx->nic;
		for (j = 0; !err && j < i; j++)
			if (r->rail[j].nic == r->rail[i].nic)
				err = pnic_fail(-EINVAL, "pnic_rails_open: %s and %s are the same card", r->rail[j].name,
						r->rail[i].name);
		if (!err) {
			r->rail[i].state = PNIC_RAIL_LINK_DOWN;
			rails_state(r, i);
		}
	}
	r->event_head = r->event_tail;		/* how it was to begin with is no event */
	if (err) {
		pnic_rails_close(r);
		return err;
	}
	*rails = r;
	return 0;
}

PNIC_EXPORT int pnic_rails_close(struct pnic_rails *r)
{
	struct rails_region *region;
	unsigned int i;

	if (!r)
		return 0;
	if (r->sets || r->caches)
		return pnic_fail(-EBUSY, "pnic_rails_close: %u endpoint sets and %u region caches still exist", r->sets, r->caches);
	while ((region = r->regions))
		pnic_rails_mr_dereg(&region->pub);
	for (i = 0; i < r->count; i++)
		if (r->rail[i].card)
			rails_close_card(rails_drop(r->rail[i].card));
	pthread_mutex_destroy(&r->lock);
	free(r);
	return 0;
}

PNIC_EXPORT unsigned int pnic_rails_count(const struct pnic_rails *r)
{
	return r ? r->count : 0;
}

PNIC_EXPORT int pnic_rails_stat(struct pnic_rails *r, unsigned int i, struct pnic_rail_stat *stat)
{
	struct pnic_rail_stat own = { .size = sizeof(own) };
	struct pnic_status_page page;
	struct rails_rail *rail;
	uint32_t size;

	if (!r || i >= r->count || !stat || stat->size < sizeof(stat->size))
		return pnic_fail(-EINVAL, "pnic_rails_stat: NULL argument, no such rail, or bad size");
	rail = &r->rail[i];
	pthread_mutex_lock(&r->lock);
	snprintf(own.name, sizeof(own.name), "%.31s", rail->name);
	own.nic = rail->nic;
	own.state = PNIC_RAIL_LOST;
	own.lost = rail->lost;
	if (rail->card && !rails_card_dead(rail->card) && !pnic_link_status(rail->card->ctx, &page)) {
		own.state = page.link_state == 1 ? PNIC_RAIL_UP : PNIC_RAIL_LINK_DOWN;
		own.rate_mbps = own.state == PNIC_RAIL_UP ? page.rate_mbps : 0;
		own.width = page.width;
		own.width_max = page.width_max;
	}
	pthread_mutex_unlock(&r->lock);
	own.bytes = __atomic_load_n(&rail->bytes, __ATOMIC_RELAXED);
	own.transfers = __atomic_load_n(&rail->transfers, __ATOMIC_RELAXED);
	own.replayed = __atomic_load_n(&rail->replayed, __ATOMIC_RELAXED);
	size = stat->size;
	memset(stat, 0, size);
	memcpy(stat, &own, size < sizeof(own) ? size : sizeof(own));
	stat->size = size;
	return 0;
}

PNIC_EXPORT uint32_t pnic_rails_rate_mbps(const struct pnic_rails *rails)
{
	struct pnic_rails *r = (struct pnic_rails *)(uintptr_t)rails;
	uint32_t sum = 0;
	unsigned int i;

	if (!r)
		return 0;
	pthread_mutex_lock(&r->lock);
	for (i = 0; i < r->count; i++)
		if (r->rail[i].card && !rails_card_dead(r->rail[i].card))
			sum += pnic_rate_mbps(r->rail[i].card->ctx);
	pthread_mutex_unlock(&r->lock);
	return sum;
}

PNIC_EXPORT struct pnic_ctx *pnic_rails_ctx(struct pnic_rails *r, unsigned int i)
{
	struct pnic_ctx *ctx = NULL;

	if (!r || i >= r->count)
		return NULL;
	pthread_mutex_lock(&r->lock);
	if (r->rail[i].card)
		ctx = r->rail[i].card->ctx;
	pthread_mutex_unlock(&r->lock);
	return ctx;
}

PNIC_EXPORT int pnic_rails_read_event(struct pnic_rails *r, struct pnic_rails_event *ev)
{
	int err = -EAGAIN;

	if (!r || !ev)
		return pnic_fail(-EINVAL, "pnic_rails_read_event: NULL argument");
	rails_look(r, pnic_now_us());
	pthread_mutex_lock(&r->lock);
	if (r->event_head != r->event_tail) {
		*ev = r->events[r->event_head++ % RAILS_EVENTS];
		ev->missed = r->missed;
		r->missed = 0;
		err = 0;
	}
	pthread_mutex_unlock(&r->lock);
	return err;
}
