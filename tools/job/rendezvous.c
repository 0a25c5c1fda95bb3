// SPDX-License-Identifier: GPL-2.0
/*
 * Rendezvous by files: see rendezvous.h. Called by main.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "rendezvous.h"
#include "report.h"

#define NAP_NS	20000000

static int path_of(char *path, size_t size, const char *dir, const char *name, unsigned int rank)
{
	int n = snprintf(path, size, "%s/%s%u", dir, name, rank);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int rendezvous_tell(const char *dir, unsigned int rank, const struct card_of_rank *c)
{
	char path[4096], tmp[4096];
	FILE *f;
	int err;

	err = path_of(path, sizeof(path), dir, "rank", rank);
	if (!err)
		err = path_of(tmp, sizeof(tmp), dir, "rank-being-written-", rank);
	if (err)
		return err;
	f = fopen(tmp, "w");
	if (!f)
		return -errno;
	err = fprintf(f, "pnic-allreduce 1 %" PRIx32 " %" PRIx32 " %" PRIx64 " %" PRIx64 " %" PRIx64 "\n",
		      c->addr.nic, c->addr.ep, c->base, c->key, c->job) < 0 ? -EIO : 0;
	if (fclose(f) && !err)
		err = -errno;
	/* A reader sees the whole file or none. */
	if (!err && rename(tmp, path))
		err = -errno;
	return err;
}

static int read_card(const char *path, struct card_of_rank *c)
{
	FILE *f = fopen(path, "r");
	int n;

	if (!f)
		return -errno;
	n = fscanf(f, "pnic-allreduce 1 %" SCNx32 " %" SCNx32 " %" SCNx64 " %" SCNx64 " %" SCNx64,
		   &c->addr.nic, &c->addr.ep, &c->base, &c->key, &c->job);
	fclose(f);
	return n == 5 ? 0 : -EBADMSG;
}

int rendezvous_ask(const char *dir, unsigned int of, struct card_of_rank *c, int timeout_ms)
{
	struct timespec nap = { 0, NAP_NS };
	int64_t deadline = now_ms() + timeout_ms;
	char path[4096];
	int err;

	err = path_of(path, sizeof(path), dir, "rank", of);
	if (err)
		return err;
	for (;;) {
		err = read_card(path, c);
		if (err != -ENOENT)
			return err;
		if (rendezvous_failed(dir))
			return -ECANCELED;
		if (now_ms() >= deadline)
			return -ETIMEDOUT;
		nanosleep(&nap, NULL);
	}
}

void rendezvous_fail(const char *dir)
{
	char path[4096];
	int fd;

	if (path_of(path, sizeof(path), dir, "failed", 0))
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0)
		close(fd);
}

bool rendezvous_failed(const char *dir)
{
	char path[4096];

	return !path_of(path, sizeof(path), dir, "failed", 0) && !access(path, F_OK);
}
