// SPDX-License-Identifier: GPL-2.0
/* Reading the arguments of a command, see args.h. */
#include "args.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

char *arg_next(struct pnic *p)
{
	if (!p->argc)
		return NULL;
	p->argc--;
	return *p->argv++;
}

const char *arg_peek(struct pnic *p)
{
	return p->argc ? *p->argv : NULL;
}

int arg_end(struct pnic *p)
{
	if (!p->argc)
		return 0;
	return pnic_usage(p, "\"%s\" is too much, leave it out", *p->argv);
}

int arg_word(struct pnic *p, const struct names *words, const char *what)
{
	const char *word = arg_next(p);
	int value;

	if (!word)
		return -pnic_usage(p, "%s is missing: %s", what, name_list(words, "or"));
	value = name_value(words, word);
	if (value == -2)
		return -pnic_usage(p, "\"%s\" is ambiguous: %s", word, name_list(words, "or"));
	if (value < 0)
		return -pnic_usage(p, "\"%s\" is no %s: give %s", word, what,
				   name_list(words, "or"));
	return value;
}

bool arg_is(struct pnic *p, const char *word)
{
	const char *next = arg_peek(p);

	if (!next || !*next || strncmp(word, next, strlen(next)))
		return false;
	arg_next(p);
	return true;
}

int parse_u64(const char *s, uint64_t *value)
{
	unsigned long long v;
	char *end;

	if (!isdigit((unsigned char)*s))
		return -1;
	errno = 0;
	/* A number with zeros before it is the same number. */
	v = strtoull(s, &end, s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 16 : 10);
	if (errno || *end)
		return -1;
	*value = v;
	return 0;
}

int arg_u64(struct pnic *p, const char *what, uint64_t *value)
{
	const char *word = arg_next(p);

	if (!word)
		return pnic_usage(p, "%s needs a number", what);
	if (parse_u64(word, value))
		return pnic_usage(p, "%s: \"%s\" is no number", what, word);
	return 0;
}

int arg_u32(struct pnic *p, const char *what, uint32_t max, uint32_t *value)
{
	uint64_t v = 0;
	int ret = arg_u64(p, what, &v);

	if (ret)
		return ret;
	if (v > max)
		return pnic_usage(p, "%s: %llu is out of range, 0 to %u", what,
				  (unsigned long long)v, max);
	*value = v;
	return 0;
}

int arg_range(struct pnic *p, const char *what, uint32_t *first, uint32_t *last)
{
	char *word = arg_next(p), *dash;
	uint64_t a, b;
	int bad;

	if (!word)
		return pnic_usage(p, "%s needs N or N-M", what);
	dash = strchr(word, '-');
	if (dash)
		*dash = 0;
	bad = parse_u64(word, &a) || parse_u64(dash ? dash + 1 : word, &b) || a > b ||
	      b >= UINT32_MAX;
	if (dash)
		*dash = '-';
	if (bad)
		return pnic_usage(p, "%s: \"%s\" is neither N nor N-M", what, word);
	*first = a;
	*last = b;
	return 0;
}

/* --- devices --------------------------------------------------------------------------------- */

static bool names_dev(const struct dev *d, const char *word)
{
	uint64_t index;
	const char *bus;

	if (!strcmp(d->name, word))
		return true;
	if (!parse_u64(word, &index))
		return index == d->index;
	if (!d->bus_info[0])
		return false;
	if (!strcasecmp(d->bus_info, word))
		return true;
	/* Without the domain. */
	bus = strchr(d->bus_info, ':');
	return bus && !strcasecmp(bus + 1, word);
}

static int no_such_dev(const struct list *devs, const char *word)
{
	char there[256] = "";
	const struct dev *d;
	size_t at = 0;

	LIST_FOR_EACH(d, devs)
		if (at < sizeof(there))
			at += snprintf(there + at, sizeof(there) - at, "%s%s", at ? ", " : "",
				       d->name);
	if (!devs->n)
		return pnic_error("there is no device \"%s\", nor any other", word);
	return pnic_error("there is no device \"%s\"; there %s %s", word,
			  devs->n > 1 ? "are" : "is", there);
}

int arg_all_devs(struct pnic *p, struct list *devs)
{
	struct dev *d;

	if (pnic_connect(p))
		return ST_FAILED;
	if (drv_devs(&p->drv, devs))
		return pnic_failed(p);
	LIST_FOR_EACH(d, devs)
		if (!d->name[0])
			snprintf(d->name, sizeof(d->name), "pnic%u", d->index);
	return 0;
}

int arg_dev(struct pnic *p, struct dev *dev)
{
	const char *word = arg_next(p);
	struct list devs = {};
	struct dev *d;
	int ret;

	if (!word)
		return pnic_usage(p, "which device? pnic dev show lists them");
	ret = arg_all_devs(p, &devs);
	if (!ret) {
		ret = -1;
		LIST_FOR_EACH(d, &devs)
			if (names_dev(d, word)) {
				*dev = *d;
				ret = 0;
			}
		if (ret)
			ret = no_such_dev(&devs, word);
	}
	fields_clear_list(&dev_set, &devs);
	return ret;
}

int arg_dev_file(struct pnic *p, struct dev *dev, const char **path, const char *ask)
{
	int ret = arg_dev(p, dev);

	if (ret)
		return ret;
	*path = arg_next(p);
	if (!*path || !**path)
		return pnic_usage(p, "%s", ask);
	return arg_end(p);
}

int arg_devs(struct pnic *p, struct list *devs)
{
	struct dev one, *d;
	int ret;

	if (!arg_peek(p))
		return arg_all_devs(p, devs);
	ret = arg_dev(p, &one);
	if (ret)
		return ret;
	d = list_add(devs, sizeof(*d));
	if (!d)
		return pnic_error("out of memory");
	*d = one;
	return 0;
}

const struct dev *dev_of(const struct list *devs, uint32_t index)
{
	const struct dev *d;

	LIST_FOR_EACH(d, devs)
		if (d->index == index)
			return d;
	return NULL;
}
