// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/* Domains: the cards, opened as rails, and what is shared by endpoints. */
#include "pfi.h"

static int domain_close(struct fid *fid)
{
	struct pfi_domain *d = pfi_entry(fid, struct pfi_domain, fid.fid);

	if (__atomic_load_n(&d->refs, __ATOMIC_ACQUIRE))
		return -FI_EBUSY;
	pfi_mrc_destroy(d);
	pnic_rails_close(d->rails);
	pfi_map_fini(&d->mrs);
	pfi_lock_fini(&d->lock);
	pthread_mutex_destroy(&d->atomics);
	__atomic_sub_fetch(&d->fabric->refs, 1, __ATOMIC_RELEASE);
	free(d);
	return 0;
}

/* An EQ may be bound; all that would be reported to it ends at once here. */
static int domain_bind(struct fid *fid, struct fid *bfid, uint64_t flags)
{
	(void)fid;
	(void)flags;
	return bfid->fclass == FI_CLASS_EQ ? 0 : -FI_EINVAL;
}

static int no_scalable_ep(struct fid_domain *dom, struct fi_info *info, struct fid_ep **sep, void *context)
{
	(void)dom;
	(void)info;
	(void)sep;
	(void)context;
	return -FI_ENOSYS;
}

static int no_poll_open(struct fid_domain *dom, struct fi_poll_attr *attr, struct fid_poll **pollset)
{
	(void)dom;
	(void)attr;
	(void)pollset;
	return -FI_ENOSYS;
}

static int no_stx_ctx(struct fid_domain *dom, struct fi_tx_attr *attr, struct fid_stx **stx, void *context)
{
	(void)dom;
	(void)attr;
	(void)stx;
	(void)context;
	return -FI_ENOSYS;
}

static int no_srx_ctx(struct fid_domain *dom, struct fi_rx_attr *attr, struct fid_ep **rx, void *context)
{
	(void)dom;
	(void)attr;
	(void)rx;
	(void)context;
	return -FI_ENOSYS;
}

static int no_query_collective(struct fid_domain *dom, enum fi_collective_op coll, struct fi_collective_attr *attr,
			       uint64_t flags)
{
	(void)dom;
	(void)coll;
	(void)attr;
	(void)flags;
	return -FI_ENOSYS;
}

static int domain_endpoint2(struct fid_domain *dom, struct fi_info *info, struct fid_ep **ep, uint64_t flags,
			    void *context)
{
	return flags ? -FI_ENOSYS : pfi_ep_open(dom, info, ep, context);
}

static struct fi_ops domain_fi_ops = {
	.size = sizeof(struct fi_ops),
	.close = domain_close,
	.bind = domain_bind,
	.control = pfi_no_control,
	.ops_open = pfi_no_ops_open,
};

static struct fi_ops_domain domain_ops = {
	.size = sizeof(struct fi_ops_domain),
	.av_open = pfi_av_open,
	.cq_open = pfi_cq_open,
	.endpoint = pfi_ep_open,
	.scalable_ep = no_scalable_ep,
	.cntr_open = pfi_cntr_open,
	.poll_open = no_poll_open,
	.stx_ctx = no_stx_ctx,
	.srx_ctx = no_srx_ctx,
	.query_atomic = pfi_query_atomic,
	.query_collective = no_query_collective,
	.endpoint2 = domain_endpoint2,
};

int pfi_domain_open(struct fid_fabric *fabric, struct fi_info *info, struct fid_domain **dom, void *context)
{
	const struct fi_domain_attr *attr = info->domain_attr;
	struct pfi_domain *d;
	int err;

	if (!attr || !attr->name)
		return -FI_EINVAL;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -FI_ENOMEM;
	err = pfi_rails_open(attr->name, &d->rails);
	if (err) {
		pfi_warn(DOMAIN, "%s: %s\n", attr->name, pnic_last_error());
		free(d);
		return err;
	}
	d->fabric = pfi_entry(fabric, struct pfi_fabric, fid);
	d->auto_progress = attr->data_progress == FI_PROGRESS_AUTO;
	d->unlocked = attr->threading == FI_THREAD_DOMAIN && !d->auto_progress;
	/* Bit 0 is FI_MR_BASIC. */
	d->virt_addr = !!(attr->mr_mode & (FI_MR_VIRT_ADDR | 1));
	d->prov_key = !!(attr->mr_mode & (FI_MR_PROV_KEY | 1));
	pfi_lock_init(&d->lock, d->unlocked);
	pthread_mutex_init(&d->atomics, NULL);
	err = pfi_mrc_create(d);
	if (err) {
		pnic_rails_close(d->rails);
		free(d);
		return err;
	}
	d->fid.fid.fclass = FI_CLASS_DOMAIN;
	d->fid.fid.context = context;
	d->fid.fid.ops = &domain_fi_ops;
	d->fid.ops = &domain_ops;
	d->fid.mr = &pfi_mr_ops;
	__atomic_add_fetch(&d->fabric->refs, 1, __ATOMIC_RELAXED);
	*dom = &d->fid;
	return 0;
}
