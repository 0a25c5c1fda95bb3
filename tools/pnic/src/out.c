// SPDX-License-Identifier: GPL-2.0
/* Text on standard output, see out.h; tables are in table.c, quantities in units.c. */
#include "out.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LABEL_INDENT	4
#define LABEL_WIDTH	14

static bool colours;

void out_init(const struct pnic *p)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	colours = false;
	if (p->when == WHEN_ALWAYS)
		colours = true;
	else if (p->when == WHEN_AUTO)
		colours = isatty(STDOUT_FILENO) && !(no && *no) && !(term && !strcmp(term, "dumb"));
}

bool out_colours(void)
{
	return colours;
}

const char *out_hue(enum hue hue)
{
	static const char *const code[] = {
		[HUE_NONE] = "\033[0m", [HUE_GOOD] = "\033[32m", [HUE_WARN] = "\033[33m",
		[HUE_BAD] = "\033[31m", [HUE_INFO] = "\033[36m", [HUE_DIM] = "\033[2m",
		[HUE_BOLD] = "\033[1m",
	};

	return colours ? code[hue] : "";
}

/* Bytes of @s that fit into @room columns, broken at a space if there is one. */
static size_t line_length(const char *s, size_t room)
{
	size_t i, columns = 0, space = 0;

	for (i = 0; s[i]; i++) {
		/* The second and later bytes of a character take no column. */
		if ((s[i] & 0xc0) == 0x80)
			continue;
		if (s[i] == ' ')
			space = i;
		if (columns++ == room)
			return space ? space : i;
	}
	return i;
}

void out_wrap(const char *text, unsigned int at, unsigned int indent)
{
	size_t n;

	for (;;) {
		n = line_length(text, at < OUT_WIDTH - 8 ? OUT_WIDTH - at : 8);
		printf("%.*s\n", (int)n, text);
		text += n;
		text += strspn(text, " ");
		if (!*text)
			return;
		printf("%*s", indent, "");
		at = indent;
	}
}

void out_item(const char *label, enum hue hue, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printf("%*s%-*s", LABEL_INDENT, "", LABEL_WIDTH, label);
	if (hue)
		fputs(out_hue(hue), stdout);
	out_wrap(text, LABEL_INDENT + LABEL_WIDTH, LABEL_INDENT + LABEL_WIDTH);
	if (hue)
		fputs(out_hue(HUE_NONE), stdout);
}

void out_bar(uint64_t value, uint64_t max, unsigned int width)
{
	/* Anything at all is seen. */
	unsigned int n = max ? (unsigned int)((double)value / max * width + 0.5) : 0;

	if (value && !n)
		n = 1;
	if (n)
		fputs("  ", stdout);
	while (n--)
		putchar('#');
	putchar('\n');
}
