// SPDX-License-Identifier: GPL-2.0
/* Commands from a file, one a line. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pnic.h"

#define WORDS_MAX	128

/*
 * Cuts @line into words in place: blanks separate, quotes keep together, # begins a comment.
 * -1: a quote is not closed, or there are too many words.
 */
static int split(char *line, char **words)
{
	char *to, quote;
	int n = 0;

	for (;;) {
		line += strspn(line, " \t\r\n");
		if (!*line || *line == '#')
			return n;
		if (n == WORDS_MAX)
			return -1;
		words[n++] = to = line;
		for (quote = 0; *line && (quote || !strchr(" \t\r\n", *line)); line++) {
			if (quote ? *line == quote : *line == '"' || *line == '\'')
				quote = quote ? 0 : *line;
			else
				*to++ = *line;
		}
		if (quote)
			return -1;
		if (*line)
			line++;
		*to = 0;
	}
}

static int run_line(const struct pnic *options, struct pnic *p, char *line)
{
	struct drv drv = p->drv;
	bool connected = p->connected;
	char *words[WORDS_MAX];
	int n = split(line, words);

	if (!n)
		return ST_OK;
	if (n < 0) {
		if (options->json)
			puts("[]");
		return pnic_error("a quote is not closed, or the line is too long");
	}
	/* Each line begins with the options of the command line. The connection stays. */
	*p = *options;
	p->drv = drv;
	p->connected = connected;
	p->argc = n;
	p->argv = words;
	n = pnic_command(p);
	p->argv = NULL;		/* the words end here */
	return n;
}

int pnic_batch(struct pnic *p)
{
	const char *name = p->batch;
	bool in = !strcmp(name, "-");
	FILE *f = in ? stdin : fopen(name, "re");
	const struct pnic options = *p;
	unsigned int number = 0;
	int status = ST_OK, ret;
	char *line = NULL;
	size_t size = 0;

	if (!f)
		return pnic_error("%s: %s", name, strerror(errno));
	while ((status == ST_OK || options.force) && getline(&line, &size, f) > 0) {
		number++;
		ret = run_line(&options, p, line);
		fflush(stdout);
		if (ret)
			fprintf(stderr, "Command failed %s:%u\n", name, number);
		if (ret > status)
			status = ret;
	}
	if (ferror(f))
		status = pnic_error("%s: %s", name, strerror(errno));
	free(line);
	if (!in)
		fclose(f);
	return status;
}
