// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of /dev/pnicN: rings, doorbell and wake pages, the status page.
 *
 * User space names them by cookies that the ioctls hand out, never by addresses,
 * and gets exactly what the cookie stands for. Nothing is executable or inherited by
 * children (but the two pages that are only read), nothing grows.
 *
 * Doorbell and wake pages are filled in by faults, so that they can be taken back:
 * pnic_mmap_revoke() and pnic_mmap_del() remove what is there, and the next access gets a
 * page of memory that nobody reads. A process that is ringing while the card is reset doesn't
 * die of it; it learns by its events and by the status page. Rings are never taken
 * back: the mapping holds the pages.
 */
#include <linux/fs.h>
#include <linux/mm.h>

#include "pnic_object.h"

/*
 * Cookies, in pages. Rings are apart from the pages that are revoked, since all files of
 * an inode share the address space that unmap_mapping_range() works on.
 */
#define PNIC_PGOFF_STATUS	1UL
#define PNIC_PGOFF_CTX		2UL
#define PNIC_PGOFF_DB		0x1000UL	/* page n of BAR 4 */
#define PNIC_PGOFF_RING		0x10000000UL
#define PNIC_PGOFF_RING_STEP	BIT(PNIC_RING_ORDER_MAX)
#define PNIC_RING_COOKIES	0x100000UL

const u64 pnic_mmap_status_offset = (u64)PNIC_PGOFF_STATUS << PAGE_SHIFT;
const u64 pnic_mmap_ctx_offset = (u64)PNIC_PGOFF_CTX << PAGE_SHIFT;

/* Where @map is in pf->maps: rings densely, the others by cookie. */
static unsigned long pnic_mmap_index(unsigned long pgoff)
{
	if (pgoff < PNIC_PGOFF_RING)
		return pgoff;
	return PNIC_PGOFF_RING + (pgoff - PNIC_PGOFF_RING) / PNIC_PGOFF_RING_STEP;
}

static int pnic_mmap_add_ring(struct pnic_file *pf, struct pnic_mapping *map)
{
	u32 id;
	int err;

	err = xa_alloc_cyclic(&pf->maps, &id, map,
			      XA_LIMIT(PNIC_PGOFF_RING, PNIC_PGOFF_RING + PNIC_RING_COOKIES - 1),
			      &pf->next_map, GFP_KERNEL_ACCOUNT);
	if (err < 0)
		return err == -EBUSY ? -ENOSPC : err;
	map->pgoff = PNIC_PGOFF_RING + (id - PNIC_PGOFF_RING) * PNIC_PGOFF_RING_STEP;
	return 0;
}

static int pnic_mmap_add_page(struct pnic_file *pf, struct pnic_mapping *map)
{
	map->pgoff = PNIC_PGOFF_DB + map->pfn - PHYS_PFN(pf->pd->db_base);
	return xa_insert(&pf->maps, map->pgoff, map, GFP_KERNEL_ACCOUNT);
}

/* Gives @map its cookie: from now on the file may map it. With pf->lock. */
int pnic_mmap_add(struct pnic_file *pf, struct pnic_mapping *map)
{
	int err;

	mutex_lock(&pf->map_lock);
	if (map->kind == PNIC_MAP_RING)
		err = pnic_mmap_add_ring(pf, map);
	else
		err = pnic_mmap_add_page(pf, map);
	mutex_unlock(&pf->map_lock);
	return err;
}

/* All files of an inode share the address space: others may get more faults than they need. */
static void pnic_mmap_zap(struct pnic_file *pf, unsigned long pgoff, unsigned long pages)
{
	lockdep_assert_held(&pf->map_lock);

	if (pf->mapping)
		unmap_mapping_range(pf->mapping, (loff_t)pgoff << PAGE_SHIFT,
				    (loff_t)pages << PAGE_SHIFT, 1);
}

/*
 * There will be no more. A ring that is mapped stays so; a page of BAR 4 is going to be somebody
 * else's.
 */
void pnic_mmap_del(struct pnic_file *pf, struct pnic_mapping *map)
{
	if (!map->pgoff)
		return;
	mutex_lock(&pf->map_lock);
	xa_erase(&pf->maps, pnic_mmap_index(map->pgoff));
	if (map->kind != PNIC_MAP_RING && !pf->revoked)
		pnic_mmap_zap(pf, map->pgoff, map->pages);
	map->pgoff = 0;
	mutex_unlock(&pf->map_lock);
}

/* What user space gives to mmap(). */
u64 pnic_mmap_offset(const struct pnic_mapping *map)
{
	return (u64)map->pgoff << PAGE_SHIFT;
}

/* From now on no access of the process reaches the card. */
void pnic_mmap_revoke(struct pnic_file *pf)
{
	mutex_lock(&pf->map_lock);
	if (!pf->revoked)
		pnic_mmap_zap(pf, PNIC_PGOFF_DB, PNIC_PGOFF_RING - PNIC_PGOFF_DB);
	pf->revoked = true;
	mutex_unlock(&pf->map_lock);
}

/* An access to a doorbell or wake page that is not there: the first, or the first since. */
static vm_fault_t pnic_mmap_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct pnic_file *pf = vma->vm_file->private_data;
	struct pnic_mapping *map = NULL;
	vm_fault_t ret = VM_FAULT_OOM;
	unsigned long pfn;

	mutex_lock(&pf->map_lock);
	if (!pf->revoked)
		map = xa_load(&pf->maps, pnic_mmap_index(vma->vm_pgoff));
	if (map) {
		pfn = map->pfn;
	} else {
		if (!pf->dummy)
			pf->dummy = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!pf->dummy)
			goto unlock;
		pfn = page_to_pfn(pf->dummy);
	}
	ret = vmf_insert_pfn(vma, vmf->address, pfn);
unlock:
	mutex_unlock(&pf->map_lock);
	return ret;
}

static const struct vm_operations_struct pnic_mmap_page_ops = {
	.fault = pnic_mmap_fault,
};

/* Of which page it is a mapping, each fault looks up by its offset. */
static int pnic_mmap_page(struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY);
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_ops = &pnic_mmap_page_ops;
	return 0;
}

static int pnic_mmap_pages(struct vm_area_struct *vma, struct page *page)
{
	unsigned long addr;
	int err;

	for (addr = vma->vm_start; addr < vma->vm_end; addr += PAGE_SIZE, page++) {
		err = vm_insert_page(vma, addr, page);
		if (err)
			return err;
	}
	return 0;
}

static int pnic_mmap_read_only(struct vm_area_struct *vma, struct page *page)
{
	if (vma_pages(vma) != 1)
		return -EINVAL;
	if (vma->vm_flags & VM_WRITE)
		return -EPERM;
	vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTDUMP, VM_MAYWRITE);
	return pnic_mmap_pages(vma, page);
}

static int pnic_mmap_object(struct pnic_file *pf, struct vm_area_struct *vma)
{
	struct pnic_mapping *map;

	lockdep_assert_held(&pf->map_lock);

	map = xa_load(&pf->maps, pnic_mmap_index(vma->vm_pgoff));
	if (!map || map->pgoff != vma->vm_pgoff || map->pages != vma_pages(vma))
		return -EINVAL;
	if (map->kind != PNIC_MAP_RING)
		return pnic_mmap_page(vma);
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY);
	return pnic_mmap_pages(vma, map->page);
}

int pnic_mmap(struct pnic_file *pf, struct vm_area_struct *vma)
{
	int err;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	vm_flags_clear(vma, VM_MAYEXEC);

	if (vma->vm_pgoff == PNIC_PGOFF_STATUS)
		return pnic_mmap_read_only(vma, virt_to_page(pf->pd->status));
	if (vma->vm_pgoff == PNIC_PGOFF_CTX) {
		struct page *page = READ_ONCE(pf->ctx_page);

		return page ? pnic_mmap_read_only(vma, page) : -EINVAL;
	}
	mutex_lock(&pf->map_lock);
	err = pnic_mmap_object(pf, vma);
	mutex_unlock(&pf->map_lock);
	return err;
}
