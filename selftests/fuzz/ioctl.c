// SPDX-License-Identifier: GPL-2.0
/*
 * The char device: its ioctls, mappings, events, and what lies in rings and doorbells; see fuzz.h.
 *
 * Arguments are as a rule nearly right: handles of things that were made, memory that is there, and one member of them
 * spoiled. What a program made is gone when it is over, by the closing of its files.
 */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/pnic.h>
#include <linux/pnic_queue.h>

#define FILES		3u
#define THINGS		24u
#define CALLS_MAX	60u		/* of a program, without its bursts */
#define BURSTS_MAX	8u
#define BURST		240u		/* where an operation's number is: a long burst; and above it: a short one */
#define PAGE		4096ul
#define ARENA		(256ul << 10)	/* memory to register: pages of all sorts */
#define NOBODY		65534

enum kind { K_MR, K_CQ, K_EP, K_SRQ, K_CTR, KINDS };

struct thing {
	unsigned int file;
	enum kind kind;
	uint32_t handle;
	uint64_t key, addr;
};

/* Something that can be mapped, and where it is if it was. */
struct area {
	unsigned int file;
	uint64_t offset, length;
	void *at;
};

/* What is counted; the ioctls, in the order of the table below, and one that isn't in it, come first. */
static const char *const kinds[] = {
	"info", "ctx_create", "mr_reg", "mr_dereg", "cq_create", "cq_destroy", "ep_create", "ep_destroy", "ep_reset",
	"link_info", "srq_create", "srq_destroy", "ctr_create", "ctr_destroy", "ctr_bind", "recv_cancel",
	"mr_reg_dmabuf", "mr_stale", "unknown",
	"open", "close", "mmap", "mremap", "mprotect", "munmap", "memory", "read", "poll", "other", "fork",
};

enum {
	C_UNKNOWN = 18, C_OPEN, C_CLOSE, C_MMAP, C_MREMAP, C_MPROTECT, C_MUNMAP, C_MEMORY, C_READ, C_POLL, C_OTHER, C_FORK,
};

static int files[FILES];
static struct thing things[THINGS];
static struct area areas[THINGS];
static unsigned int num_things, num_areas;
static uint8_t *arena;
/*
 * A dma-buf for each card: one that two devices have mapped is what dma-bufs are for, but a kernel with DMA API
 * debugging takes it for an error of theirs.
 */
static int buffer[2] = { -1, -1 };
static unsigned int nic_of[FILES];	/* which card a file is of */
static unsigned int now_file;		/* that of the call that is made */
/* A page that can't be written and a hole behind it, for arguments, and how we write that page. */
static uint8_t *ledge, *ledge_rw;
static uint32_t nic_addr[2];
static unsigned int calls, bursts;	/* of a program */
static bool alive;			/* a life has begun */

static long did(unsigned int what, long ret)
{
	fuzz_called(what, ret < 0 ? errno : 0);
	calls++;
	return ret;
}

/* --- memory ---- */

/* Private pages; the last quarter: pages that can be read only, a hole, pages of a file. */
static void make_arena(void)
{
	int fd;

	mmap(arena, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	mprotect(arena + ARENA * 3 / 4, ARENA / 16, PROT_READ);
	munmap(arena + ARENA * 13 / 16, ARENA / 16);
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0)
		return;
	if (!ftruncate(fd, ARENA / 8))
		mmap(arena + ARENA * 7 / 8, ARENA / 8, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	close(fd);
}

static uint64_t any_addr(struct fuzz_feed *f)
{
	uint8_t how = fuzz_u8(f);

	if (how < 200)
		return (uintptr_t)arena + fuzz_u16(f) * (how & 1 ? 8ull : 4096ull) % ARENA;
	if (how < 220 && num_areas)
		return (uintptr_t)areas[how % num_areas].at + fuzz_u8(f);
	return fuzz_edge(f);
}

static uint64_t any_length(struct fuzz_feed *f)
{
	uint8_t how = fuzz_u8(f);

	return how < 220 ? (uint64_t)how * how + 1 : fuzz_edge(f);
}

/* --- what there is ---- */

static void add_thing(unsigned int file, enum kind kind, uint32_t handle, uint64_t key, uint64_t addr)
{
	things[num_things % THINGS] = (struct thing){ file, kind, handle, key, addr };
	num_things++;
}

static void add_area(unsigned int file, uint64_t offset, uint64_t length)
{
	struct area *a = &areas[num_areas % THINGS];

	if (!offset || !length)
		return;
	if (num_areas >= THINGS && a->at)
		munmap(a->at, a->length);
	*a = (struct area){ file, offset, length, NULL };
	num_areas++;
}

static unsigned int count(unsigned int n)
{
	return n < THINGS ? n : THINGS;
}

/* A handle, of that kind and of that file as a rule. */
static uint32_t any_handle(struct fuzz_feed *f, enum kind kind)
{
	uint8_t how = fuzz_u8(f);
	unsigned int i, n = count(num_things);

	if (how >= 230 || !n)
		return how & 1 ? 0 : fuzz_edge(f);
	for (i = 0; i < n && how < 200; i++)
		if (things[(how + i) % n].kind == kind && things[(how + i) % n].file == now_file)
			return things[(how + i) % n].handle;
	for (i = 0; i < n; i++)
		if (things[(how + i) % n].kind == kind)
			return things[(how + i) % n].handle;
	return things[how % n].handle;
}

static int any_fd(struct fuzz_feed *f)
{
	uint8_t how = fuzz_u8(f);

	if (how < 150)
		return -1;
	if (how < 220)
		return buffer[nic_of[now_file]];
	return how < 240 ? files[how % FILES] : (int)how - 240;
}

/* --- calls ---- */

union arg {
	uint32_t size;
	uint8_t bytes[PAGE + 64];
	struct pnic_ioc_info info;
	struct pnic_ioc_ctx_create ctx;
	struct pnic_ioc_mr_reg mr;
	struct pnic_ioc_mr_reg_dmabuf buf;
	struct pnic_ioc_handle handle;
	struct pnic_ioc_cq_create cq;
	struct pnic_ioc_ep_create ep;
	struct pnic_ioc_srq_create srq;
	struct pnic_ioc_ctr_create ctr;
	struct pnic_ioc_ctr_bind bind;
	struct pnic_ioc_recv_cancel cancel;
	struct pnic_ioc_mr_stale stale;
	struct pnic_ioc_link_info link;
};

static union arg arg;

static void fill_info(struct fuzz_feed *f)
{
	(void)f;
	arg.size = sizeof(arg.info);
}

static void fill_ctx(struct fuzz_feed *f)
{
	uint8_t p = fuzz_u8(f);

	arg.size = sizeof(arg.ctx);
	arg.ctx.partition = p < 240 ? 0 : p;
}

static void fill_mr(struct fuzz_feed *f)
{
	arg.size = sizeof(arg.mr);
	arg.mr.flags = fuzz_u8(f) & 0x3e;
	arg.mr.addr = any_addr(f);
	arg.mr.length = any_length(f);
}

static void fill_buf(struct fuzz_feed *f)
{
	arg.size = sizeof(arg.buf);
	arg.buf.flags = fuzz_u8(f) & 0x1e;
	arg.buf.fd = any_fd(f);
	arg.buf.offset = fuzz_u16(f);
	arg.buf.length = any_length(f);
	arg.buf.addr = (fuzz_edge(f) & ~(PAGE - 1)) | (arg.buf.offset & (PAGE - 1));
}

static void fill_handle(struct fuzz_feed *f, enum kind kind)
{
	arg.size = sizeof(arg.handle);
	arg.handle.handle = any_handle(f, kind);
}

static void fill_mr_handle(struct fuzz_feed *f)
{
	fill_handle(f, K_MR);
}

static void fill_cq_handle(struct fuzz_feed *f)
{
	fill_handle(f, K_CQ);
}

static void fill_ep_handle(struct fuzz_feed *f)
{
	fill_handle(f, K_EP);
}

static void fill_srq_handle(struct fuzz_feed *f)
{
	fill_handle(f, K_SRQ);
}

static void fill_ctr_handle(struct fuzz_feed *f)
{
	fill_handle(f, K_CTR);
}

static void fill_cq(struct fuzz_feed *f)
{
	arg.size = sizeof(arg.cq);
	arg.cq.entries = 1u << fuzz_u8(f) % 12;
	arg.cq.eventfd = any_fd(f);
	arg.cq.user_data = fuzz_u8(f);
}

static void fill_ep(struct fuzz_feed *f)
{
	uint8_t how = fuzz_u8(f);

	arg.size = sizeof(arg.ep);
	arg.ep.flags = how & 1;
	arg.ep.sq_slots = 1u << (how >> 1) % 10;
	arg.ep.send_cq = any_handle(f, K_CQ);
	arg.ep.recv_cq = any_handle(f, K_CQ);
	arg.ep.rnr_timeout_us = fuzz_u16(f);
	if (how < 160)
		arg.ep.rq_entries = how & 32 ? 1u << how % 10 : 0;
	else
		arg.ep.srq = any_handle(f, K_SRQ);
}

static void fill_srq(struct fuzz_feed *f)
{
	arg.size = sizeof(arg.srq);
	arg.srq.entries = 1u << fuzz_u8(f) % 12;
}

static void fill_ctr(struct fuzz_feed *f)
{
	arg.size = sizeof(arg.ctr);
	arg.ctr.eventfd = any_fd(f);
}

static void fill_bind(struct fuzz_feed *f)
{
	arg.size = sizeof(arg.bind);
	arg.bind.ep = any_handle(f, K_EP);
	arg.bind.ctr = any_handle(f, K_CTR);
	arg.bind.kinds = fuzz_u8(f);
}

static void fill_cancel(struct fuzz_feed *f)
{
	arg.size = sizeof(arg.cancel);
	arg.cancel.handle = any_handle(f, fuzz_u8(f) & 1 ? K_EP : K_SRQ);
	arg.cancel.index = fuzz_edge(f);
}

static void fill_stale(struct fuzz_feed *f)
{
	(void)f;
	arg.size = sizeof(arg.stale);
}

static void fill_link(struct fuzz_feed *f)
{
	(void)f;
	arg.size = sizeof(arg.link);
}

static void made_ctx(unsigned int file)
{
	add_area(file, arg.ctx.page_offset, PAGE);
}

static void made_mr(unsigned int file)
{
	add_thing(file, K_MR, arg.mr.handle, arg.mr.key, arg.mr.addr);
}

static void made_buf(unsigned int file)
{
	add_thing(file, K_MR, arg.buf.handle, arg.buf.key, arg.buf.addr);
}

static void made_cq(unsigned int file)
{
	add_thing(file, K_CQ, arg.cq.handle, arg.cq.db_slot, arg.cq.cqn);
	add_area(file, arg.cq.ring_offset, arg.cq.ring_length);
	add_area(file, arg.cq.db_offset, PAGE);
	add_area(file, arg.cq.wake_offset, PAGE);
}

static void made_ep(unsigned int file)
{
	add_thing(file, K_EP, arg.ep.handle, arg.ep.sq_slot, arg.ep.epn);
	add_area(file, arg.ep.sq_offset, arg.ep.sq_length);
	add_area(file, arg.ep.rq_offset, arg.ep.rq_length);
	add_area(file, arg.ep.db_offset, PAGE);
}

static void made_srq(unsigned int file)
{
	add_thing(file, K_SRQ, arg.srq.handle, arg.srq.db_slot, arg.srq.srqn);
	add_area(file, arg.srq.ring_offset, arg.srq.ring_length);
}

static void made_ctr(unsigned int file)
{
	add_thing(file, K_CTR, arg.ctr.handle, arg.ctr.db_slot, arg.ctr.ctrn);
	add_area(file, arg.ctr.mem_offset, arg.ctr.mem_length);
}

static void made_info(unsigned int file)
{
	nic_addr[file & 1] = arg.info.nic_addr;
	add_area(file, arg.info.status_offset, PAGE);
}

static const struct {
	unsigned long cmd;
	void (*fill)(struct fuzz_feed *f);
	void (*made)(unsigned int file);
} ioctls[] = {
	{ PNIC_IOC_INFO, fill_info, made_info },
	{ PNIC_IOC_CTX_CREATE, fill_ctx, made_ctx },
	{ PNIC_IOC_MR_REG, fill_mr, made_mr },
	{ PNIC_IOC_MR_DEREG, fill_mr_handle, NULL },
	{ PNIC_IOC_CQ_CREATE, fill_cq, made_cq },
	{ PNIC_IOC_CQ_DESTROY, fill_cq_handle, NULL },
	{ PNIC_IOC_EP_CREATE, fill_ep, made_ep },
	{ PNIC_IOC_EP_DESTROY, fill_ep_handle, NULL },
	{ PNIC_IOC_EP_RESET, fill_ep_handle, NULL },
	{ PNIC_IOC_LINK_INFO, fill_link, NULL },
	{ PNIC_IOC_SRQ_CREATE, fill_srq, made_srq },
	{ PNIC_IOC_SRQ_DESTROY, fill_srq_handle, NULL },
	{ PNIC_IOC_CTR_CREATE, fill_ctr, made_ctr },
	{ PNIC_IOC_CTR_DESTROY, fill_ctr_handle, NULL },
	{ PNIC_IOC_CTR_BIND, fill_bind, NULL },
	{ PNIC_IOC_RECV_CANCEL, fill_cancel, NULL },
	{ PNIC_IOC_MR_REG_DMABUF, fill_buf, made_buf },
	{ PNIC_IOC_MR_STALE, fill_stale, NULL },
};

/* Places in it. */
enum { I_CTX_CREATE = 1, I_MR_REG = 2, I_CQ_CREATE = 4, I_EP_CREATE = 6, I_SRQ_CREATE = 10, I_CTR_CREATE = 12 };

#define IOCTLS	(sizeof(ioctls) / sizeof(ioctls[0]))

_Static_assert(IOCTLS == C_UNKNOWN, "a name for each ioctl");

/* A member, or the size, isn't what it should be. */
static void spoil(struct fuzz_feed *f)
{
	uint8_t how = fuzz_u8(f);
	uint32_t word;

	switch (how % 4) {
	case 0:
		arg.size = fuzz_edge(f);
		break;
	case 1:
		arg.size += (how >> 2) - 32;
		break;
	case 2:		/* a word, in the struct or behind it */
		word = fuzz_edge(f);
		memcpy(arg.bytes + how / 4 * 4, &word, 4);
		break;
	default:	/* a longer struct than there is */
		arg.size += 8;
		arg.bytes[arg.size % sizeof(arg.bytes)] = how >> 2;
		break;
	}
}

/*
 * Refused for certain, by one check or another: an argument that would be taken costs the card's time, hundreds of
 * times as much.
 */
static void spoil_for_sure(struct fuzz_feed *f, unsigned int which)
{
	uint8_t how = fuzz_u8(f), value = fuzz_u8(f);
	uint32_t junk = 1u << 30 | fuzz_u16(f);

	if (how < 40) {
		arg.size = value % 8;
		return;
	}
	if (how < 80) {
		arg.bytes[arg.size] = value | 1;
		arg.size += 8;
		return;
	}
	switch (ioctls[which].cmd) {
	case PNIC_IOC_MR_REG:
		if (how & 1)
			arg.mr.flags |= 1u << (8 + value % 24);
		else
			arg.mr.length = value & 1 ? 0 : -arg.mr.addr - value;
		break;
	case PNIC_IOC_MR_REG_DMABUF:
		if (how & 1)
			arg.buf.fd = how & 2 ? -1 - value : files[value % FILES];
		else
			arg.buf.length = value & 1 ? 0 : -arg.buf.offset - value;
		break;
	case PNIC_IOC_CQ_CREATE:
		arg.cq.entries = -1u >> value % 8;
		break;
	case PNIC_IOC_SRQ_CREATE:
		arg.srq.entries = -1u >> value % 8;
		break;
	case PNIC_IOC_CTR_CREATE:
		arg.ctr.eventfd = how & 1 ? -2 - value : buffer[nic_of[now_file]];
		break;
	case PNIC_IOC_EP_CREATE:
		if (how & 1)
			arg.ep.send_cq = junk;
		else if (how & 2)
			arg.ep.sq_slots = -1u >> value % 8;
		else
			arg.ep.flags |= 1u << (4 + value % 28);
		break;
	case PNIC_IOC_CTR_BIND:
		arg.bind.ctr = how & 1 ? junk : arg.bind.ctr;
		arg.bind.ep = how & 1 ? arg.bind.ep : junk;
		break;
	case PNIC_IOC_RECV_CANCEL:
		arg.cancel.handle = junk;
		break;
	case PNIC_IOC_CTX_CREATE:
	case PNIC_IOC_INFO:
	case PNIC_IOC_MR_STALE:
		/* These don't reach the card: as they are, or with a word of nonsense. */
		if (how & 1)
			memcpy(arg.bytes + 4 + value % 16 * 4, &junk, 4);
		break;
	case PNIC_IOC_LINK_INFO:
		arg.size = value % 8;
		break;
	default:
		arg.handle.handle = junk;
		break;
	}
}

/* Where the argument stands: as a rule where it can. */
static void *place(struct fuzz_feed *f, uint8_t how)
{
	size_t at;

	if (how < 240)
		return &arg;
	switch (how & 3) {
	case 0:
		return NULL;
	case 1:		/* ends with the memory: before the hole */
		at = PAGE - fuzz_u8(f) - 4;
		break;
	case 2:		/* can't be written */
		at = 64;
		break;
	default:
		return (void *)(uintptr_t)fuzz_edge(f);
	}
	memcpy(ledge_rw + at, &arg, PAGE - at < 256 ? PAGE - at : 256);
	return ledge + at;
}

/* @spoiled: in any case; else now and then. */
static void one_ioctl(struct fuzz_feed *f, unsigned int which, bool spoiled)
{
	uint8_t how = fuzz_u8(f);
	void *at;

	/* Those with contexts, as a rule. */
	now_file = how < 200 ? how & 1 : how % FILES;
	memset(&arg, 0, sizeof(arg));
	ioctls[which].fill(f);
	how = fuzz_u8(f);
	if (spoiled)
		spoil_for_sure(f, which);
	else if (how % 4 == 0)
		spoil(f);
	at = place(f, how);
	if (!did(which, ioctl(files[now_file], ioctls[which].cmd, at)) && at == &arg && ioctls[which].made)
		ioctls[which].made(now_file);
}

static void known_ioctl(struct fuzz_feed *f, unsigned int which)
{
	one_ioctl(f, which, false);
}

static void unknown_ioctl(struct fuzz_feed *f)
{
	unsigned long cmd = PNIC_IOC_TYPE << 8 | fuzz_u8(f);
	uint8_t how = fuzz_u8(f);
	unsigned int i;

	if (how & 1)
		cmd ^= fuzz_edge(f) << 8;
	for (i = 0; i < 64; i++)
		arg.bytes[i] = fuzz_u8(f);
	did(C_UNKNOWN, ioctl(files[how / 2 % FILES], cmd, how < 200 ? &arg : (void *)(uintptr_t)fuzz_edge(f)));
}

static void open_file(struct fuzz_feed *f)
{
	uint8_t how = fuzz_u8(f);
	unsigned int i = how % FILES;

	if (files[i] >= 0)
		close(files[i]);
	nic_of[i] = how >> 2 & 1;
	files[i] = did(C_OPEN, open(how & 4 ? "/dev/pnic1" : "/dev/pnic0",
				 (how & 0xf0 ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC));
}

static void map_area(struct fuzz_feed *f)
{
	uint8_t how = fuzz_u8(f), which = fuzz_u8(f);
	struct area odd = { .file = how % FILES }, *a = &odd;
	int prot = PROT_READ | PROT_WRITE, flags = MAP_SHARED;
	void *p;

	if (num_areas && how < 230)
		a = &areas[which % count(num_areas)];
	else
		odd = (struct area){ how % FILES, fuzz_edge(f) & ~(PAGE - 1), any_length(f), NULL };
	if (how % 16 == 1)
		prot = which & 7;
	else if (how % 16 == 2)
		flags = which & 1 ? MAP_PRIVATE : MAP_SHARED | MAP_POPULATE;
	else if (how % 16 < 6 || a->offset < 0x1000 * PAGE)
		prot = PROT_READ;
	p = mmap(NULL, a->length + (how % 32 == 7 ? PAGE : 0), prot, flags, files[a->file], a->offset);
	did(C_MMAP, p == MAP_FAILED ? -1 : 0);
	if (p == MAP_FAILED)
		return;
	if (a == &odd || a->at)
		munmap(p, a->length);
	else
		a->at = p;
}

static void unmap_area(struct fuzz_feed *f)
{
	uint8_t how = fuzz_u8(f);
	struct area *a = num_areas ? &areas[how % count(num_areas)] : NULL;
	void *p;

	if (!a || !a->at)
		return;
	switch (how >> 6) {
	case 0:
		did(C_MREMAP, mremap(a->at, a->length, a->length * 2, 0) == MAP_FAILED ? -1 : 0);
		break;
	case 1:
		p = mremap(a->at, a->length, a->length, MREMAP_MAYMOVE);
		did(C_MREMAP, p == MAP_FAILED ? -1 : 0);
		if (p != MAP_FAILED)
			a->at = p;
		break;
	case 2:
		did(C_MPROTECT, mprotect(a->at, a->length, PROT_READ | (how & 8 ? PROT_EXEC : 0)));
		break;
	default:
		did(C_MUNMAP, munmap(a->at, a->length));
		a->at = NULL;
		break;
	}
}

/* The memory that was registered goes, comes, changes. */
static void shake_arena(struct fuzz_feed *f)
{
	uint8_t how = fuzz_u8(f);
	uint8_t *at = arena + fuzz_u8(f) * PAGE % ARENA;
	size_t len = (1 + (how >> 4)) * PAGE;

	if (at + len > arena + ARENA)
		len = arena + ARENA - at;
	switch (how & 7) {
	case 0:
		did(C_MEMORY, madvise(at, len, MADV_DONTNEED));
		break;
	case 1:
		did(C_MEMORY, munmap(at, len));
		break;
	case 2:
		did(C_MEMORY, mmap(at, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
			 MAP_FAILED ? -1 : 0);
		break;
	case 3:
		did(C_MEMORY, mprotect(at, len, how & 8 ? PROT_READ : PROT_READ | PROT_WRITE));
		break;
	case 4:
		did(C_MEMORY, madvise(at, len, MADV_REMOVE));
		break;
	case 5:
		did(C_MEMORY, madvise(at, len, how & 8 ? MADV_DONTFORK : MADV_DOFORK));
		break;
	case 6:
		did(C_MEMORY, mremap(at, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, arena) == MAP_FAILED ? -1 : 0);
		break;
	default:
		did(C_MEMORY, mlock(at, len));
		break;
	}
}

static uint64_t any_key(struct fuzz_feed *f, uint64_t *addr)
{
	uint8_t how = fuzz_u8(f);
	unsigned int i, n = count(num_things);

	*addr = any_addr(f);
	for (i = 0; i < n && how < 230; i++) {
		const struct thing *t = &things[(how + i) % n];

		if (t->kind != K_MR)
			continue;
		*addr = t->addr;
		return t->key;
	}
	return fuzz_edge(f);
}

/* A descriptor into whatever is mapped: most often that is a ring of some kind. */
static void write_descriptor(struct fuzz_feed *f)
{
	struct pnic_sqe e = {};
	uint8_t how = fuzz_u8(f), which = fuzz_u8(f);
	struct area *a = num_areas ? &areas[which % count(num_areas)] : NULL;
	uint64_t addr;

	if (!a || !a->at || a->offset < 0x10000000 * PAGE)
		return;
	e.opcode = how % 10;
	e.flags = fuzz_u8(f) & 0xf;
	e.num_sge = how & 0x10 ? fuzz_u8(f) % 9 : 1;
	e.num_slots = how & 0x20 ? fuzz_u8(f) % 6 : 1;
	e.length = how & 0x40 ? fuzz_edge(f) : fuzz_u16(f);
	e.dest_nic = nic_addr[fuzz_u8(f) & 1];
	e.dest_ep = how & 0x80 ? fuzz_u8(f) : 0;
	e.remote_key = any_key(f, &addr);
	e.remote_addr = addr;
	e.local_key = any_key(f, &addr);
	e.local_addr = addr;
	memcpy((uint8_t *)a->at + which % 16 * 64 % (a->length - 63), &e, sizeof(e));
}

/* A doorbell, or a word of nonsense anywhere. */
static void ring(struct fuzz_feed *f)
{
	uint8_t how = fuzz_u8(f), which = fuzz_u8(f);
	struct area *a = num_areas ? &areas[which % count(num_areas)] : NULL;
	const struct thing *t = num_things ? &things[how % count(num_things)] : NULL;
	uint64_t v = how & 1 ? fuzz_u8(f) : fuzz_edge(f);
	size_t at;

	if (!a || !a->at || !t)
		return;
	at = (t->kind == K_MR || how & 2 ? fuzz_u16(f) : t->key) * 8 % a->length;
	*(volatile uint64_t *)(void *)((uint8_t *)a->at + at) = v;
}

static void file_call(struct fuzz_feed *f)
{
	uint8_t how = fuzz_u8(f);
	int fd = files[how % FILES];
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char buf[4 * sizeof(struct pnic_event)] = "";

	switch (how / FILES % 8) {
	case 0:
		did(C_READ, read(fd, buf, fuzz_u8(f) % sizeof(buf)));
		break;
	case 1:
		did(C_POLL, poll(&pfd, 1, 0));
		break;
	case 2:
		did(C_OTHER, write(fd, buf, 8));
		break;
	case 3:
		did(C_READ, pread(fd, buf, sizeof(buf), fuzz_edge(f)));
		break;
	case 4:
		did(C_OTHER, lseek(fd, fuzz_edge(f), SEEK_SET));
		break;
	case 5:
		did(C_READ, read(fd, (void *)(uintptr_t)any_addr(f), 4096));
		break;
	case 6:
		did(C_OTHER, fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC));
		break;
	default:
		did(C_OTHER, fsync(fd));
		break;
	}
}

static void close_file(struct fuzz_feed *f)
{
	unsigned int i = fuzz_u8(f) % FILES;

	if (files[i] >= 0)
		did(C_CLOSE, close(files[i]));
	files[i] = -1;
}

/* A child touches what it was left and goes, or goes at once. */
static void child(struct fuzz_feed *f)
{
	uint8_t how = fuzz_u8(f);
	pid_t pid;

	/* It is expensive. */
	if (how & 7)
		return;
	pid = fork();
	if (!pid) {
		if (how & 8)
			known_ioctl(f, how / 16);
		memset(arena, 1, PAGE);
		_exit(0);
	}
	did(C_FORK, pid);
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

/*
 * Up to @most calls out of a few bytes, of one ioctl or of all: arguments of chance that are spoiled and so refused as a
 * rule, which takes hundreds of times less than what is done.
 */
static void burst(struct fuzz_feed *f, unsigned int most)
{
	unsigned int which = fuzz_u8(f), n = 1 + fuzz_u8(f) % most, i;
	uint64_t seed = fuzz_u64(f);

	if (++bursts > BURSTS_MAX)
		return;
	for (i = 0; i < n; i++) {
		uint8_t bytes[40];
		struct fuzz_feed chance = fuzz_chance(&seed, bytes, sizeof(bytes));
		unsigned int one = which < 128 ? which % (IOCTLS + 1) : fuzz_u8(&chance) % (IOCTLS + 1);

		if (one == IOCTLS)
			unknown_ioctl(&chance);
		else
			one_ioctl(&chance, one, true);
	}
	calls -= n;
}

static void (*const others[])(struct fuzz_feed *f) = {
	open_file, map_area, map_area, unmap_area, shake_arena, shake_arena, write_descriptor, ring, ring, file_call,
	close_file, child, unknown_ioctl,
};

#define OTHERS	(sizeof(others) / sizeof(others[0]))

static void over(void)
{
	unsigned int i;

	for (i = 0; i < count(num_areas); i++)
		if (areas[i].at)
			munmap(areas[i].at, areas[i].length);
	for (i = 0; i < FILES; i++) {
		if (files[i] >= 0)
			close(files[i]);
		files[i] = -1;
	}
	num_things = 0;
	num_areas = 0;
	alive = false;
}

/* What @arg says, as the ioctls' table knows it; the handle of what was made or 0. */
static uint32_t make(unsigned int file, unsigned int which)
{
	if (did(which, ioctl(files[file], ioctls[which].cmd, &arg)))
		return 0;
	ioctls[which].made(file);
	return things[(num_things - 1) % THINGS].handle;
}

/* One of each kind. */
static void furnish(unsigned int file)
{
	uint32_t cq;

	arg = (union arg){ .cq = { .size = sizeof(arg.cq), .entries = 64, .eventfd = -1 } };
	cq = make(file, I_CQ_CREATE);
	arg = (union arg){ .ep = { .size = sizeof(arg.ep), .sq_slots = 16, .rq_entries = 16, .send_cq = cq, .recv_cq = cq } };
	make(file, I_EP_CREATE);
	arg = (union arg){ .srq = { .size = sizeof(arg.srq), .entries = 16 } };
	make(file, I_SRQ_CREATE);
	arg = (union arg){ .ctr = { .size = sizeof(arg.ctr), .eventfd = -1 } };
	make(file, I_CTR_CREATE);
	arg = (union arg){ .mr = { .size = sizeof(arg.mr), .flags = 0x1e, .addr = (uintptr_t)arena, .length = 4 * PAGE } };
	make(file, I_MR_REG);
}

/* Two files with contexts and what stands on them, so that what follows gets somewhere. */
static void prepare(void)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct pnic_ioc_ctx_create ctx = { .size = sizeof(ctx) };

		if (files[i] >= 0)
			continue;
		nic_of[i] = i;
		files[i] = did(C_OPEN, open(i ? "/dev/pnic1" : "/dev/pnic0", O_RDWR | O_NONBLOCK | O_CLOEXEC));
		if (did(I_CTX_CREATE, ioctl(files[i], PNIC_IOC_CTX_CREATE, &ctx)))
			continue;
		add_area(i, ctx.page_offset, PAGE);
		furnish(i);
	}
}

static void run(struct fuzz_feed *f)
{
	uint8_t how = fuzz_u8(f), op;

	calls = 0;
	bursts = 0;
	if (!alive || how % 8 == 0)
		make_arena();
	alive = true;
	if (how < 230)
		prepare();
	while (fuzz_more(f) && calls < CALLS_MAX) {
		op = fuzz_u8(f);
		if (op < 150)
			known_ioctl(f, op % IOCTLS);
		else if (op < BURST)
			others[op % OTHERS](f);
		else
			burst(f, op == BURST ? 256 : 16);
	}
}

/* Byte by byte what run() and burst() read. */
static uint32_t make_burst(uint64_t seed, uint8_t *bytes)
{
	fuzz_chance(&seed, bytes, 12);
	bytes[0] = 1;
	bytes[1] = BURST;
	return 12;
}

static int a_buffer(void)
{
	struct dma_heap_allocation_data data = { .len = 64 << 10, .fd_flags = O_RDWR | O_CLOEXEC };
	int heap = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC), fd = -1;

	if (heap < 0)
		return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data))
		fd = data.fd;
	close(heap);
	return fd;
}

static bool make_ledge(void)
{
	int fd = memfd_create("ledge", MFD_CLOEXEC);
	bool ok;

	if (fd < 0 || ftruncate(fd, PAGE))
		return false;
	ledge = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	ledge_rw = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ok = ledge != MAP_FAILED && ledge_rw != MAP_FAILED && !munmap(ledge + PAGE, PAGE);
	close(fd);
	return ok;
}

/* Half of the processes are nobody. */
static bool begin(unsigned int process)
{
	unsigned int i;

	for (i = 0; i < FILES; i++)
		files[i] = -1;
	arena = mmap(NULL, ARENA + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (arena == MAP_FAILED || !make_ledge())
		return false;
	buffer[0] = a_buffer();
	buffer[1] = a_buffer();
	if (process & 1 && (setgid(NOBODY) || setuid(NOBODY)))
		return false;
	return true;
}

const struct fuzz_target fuzz_ioctl = {
	.name = "ioctl",
	.kinds = kinds,
	.num_kinds = sizeof(kinds) / sizeof(kinds[0]),
	.main = C_UNKNOWN + 1,
	.begin = begin,
	.run = run,
	.burst = make_burst,
	.over = over,
};
