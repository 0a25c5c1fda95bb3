// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/*
 * Address vectors. An fi_addr_t is an index, for maps as for tables. An address costs its bytes and a slot of a
 * table; what a peer costs beyond that comes with the first message to it.
 */
#include <inttypes.h>
#include <stdio.h>

#include "pfi.h"

static int av_close(struct fid *fid)
{
	struct pfi_av *av = pfi_entry(fid, struct pfi_av, fid.fid);

	if (__atomic_load_n(&av->refs, __ATOMIC_ACQUIRE))
		return -FI_EBUSY;
	__atomic_sub_fetch(&av->domain->refs, 1, __ATOMIC_RELEASE);
	pfi_map_fini(&av->by_id);
	pfi_lock_fini(&av->lock);
	free(av->addr);
	free(av);
	return 0;
}

/* Insertion is synchronous; an EQ would have nothing to report. */
static int av_bind(struct fid *fid, struct fid *bfid, uint64_t flags)
{
	(void)fid;
	(void)flags;
	return bfid->fclass == FI_CLASS_EQ ? 0 : -FI_EINVAL;
}

static int av_add(struct pfi_av *av, const struct pnic_rails_addr *addr)
{
	struct pnic_rails_addr *more;
	size_t room;

	if (av->count == av->room) {
		room = av->room ? av->room * 2 : 16;
		more = realloc(av->addr, room * sizeof(*more));
		if (!more)
			return -FI_ENOMEM;
		av->addr = more;
		av->room = room;
	}
	if (!pfi_map_get(&av->by_id, addr->id) &&
	    pfi_map_put(&av->by_id, addr->id, (void *)(uintptr_t)(av->count + 1)))
		return -FI_ENOMEM;
	av->addr[av->count++] = *addr;
	return 0;
}

static int av_insert(struct fid_av *fid, const void *addr, size_t count, fi_addr_t *fi, uint64_t flags, void *context)
{
	struct pfi_av *av = pfi_entry(fid, struct pfi_av, fid);
	const struct name *name = addr;
	struct pnic_rails_addr one;
	int *errors = flags & FI_SYNC_ERR ? context : NULL;
	int done = 0, err;
	size_t i;

	if (flags & ~(FI_MORE | FI_SYNC_ERR | FI_AV_USER_ID))
		return -FI_EBADFLAGS;
	if (flags & FI_AV_USER_ID)
		return -FI_EOPNOTSUPP;
	pfi_lock(&av->lock);
	for (i = 0; i < count; i++) {
		err = name_unpack(&one, &name[i]) ? av_add(av, &one) : -FI_EINVAL;
		if (err == -FI_EINVAL)
			pfi_once(AV, "address %zu of fi_av_insert() isn't one of this provider\n", i);
		if (errors)
			errors[i] = -err;
		if (fi)
			fi[i] = err ? FI_ADDR_NOTAVAIL : av->count - 1;
		done += !err;
	}
	__atomic_add_fetch(&av->gen, 1, __ATOMIC_RELEASE);
	pfi_unlock(&av->lock);
	return done;
}

static int no_insertsvc(struct fid_av *av, const char *node, const char *service, fi_addr_t *fi, uint64_t flags,
			void *context)
{
	(void)av;
	(void)node;
	(void)service;
	(void)fi;
	(void)flags;
	(void)context;
	return -FI_ENOSYS;
}

static int no_insertsym(struct fid_av *av, const char *node, size_t nodecnt, const char *service, size_t svccnt,
			fi_addr_t *fi, uint64_t flags, void *context)
{
	(void)av;
	(void)node;
	(void)nodecnt;
	(void)service;
	(void)svccnt;
	(void)fi;
	(void)flags;
	(void)context;
	return -FI_ENOSYS;
}

static int av_remove(struct fid_av *fid, fi_addr_t *fi, size_t count, uint64_t flags)
{
	struct pfi_av *av = pfi_entry(fid, struct pfi_av, fid);
	int err = 0;
	size_t i;

	(void)flags;
	pfi_lock(&av->lock);
	for (i = 0; i < count; i++) {
		if (fi[i] >= av->count || !av->addr[fi[i]].id) {
			err = -FI_EINVAL;
			continue;
		}
		if (pfi_map_get(&av->by_id, av->addr[fi[i]].id) == (void *)(uintptr_t)(fi[i] + 1))
			pfi_map_del(&av->by_id, av->addr[fi[i]].id);
		av->addr[fi[i]].id = 0;
	}
	__atomic_add_fetch(&av->gen, 1, __ATOMIC_RELEASE);
	pfi_unlock(&av->lock);
	return err;
}

static int av_lookup(struct fid_av *fid, fi_addr_t fi, void *addr, size_t *len)
{
	struct pfi_av *av = pfi_entry(fid, struct pfi_av, fid);
	struct pnic_rails_addr one;
	size_t room = *len;
	struct name name;
	int err;

	*len = sizeof(name);
	err = pfi_av_get(av, fi, &one);
	if (err)
		return err;
	name_pack(&name, &one);		/* it was a name */
	memcpy(addr, &name, pfi_min(room, sizeof(name)));
	return room < sizeof(name) ? -FI_ETOOSMALL : 0;
}

static const char *av_straddr(struct fid_av *av, const void *addr, char *buf, size_t *len)
{
	struct pnic_rails_addr one;
	size_t room = *len;
	char text[96];

	(void)av;
	if (!name_unpack(&one, addr))
		memset(&one, 0, sizeof(one));
	*len = (size_t)snprintf(text, sizeof(text), "pnic://%016" PRIx64 "/%u/0x%06x.%u", one.id, one.count,
				one.rail[0].nic, one.rail[0].ep) + 1;
	if (room)
		snprintf(buf, room, "%s", text);
	return buf;
}

static int no_av_set(struct fid_av *av, struct fi_av_set_attr *attr, struct fid_av_set **set, void *context)
{
	(void)av;
	(void)attr;
	(void)set;
	(void)context;
	return -FI_ENOSYS;
}

static int no_insert_auth_key(struct fid_av *av, const void *key, size_t size, fi_addr_t *fi, uint64_t flags)
{
	(void)av;
	(void)key;
	(void)size;
	(void)fi;
	(void)flags;
	return -FI_ENOSYS;
}

static int no_lookup_auth_key(struct fid_av *av, fi_addr_t fi, void *key, size_t *size)
{
	(void)av;
	(void)fi;
	(void)key;
	(void)size;
	return -FI_ENOSYS;
}

static int no_set_user_id(struct fid_av *av, fi_addr_t fi, fi_addr_t user, uint64_t flags)
{
	(void)av;
	(void)fi;
	(void)user;
	(void)flags;
	return -FI_ENOSYS;
}

static struct fi_ops av_fi_ops = {
	.size = sizeof(struct fi_ops),
	.close = av_close,
	.bind = av_bind,
	.control = pfi_no_control,
	.ops_open = pfi_no_ops_open,
};

static struct fi_ops_av av_ops = {
	.size = sizeof(struct fi_ops_av),
	.insert = av_insert,
	.insertsvc = no_insertsvc,
	.insertsym = no_insertsym,
	.remove = av_remove,
	.lookup = av_lookup,
	.straddr = av_straddr,
	.av_set = no_av_set,
	.insert_auth_key = no_insert_auth_key,
	.lookup_auth_key = no_lookup_auth_key,
	.set_user_id = no_set_user_id,
};

int pfi_av_open(struct fid_domain *dom, struct fi_av_attr *attr, struct fid_av **out, void *context)
{
	struct pfi_domain *d = pfi_entry(dom, struct pfi_domain, fid);
	struct pfi_av *av;

	if (attr && attr->type > FI_AV_TABLE)
		return -FI_EINVAL;
	/* Shared by name, several contexts behind an address, asynchronous: not here. */
	if (attr && (attr->name || attr->rx_ctx_bits || attr->flags & ~FI_SYMMETRIC))
		return -FI_ENOSYS;
	av = calloc(1, sizeof(*av));
	if (!av)
		return -FI_ENOMEM;
	av->domain = d;
	pfi_lock_init(&av->lock, d->unlocked);
	if (attr && attr->type == FI_AV_UNSPEC)
		attr->type = FI_AV_TABLE;
	av->fid.fid.fclass = FI_CLASS_AV;
	av->fid.fid.context = context;
	av->fid.fid.ops = &av_fi_ops;
	av->fid.ops = &av_ops;
	__atomic_add_fetch(&d->refs, 1, __ATOMIC_RELAXED);
	*out = &av->fid;
	return 0;
}

int pfi_av_get(struct pfi_av *av, fi_addr_t fi, struct pnic_rails_addr *addr)
{
	int err = -FI_EINVAL;

	pfi_lock(&av->lock);
	if (fi < av->count && av->addr[fi].id) {
		*addr = av->addr[fi];
		err = 0;
	}
	pfi_unlock(&av->lock);
	return err;
}

fi_addr_t pfi_av_find(struct pfi_av *av, uint64_t id)
{
	uintptr_t found;

	pfi_lock(&av->lock);
	found = (uintptr_t)pfi_map_get(&av->by_id, id);
	pfi_unlock(&av->lock);
	return found ? (fi_addr_t)(found - 1) : PFI_NOBODY;
}
