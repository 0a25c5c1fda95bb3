// SPDX-License-Identifier: GPL-2.0
/* Options of the tool, in front of the object or among the arguments. */
#include <string.h>

#include "args.h"
#include "cmd.h"

#ifndef PNIC_VERSION
#define PNIC_VERSION	"1.0.0"
#endif

/* An option with its argument, as "-N NAME", "--netns NAME" or "--netns=NAME". */
static const char *option_value(struct pnic *p, const char *word)
{
	const char *equals = strchr(word, '=');

	if (equals && word[1] == '-')
		return equals + 1;
	return arg_next(p);
}

static bool is_long(const char *word, const char *name)
{
	size_t len = strcspn(word, "=");

	return len > 2 && !strncmp(word, "--", 2) && !strncmp(word + 2, name, len - 2) &&
	       (len - 2 == strlen(name) || len - 2 >= 3);
}

/* One that has no argument: --json=no is none of them. */
static bool is_flag(const char *word, const char *name)
{
	return !strchr(word, '=') && is_long(word, name);
}

static int set_when(struct pnic *p, const char *when)
{
	static const char *const words[] = { "auto", "always", "never" };
	static const struct names names = { words, 0, 3 };
	int value = when ? name_value(&names, when) : WHEN_ALWAYS;

	if (value < 0)
		return pnic_usage(p, "colours: \"%s\" is none of auto, always, never", when);
	p->when = value;
	return -1;
}

/* One letter of an option without argument. */
static bool set_letter(struct pnic *p, char letter)
{
	switch (letter) {
	case 'j':
		p->json = true;
		return true;
	case 'p':
		p->json = p->pretty = true;
		return true;
	case 's':
		p->stats = true;
		return true;
	case 'd':
		p->details = true;
		return true;
	case 'c':
		p->when = WHEN_ALWAYS;
		return true;
	}
	return false;
}

/* Those that may stand anywhere. -1: taken; ST_USAGE; or ST_OK: it is none of them. */
static int common_option(struct pnic *p, const char *word)
{
	static const struct {
		const char *name;
		char letter;
	} plain[] = {
		{ "json", 'j' }, { "pretty", 'p' }, { "statistics", 's' }, { "details", 'd' },
	};
	struct pnic copy = *p;
	const char *s;
	unsigned int i;

	if (is_long(word, "color") || !strncmp(word, "-c=", 3))
		return set_when(p, strchr(word, '=') ? strchr(word, '=') + 1 : NULL);
	for (i = 0; i < ARRAY_SIZE(plain); i++)
		if (is_flag(word, plain[i].name) && set_letter(p, plain[i].letter))
			return -1;
	if (word[0] != '-' || !word[1] || word[1] == '-')
		return ST_OK;
	/* Letters together: all of them, or none. */
	for (s = word + 1; *s; s++)
		if (!set_letter(&copy, *s))
			return ST_OK;
	*p = copy;
	return -1;
}

int pnic_options(struct pnic *p)
{
	const char *word;
	int ret;

	while (p->argc && p->argv[0][0] == '-' && p->argv[0][1]) {
		word = arg_next(p);
		ret = common_option(p, word);
		if (ret == ST_USAGE)
			return ret;
		if (ret < 0)
			continue;
		if (!strcmp(word, "-h") || is_flag(word, "help")) {
			cmd_help(stdout);
			return ST_OK;
		}
		if (!strcmp(word, "-V") || is_flag(word, "Version") || is_flag(word, "version")) {
			printf("pnic %s, family %s version %d\n", PNIC_VERSION, PNIC_FAMILY_NAME,
			       PNIC_FAMILY_VERSION);
			return ST_OK;
		}
		if (!strcmp(word, "-force") || is_flag(word, "force")) {
			p->force = true;
		} else if (!strcmp(word, "-b") || is_long(word, "batch")) {
			p->batch = option_value(p, word);
			if (!p->batch)
				return pnic_usage(p, "-b needs a file");
		} else if (!strcmp(word, "-N") || is_long(word, "netns")) {
			p->netns = option_value(p, word);
			if (!p->netns)
				return pnic_usage(p, "-N needs the name of a network namespace");
		} else {
			return pnic_usage(p, "unknown option \"%s\": see pnic -h", word);
		}
	}
	return -1;
}

int pnic_late_options(struct pnic *p)
{
	int i, kept = 0, ret;

	for (i = 0; i < p->argc; i++) {
		ret = common_option(p, p->argv[i]);
		if (ret == ST_USAGE)
			return ret;
		if (ret == ST_OK)
			p->argv[kept++] = p->argv[i];
	}
	p->argc = kept;
	return -1;
}
