// SPDX-License-Identifier: GPL-2.0
/*
 * Lines of the control socket, and what is common to its commands; see ctl.h.
 *
 * A connection is never closed for what was sent on it: it may be a virtio port
 * that QEMU holds for a whole guest's life. A line that is too long is
 * skipped to its end and answered once.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl.h"
#include "vfu.h"

struct ctl_client {
	struct pm_watch watch;		/* first: found from it */
	struct ctl_client *next;
	struct ctl_server *server;
	char in[CTL_LINE_MAX];
	size_t in_len;
	bool skipping;			/* inside a line that is too long */
	char *out;			/* replies that the socket did not take yet; nothing is read meanwhile */
	size_t out_len, out_done;
};

bool ctl_fail(struct ctl_call *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->error, sizeof(c->error), fmt, ap);
	va_end(ap);
	return false;
}

bool ctl_uint(struct ctl_call *c, const char *key, uint64_t max, uint64_t *v)
{
	json_t *j = json_object_get(c->args, key);

	if (!j)
		return ctl_fail(c, "\"%s\" is missing", key);
	if (!json_is_integer(j) || json_integer_value(j) < 0 ||
	    (uint64_t)json_integer_value(j) > max)
		return ctl_fail(c, "\"%s\" must be an integer from 0 to %llu", key,
				(unsigned long long)max);
	*v = json_integer_value(j);
	return true;
}

bool ctl_real(struct ctl_call *c, const char *key, double min, double max, double *v)
{
	json_t *j = json_object_get(c->args, key);
	double d = json_number_value(j);

	if (!j)
		return ctl_fail(c, "\"%s\" is missing", key);
	if (!json_is_number(j) || !(d >= min && d <= max))
		return ctl_fail(c, "\"%s\" must be a number from %g to %g", key, min, max);
	*v = d;
	return true;
}

bool ctl_real_or(struct ctl_call *c, const char *key, double min, double max, double *v)
{
	return !json_object_get(c->args, key) || ctl_real(c, key, min, max, v);
}

bool ctl_bool(struct ctl_call *c, const char *key, bool *v)
{
	json_t *j = json_object_get(c->args, key);

	if (!j)
		return ctl_fail(c, "\"%s\" is missing", key);
	if (!json_is_boolean(j))
		return ctl_fail(c, "\"%s\" must be true or false", key);
	*v = json_is_true(j);
	return true;
}

const char *ctl_text(struct ctl_call *c, const char *key)
{
	json_t *j = json_object_get(c->args, key);

	if (!j)
		ctl_fail(c, "\"%s\" is missing", key);
	else if (!json_is_string(j))
		ctl_fail(c, "\"%s\" must be a string", key);
	return json_string_value(j);
}

const struct ctl_command *const ctl_tables[] = {
	ctl_show_commands, ctl_fault_commands, ctl_optics_commands, ctl_play_commands, NULL
};

static const struct ctl_command *find_command(const char *name)
{
	const struct ctl_command *k;
	unsigned int i;

	for (i = 0; ctl_tables[i]; i++)
		for (k = ctl_tables[i]; k->name; k++)
			if (!strcmp(k->name, name))
				return k;
	return NULL;
}

/* @key stands as a word in @keys. */
static bool takes(const char *keys, const char *key)
{
	size_t n = strlen(key);
	const char *p;

	if (!n || strchr(key, ' '))
		return false;
	for (p = strstr(keys, key); p; p = strstr(p + 1, key))
		if ((p == keys || p[-1] == ' ') && (!p[n] || p[n] == ' '))
			return true;
	return false;
}

static bool run(struct ctl_call *c)
{
	const struct ctl_command *k;
	const char *name, *key;
	uint64_t nic = 0;
	json_t *value;

	if (!json_is_object(c->args))
		return ctl_fail(c, "a request must be a JSON object");
	name = ctl_text(c, "cmd");
	if (!name)
		return false;
	k = find_command(name);
	if (!k)
		return ctl_fail(c, "no command \"%.64s\"; \"help\" lists them", name);
	json_object_foreach(c->args, key, value)
		if (!takes("cmd nic tag", key) && !takes(k->keys, key))
			return ctl_fail(c, "%s takes no \"%.64s\"", name, key);
	c->nic_given = json_object_get(c->args, "nic");
	if (c->nic_given && !ctl_uint(c, "nic", c->server->num_nics - 1, &nic))
		return false;
	c->nic = &c->server->nics[nic];
	c->port = pm_card_port(c->nic->card);
	return k->run(c);
}

/* The reply's text with its newline, NULL without memory. */
static char *answer(struct ctl_server *s, const char *line, size_t len, const char *error)
{
	struct ctl_call c = { .server = s, .reply = json_object() };
	json_error_t why;
	char *text, *nl;
	bool ok = false;

	json_object_set_new(c.reply, "ok", json_true());
	if (error) {
		ctl_fail(&c, "%s", error);
	} else {
		c.args = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
		if (c.args)
			ok = run(&c);
		else
			ctl_fail(&c, "bad JSON: %s", why.text);
	}
	if (!ok) {
		json_object_clear(c.reply);
		json_object_set_new(c.reply, "ok", json_false());
		json_object_set_new(c.reply, "error", json_string(c.error));
	}
	if (json_object_get(c.args, "tag"))
		json_object_set(c.reply, "tag", json_object_get(c.args, "tag"));
	text = json_dumps(c.reply, JSON_COMPACT | JSON_REAL_PRECISION(9));
	json_decref(c.args);
	json_decref(c.reply);
	nl = text ? realloc(text, strlen(text) + 2) : NULL;
	if (!nl) {
		free(text);
		return NULL;
	}
	return strcat(nl, "\n");
}

static void drop(struct ctl_client *k)
{
	struct ctl_client **p;

	for (p = &k->server->clients; *p != k; p = &(*p)->next)
		;
	*p = k->next;
	k->server->num_clients--;
	pm_loop_del(&k->watch);
	free(k->out);
	free(k);
}

/* False: the client is gone. */
static bool flush(struct ctl_client *k)
{
	ssize_t n;

	while (k->out_done < k->out_len) {
		n = send(k->watch.fd, k->out + k->out_done, k->out_len - k->out_done,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			pm_loop_change(&k->watch, EPOLLOUT);
			return true;
		}
		if (n < 0) {
			drop(k);
			return false;
		}
		k->out_done += n;
	}
	free(k->out);
	k->out = NULL;
	k->out_len = 0;
	k->out_done = 0;
	pm_loop_change(&k->watch, EPOLLIN);
	return true;
}

static bool reply_to(struct ctl_client *k, const char *line, size_t len, const char *error)
{
	k->out = answer(k->server, line, len, error);
	if (!k->out) {
		drop(k);
		return false;
	}
	k->out_len = strlen(k->out);
	return flush(k);
}

static bool blank(const char *line, size_t len)
{
	while (len && strchr(" \t\r", line[len - 1]) && line[len - 1])
		len--;
	return !len;
}

/* Answers the whole lines that are there, until a reply doesn't fit into the socket. */
static bool serve_lines(struct ctl_client *k)
{
	char *nl;
	size_t n;

	while (!k->out_len && k->in_len) {
		nl = memchr(k->in, '\n', k->in_len);
		if (!nl)
			break;
		n = nl - k->in;
		if (!k->skipping && !blank(k->in, n) && !reply_to(k, k->in, n, NULL))
			return false;
		k->skipping = false;
		k->in_len -= n + 1;
		memmove(k->in, nl + 1, k->in_len);
	}
	if (k->out_len || k->in_len < sizeof(k->in))
		return true;
	k->in_len = 0;
	if (k->skipping)
		return true;
	k->skipping = true;
	return reply_to(k, NULL, 0, "the request is longer than 64 KiB");
}

static void client_ready(struct pm_watch *w, uint32_t events)
{
	struct ctl_client *k = (struct ctl_client *)w;
	ssize_t n;

	if (k->out_len && (!flush(k) || !serve_lines(k)))
		return;
	if (k->out_len || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	n = recv(k->watch.fd, k->in + k->in_len, sizeof(k->in) - k->in_len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(k);
		return;
	}
	k->in_len += n;
	serve_lines(k);
}

static void listener_ready(struct pm_watch *w, uint32_t events)
{
	struct ctl_server *s = (struct ctl_server *)((char *)w - offsetof(struct ctl_server, listener));
	struct ctl_client *k;
	int fd;

	(void)events;
	fd = accept4(s->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	k = s->num_clients < CTL_CLIENTS_MAX ? calloc(1, sizeof(*k)) : NULL;
	if (!k) {
		close(fd);
		return;
	}
	k->watch = (struct pm_watch){ .fd = fd, .events = EPOLLIN, .ready = client_ready };
	k->server = s;
	if (pm_loop_add(s->listener.loop, &k->watch)) {
		close(fd);
		free(k);
		return;
	}
	k->next = s->clients;
	s->clients = k;
	s->num_clients++;
}

int ctl_open(struct ctl_server *s, struct pm_loop *loop, struct pm_fabric *fabric, struct nic *nics,
	     const char *path)
{
	int err;

	*s = (struct ctl_server){ .fabric = fabric, .nics = nics, .num_nics = pm_fabric_nics(fabric),
				  .listener.fd = -1 };
	err = pm_listen(loop, &s->listener, path, listener_ready);
	if (!err)
		strcpy(s->path, path);
	return err;
}

void ctl_close(struct ctl_server *s)
{
	ctl_play_stop(s);
	if (s->listener.fd < 0)
		return;
	while (s->clients)
		drop(s->clients);
	pm_loop_del(&s->listener);
	unlink(s->path);
}
