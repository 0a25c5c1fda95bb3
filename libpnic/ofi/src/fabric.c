// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/* Where libfabric enters: the provider, its knobs, fabrics. */
#include "pfi.h"

struct pfi_knobs pfi_knobs = {
	.eager = 8192,
	.window = 1 << 20,
	.tx_size = 1024,
	.rx_buffers = 256,
	.cache = 1024,
	.spin_us = 20,
	.yield = 1024,
	.fail_ms = 2000,
};

static void knob_size(const char *name, size_t *value, size_t min, size_t max, const char *help)
{
	size_t got;

	fi_param_define(&pfi_prov, name, FI_PARAM_SIZE_T, "%s (%zu; %zu to %zu)", help, *value, min, max);
	if (fi_param_get_size_t(&pfi_prov, name, &got) != FI_SUCCESS)
		return;
	if (got < min || got > max) {
		pfi_warn(CORE, "FI_PNIC_%s=%zu: not from %zu to %zu, %zu is used\n", name, got, min, max, *value);
		return;
	}
	*value = got;
}

void pfi_knobs_init(void)
{
	size_t spin = (size_t)pfi_knobs.spin_us, fail = (size_t)pfi_knobs.fail_ms;

	fi_param_define(&pfi_prov, "DEVICE", FI_PARAM_STRING,
			"domains that are shown, a card each or several as one: pnic0;pnic1+pnic2 (all cards as one)");
	fi_param_get_str(&pfi_prov, "DEVICE", &pfi_knobs.device);
	knob_size("EAGER", &pfi_knobs.eager, 512, 65536, "messages up to so many bytes are sent at once, longer ones are read by the receiver");
	knob_size("WINDOW", &pfi_knobs.window, 0, 1u << 30, "bytes of messages that nobody has received yet, from one peer");
	knob_size("TX_SIZE", &pfi_knobs.tx_size, 16, 65536, "operations under way of one endpoint");
	knob_size("RX_BUFFERS", &pfi_knobs.rx_buffers, 16, 8192, "receive buffers of one endpoint, for each card");
	knob_size("MR_CACHE", &pfi_knobs.cache, 0, 1u << 20, "registrations of memory that are kept, 0: none");
	knob_size("SPIN_US", &spin, 0, 1000000, "us that a blocking call looks before it sleeps");
	knob_size("YIELD", &pfi_knobs.yield, 0, 1u << 20, "looks at an empty queue before others get the processor, 1 if they want it; 0: never");
	knob_size("FAIL_MS", &fail, 1, 3600000, "ms until a transfer that finds no way is given up");
	pfi_knobs.spin_us = (int)spin;
	pfi_knobs.fail_ms = (int)fail;
	pfi_info(CORE, "device %s, eager %zu, window %zu, tx size %zu, rx buffers %zu, mr cache %zu, spin %d us, yield %zu, fail %d ms\n",
		 pfi_knobs.device ? pfi_knobs.device : "(all)", pfi_knobs.eager, pfi_knobs.window, pfi_knobs.tx_size,
		 pfi_knobs.rx_buffers, pfi_knobs.cache, pfi_knobs.spin_us, pfi_knobs.yield, pfi_knobs.fail_ms);
}

static int fabric_close(struct fid *fid)
{
	struct pfi_fabric *f = pfi_entry(fid, struct pfi_fabric, fid.fid);

	if (__atomic_load_n(&f->refs, __ATOMIC_ACQUIRE))
		return -FI_EBUSY;
	free(f);
	return 0;
}

static int no_passive_ep(struct fid_fabric *fabric, struct fi_info *info, struct fid_pep **pep, void *context)
{
	(void)fabric;
	(void)info;
	(void)pep;
	(void)context;
	return -FI_ENOSYS;
}

static int no_wait_open(struct fid_fabric *fabric, struct fi_wait_attr *attr, struct fid_wait **wait)
{
	(void)fabric;
	(void)attr;
	(void)wait;
	return -FI_ENOSYS;
}

static int fabric_domain2(struct fid_fabric *fabric, struct fi_info *info, struct fid_domain **dom, uint64_t flags,
			  void *context)
{
	if (flags)	/* FI_PEER: nobody's */
		return -FI_ENOSYS;
	return pfi_domain_open(fabric, info, dom, context);
}

static struct fi_ops fabric_fi_ops = {
	.size = sizeof(struct fi_ops),
	.close = fabric_close,
	.bind = pfi_no_bind,
	.control = pfi_no_control,
	.ops_open = pfi_no_ops_open,
};

static struct fi_ops_fabric fabric_ops = {
	.size = sizeof(struct fi_ops_fabric),
	.domain = pfi_domain_open,
	.passive_ep = no_passive_ep,
	.eq_open = pfi_eq_open,
	.wait_open = no_wait_open,
	.trywait = pfi_trywait,
	.domain2 = fabric_domain2,
};

static int fabric_open(struct fi_fabric_attr *attr, struct fid_fabric **fabric, void *context)
{
	struct pfi_fabric *f;

	if (attr->name && strcmp(attr->name, PFI_NAME))
		return -FI_EINVAL;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -FI_ENOMEM;
	f->fid.fid.fclass = FI_CLASS_FABRIC;
	f->fid.fid.context = context;
	f->fid.fid.ops = &fabric_fi_ops;
	f->fid.ops = &fabric_ops;
	f->fid.api_version = attr->api_version;
	*fabric = &f->fid;
	return 0;
}

extern int pfi_getinfo(uint32_t version, const char *node, const char *service, uint64_t flags,
		       const struct fi_info *hints, struct fi_info **info);

static void prov_cleanup(void)
{
}

struct fi_provider pfi_prov = {
	.version = FI_VERSION(1, 0),
	.fi_version = FI_VERSION(FI_MAJOR_VERSION, FI_MINOR_VERSION),
	.name = PFI_NAME,
	.getinfo = pfi_getinfo,
	.fabric = fabric_open,
	.cleanup = prov_cleanup,
};

FI_EXT_INI
{
	pfi_knobs_init();
	return &pfi_prov;
}
