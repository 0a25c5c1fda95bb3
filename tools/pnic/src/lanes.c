// SPDX-License-Identifier: GPL-2.0
/* What can be said of a list of lanes, see lanes.h. Pure. */
#include "lanes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"

/* The policy's order: what is known to be bad last, then by losses, errors, light. */
static int by_quality(const void *a, const void *b)
{
	const struct lane *l = *(const struct lane *const *)a, *m = *(const struct lane *const *)b;

	if (l->known_bad != m->known_bad)
		return l->known_bad - m->known_bad;
	if (l->losses != m->losses)
		return l->losses < m->losses ? -1 : 1;
	if (l->error_ppb != m->error_ppb)
		return l->error_ppb < m->error_ppb ? -1 : 1;
	if (l->power_cdb != m->power_cdb)
		return l->power_cdb > m->power_cdb ? -1 : 1;
	return l->index < m->index ? -1 : l->index > m->index;
}

const struct lane **lanes_spares(const struct list *lanes)
{
	const struct lane **spares = calloc(lanes->n + 1, sizeof(*spares));
	const struct lane *l;
	size_t n = 0;

	if (!spares)
		return NULL;
	LIST_FOR_EACH(l, lanes)
		if (l->status == PNIC_LANE_STATUS_SPARE)
			spares[n++] = l;
	qsort(spares, n, sizeof(*spares), by_quality);
	return spares;
}

uint32_t lane_status(const struct lane *l)
{
	if (HAS(l, PNIC_A_LANE_STATUS))
		return l->status;
	return HAS(l, PNIC_A_LANE_LOGICAL) ? PNIC_LANE_STATUS_ACTIVE : PNIC_LANE_STATUS_SPARE;
}

/* --- the grid -------------------------------------------------------------------------------- */

const struct lane *grid_at(const struct grid *g, unsigned int x, unsigned int y)
{
	return x < g->columns && y < g->rows ? g->cell[(size_t)y * g->columns + x] : NULL;
}

static bool failed_at(const struct grid *g, unsigned int x, unsigned int y)
{
	const struct lane *l = grid_at(g, x, y);

	return l && lane_status(l) == PNIC_LANE_STATUS_FAILED;
}

/* Collects in @cells the failed lanes that hang together with the one at @first. */
static unsigned int flood(struct grid *g, unsigned int first, unsigned int mark,
			  unsigned int *cells)
{
	unsigned int n = 1, done, x, y;
	int dx, dy;

	cells[0] = first;
	g->patch_of[first] = mark;
	for (done = 0; done < n; done++) {
		x = cells[done] % g->columns;
		y = cells[done] / g->columns;
		for (dy = -1; dy <= 1; dy++) {
			for (dx = -1; dx <= 1; dx++) {
				/* Left of column 0 is a column that there isn't. */
				unsigned int i = (y + dy) * g->columns + x + dx;

				if (!failed_at(g, x + dx, y + dy) || g->patch_of[i])
					continue;
				g->patch_of[i] = mark;
				cells[n++] = i;
			}
		}
	}
	return n;
}

static void measure(const struct grid *g, struct patch *p, const unsigned int *cells,
		    unsigned int n)
{
	double dx, dy;
	unsigned int i;

	p->lanes = n;
	for (i = 0; i < n; i++) {
		p->x += (double)(cells[i] % g->columns) / n;
		p->y += (double)(cells[i] / g->columns) / n;
	}
	for (i = 0; i < n; i++) {
		dx = cells[i] % g->columns - p->x;
		dy = cells[i] / g->columns - p->y;
		p->radius = fmax(p->radius, hypot(dx, dy));
	}
}

static int find_patches(struct grid *g, unsigned int patch_min)
{
	const unsigned int cells = g->columns * g->rows;
	unsigned int *found = calloc(cells, sizeof(*found));
	struct patch *p;
	unsigned int i, n, k;

	if (!found)
		return -1;
	for (i = 0; i < cells; i++) {
		if (g->patch_of[i] || !failed_at(g, i % g->columns, i / g->columns))
			continue;
		n = flood(g, i, g->patches.n + 1, found);
		if (n < patch_min) {
			/* Marked as of no patch, and looked at no more: n steps back at most. */
			for (k = 0; k < n; k++)
				g->patch_of[found[k]] = UINT32_MAX;
			continue;
		}
		p = list_add(&g->patches, sizeof(*p));
		if (p)
			measure(g, p, found, n);
	}
	for (i = 0; i < cells; i++)
		if (g->patch_of[i] == UINT32_MAX)
			g->patch_of[i] = 0;
	free(found);
	return 0;
}

int grid_make(struct grid *g, const struct dev *dev, const struct list *lanes,
	      unsigned int patch_min)
{
	const uint64_t cells = (uint64_t)dev->grid_x * dev->grid_y;
	const struct lane *l;

	memset(g, 0, sizeof(*g));
	if (!cells || cells > GRID_MAX)
		return -1;
	g->columns = dev->grid_x;
	g->rows = dev->grid_y;
	g->cell = calloc(cells, sizeof(*g->cell));
	g->patch_of = calloc(cells, sizeof(*g->patch_of));
	if (!g->cell || !g->patch_of)
		goto no_memory;
	LIST_FOR_EACH(l, lanes)
		if (HAS(l, PNIC_A_LANE_X) && HAS(l, PNIC_A_LANE_Y) && l->x < g->columns &&
		    l->y < g->rows)
			g->cell[(size_t)l->y * g->columns + l->x] = l;
	if (!find_patches(g, patch_min))
		return 0;
no_memory:
	grid_free(g);
	return -1;
}

void grid_free(struct grid *g)
{
	free(g->cell);
	free(g->patch_of);
	free(g->patches.items);
	memset(g, 0, sizeof(*g));
}

/* --- letters --------------------------------------------------------------------------------- */

static const struct {
	char letter;
	uint32_t status;
	const char *text;
} letters[] = {
	{ 'o', PNIC_LANE_STATUS_ACTIVE, "active" },
	{ '+', PNIC_LANE_STATUS_SPARE, "spare" },
	{ 'w', PNIC_LANE_STATUS_WATCH, "watch" },
	{ 'r', PNIC_LANE_STATUS_RETIRING, "retiring" },
	{ 'x', PNIC_LANE_STATUS_FAILED, "failed" },
	{ '#', PNIC_LANE_STATUS_FAILED, "failed, in a patch" },
	{ 'q', PNIC_LANE_STATUS_QUARANTINED, "quarantined" },
	{ 't', PNIC_LANE_STATUS_TESTING, "testing" },
	{ 'd', PNIC_LANE_STATUS_DISABLED, "disabled" },
	{ '?', 0, "unknown" },
};

char grid_letter(const struct grid *g, unsigned int x, unsigned int y)
{
	const struct lane *l = grid_at(g, x, y);
	unsigned int i;

	if (!l)
		return ' ';
	if (g->patch_of[(size_t)y * g->columns + x])
		return '#';
	for (i = 0; i < ARRAY_SIZE(letters); i++)
		if (letters[i].status == lane_status(l))
			return letters[i].letter;
	return '?';
}

const char *grid_legend(unsigned int i, char *letter, uint32_t *status)
{
	if (i >= ARRAY_SIZE(letters))
		return NULL;
	*letter = letters[i].letter;
	*status = letters[i].status;
	return letters[i].text;
}
