// SPDX-License-Identifier: GPL-2.0
/* pnic: the process around a command. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

static int enter_netns(const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s%s", strchr(name, '/') ? "" : "/run/netns/", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return pnic_error("network namespace %s: %s", name, strerror(errno));
	if (setns(fd, CLONE_NEWNET)) {
		close(fd);
		return pnic_error("network namespace %s: %s", name, strerror(errno));
	}
	close(fd);
	return 0;
}

/* Valid JSON in every state, of a command that there is none of too. */
static int nothing(const struct pnic *p, int status)
{
	if (p->json && status)
		puts("[]");
	return status;
}

/* What was printed must have got out. A reader that went away has had what it wanted. */
static int finish(int status)
{
	struct pollfd pfd = { .fd = STDOUT_FILENO, .events = POLLOUT };

	if (!fflush(stdout) && !ferror(stdout))
		return status;
	if (errno == EPIPE || (poll(&pfd, 1, 0) == 1 && pfd.revents & POLLERR))
		return status;
	return pnic_error("cannot write the output: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	struct pnic p = { .argc = argc - 1, .argv = argv + 1 };
	int status;

	signal(SIGPIPE, SIG_IGN);
	/* A write that is too long fails like any other, and leaves nothing half done. */
	signal(SIGXFSZ, SIG_IGN);
	status = pnic_options(&p);
	if (status >= 0)
		return finish(nothing(&p, status));
	if (p.netns && enter_netns(p.netns))
		return finish(nothing(&p, ST_FAILED));
	if (p.batch && p.argc) {
		status = nothing(&p, pnic_usage(&p, "-b FILE goes without a command"));
	} else if (p.batch) {
		status = pnic_batch(&p);
	} else if (p.argc) {
		status = pnic_command(&p);
	} else {
		cmd_help(stderr);
		status = nothing(&p, ST_USAGE);
	}
	if (p.connected)
		drv_close(&p.drv);
	return finish(status);
}
