// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Peers: who they are, by which endpoints they are reached, and what their keys are now.
 *
 * An end makes itself known by a hello over each way before its first message there, and once more when its
 * endpoints changed. Whoever was written to knows then which endpoints are one set, and can answer.
 */
#include <stdlib.h>

#include "rails.h"

#define RAILS_ASK_AGAIN_US	100000
#define RAILS_GREET_AGAIN_US	1000000
#define RAILS_DOWN_MIN_US	1000
#define RAILS_DOWN_MAX_US	500000

static unsigned int rails_hash(uint64_t x)
{
	return (unsigned int)((x * 0x9e3779b97f4a7c15ull) >> 32) % RAILS_HASH;
}

static uint64_t rails_addr_word(struct pnic_addr a)
{
	return (uint64_t)a.nic << 32 | a.ep;
}

struct rails_peer *rails_peer_by_source(struct rails_set *s, struct pnic_addr from)
{
	struct rails_source *src;

	for (src = s->by_source[rails_hash(rails_addr_word(from))]; src; src = src->next)
		if (src->addr.nic == from.nic && src->addr.ep == from.ep)
			return src->peer;
	return NULL;
}

static struct rails_peer *rails_peer_by_id(struct rails_set *s, uint64_t id)
{
	struct rails_peer *p;

	for (p = s->by_id[rails_hash(id)]; p; p = p->by_id)
		if (p->pub.addr.id == id)
			return p;
	return NULL;
}

static void rails_source_del(struct rails_set *s, struct rails_peer *p, struct pnic_addr from)
{
	struct rails_source **at = &s->by_source[rails_hash(rails_addr_word(from))], *src;

	for (; (src = *at); at = &src->next) {
		if (src->peer == p && src->addr.nic == from.nic && src->addr.ep == from.ep) {
			*at = src->next;
			free(src);
			return;
		}
	}
}

static int rails_source_add(struct rails_set *s, struct rails_peer *p, struct pnic_addr from)
{
	struct rails_source **at = &s->by_source[rails_hash(rails_addr_word(from))], *src;

	if (from.ep >= PNIC_EP_NONE)
		return 0;
	for (src = *at; src; src = src->next) {
		if (src->addr.nic == from.nic && src->addr.ep == from.ep) {
			src->peer = p;		/* the number went from one set to another */
			return 0;
		}
	}
	src = calloc(1, sizeof(*src));
	if (!src)
		return -ENOMEM;
	src->addr = from;
	src->peer = p;
	src->next = *at;
	*at = src;
	return 0;
}

static void rails_id_add(struct rails_set *s, struct rails_peer *p)
{
	struct rails_peer **head = &s->by_id[rails_hash(p->pub.addr.id)];

	p->by_id = *head;
	*head = p;
}

static void rails_id_del(struct rails_set *s, struct rails_peer *p)
{
	struct rails_peer **at;

	for (at = &s->by_id[rails_hash(p->pub.addr.id)]; *at; at = &(*at)->by_id) {
		if (*at == p) {
			*at = p->by_id;
			return;
		}
	}
}

static void rails_path_fresh(struct rails_path *path)
{
	path->down_until = 0;
	path->greeting = 0;
	path->failures = 0;
	path->greeted = false;
	path->suspect = false;
}

/* What is known of the peer now; rails that are where they were keep their state. */
static int rails_peer_update(struct rails_peer *p, const struct pnic_rails_addr *addr)
{
	struct pnic_rails_addr *have = &p->pub.addr;
	struct rails_set *s = p->set;
	unsigned int i, j;
	bool same;
	int err;

	/* Hellos that went different ways may overtake each other. */
	for (j = 0; addr->id && addr->id == have->id && j < addr->count && j < have->count; j++)
		if ((int16_t)(addr->gen[j] - have->gen[j]) < 0)
			return 0;
	if (addr->id && addr->id != have->id) {
		if (have->id)
			rails_id_del(s, p);
		have->id = addr->id;
		rails_id_add(s, p);
	}
	for (j = 0; j < PNIC_RAILS_MAX; j++) {
		struct pnic_addr to = addr->rail[j];

		if (j >= addr->count)
			to.ep = PNIC_EP_NONE;
		same = j < have->count && have->rail[j].nic == to.nic && have->rail[j].ep == to.ep &&
		       have->gen[j] == addr->gen[j];
		if (same)
			continue;
		if (j < have->count && have->rail[j].ep < PNIC_EP_NONE)
			rails_source_del(s, p, have->rail[j]);
		have->rail[j] = to;
		have->gen[j] = addr->gen[j];
		for (i = 0; i < PNIC_RAILS_MAX; i++)
			rails_path_fresh(&p->path[i][j]);
	}
	have->count = addr->count;
	have->max_send = addr->max_send;
	memcpy(have->rate, addr->rate, sizeof(have->rate));
	for (j = 0; j < have->count; j++) {
		err = rails_source_add(s, p, have->rail[j]);
		if (err)
			return err;
	}
	s->stir = true;
	return 0;
}

static struct rails_peer *rails_peer_new(struct rails_set *s, void *user)
{
	struct rails_peer *p = calloc(1, sizeof(*p));
	unsigned int j;

	if (!p)
		return NULL;
	p->set = s;
	p->pub.user = user;
	p->pub.ep = (struct pnic_rails_ep *)s;
	for (j = 0; j < PNIC_RAILS_MAX; j++)
		p->pub.addr.rail[j].ep = PNIC_EP_NONE;
	rails_list_init(&p->held);
	rails_list_init(&p->ready);
	PNIC_LIST_ADD(&s->peers, p);
	return p;
}

static void rails_renames_free(struct rails_peer *p)
{
	struct rails_rename *name;

	while ((name = p->renames)) {
		p->renames = name->next;
		free(name);
	}
}

void rails_peer_free(struct rails_peer *p)
{
	struct rails_set *s = p->set;
	unsigned int j;

	if (p->pub.addr.id)
		rails_id_del(s, p);
	for (j = 0; j < p->pub.addr.count; j++)
		rails_source_del(s, p, p->pub.addr.rail[j]);
	rails_renames_free(p);
	rails_window_free(p);
	s->skips -= p->skip_noted;
	rails_list_del(&p->ready);
	PNIC_LIST_DEL(p);
	free(p);
}

PNIC_EXPORT int pnic_rails_peer_add(struct pnic_rails_ep *ep, const struct pnic_rails_addr *addr, void *user,
				    struct pnic_rails_peer **peer)
{
	struct rails_set *s = rails_set(ep);
	struct rails_peer *p = NULL;
	unsigned int j;

	if (!ep || !addr || !peer)
		return pnic_fail(-EINVAL, "pnic_rails_peer_add: NULL argument");
	if (!addr->count || addr->count > PNIC_RAILS_MAX)
		return pnic_fail(-EINVAL, "pnic_rails_peer_add: the address has %u rails; 1 to %d", addr->count,
				 PNIC_RAILS_MAX);
	if (addr->id && addr->max_send < sizeof(struct rails_hello))
		return pnic_fail(-EINVAL, "pnic_rails_peer_add: not an address: max_send %u", addr->max_send);
	if (addr->id)
		p = rails_peer_by_id(s, addr->id);
	for (j = 0; !p && j < addr->count; j++)
		if (addr->rail[j].ep < PNIC_EP_NONE)
			p = rails_peer_by_source(s, addr->rail[j]);
	if (p) {
		/* What it said of itself is newer than an address that came by other ways. */
		p->pub.user = user;
		*peer = &p->pub;
		return 0;
	}
	p = rails_peer_new(s, user);
	if (!p)
		return pnic_fail(-ENOMEM, "pnic_rails_peer_add: out of memory");
	if (rails_peer_update(p, addr)) {
		rails_peer_free(p);
		return pnic_fail(-ENOMEM, "pnic_rails_peer_add: out of memory");
	}
	if (!p->pub.addr.max_send)
		p->pub.addr.max_send = s->attr.max_send;
	*peer = &p->pub;
	return 0;
}

PNIC_EXPORT int pnic_rails_peer_del(struct pnic_rails_peer *peer)
{
	struct rails_peer *p = rails_peer(peer);

	if (!peer)
		return 0;
	if (p->posted != p->told_of || p->unreleased)
		return pnic_fail(-EBUSY, "pnic_rails_peer_del: %llu transfers under way, %u messages not released",
				 (unsigned long long)(p->posted - p->told_of), p->unreleased);
	/*
	 * The far end goes on counting, and what it sends is told to have arrived: so the numbers stay, and all that they
	 * need, for when it is added again or heard.
	 */
	p->pub.user = p->set->attr.peer_user;
	rails_renames_free(p);
	if (rails_window_empty(p))
		rails_window_free(p);
	return 0;
}

/* ------------------------------------------------------------------------- */
/* Hello                                                                     */

static struct rails_op *rails_hello_op(struct rails_peer *p, bool answer)
{
	struct rails_hello hello = { .version = RAILS_VERSION, .answer = answer };

	rails_own_addr(p->set, &hello.addr);
	hello.knows = rails_addr_sum(&p->pub.addr);
	return rails_internal(p, RAILS_HELLO, &hello, sizeof(hello));
}

struct rails_op *rails_hello(struct rails_peer *p, unsigned int rail, unsigned int remote, bool answer)
{
	struct rails_op *op = rails_hello_op(p, answer);
	struct rails_piece *pc;

	if (!op)
		return NULL;
	pc = rails_piece_new(op, 0, sizeof(struct rails_hello));
	if (!pc) {
		rails_op_over(op);
		return NULL;
	}
	pc->rail = (uint8_t)rail;
	pc->remote = (uint8_t)remote;
	pc->pinned = true;
	p->told = true;
	/* Not at once: the caller may be in the middle of something else. */
	rails_list_add_tail(&p->set->waiting, &pc->at);
	p->set->stir = true;
	return op;
}

bool rails_greeted(struct rails_peer *p, unsigned int rail, unsigned int remote)
{
	struct rails_path *path = &p->path[rail][remote];
	struct rails_set *s = p->set;

	if (path->greeted)
		return true;
	if (path->greeting && s->now - path->greeting < RAILS_GREET_AGAIN_US)
		return false;
	path->greeting = s->now ? s->now : 1;
	if (!rails_hello(p, rail, remote, path->suspect || !p->pub.addr.id))
		path->greeting = 0;
	return path->greeted;
}

void rails_got_hello(struct rails_set *s, unsigned int rail, struct pnic_addr from, const void *data, uint32_t length)
{
	struct pnic_rails_addr own;
	struct rails_hello hello;
	struct rails_peer *p;
	unsigned int j, remote = PNIC_RAILS_MAX;

	if (length != sizeof(hello))
		return;
	memcpy(&hello, data, sizeof(hello));
	if (hello.version != RAILS_VERSION || !hello.addr.id || hello.addr.count > PNIC_RAILS_MAX ||
	    hello.addr.max_send < sizeof(hello))
		return;
	for (j = 0; j < hello.addr.count; j++)
		if (hello.addr.rail[j].nic == from.nic && hello.addr.rail[j].ep == from.ep)
			remote = j;
	if (remote == PNIC_RAILS_MAX)
		return;			/* it speaks for somebody else, or has changed since */
	p = rails_peer_by_id(s, hello.addr.id);
	for (j = 0; !p && j < hello.addr.count; j++) {
		p = rails_peer_by_source(s, hello.addr.rail[j]);
		if (p && p->pub.addr.id)
			p = NULL;	/* of one that had the endpoint before */
	}
	if (!p)
		p = rails_peer_new(s, s->attr.peer_user);
	if (!p || rails_peer_update(p, &hello.addr))
		return;
	/* It can be heard, so it is there, and the endpoint is its own. */
	rails_path_fresh(&p->path[rail][remote]);
	rails_own_addr(s, &own);
	if (hello.knows == rails_addr_sum(&own)) {
		p->path[rail][remote].greeted = true;
		p->told = true;
	}
	if (hello.answer)
		rails_hello(p, rail, remote, false);
}

void rails_tell_peer(struct rails_peer *p)
{
	struct rails_op *op = rails_hello_op(p, false);

	p->untold = !op;
	p->set->troubled |= p->untold;
	if (!op)
		return;
	op->unpinned = true;
	rails_say(op);
}

void rails_tell(struct rails_set *s)
{
	struct rails_peer *p;

	for (p = s->peers; p; p = p->next)
		if (p->told)
			rails_tell_peer(p);
}

void rails_paths_reset(struct rails_set *s, unsigned int rail)
{
	struct rails_peer *p;
	unsigned int j;

	for (p = s->peers; p; p = p->next)
		for (j = 0; j < PNIC_RAILS_MAX; j++)
			rails_path_fresh(&p->path[rail][j]);
}

void rails_path_failed(struct rails_peer *p, unsigned int rail, unsigned int remote, uint8_t status)
{
	struct rails_path *path = &p->path[rail][remote];
	int64_t delay = RAILS_DOWN_MIN_US << (path->failures < 9 ? path->failures : 9);

	if (path->failures < UINT8_MAX)
		path->failures++;
	path->down_until = p->set->now + (delay < RAILS_DOWN_MAX_US ? delay : RAILS_DOWN_MAX_US);
	path->greeting = 0;
	if (status != PNIC_ST_LINK) {
		path->greeted = false;
		path->suspect = true;
	}
}

/* ------------------------------------------------------------------------- */
/* Keys of cards that were opened anew                                       */

static struct rails_rename *rails_rename(struct rails_peer *p, unsigned int remote, const struct pnic_rails_key *key)
{
	struct rails_rename *name;

	for (name = p->renames; name; name = name->next)
		if (name->rail == remote && name->old_key == key->key[remote] && name->old_gen == key->gen[remote])
			return name;
	return NULL;
}

static void rails_ask_key(struct rails_peer *p, struct rails_rename *name)
{
	struct rails_rekey ask = { .old_key = name->old_key, .rail = name->rail, .old_gen = name->old_gen };
	struct rails_op *op;

	name->state = RAILS_ASKED;
	name->asked = p->set->now;
	op = rails_internal(p, RAILS_ASK_KEY, &ask, sizeof(ask));
	if (op)
		rails_say(op);
}

static struct rails_rename *rails_rename_new(struct rails_peer *p, unsigned int remote,
					     const struct pnic_rails_key *key)
{
	struct rails_rename *name = calloc(1, sizeof(*name));

	if (!name)
		return NULL;
	name->rail = (uint8_t)remote;
	name->old_key = key->key[remote];
	name->old_gen = key->gen[remote];
	name->next = p->renames;
	p->renames = name;
	rails_ask_key(p, name);
	return name;
}

int rails_peer_key(struct rails_peer *p, unsigned int remote, const struct pnic_rails_key *key, uint64_t *now)
{
	struct rails_rename *name;

	if (remote >= key->count)
		return -EAGAIN;
	if (!p->renames && key->gen[remote] == p->pub.addr.gen[remote]) {
		*now = key->key[remote];
		return 0;
	}
	name = rails_rename(p, remote, key);
	if (!name) {
		if (key->gen[remote] == p->pub.addr.gen[remote]) {
			*now = key->key[remote];
			return 0;
		}
		/* Of a set that wasn't heard yet the generation isn't known: the key will do. */
		if (!p->pub.addr.id) {
			*now = key->key[remote];
			return 0;
		}
		rails_rename_new(p, remote, key);
		return -EAGAIN;
	}
	if (name->state == RAILS_NO_REGION)
		return -ENOENT;
	if (name->state == RAILS_KNOWN && name->new_gen == p->pub.addr.gen[remote]) {
		*now = name->new_key;
		return 0;
	}
	if (name->state == RAILS_KNOWN || p->set->now - name->asked >= RAILS_ASK_AGAIN_US)
		rails_ask_key(p, name);
	return -EAGAIN;
}

int rails_peer_doubt(struct rails_peer *p, unsigned int remote, const struct pnic_rails_key *key)
{
	struct rails_rename *name;

	if (remote >= key->count)
		return -ENOENT;
	name = rails_rename(p, remote, key);
	if (!name)
		return rails_rename_new(p, remote, key) ? 0 : -ENOENT;
	if (name->state == RAILS_ASKED)
		return 0;
	return -ENOENT;
}

void rails_got_rekey(struct rails_peer *p, enum rails_kind kind, const void *data, uint32_t length)
{
	struct rails_rekey msg;
	struct rails_rename *name;
	struct rails_op *op;

	if (length != sizeof(msg))
		return;
	memcpy(&msg, data, sizeof(msg));
	if (kind == RAILS_ASK_KEY) {
		msg.new_key = 0;
		if (rails_region_rekey(p->set->rails, &msg) == -EAGAIN)
			return;			/* it asks again */
		op = rails_internal(p, RAILS_NEW_KEY, &msg, sizeof(msg));
		if (op)
			rails_say(op);
		return;
	}
	for (name = p->renames; name; name = name->next) {
		if (name->rail != msg.rail || name->old_key != msg.old_key || name->old_gen != msg.old_gen)
			continue;
		name->state = msg.new_key ? RAILS_KNOWN : RAILS_NO_REGION;
		name->new_key = msg.new_key;
		name->new_gen = msg.new_gen;
		p->set->stir = true;
		return;
	}
}
