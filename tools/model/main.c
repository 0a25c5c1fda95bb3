// SPDX-License-Identifier: GPL-2.0
/*
 * pnic-model: photonic NICs in software, each a vfio-user device on a socket of
 * its own, joined by a simulated fabric.
 *
 * Started by tools/vm and by hand; Documentation/model.rst has its options.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core/card.h"
#include "ctl.h"
#include "gen_trace.h"
#include "loop.h"
#include "options.h"
#include "trace.h"
#include "vfu.h"

struct model {
	struct options opt;
	struct pm_fabric *fabric;
	struct pm_loop *loop;
	unsigned int num_nics;		/* nics[] made so far, and servers[] with them */
	struct nic nics[MAX_NICS];
	struct vfu_server servers[MAX_NICS];
	struct ctl_server ctl;
	struct pm_watch signals;
};

static int complain(const char *what, int err)
{
	fprintf(stderr, "pnic-model: %s: %s\n", what, strerror(-err));
	return 1;
}

static void on_signal(struct pm_watch *w, uint32_t events)
{
	(void)events;
	pm_loop_stop(w->loop);
}

static int watch_signals(struct model *m)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	dma_survive();
	m->signals = (struct pm_watch){ .events = EPOLLIN, .ready = on_signal };
	m->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return m->signals.fd < 0 ? -errno : pm_loop_add(m->loop, &m->signals);
}

static int open_nic(struct model *m, unsigned int i)
{
	const struct options *o = &m->opt;
	char path[sizeof(m->servers[i].path) + 32];
	int err;

	if (snprintf(path, sizeof(path), "%s/nic%u.sock", o->socket_dir, i) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	err = nic_init(&m->nics[i], i, pm_fabric_card(m->fabric, i), &o->nic);
	if (err)
		return err;
	m->num_nics = i + 1;
	pm_card_evil(m->nics[i].card, o->evil, o->evil_ppm, o->fabric.seed);
	return vfu_open(&m->servers[i], m->loop, &m->nics[i], path);
}

static int open_all(struct model *m)
{
	char err[160] = "no memory";
	unsigned int i;
	int e;

	m->fabric = pm_fabric_new(&m->opt.fabric, err, sizeof(err));
	if (!m->fabric) {
		fprintf(stderr, "pnic-model: %s\n", err);
		return 2;
	}
	m->loop = pm_loop_new(m->fabric, &m->opt.idle);
	if (!m->loop)
		return complain("event loop", -errno);
	e = watch_signals(m);
	if (e)
		return complain("signals", e);
	for (i = 0; i < m->opt.fabric.nics; i++) {
		e = open_nic(m, i);
		if (e)
			return complain(m->opt.socket_dir, e);
	}
	e = ctl_open(&m->ctl, m->loop, m->fabric, m->nics, m->opt.ctl_path);
	if (e)
		return complain(m->opt.ctl_path, e);
	if (m->opt.play_path && !ctl_play_file(&m->ctl, m->opt.play_path, err, sizeof(err))) {
		fprintf(stderr, "pnic-model: %s: %s\n", m->opt.play_path, err);
		return 2;
	}
	return 0;
}

/* Cards before what they stand on: closing a server resets its card. */
static void close_all(struct model *m)
{
	unsigned int i;

	if (m->ctl.path[0])
		ctl_close(&m->ctl);
	for (i = 0; i < m->num_nics; i++)
		vfu_close(&m->servers[i]);
	if (m->fabric)
		pm_fabric_free(m->fabric);
	for (i = 0; i < m->num_nics; i++)
		nic_fini(&m->nics[i]);
	if (m->loop) {
		if (m->signals.fd >= 0)
			pm_loop_del(&m->signals);
		pm_loop_free(m->loop);
	}
	trace_close();
}

int main(int argc, char **argv)
{
	static struct model m;
	int status;

	if (argc > 1 && !strcmp(argv[1], "ctl"))
		return ctl_client_main(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "gen-trace"))
		return gen_trace_main(argc - 1, argv + 1);
	status = options_parse(&m.opt, argc, argv);
	if (status != OPTIONS_RUN)
		return status;
	m.signals.fd = -1;
	if (m.opt.trace_path) {
		status = trace_open(m.opt.trace_path);
		if (status)
			return complain(m.opt.trace_path, status);
	}
	status = open_all(&m);
	if (!status) {
		puts("ready");
		fflush(stdout);
		pm_loop_run(m.loop);
	}
	close_all(&m);
	return status;
}
