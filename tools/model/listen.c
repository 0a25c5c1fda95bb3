// SPDX-License-Identifier: GPL-2.0
/*
 * Listening Unix sockets, of the vfio-user servers and of the control socket; see loop.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "loop.h"

/* A socket file that nobody listens on is what a killed server left behind. */
static bool stale(const struct sockaddr_un *a)
{
	struct stat st;
	bool dead;
	int fd;

	if (lstat(a->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	dead = connect(fd, (const struct sockaddr *)a, sizeof(*a)) && errno == ECONNREFUSED;
	close(fd);
	return dead;
}

static int listen_at(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (stale(&a))
		unlink(path);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 8)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int pm_listen(struct pm_loop *l, struct pm_watch *w, const char *path,
	      void (*ready)(struct pm_watch *w, uint32_t events))
{
	int fd, err;

	w->fd = -1;
	fd = listen_at(path);
	if (fd < 0)
		return fd;
	*w = (struct pm_watch){ .fd = fd, .events = EPOLLIN, .ready = ready };
	err = pm_loop_add(l, w);
	if (err) {
		close(fd);
		w->fd = -1;
		unlink(path);
	}
	return err;
}
