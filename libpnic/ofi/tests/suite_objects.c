// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/* What fi_getinfo() promises and refuses; address vectors, queues, counters, wait objects, options, names. */
#include <poll.h>
#include <pthread.h>
#include <time.h>

#include "suite.h"

#define MEM (1u << 20)

static const struct opts plain = { 0 };
static int ctx[16];

static int ask(struct fi_info *h)
{
	struct fi_info *info = NULL;
	int ret = suite_getinfo(0, h, &info);

	suite_freeinfo(h);
	if (!ret)
		suite_freeinfo(info);
	return ret;
}

/* What each runtime asks for, as its source has it. */
KTAP_TEST(info_consumers)
{
	struct fi_info *h, *info;

	SUBTEST("Open MPI, messages") {
		h = fi_allocinfo();
		h->mode = FI_CONTEXT | FI_CONTEXT2;
		h->ep_attr->type = FI_EP_RDM;
		h->caps = FI_MSG | FI_TAGGED | FI_LOCAL_COMM | FI_REMOTE_COMM | FI_DIRECTED_RECV;
		h->tx_attr->msg_order = FI_ORDER_SAS;
		h->rx_attr->msg_order = FI_ORDER_SAS;
		h->rx_attr->op_flags = FI_COMPLETION;
		h->tx_attr->op_flags = FI_COMPLETION;
		h->domain_attr->threading = FI_THREAD_DOMAIN;
		h->domain_attr->resource_mgmt = FI_RM_ENABLED;
		h->domain_attr->av_type = FI_AV_MAP;
		REQUIRE_FI(suite_getinfo(0, h, &info));
		CHECK_EQ(info->domain_attr->threading, FI_THREAD_DOMAIN);
		CHECK_EQ(info->domain_attr->av_type, FI_AV_MAP);
		CHECK_LE(4, info->domain_attr->cq_data_size);
		CHECK_EQ(info->mode, 0);
		suite_freeinfo(info);
		suite_freeinfo(h);
	}
	SUBTEST("Open MPI, one-sided") {
		h = fi_allocinfo();
		h->ep_attr->type = FI_EP_RDM;
		h->caps = FI_RMA | FI_ATOMIC | FI_MSG;
		h->tx_attr->op_flags = FI_DELIVERY_COMPLETE;
		h->domain_attr->mr_mode = FI_MR_ALLOCATED | FI_MR_PROV_KEY | FI_MR_VIRT_ADDR | FI_MR_ENDPOINT | FI_MR_HMEM;
		REQUIRE_FI(suite_getinfo(0, h, &info));
		CHECK_EQ(info->domain_attr->mr_mode, FI_MR_ALLOCATED | FI_MR_PROV_KEY | FI_MR_VIRT_ADDR);
		suite_freeinfo(info);
		suite_freeinfo(h);
	}
	SUBTEST("MPICH") {
		uint64_t order = FI_ORDER_SAS | FI_ORDER_RAR | FI_ORDER_RAW | FI_ORDER_WAR | FI_ORDER_WAW;

		h = fi_allocinfo();
		h->ep_attr->type = FI_EP_RDM;
		h->caps = FI_MSG | FI_MULTI_RECV | FI_TAGGED | FI_RMA | FI_WRITE | FI_READ | FI_ATOMICS | FI_REMOTE_WRITE |
			  FI_REMOTE_READ | FI_DIRECTED_RECV;
		h->tx_attr->msg_order = order;
		h->rx_attr->msg_order = order;
		h->domain_attr->cq_data_size = 4;
		h->domain_attr->threading = FI_THREAD_DOMAIN;
		h->domain_attr->av_type = FI_AV_TABLE;
		h->domain_attr->mr_mode = FI_MR_VIRT_ADDR | FI_MR_ALLOCATED | FI_MR_PROV_KEY | FI_MR_ENDPOINT;
		CHECK_EQ(ask(h), 0);
	}
	SUBTEST("AWS NCCL plugin, messages") {
		h = fi_allocinfo();
		h->ep_attr->type = FI_EP_RDM;
		h->caps = FI_TAGGED | FI_MSG | FI_LOCAL_COMM | FI_REMOTE_COMM;
		h->domain_attr->mr_mode = FI_MR_LOCAL | FI_MR_ENDPOINT | FI_MR_VIRT_ADDR | FI_MR_ALLOCATED | FI_MR_PROV_KEY;
		h->domain_attr->threading = FI_THREAD_SAFE;
		h->tx_attr->msg_order = FI_ORDER_SAS;
		h->rx_attr->msg_order = FI_ORDER_SAS;
		CHECK_EQ(ask(h), 0);
	}
	SUBTEST("oneCCL") {
		h = fi_allocinfo();
		h->ep_attr->type = FI_EP_RDM;
		h->mode = FI_CONTEXT;
		h->caps = FI_TAGGED;
		h->domain_attr->resource_mgmt = FI_RM_ENABLED;
		h->domain_attr->control_progress = FI_PROGRESS_MANUAL;
		h->domain_attr->data_progress = FI_PROGRESS_MANUAL;
		CHECK_EQ(ask(h), 0);
	}
	SUBTEST("OpenSHMEM") {
		h = fi_allocinfo();
		h->ep_attr->type = FI_EP_RDM;
		h->caps = FI_RMA | FI_ATOMIC;
		h->tx_attr->op_flags = FI_DELIVERY_COMPLETE;
		h->tx_attr->inject_size = 8;
		h->domain_attr->data_progress = FI_PROGRESS_MANUAL;
		h->domain_attr->mr_mode = FI_MR_VIRT_ADDR | FI_MR_ALLOCATED | FI_MR_PROV_KEY;
		CHECK_EQ(ask(h), 0);
	}
	SUBTEST("no hints at all") {
		REQUIRE_FI(suite_getinfo(0, NULL, &info));
		CHECK_EQ(info->ep_attr->type, FI_EP_RDM);
		CHECK_STREQ(info->fabric_attr->name, "pnic");
		/* As FI_PNIC_DEVICE has them. */
		REQUIRE(info->next);
		CHECK_STREQ(info->domain_attr->name, suite_card(0));
		CHECK_STREQ(info->next->domain_attr->name, suite_card(1));
		CHECK(!info->next->next);
		suite_freeinfo(info);
	}
	SUBTEST("any domain by its name") {
		h = fi_allocinfo();
		h->domain_attr->name = strdup(suite_card(-1));
		REQUIRE_FI(suite_getinfo(0, h, &info));
		CHECK_STREQ(info->domain_attr->name, suite_card(-1));
		CHECK(!info->next);
		suite_freeinfo(info);
		suite_freeinfo(h);
	}
	SUBTEST("no domain with a card that isn't named in FI_PNIC_DEVICE") {
		h = fi_allocinfo();
		h->domain_attr->name = malloc(256);
		REQUIRE(h->domain_attr->name);
		snprintf(h->domain_attr->name, 256, "%s+%.40s2", suite_card(0), getenv("PNIC_DEVICES") ?: "embedded:nic=");
		CHECK_EQ(ask(h), -FI_ENODATA);
	}
	SUBTEST("no path over messages endpoints exists") {
		h = fi_allocinfo();
		h->ep_attr->type = FI_EP_MSG;
		CHECK_EQ(ask(h), -FI_ENODATA);
		h = fi_allocinfo();
		h->ep_attr->type = FI_EP_DGRAM;
		CHECK_EQ(ask(h), -FI_ENODATA);
	}
}

KTAP_TEST(info_refused)
{
	struct fi_info *h;

#define REFUSED(what)							\
	do {								\
		h = suite_hints(&plain);				\
		h->what;						\
		SUBTEST("%s", #what)					\
			CHECK_EQ(ask(h), -FI_ENODATA);			\
	} while (0)
	REFUSED(caps |= FI_MULTICAST);
	REFUSED(caps |= FI_HMEM);
	REFUSED(caps |= FI_RMA_EVENT);
	REFUSED(tx_attr->inject_size = 257);
	REFUSED(tx_attr->size = 100000);
	REFUSED(tx_attr->iov_limit = 5);
	REFUSED(rx_attr->iov_limit = 5);
	REFUSED(tx_attr->msg_order = FI_ORDER_SAW);
	REFUSED(tx_attr->op_flags = FI_COMMIT_COMPLETE);
	REFUSED(domain_attr->cq_data_size = 8);
	REFUSED(domain_attr->mr_mode = FI_MR_LOCAL);
	REFUSED(addr_format = FI_SOCKADDR_IN);
	REFUSED(ep_attr->tx_ctx_cnt = 2);
	REFUSED(ep_attr->max_order_waw_size = 8);
	REFUSED(ep_attr->max_order_raw_size = 8);
	REFUSED(ep_attr->max_order_war_size = 8);
	REFUSED(ep_attr->max_msg_size = ((size_t)1 << 40) + 1);
	REFUSED(dest_addr = calloc(1, h->dest_addrlen = 16));
	REFUSED(ep_attr->protocol = FI_PROTO_EFA);
#undef REFUSED
}

KTAP_TEST(info_link)
{
	struct fi_info *h = suite_hints(&plain), *first, *info;

	REQUIRE_FI(suite_getinfo(0, h, &first));
	suite_freeinfo(h);
	/* Open MPI looks at a copy. */
	info = fi_dupinfo(first);
	suite_freeinfo(first);
	REQUIRE(info && info->nic && info->nic->link_attr && info->nic->device_attr);
	CHECK_EQ(info->nic->link_attr->state, FI_LINK_UP);
	/* 425 lanes of 2 Gb/s, less what framing takes. */
	CHECK_LE(600000000000, info->nic->link_attr->speed);
	CHECK_LE(info->nic->link_attr->speed, 850000000000);
	CHECK_STREQ(info->nic->device_attr->name, suite_card(0));
	CHECK(fi_tostr(info, FI_TYPE_INFO) != NULL);
	suite_freeinfo(info);
}

static void av_kind(enum fi_av_type type)
{
	struct opts o = { .av = type };
	char name[256], text[128];
	fi_addr_t fi[3], gone;
	size_t len, i;
	char *bad;

	pair_open(&o, MEM);
	REQUIRE_EQ(fi_av_insert(n0.av, n1.name, 1, &fi[0], 0, NULL), 1);
	len = sizeof(name);
	REQUIRE_FI(fi_av_lookup(n0.av, fi[0], name, &len));
	CHECK_EQ(len, n1.name_len);
	CHECK(len <= FI_NAME_MAX);	/* MPICH has room for no more */
	CHECK(!memcmp(name, n1.name, len));
	len = 4;
	CHECK_EQ(fi_av_lookup(n0.av, fi[0], name, &len), -FI_ETOOSMALL);
	CHECK_EQ(len, n1.name_len);
	len = sizeof(text);
	CHECK(strstr(fi_av_straddr(n0.av, n1.name, text, &len), "pnic://"));
	bad = calloc(2, n1.name_len);
	memcpy(bad + n1.name_len, n1.name, n1.name_len);
	CHECK_EQ(fi_av_insert(n0.av, bad, 2, &fi[1], 0, NULL), 1);
	CHECK(fi[1] == FI_ADDR_NOTAVAIL);
	CHECK(fi[2] != FI_ADDR_NOTAVAIL);
	free(bad);
	CHECK_EQ(fi_send(n0.ep, n0.mem, 1, NULL, FI_ADDR_NOTAVAIL, NULL), -FI_EINVAL);
	gone = fi[2];
	CHECK_EQ(fi_av_remove(n0.av, &fi[2], 1, 0), 0);
	CHECK_EQ(fi_av_remove(n0.av, &gone, 1, 0), -FI_EINVAL);
	CHECK_EQ(fi_send(n0.ep, n0.mem, 1, NULL, gone, NULL), -FI_EINVAL);
	/* Many of one address, and the first is the source's. */
	for (i = 0; i < 1000; i++)
		REQUIRE_EQ(fi_av_insert(n1.av, n0.name, 1, &fi[0], 0, NULL), 1);
	if (type == FI_AV_TABLE)
		CHECK_EQ(fi[0], 1001);
	REQUIRE_FI(retry(fi_inject(n0.ep, "m", 1, n0.peer[1])));
	REQUIRE_FI(fi_recv(n1.ep, n1.mem, 8, NULL, n1.peer[0], &ctx[1]));
	node_done_from(&n1, &ctx[1], &gone);
	CHECK_EQ(gone, n1.peer[0]);
	pair_close();
}

KTAP_TEST(av_kinds)
{
	SUBTEST("map")
		av_kind(FI_AV_MAP);
	SUBTEST("table")
		av_kind(FI_AV_TABLE);
	SUBTEST("not specified")
		av_kind(FI_AV_UNSPEC);
}

KTAP_TEST(cq_formats)
{
	static const enum fi_cq_format format[] = { FI_CQ_FORMAT_CONTEXT, FI_CQ_FORMAT_MSG, FI_CQ_FORMAT_DATA,
						    FI_CQ_FORMAT_TAGGED };
	static const size_t size[] = { 8, 24, 40, 48 };
	struct opts o = { 0 };
	char entry[128];
	int i, k;

	for (i = 0; i < 4; i++) {
		SUBTEST("format %d", format[i]) {
			o.format = format[i];
			pair_open(&o, MEM);
			for (k = 0; k < 2; k++)
				REQUIRE_FI(fi_trecv(n1.ep, n1.mem, 8, NULL, FI_ADDR_UNSPEC, 5, 0, &ctx[k]));
			for (k = 0; k < 2; k++)
				REQUIRE_FI(retry(fi_tinjectdata(n0.ep, "abc", 3, 9, n0.peer[1], 5)));
			for (k = 0; k < 2; k++) {
				memset(entry, 0xee, sizeof(entry));
				while (fi_cq_read(n1.cq, entry, 1) == -FI_EAGAIN)
					fi_cq_read(n0.cq, entry + 64, 0);
				CHECK(*(void **)(void *)entry == &ctx[k]);
				CHECK_EQ((unsigned char)entry[size[i]], 0xee);
				if (format[i] >= FI_CQ_FORMAT_MSG)
					CHECK_EQ(((struct fi_cq_msg_entry *)(void *)entry)->len, 3);
				if (format[i] >= FI_CQ_FORMAT_DATA)
					CHECK_EQ(((struct fi_cq_data_entry *)(void *)entry)->data, 9);
				if (format[i] == FI_CQ_FORMAT_TAGGED)
					CHECK_EQ(((struct fi_cq_tagged_entry *)(void *)entry)->tag, 5);
			}
			CHECK_EQ(fi_cq_read(n1.cq, entry, 1), -FI_EAGAIN);
			pair_close();
		}
	}
}

/* An older program's entry ends earlier; and a text that is cut is a text. */
static void error_of_version(uint32_t version)
{
	struct fi_cq_err_entry e = { 0 };
	struct fi_cq_tagged_entry none;
	char text[12];

	memset(text, 'x', sizeof(text));
	suite_version = version;
	pair_open(&plain, MEM);
	suite_version = FI_VERSION(2, 1);
	REQUIRE_FI(retry(fi_read(n0.ep, n0.mem, 8, NULL, n0.peer[1], n1.base + MEM, n1.key, &ctx[0])));
	while (fi_cq_read(n0.cq, &none, 1) != -FI_EAVAIL)
		fi_cq_read(n1.cq, &none, 0);
	e.err_data = text;
	e.err_data_size = FI_VERSION_GE(version, FI_VERSION(1, 5)) ? 8 : 0x5555;
	e.src_addr = 0x7777;
	/* As an older header calls it: this one's writes to the newest field itself. */
	REQUIRE_EQ(n0.cq->ops->readerr(n0.cq, &e, 0), 1);
	CHECK_EQ(e.err, FI_EACCES);
	CHECK(e.op_context == &ctx[0]);
	CHECK_EQ(e.src_addr, FI_VERSION_GE(version, FI_VERSION(1, 20)) ? FI_ADDR_NOTAVAIL : 0x7777);
	if (FI_VERSION_GE(version, FI_VERSION(1, 5))) {
		CHECK(e.err_data == text);
		CHECK_EQ(e.err_data_size, 8);
		CHECK_EQ(strnlen(text, sizeof(text)), 7);
		CHECK_EQ(text[8], 'x');
	} else {
		CHECK(e.err_data != text);
		CHECK_EQ(e.err_data_size, 0x5555);
		CHECK_EQ(text[0], 'x');
	}
	pair_close();
}

KTAP_TEST(cq_err_versions)
{
	SUBTEST("2.1")
		error_of_version(FI_VERSION(2, 1));
	SUBTEST("1.18")
		error_of_version(FI_VERSION(1, 18));
	SUBTEST("1.4")
		error_of_version(FI_VERSION(1, 4));
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

static void *send_later(void *arg)
{
	struct timespec nap = { 0, 50000000 };
	struct fi_cq_tagged_entry e;

	(void)arg;
	nanosleep(&nap, NULL);
	while (fi_tsend(n0.ep, n0.mem, 100000, NULL, n0.peer[1], 1, &ctx[0]) == -FI_EAGAIN)
		;
	/* The receiver, asleep in the main thread, fetches it. */
	while (fi_cq_read(n0.cq, &e, 1) != 1)
		;
	return NULL;
}

static void *signal_later(void *arg)
{
	struct timespec nap = { 0, 50000000 };

	(void)arg;
	nanosleep(&nap, NULL);
	fi_cq_signal(n1.cq);
	return NULL;
}

static void sleep_and_wake(enum fi_wait_obj wait)
{
	struct opts o = { .wait = wait };
	struct fi_cq_tagged_entry e;
	pthread_t thread;
	uint64_t start;

	pair_open(&o, MEM);
	start = now_ms();
	CHECK_EQ(fi_cq_sread(n1.cq, &e, 1, NULL, 30), -FI_EAGAIN);
	CHECK_LE(30, now_ms() - start);
	fill(n0.mem, 100000, 1);
	REQUIRE_FI(fi_trecv(n1.ep, n1.mem, 100000, NULL, FI_ADDR_UNSPEC, 1, 0, &ctx[1]));
	pthread_create(&thread, NULL, send_later, NULL);
	CHECK_EQ(fi_cq_sread(n1.cq, &e, 1, NULL, 60000), 1);
	CHECK(e.op_context == &ctx[1]);
	CHECK(same(n1.mem, 100000, 1));
	pthread_join(thread, NULL);
	pthread_create(&thread, NULL, signal_later, NULL);
	start = now_ms();
	CHECK_EQ(fi_cq_sread(n1.cq, &e, 1, NULL, 60000), -FI_EAGAIN);
	CHECK_LT(now_ms() - start, 50000);
	pthread_join(thread, NULL);
	pair_close();
}

KTAP_TEST(cq_sread)
{
	SUBTEST("unspecified")
		sleep_and_wake(FI_WAIT_UNSPEC);
	SUBTEST("descriptor")
		sleep_and_wake(FI_WAIT_FD);
	SUBTEST("yield")
		sleep_and_wake(FI_WAIT_YIELD);
	SUBTEST("none") {
		struct fi_cq_tagged_entry e;

		pair_open(&plain, MEM);
		CHECK_EQ(fi_cq_sread(n1.cq, &e, 1, NULL, 0), -FI_ENOSYS);
		CHECK_EQ(fi_cq_signal(n1.cq), -FI_ENOSYS);
		pair_close();
	}
}

/* One's own poll() loop. */
KTAP_TEST(cq_trywait_poll)
{
	struct opts o = { .wait = FI_WAIT_FD };
	struct pollfd pfd = { .events = POLLIN };
	struct fi_cq_tagged_entry e;
	struct fid *fids[1];
	enum fi_wait_obj obj;
	pthread_t thread;
	int ret, fd = -1;

	pair_open(&o, MEM);
	REQUIRE_FI(fi_control(&n1.cq->fid, FI_GETWAIT, &fd));
	REQUIRE_FI(fi_control(&n1.cq->fid, FI_GETWAITOBJ, &obj));
	CHECK_EQ(obj, FI_WAIT_FD);
	CHECK_LE(0, fd);
	pfd.fd = fd;
	fids[0] = &n1.cq->fid;
	CHECK_EQ(fi_trywait(n1.fabric, fids, 1), 0);
	CHECK_EQ(poll(&pfd, 1, 0), 0);
	REQUIRE_FI(fi_trecv(n1.ep, n1.mem, 100000, NULL, FI_ADDR_UNSPEC, 1, 0, &ctx[1]));
	pthread_create(&thread, NULL, send_later, NULL);
	while ((ret = (int)fi_cq_read(n1.cq, &e, 1)) == -FI_EAGAIN)
		if (fi_trywait(n1.fabric, fids, 1) == 0)
			REQUIRE(poll(&pfd, 1, 60000) == 1);
	CHECK_EQ(ret, 1);
	CHECK(e.op_context == &ctx[1]);
	pthread_join(thread, NULL);
	pair_close();
}

/* More completions than the queue was made for: none is lost. */
KTAP_TEST(cq_never_overruns)
{
	struct fi_cq_tagged_entry e;
	int i;

	pair_open(&plain, MEM);
	for (i = 0; i < 3000; i++) {
		REQUIRE_FI(fi_recv(n1.ep, n1.mem, 8, NULL, FI_ADDR_UNSPEC, &ctx[1]));
		while (fi_inject(n0.ep, "x", 1, n0.peer[1]) == -FI_EAGAIN) {
			fi_cq_read(n1.cq, &e, 0);
			fi_cq_read(n0.cq, &e, 0);
		}
	}
	for (i = 0; i < 3000;) {
		if (fi_cq_read(n1.cq, &e, 1) == 1)
			i++;
		else
			fi_cq_read(n0.cq, &e, 0);
	}
	pair_close();
}

KTAP_TEST(counters)
{
	struct opts o = { .counters = true, .cq_flags = FI_SELECTIVE_COMPLETION };
	uint64_t one = 1, old, got, far;
	int i;

	pair_open(&o, MEM);
	far = n1.base + MEM / 2;
	/* Each kind has memory of its own: a short message is copied while the card still writes a long one. */
	for (i = 0; i < 20; i++) {
		REQUIRE_FI(fi_trecv(n1.ep, n1.mem + (i & 1 ? 0 : MEM / 4), 100000, NULL, FI_ADDR_UNSPEC, 1, 0, NULL));
		REQUIRE_FI(retry(fi_tsend(n0.ep, n0.mem, i & 1 ? 100000 : 8, NULL, n0.peer[1], 1, NULL)));
		REQUIRE_FI(retry(fi_write(n0.ep, n0.mem, 4096, NULL, n0.peer[1], far, n1.key, NULL)));
		REQUIRE_FI(retry(fi_read(n0.ep, n0.mem + MEM / 2, 64, NULL, n0.peer[1], far, n1.key, NULL)));
		REQUIRE_FI(retry(fi_fetch_atomic(n0.ep, &one, 1, NULL, &old, NULL, n0.peer[1], far + 512, n1.key, FI_UINT64,
						 FI_SUM, NULL)));
	}
	do {
		got = fi_cntr_read(n1.cntr[1]);		/* moves the other end */
	} while (fi_cntr_read(n0.cntr[0]) < 20 || got < 20 || fi_cntr_read(n0.cntr[2]) < 40 || fi_cntr_read(n0.cntr[3]) < 20);
	CHECK_EQ(fi_cntr_wait(n0.cntr[0], 20, 1000), 0);
	CHECK_EQ(fi_cntr_wait(n0.cntr[3], 21, 20), -FI_ETIMEDOUT);
	CHECK_EQ(fi_cntr_read(n0.cntr[2]), 40);
	CHECK_EQ(fi_cntr_readerr(n0.cntr[3]), 0);
	SUBTEST("errors are counted") {
		REQUIRE_FI(retry(fi_write(n0.ep, n0.mem, 8, NULL, n0.peer[1], n1.base, n1.key + 1, &ctx[0])));
		node_fails(&n0, &ctx[0], FI_EKEYREJECTED);
		CHECK_EQ(fi_cntr_readerr(n0.cntr[3]), 1);
		CHECK_EQ(fi_cntr_read(n0.cntr[3]), 20);
	}
	SUBTEST("set, add") {
		CHECK_EQ(fi_cntr_set(n0.cntr[0], 5), 0);
		CHECK_EQ(fi_cntr_add(n0.cntr[0], 3), 0);
		CHECK_EQ(fi_cntr_read(n0.cntr[0]), 8);
		CHECK_EQ(fi_cntr_seterr(n0.cntr[0], 2), 0);
		CHECK_EQ(fi_cntr_adderr(n0.cntr[0], 2), 0);
		CHECK_EQ(fi_cntr_readerr(n0.cntr[0]), 4);
	}
	pair_close();
}

static int counted;

static void *count_later(void *arg)
{
	struct timespec nap = { 0, 50000000 };
	struct fi_cq_tagged_entry e;

	(void)arg;
	nanosleep(&nap, NULL);
	while (fi_tinject(n0.ep, "w", 1, n0.peer[1], 1) == -FI_EAGAIN)
		;
	/* Progress is manual: both ends have to look for a first message to get through. */
	while (!__atomic_load_n(&counted, __ATOMIC_ACQUIRE))
		fi_cq_read(n0.cq, &e, 0);
	return NULL;
}

KTAP_TEST(counter_wait)
{
	struct opts o = { .counters = true };
	pthread_t thread;

	pair_open(&o, MEM);
	counted = 0;
	REQUIRE_FI(fi_trecv(n1.ep, n1.mem, 8, NULL, FI_ADDR_UNSPEC, 1, 0, &ctx[1]));
	pthread_create(&thread, NULL, count_later, NULL);
	CHECK_EQ(fi_cntr_wait(n1.cntr[1], 1, 60000), 0);
	__atomic_store_n(&counted, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	node_done(&n1, &ctx[1]);
	pair_close();
}

/* What was counted by whoever else looked is no reason to sleep. */
KTAP_TEST(counter_trywait)
{
	struct opts o = { .counters = true };
	struct fi_cq_tagged_entry e;
	struct fid *fids[1];

	pair_open(&o, MEM);
	fids[0] = &n1.cntr[1]->fid;
	REQUIRE_FI(fi_trecv(n1.ep, n1.mem, 8, NULL, FI_ADDR_UNSPEC, 1, 0, &ctx[1]));
	CHECK_EQ(fi_cntr_read(n1.cntr[1]), 0);
	REQUIRE_FI(retry(fi_tinject(n0.ep, "w", 1, n0.peer[1], 1)));
	while (fi_cq_read(n1.cq, &e, 1) != 1)
		fi_cq_read(n0.cq, &e, 0);
	CHECK_EQ(fi_trywait(n1.fabric, fids, 1), -FI_EAGAIN);
	CHECK_EQ(fi_cntr_read(n1.cntr[1]), 1);
	CHECK_EQ(fi_trywait(n1.fabric, fids, 1), 0);
	/* An error is told once to who never asks for their number. */
	CHECK_EQ(fi_cntr_adderr(n1.cntr[1], 1), 0);
	CHECK_EQ(fi_trywait(n1.fabric, fids, 1), -FI_EAGAIN);
	CHECK_EQ(fi_trywait(n1.fabric, fids, 1), 0);
	CHECK_EQ(fi_cntr_adderr(n1.cntr[1], 1), 0);
	CHECK_EQ(fi_cntr_readerr(n1.cntr[1]), 2);
	CHECK_EQ(fi_trywait(n1.fabric, fids, 1), 0);
	pair_close();
}

/* Whose messages a receive takes, and that one receive doesn't become many, is for each kind as it was asked for. */
KTAP_TEST(receive_kinds)
{
	static const struct opts o = { .caps = FI_MSG | FI_TAGGED | FI_MULTI_RECV | FI_TAGGED_DIRECTED_RECV,
				       .rx_flags = FI_MULTI_RECV };
	struct fi_cq_tagged_entry e;
	int i;

	pair_open(&o, MEM);
	/* It names another, which untagged ones don't care about here. */
	REQUIRE_FI(fi_recv(n1.ep, n1.mem, 4096, NULL, n1.peer[1], &ctx[1]));
	REQUIRE_FI(retry(fi_inject(n0.ep, "abcd", 4, n0.peer[1])));
	e = node_done(&n1, &ctx[1]);
	CHECK(e.buf == n1.mem);
	for (i = 0; i < 2; i++) {
		REQUIRE_FI(fi_trecv(n1.ep, n1.mem + 8192 + i * 4096, 4096, NULL, n1.peer[0], 7, 0, &ctx[2 + i]));
		REQUIRE_FI(retry(fi_tinject(n0.ep, i ? "bb" : "aa", 2, n0.peer[1], 7)));
		e = node_done(&n1, &ctx[2 + i]);
		CHECK_EQ(e.flags, FI_RECV | FI_TAGGED);
		CHECK_EQ(n1.mem[8192 + i * 4096], i ? 'b' : 'a');
	}
	pair_close();
}

KTAP_TEST(event_queue)
{
	struct fi_eq_attr attr = { .wait_obj = FI_WAIT_FD };
	struct fi_eq_entry in = { .data = 7 }, out;
	struct fid_eq *eq;
	uint32_t event;

	pair_open(&plain, MEM);
	REQUIRE_FI(fi_eq_open(n0.fabric, &attr, &eq, NULL));
	CHECK_EQ(fi_eq_read(eq, &event, &out, sizeof(out), 0), -FI_EAGAIN);
	CHECK_EQ(fi_eq_sread(eq, &event, &out, sizeof(out), 10, 0), -FI_EAGAIN);
	CHECK_EQ(fi_eq_write(eq, FI_NOTIFY, &in, sizeof(in), 0), sizeof(in));
	CHECK_EQ(fi_eq_sread(eq, &event, &out, sizeof(out), 1000, FI_PEEK), sizeof(out));
	CHECK_EQ(fi_eq_sread(eq, &event, &out, sizeof(out), 1000, 0), sizeof(out));
	CHECK_EQ(event, FI_NOTIFY);
	CHECK_EQ(out.data, 7);
	CHECK_EQ(fi_eq_read(eq, &event, &out, sizeof(out), 0), -FI_EAGAIN);
	CHECK_EQ(fi_close(&eq->fid), 0);
	pair_close();
}

KTAP_TEST(endpoint_rules)
{
	struct fi_cq_attr cq = { .format = FI_CQ_FORMAT_TAGGED };
	struct fid_cntr *cntr;
	struct fid_ep *ep;
	size_t len, val;
	char name[256];
	struct fid_pep *pep;

	pair_open(&plain, MEM);
	SUBTEST("not complete") {
		REQUIRE_FI(fi_endpoint(n0.domain, n0.info, &ep, NULL));
		CHECK_EQ(fi_enable(ep), -FI_ENOAV);
		REQUIRE_FI(fi_ep_bind(ep, &n0.av->fid, 0));
		CHECK_EQ(fi_enable(ep), -FI_ENOCQ);
		CHECK_EQ(fi_send(ep, n0.mem, 1, NULL, n0.peer[1], NULL), -FI_EOPBADSTATE);
		CHECK_EQ(fi_recv(ep, n0.mem, 1, NULL, FI_ADDR_UNSPEC, NULL), -FI_EOPBADSTATE);
		REQUIRE_FI(fi_cntr_open(n0.domain, NULL, &cntr, NULL));
		CHECK_EQ(fi_ep_bind(ep, &cntr->fid, FI_REMOTE_WRITE), -FI_EOPNOTSUPP);
		CHECK_EQ(fi_close(&cntr->fid), 0);
		CHECK_EQ(fi_close(&ep->fid), 0);
	}
	SUBTEST("what was refused looks after nothing") {
		struct fi_cq_tagged_entry e;
		struct fid_cntr *more, *far;

		REQUIRE_FI(fi_endpoint(n0.domain, n0.info, &ep, NULL));
		REQUIRE_FI(fi_cntr_open(n0.domain, NULL, &cntr, NULL));
		REQUIRE_FI(fi_cntr_open(n0.domain, NULL, &more, NULL));
		REQUIRE_FI(fi_cntr_open(n1.domain, NULL, &far, NULL));
		CHECK_EQ(fi_ep_bind(ep, &n0.cq->fid, 0), -FI_EBADFLAGS);
		CHECK_EQ(fi_ep_bind(ep, &n1.cq->fid, FI_RECV), -FI_EINVAL);
		REQUIRE_FI(fi_ep_bind(ep, &cntr->fid, FI_SEND));
		CHECK_EQ(fi_ep_bind(ep, &more->fid, FI_SEND | FI_RECV), -FI_EINVAL);
		CHECK_EQ(fi_ep_bind(ep, &far->fid, FI_RECV), -FI_EINVAL);
		CHECK_EQ(fi_close(&ep->fid), 0);
		CHECK_EQ(fi_cq_read(n0.cq, &e, 1), -FI_EAGAIN);
		CHECK_EQ(fi_cntr_read(more), 0);
		CHECK_EQ(fi_close(&cntr->fid), 0);
		CHECK_EQ(fi_close(&more->fid), 0);
		CHECK_EQ(fi_close(&far->fid), 0);
	}
	SUBTEST("in use") {
		CHECK_EQ(fi_close(&n0.cq->fid), -FI_EBUSY);
		CHECK_EQ(fi_close(&n0.av->fid), -FI_EBUSY);
		CHECK_EQ(fi_close(&n0.domain->fid), -FI_EBUSY);
		CHECK_EQ(fi_close(&n0.fabric->fid), -FI_EBUSY);
	}
	SUBTEST("name") {
		len = 3;
		CHECK_EQ(fi_getname(&n0.ep->fid, name, &len), -FI_ETOOSMALL);
		CHECK_EQ(len, n0.name_len);
		CHECK_EQ(fi_setname(&n0.ep->fid, name, len), -FI_ENOSYS);
	}
	SUBTEST("options") {
		len = sizeof(val);
		REQUIRE_FI(fi_getopt(&n0.ep->fid, FI_OPT_ENDPOINT, FI_OPT_MIN_MULTI_RECV, &val, &len));
		CHECK_EQ(val, 64);
		REQUIRE_FI(fi_getopt(&n0.ep->fid, FI_OPT_ENDPOINT, FI_OPT_INJECT_MSG_SIZE, &val, &len));
		CHECK_EQ(val, 256);
		CHECK_EQ(fi_getopt(&n0.ep->fid, FI_OPT_ENDPOINT, FI_OPT_CM_DATA_SIZE, &val, &len), -FI_ENOPROTOOPT);
		CHECK_EQ(fi_setopt(&n0.ep->fid, FI_OPT_ENDPOINT, 12345, &val, len), -FI_ENOPROTOOPT);
		CHECK_EQ(n0.ep->ops->tx_size_left(n0.ep), n0.info->tx_attr->size);
		CHECK_EQ(n0.ep->ops->rx_size_left(n0.ep), n0.info->rx_attr->size);
	}
	SUBTEST("what there isn't") {
		CHECK_EQ(fi_passive_ep(n0.fabric, n0.info, &pep, NULL), -FI_ENOSYS);
		CHECK_EQ(fi_scalable_ep(n0.domain, n0.info, &ep, NULL), -FI_ENOSYS);
		CHECK_EQ(fi_srx_context(n0.domain, NULL, &ep, NULL), -FI_ENOSYS);
		CHECK_EQ(fi_connect(n0.ep, n1.name, NULL, 0), -FI_ENOSYS);
		cq.wait_obj = FI_WAIT_MUTEX_COND;
		CHECK_EQ(fi_cq_open(n0.domain, &cq, &n2.cq, NULL), -FI_ENOSYS);
		n2.cq = NULL;
	}
	pair_close();
}

KTAP_MAIN()
