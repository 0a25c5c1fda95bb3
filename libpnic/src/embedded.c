// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Cards in the process: finding what serves them, which is no part of this library, and
 * passing on what pnic_embedded.h asks for.
 *
 * A program that links libpnic-embedded has it already; else the shared library is loaded,
 * and only for a name that asks for it.
 */
#include <dlfcn.h>

#include <pnic_embedded.h>

#include "internal.h"

#define PNIC_EMBEDDED_LIB	"libpnic-embedded.so.1"
#define PNIC_EMBEDDED_SYM	"pnic_embedded_backend"

extern const struct pnic_backend pnic_embedded_backend __attribute__((weak, visibility("default")));

bool pnic_embedded_name(const char *name)
{
	return !strncmp(name, "embedded:", 9);
}

int pnic_embedded_find(const struct pnic_backend **ops)
{
	const struct pnic_backend *found = &pnic_embedded_backend;
	void *lib;

	if (!found) {
		/* Never closed: its threads may outlive any one context. */
		lib = dlopen(PNIC_EMBEDDED_LIB, RTLD_NOW | RTLD_LOCAL);
		if (!lib)
			return pnic_fail(-ENODEV, "embedded card: can't load it: %s", dlerror());
		found = dlsym(lib, PNIC_EMBEDDED_SYM);
		if (!found)
			return pnic_fail(-ENODEV, "embedded card: no %s in %s", PNIC_EMBEDDED_SYM, PNIC_EMBEDDED_LIB);
	}
	if (found->version != PNIC_BACKEND_VERSION)
		return pnic_fail(-EPROTO, "embedded card: libpnic-embedded is of version %u, this library wants %u",
				 found->version, PNIC_BACKEND_VERSION);
	*ops = found;
	return 0;
}

PNIC_EXPORT int pnic_embedded_fault(struct pnic_ctx *ctx, unsigned int what, unsigned int arg, double value)
{
	struct pnic_dev *dev;
	int err;

	if (!ctx)
		return pnic_fail(-EINVAL, "pnic_embedded_fault: NULL argument");
	dev = pnic_ctx_priv(ctx)->dev;
	if (!dev->ops->fault)
		return pnic_fail(-EOPNOTSUPP, "%s: not an embedded card", pnic_ctx_priv(ctx)->name);
	err = dev->ops->fault(dev, what, arg, value);
	if (err)
		return pnic_fail(err, "%s: fault %u with %u, %g: %s", pnic_ctx_priv(ctx)->name, what, arg, value,
				 pnic_strerror(err));
	return 0;
}

PNIC_EXPORT int pnic_embedded_figure(struct pnic_ctx *ctx, const char *name, double *value)
{
	struct pnic_dev *dev;
	int err;

	if (!ctx || !name || !value)
		return pnic_fail(-EINVAL, "pnic_embedded_figure: NULL argument");
	dev = pnic_ctx_priv(ctx)->dev;
	if (!dev->ops->figure)
		return pnic_fail(-EOPNOTSUPP, "%s: not an embedded card", pnic_ctx_priv(ctx)->name);
	err = dev->ops->figure(dev, name, value);
	if (err)
		return pnic_fail(err, "%s: no figure '%s'", pnic_ctx_priv(ctx)->name, name);
	return 0;
}

PNIC_EXPORT void pnic_embedded_drive(struct pnic_ctx *ctx)
{
	struct pnic_dev *dev;

	if (!ctx)
		return;
	dev = pnic_ctx_priv(ctx)->dev;
	if (dev->ops->drive)
		dev->ops->drive(dev, false);
}
