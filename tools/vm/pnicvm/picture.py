# SPDX-License-Identifier: GPL-2.0
"""An SVG of a main job: the lane grid as it is at the end, and rate and margin on the way."""

from xml.sax.saxutils import escape

CELL, GAP = 14, 2
LEFT, TOP = 30, 70
CHART_W, CHART_H = 460, 110
COLOURS = {
    'active': ('#4477aa', 'carries data'),
    'replaced': ('#228833', 'a spare that took over'),
    'spare': ('#cccccc', 'spare'),
    'dead': ('#222222', 'dead'),
    'cluster': ('#ee6677', 'dead, in the cluster'),
}


def role(start, end, cluster):
    """Which of COLOURS a lane is; `start` and `end` are its records of the control socket."""
    if end['dead']:
        return 'cluster' if end['lane'] in cluster else 'dead'
    if end['state'] in ('active', 'staged'):
        return 'active' if start['state'] == 'active' else 'replaced'
    return 'spare'


def _text(x, y, text, size=12, anchor='start', colour='#222'):
    return '<text x="%g" y="%g" font-size="%d" text-anchor="%s" fill="%s">%s</text>' \
        % (x, y, size, anchor, colour, escape(text))


def _grid(before, after, cluster):
    roles = {}
    start = {lane['lane']: lane for lane in before}
    out = []
    for lane in after:
        kind = role(start[lane['lane']], lane, cluster)
        roles[kind] = roles.get(kind, 0) + 1
        out.append('<rect x="%d" y="%d" width="%d" height="%d" rx="2" fill="%s"><title>lane %d: '
                   '%s</title></rect>'
                   % (LEFT + lane['x'] * (CELL + GAP), TOP + lane['y'] * (CELL + GAP), CELL,
                      CELL, COLOURS[kind][0], lane['lane'], COLOURS[kind][1]))
    return out, roles


def _legend(roles, y):
    out = []
    for kind, (colour, text) in COLOURS.items():
        out.append('<rect x="%d" y="%d" width="%d" height="%d" rx="2" fill="%s"/>'
                   % (LEFT, y, CELL, CELL, colour))
        out.append(_text(LEFT + CELL + 6, y + 11, '%d %s' % (roles.get(kind, 0), text)))
        y += 20
    return out


def axis(values, from_zero):
    """Round tick values that enclose `values`, at most seven."""
    low, high = (0 if from_zero else min(values)), max(values)
    margin = max((high - low) * 0.1, 1)
    high += margin
    low = 0 if from_zero else max(0, low - margin)
    step, base = None, 1
    while step is None:
        step = next((base * f for f in (1, 2, 5) if (high - low) / (base * f) <= 5), None)
        base *= 10
    first, last = int(low // step), int(-(-high // step))
    return [step * n for n in range(first, last + 1)]


def _steps(points, x0, height):
    """A staircase through (progress, value); a value holds until the next point."""
    path = []
    for progress, value in points:
        form = 'H%.1f V%.1f' if path else 'M%.1f %.1f'
        path.append(form % (x0 + progress * CHART_W, height(value)))
    return ' '.join(path)


def _chart(x0, y0, title, points, ticks, colour, kills):
    low, high = ticks[0], ticks[-1]

    def height(value):
        return y0 + CHART_H - (value - low) / (high - low) * CHART_H
    out = [_text(x0, y0 - 8, title, 13)]
    for tick in ticks:
        y = height(tick)
        out.append('<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#ddd"/>'
                   % (x0, y, x0 + CHART_W, y))
        out.append(_text(x0 - 6, y + 4, '%g' % tick, 10, 'end'))
    for progress, _ in kills:
        x = x0 + progress * CHART_W
        out.append('<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#ee6677"/>'
                   % (x, y0 + CHART_H, x, y0 + CHART_H + 5))
    out.append('<path d="%s" fill="none" stroke="%s" stroke-width="2"/>'
               % (_steps(points, x0, height), colour))
    for part in (0, 25, 50, 75, 100):
        out.append(_text(x0 + part / 100 * CHART_W, y0 + CHART_H + 18, '%d %%' % part, 10,
                         'middle'))
    return out


def svg(before, after, cluster, samples, kills, lines):
    """The picture's text.  before, after: lane records; kills: [(progress, lane)]; lines: the
    summary in words."""
    columns = max(lane['x'] for lane in after) + 1
    rows = max(lane['y'] for lane in after) + 1
    grid, roles = _grid(before, after, cluster)
    chart_x = LEFT + columns * (CELL + GAP) + 70
    below = TOP + rows * (CELL + GAP) + 14
    rates = [(s.progress, s.rate_mbps / 1000) for s in samples]
    spares = [(s.progress, s.spares) for s in samples]
    margins = [(s.progress, s.margin) for s in samples]
    body = [_text(LEFT, 30, 'An all-reduce over an optical link that loses %d lanes' % len(kills),
                  18),
            _text(LEFT, 56, 'the lanes that card 0 receives, at the end', 13)]
    body += grid + _legend(roles, below)
    charts = [('simulated link rate, Gb/s (red ticks: a lane dies)', rates, False, '#4477aa'),
              ('spares left', spares, True, '#777777'),
              ('margin: lanes that may die at that moment', margins, True, '#228833')]
    y = TOP
    for title, points, from_zero, colour in charts:
        body += _chart(chart_x, y, title, points, axis([v for _, v in points], from_zero), colour,
                       kills)
        y += CHART_H + 54
    y += 4
    for line in lines:
        body.append('<text x="%d" y="%d" font-size="12" font-family="monospace" fill="#222" '
                    'xml:space="preserve">%s</text>' % (chart_x, y, escape(line)))
        y += 17
    width = chart_x + CHART_W + 30
    height = max(y, below + 20 * len(COLOURS)) + 16
    return '\n'.join(['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
                      'viewBox="0 0 %d %d" font-family="sans-serif">'
                      % (width, height, width, height),
                      '<rect width="100%" height="100%" fill="white"/>'] + body + ['</svg>', ''])
