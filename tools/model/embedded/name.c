// SPDX-License-Identifier: GPL-2.0
/*
 * Names of embedded cards: "embedded:" and options, separated by commas.
 *
 *	nic=N		which card of the world: 0..; default 0
 *	world=NAME	cards of one world reach each other; default "default"
 *	nics=N		cards of the world, 1..8; default 2, or as many as nic= asks for
 *	profile=NAME	of the links: mosaic-800g, avicena-512g, test-16
 *	thread=1	the world has a thread of its own; 0 (default): whoever calls the library drives it
 *	seed=N		which errors the lines have
 *	pace=X		real seconds for one of the link's; default 0: as fast as it goes
 *	KNOB=X		a number of the links (pnic-model -o help lists them)
 *
 * Of the links' numbers one is another than in pnic-model by default: frame_payload is 1048576 bytes and not
 * 4096. A frame is what the model works on at a time, and there is no line here that it would occupy.
 *
 * The first that opens a world makes it; what a later name says has to agree with that.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embedded.h"

#define PREFIX		"embedded:"
#define PROFILE		"mosaic-800g"
#define FRAME_PAYLOAD	1048576

static int bad(char *why, size_t size, const char *what, const char *text)
{
	snprintf(why, size, "%s: '%.60s'", what, text);
	return -EINVAL;
}

static bool number(const char *text, unsigned long long max, unsigned long long *v)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*v = strtoull(text, &end, 0);
	return !*end && !errno && *v <= max;
}

static bool word(const char *text, char *to, size_t size)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

	if (!n || text[n] || n >= size)
		return false;
	memcpy(to, text, n + 1);
	return true;
}

static int take_profile(struct embedded_name *n, const char *text)
{
	struct pm_link_config c;

	pm_link_config_defaults(&c, text);
	if (!c.profile || n->link_said || !word(text, n->profile, sizeof(n->profile)))
		return -EINVAL;
	n->link = c;
	n->link.frame_payload = FRAME_PAYLOAD;
	n->link_said = true;
	return 0;
}

static int take_real(struct embedded_name *n, const char *key, const char *text)
{
	const struct pm_knob *k = pm_knob_find(key);
	bool pace = !strcmp(key, "pace");
	char *end;
	double v;

	if (!k && !pace)
		return -ENOENT;
	v = strtod(text, &end);
	if (!*text || *end)
		return -EINVAL;
	if (pace) {
		n->pace = v;
		n->pace_said = true;
		return v >= 0 && v <= 1e9 ? 0 : -EINVAL;
	}
	if (!pm_knob_fits(k, v))
		return -EINVAL;
	pm_knob_set(k, &n->link, v);
	n->link_said = true;
	return 0;
}

static int take(struct embedded_name *n, const char *key, const char *text)
{
	unsigned long long v;

	if (!strcmp(key, "world"))
		return word(text, n->world, sizeof(n->world)) ? 0 : -EINVAL;
	if (!strcmp(key, "profile"))
		return take_profile(n, text);
	if (!strcmp(key, "nic")) {
		if (!number(text, EMBEDDED_NICS - 1, &v))
			return -EINVAL;
		n->nic = (unsigned int)v;
	} else if (!strcmp(key, "nics")) {
		if (!number(text, EMBEDDED_NICS, &v) || !v)
			return -EINVAL;
		n->nics = (unsigned int)v;
	} else if (!strcmp(key, "thread")) {
		if (!number(text, 1, &v))
			return -EINVAL;
		n->thread = (int)v;
	} else if (!strcmp(key, "seed")) {
		if (!number(text, UINT64_MAX, &v))
			return -EINVAL;
		n->seed = v;
		n->seed_said = true;
	} else {
		return take_real(n, key, text);
	}
	return 0;
}

/* One option of the list at *@p, which goes on to the next. */
static int take_next(struct embedded_name *n, const char **p, char *why, size_t size)
{
	char option[96], *value;
	size_t len = strcspn(*p, ",");
	int err;

	if (len >= sizeof(option))
		return bad(why, size, "too long an option", *p);
	memcpy(option, *p, len);
	option[len] = '\0';
	*p += len + ((*p)[len] == ',');
	value = strchr(option, '=');
	if (!value)
		return bad(why, size, "an option without a value", option);
	*value = '\0';
	err = take(n, option, value + 1);
	if (err == -ENOENT)
		return bad(why, size, "no such option", option);
	*value = '=';
	return err ? bad(why, size, "not a value that it can have", option) : 0;
}

int embedded_name_parse(const char *name, struct embedded_name *n, char *why, size_t size)
{
	const char *p = name + strlen(PREFIX);
	int err = 0;

	memset(n, 0, sizeof(*n));
	n->thread = -1;
	n->seed = 1;
	strcpy(n->world, "default");
	strcpy(n->profile, PROFILE);
	pm_link_config_defaults(&n->link, PROFILE);
	n->link.frame_payload = FRAME_PAYLOAD;
	/* The profile sets all of them, so it comes first. */
	while (*p && !err)
		err = take_next(n, &p, why, size);
	if (!err && n->nics && n->nic >= n->nics)
		err = bad(why, size, "nic is not below nics", name);
	if (!err && !pm_link_config_valid(&n->link))
		err = bad(why, size, "no link can be like that", name);
	n->link.profile = n->profile;
	return err;
}
