// SPDX-License-Identifier: GPL-2.0
/* pnic-model as a child process of a test; see server.h. */
#define _GNU_SOURCE
#include "server.h"

#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ARGS	32
#define ANSWER_MS	20000

static void program_path(const char *name, char *path, size_t size)
{
	const char *dir = getenv("PNIC_MODEL_DIR");
	char self[512] = "";

	if (dir) {
		snprintf(path, size, "%s/%s", dir, name);
		return;
	}
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		self[0] = 0;
	snprintf(path, size, "%s/model/%s", dirname(self), name);
}

static pid_t spawn(const char *program, const char *const *argv, int out)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(out, STDOUT_FILENO);
	execv(program, (char *const *)argv);
	_exit(127);
}

static bool said_ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char text[64] = "";
	size_t have = 0;
	ssize_t n;

	while (!strstr(text, "ready\n") && have < sizeof(text) - 1) {
		if (poll(&p, 1, ANSWER_MS) != 1)
			return false;
		n = read(fd, text + have, sizeof(text) - 1 - have);
		if (n <= 0)
			return false;
		have += n;
	}
	return true;
}

static int ctl_connect(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a))) {
		close(fd);
		return -1;
	}
	return fd;
}

bool server_start(struct server *s, const char *program, const char *const *args)
{
	const char *argv[MAX_ARGS] = { NULL, "--socket-dir", s->dir, "--ctl", s->ctl };
	char path[600];
	int out[2], i;
	bool ready;

	strcpy(s->dir, "/tmp/pnic-test-XXXXXX");
	if (!mkdtemp(s->dir))
		return false;
	snprintf(s->ctl, sizeof(s->ctl), "%s/ctl.sock", s->dir);
	program_path(program, path, sizeof(path));
	argv[0] = path;
	for (i = 0; args && args[i] && i + 6 < MAX_ARGS; i++)
		argv[5 + i] = args[i];
	if (pipe2(out, O_CLOEXEC))
		return false;
	s->pid = spawn(path, argv, out[1]);
	close(out[1]);
	ready = s->pid > 0 && said_ready(out[0]);
	close(out[0]);
	s->ctl_fd = ready ? ctl_connect(s->ctl) : -1;
	return s->ctl_fd >= 0;
}

int server_stop(struct server *s)
{
	int status;

	if (s->ctl_fd >= 0)
		close(s->ctl_fd);
	s->ctl_fd = -1;
	if (s->pid <= 0)
		return -1;
	kill(s->pid, SIGTERM);
	if (waitpid(s->pid, &status, 0) != s->pid)
		return -1;
	s->pid = 0;
	rmdir(s->dir);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool server_alive(struct server *s)
{
	if (s->pid <= 0 || waitpid(s->pid, NULL, WNOHANG))
		s->pid = 0;
	return s->pid;
}

void server_nic_path(const struct server *s, unsigned int nic, char *path, size_t size)
{
	snprintf(path, size, "%s/nic%u.sock", s->dir, nic);
}

unsigned int server_open_files(const struct server *s)
{
	unsigned int n = 0;
	char path[64];
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)s->pid);
	d = opendir(path);
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

uint64_t server_cpu_ns(const struct server *s)
{
	struct timespec ts = {};
	clockid_t clock;

	if (clock_getcpuclockid(s->pid, &clock) || clock_gettime(clock, &ts))
		return UINT64_MAX;
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

int server_run(const char *program, const char *const *args)
{
	const char *argv[MAX_ARGS] = {};
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), status, i;
	char path[600];
	pid_t pid;

	program_path(program, path, sizeof(path));
	argv[0] = path;
	for (i = 0; args[i] && i + 2 < MAX_ARGS; i++)
		argv[1 + i] = args[i];
	pid = fork();
	if (!pid) {
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execv(path, (char *const *)argv);
		_exit(127);
	}
	close(null);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *read_line(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t have = 0, cap = 0;
	char *line = NULL;
	ssize_t n;

	do {
		if (have + 1 >= cap) {
			cap += 65536;
			line = realloc(line, cap);
		}
		if (!line || poll(&p, 1, ANSWER_MS) != 1)
			goto fail;
		n = read(fd, line + have, cap - have - 1);
		if (n <= 0)
			goto fail;
		have += n;
	} while (line[have - 1] != '\n');
	line[have] = 0;
	return line;
fail:
	free(line);
	return NULL;
}

static json_t *converse(struct server *s, const char *fmt, va_list ap)
{
	char *line = NULL, *text;
	json_t *reply = NULL;
	int n;

	n = vasprintf(&text, fmt, ap);
	if (n < 0)
		return NULL;
	if (send(s->ctl_fd, text, n, MSG_NOSIGNAL) == n && send(s->ctl_fd, "\n", 1, MSG_NOSIGNAL) == 1)
		line = read_line(s->ctl_fd);
	if (line)
		reply = json_loads(line, 0, NULL);
	free(line);
	free(text);
	return reply;
}

json_t *server_ctl(struct server *s, const char *fmt, ...)
{
	json_t *reply;
	va_list ap;

	va_start(ap, fmt);
	reply = converse(s, fmt, ap);
	va_end(ap);
	return reply;
}

bool server_ctl_ok(struct server *s, const char *fmt, ...)
{
	json_t *reply;
	va_list ap;
	bool ok;

	va_start(ap, fmt);
	reply = converse(s, fmt, ap);
	va_end(ap);
	ok = json_is_true(json_object_get(reply, "ok"));
	json_decref(reply);
	return ok;
}

int64_t server_counter(struct server *s, unsigned int nic, const char *name)
{
	json_t *reply = server_ctl(s, "{\"cmd\":\"counters\",\"nic\":%u}", nic);
	json_t *v = json_object_get(json_array_get(json_object_get(reply, "nics"), 0), name);
	int64_t n = json_is_integer(v) ? json_integer_value(v) : json_is_boolean(v) ? json_is_true(v) : -1;

	json_decref(reply);
	return n;
}
