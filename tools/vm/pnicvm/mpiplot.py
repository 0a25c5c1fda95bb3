# SPDX-License-Identifier: GPL-2.0
"""The picture of `make bench-mpi`: a panel for each kind of figure, a bar for each way and number of ranks, on logarithmic
scales, as the ways are far apart."""

import math
from xml.sax.saxutils import escape

# way -> (what it is, colour)
WAYS = {
    'pnic': ('Open MPI over pnic', '#1b7f5c'),
    'mpich_pnic': ('MPICH over pnic', '#63b598'),
    'ofi_tcp': ('Open MPI over libfabric tcp', '#c0504d'),
    'sm': ('Open MPI, shared memory', '#7f7f7f'),
}
PANELS = [
    ('own_core_lat_us', '8 bytes, one way, us; ranks share a processor, the card has its own (less is better)'),
    ('lat_us', '8 bytes, one way, us; ranks and card share two (less is better)'),
    ('rate_kps', '8-byte messages, thousands a second'),
    ('bw_mbs', '1 MiB messages, MB/s'),
    ('allreduce_ms', 'all-reduce of 25 MiB of floats, ms (less is better; the line: its sums alone)'),
    ('allreduce_int_ms', 'all-reduce of 25 MiB of integers, ms (less is better)'),
    ('alltoall_us', 'all-to-all of 64 KiB to each, us (less is better)'),
]
RANKS = (2, 4)

WIDTH, PANEL, BAR, LEFT = 760, 190, 15, 14
PLOT = WIDTH - 2 * LEFT - 90


def _text(x, y, text, size=12, anchor='start'):
    return '<text x="%g" y="%g" font-size="%d" text-anchor="%s">%s</text>' % (x, y, size, anchor,
                                                                           escape(text))


def _panel(values, key, title, top):
    shape, key = ('own_core_', key[len('own_core_'):]) if key.startswith('own_core_') else ('', key)
    names = [(way, ranks, '%s%s_%d_%s' % (shape, way, ranks, key)) for ranks in RANKS for way in WAYS]
    bars = [(way, ranks, values[name]) for way, ranks, name in names if values.get(name, 0) > 0]
    out = [_text(LEFT, top + 14, title, 13)]
    if not bars:
        return out + [_text(LEFT, top + 40, 'not measured')]
    floor = values.get('pnic_2_reduce_local_ms', 0) if key == 'allreduce_ms' else 0
    shown = [value for _, _, value in bars] + ([floor] if floor else [])
    low = math.floor(math.log10(min(shown)) - 0.3)
    scale = PLOT / (math.log10(max(shown)) - low or 1)
    y = top + 24
    for way, ranks, value in bars:
        if way == next(iter(WAYS)) and ranks != RANKS[0]:
            y += 8
        length = (math.log10(value) - low) * scale
        out.append('<rect x="%d" y="%g" width="%.1f" height="%d" fill="%s"/>'
                   % (LEFT + 50, y, length, BAR - 2, WAYS[way][1]))
        out.append(_text(LEFT + 54 + length, y + BAR - 4, '%.4g' % value, 10))
        out.append(_text(LEFT + 44, y + BAR - 4, '%d ranks' % ranks, 10, 'end'))
        y += BAR
    if floor:
        x = LEFT + 50 + (math.log10(floor) - low) * scale
        out.append('<path d="M%.1f %gV%g" stroke="#000" stroke-dasharray="4 3"/>' % (x, top + 22, y))
    return out


def draw(values):
    """The SVG's text."""
    height = 30 + 20 * len(WAYS) + PANEL * len(PANELS)
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" '
           'fill="#222">' % (WIDTH, height),
           '<rect width="100%" height="100%" fill="#fff"/>',
           _text(LEFT, 20, 'MPI in one guest (emulated processors), logarithmic scales', 14)]
    for number, (name, colour) in enumerate(WAYS.values()):
        y = 34 + 18 * number
        out.append('<rect x="%d" y="%d" width="12" height="12" fill="%s"/>' % (LEFT, y, colour))
        out.append(_text(LEFT + 18, y + 10, name))
    for number, (key, title) in enumerate(PANELS):
        out += _panel(values, key, title, 30 + 20 * len(WAYS) + PANEL * number)
    return '\n'.join(out) + '\n</svg>\n'
