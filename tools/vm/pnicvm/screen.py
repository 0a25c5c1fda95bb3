# SPDX-License-Identifier: GPL-2.0
"""The main job as one watches it: a few lines that are redrawn on a terminal, or plain lines
now and then where the output goes to a file."""

import shutil
import sys

from .summary import size

PLAIN_STEP = 0.05       # of the progress, between plain lines
PLAIN_SECONDS = 10.0    # ... or this long without progress


def bar(fraction, width):
    full = int(fraction * width + 0.5)
    return '#' * full + '.' * (width - full)


def render(job, sample, killed, planned, seconds, columns=80):
    """The live picture, a list of lines no wider than `columns`."""
    total = sum(rank.total for rank in job.ranks)
    done = sum(rank.done for rank in job.ranks)
    room = max(10, columns - 32)
    lines = ['all-reduce  [%s] %3d %%' % (bar(job.progress(), room), 100 * job.progress()),
             '            %s of %s through %d cards, %.0f s' % (size(done), size(total),
                                                              len(job.ranks), seconds)]
    if sample:
        lines += ['lanes       %d in use, %d spares, %d dead; killed %d of %d'
                  % (sample.width, sample.spares, sample.failed, killed, planned),
                  'margin      [%s] %d more lanes may die now' % (bar(min(sample.margin, 15) / 15,
                                                                     15), sample.margin),
                  'link rate   %.1f Gb/s simulated' % (sample.rate_mbps / 1000)]
    return [line[:columns - 1] for line in lines]


def plain(job, sample, killed, planned, seconds):
    """The same in one line."""
    text = '[%6.1fs] all-reduce: %3d %%' % (seconds, 100 * job.progress())
    if sample:
        text += ', %d of %d killed, width %d, spares %d, margin %d, %.1f Gb/s' \
            % (killed, planned, sample.width, sample.spares, sample.margin,
               sample.rate_mbps / 1000)
    return text


class Screen:
    def __init__(self, stream=None, live=None):
        self.stream = stream or sys.stdout
        self.live = self.stream.isatty() if live is None else live
        self._drawn = 0
        self._said = None
        self._said_at = 0.0

    def update(self, job, sample, killed, planned, seconds):
        if self.live:
            self._draw(render(job, sample, killed, planned, seconds,
                              shutil.get_terminal_size().columns))
            return
        progress = job.progress()
        if self._said is None or progress >= self._said + PLAIN_STEP \
                or seconds >= self._said_at + PLAIN_SECONDS:
            self._said, self._said_at = progress, seconds
            self._write(plain(job, sample, killed, planned, seconds) + '\n')

    def end(self):
        """What stands there now stays."""
        self._drawn = 0

    def _draw(self, lines):
        up = '\033[%dA' % self._drawn if self._drawn else ''
        self._write(up + ''.join('\r\033[K%s\n' % line for line in lines))
        self._drawn = len(lines)

    def _write(self, text):
        try:
            self.stream.write(text)
            self.stream.flush()
        except OSError:
            pass    # nobody watches; the job goes on
