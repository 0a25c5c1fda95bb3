# SPDX-License-Identifier: GPL-2.0
"""What is known of the main job while it runs: the ranks' own words and the link's counters.

A rank prints one JSON object a line:
    {"ev":"start","rank":0,"total":BYTES}
    {"ev":"progress","rank":0,"done":BYTES,"total":BYTES}
    {"ev":"done","rank":0,"verified":BYTES,"wrong":BYTES,"lost":N,"moved":BYTES,"seconds":S}
    {"ev":"error","rank":0,"text":"..."}
"""

import json


class Rank:
    def __init__(self, number):
        self.number = number
        self.total = 0
        self.done = 0
        self.end = None         # the `done` event
        self.errors = []

    def feed(self, line):
        """One line of the rank's stdout."""
        line = line.strip()
        if not line:
            return
        try:
            event = json.loads(line)
            kind = event['ev']
        except (ValueError, KeyError, TypeError):
            self.errors.append('not an event: ' + line[:200])
            return
        if kind in ('start', 'progress'):
            self.total = int(event.get('total', self.total))
            self.done = max(self.done, int(event.get('done', self.done)))
        elif kind == 'done':
            self.end = event
            self.done = self.total
        elif kind == 'error':
            self.errors.append(str(event.get('text', event)))

    def progress(self):
        if self.end is not None:
            return 1.0
        return min(1.0, self.done / self.total) if self.total else 0.0


class Job:
    def __init__(self, ranks):
        self.ranks = [Rank(number) for number in range(ranks)]

    def started(self):
        return all(rank.total for rank in self.ranks)

    def progress(self):
        """0..1: the slowest rank's, as the others wait for it."""
        return min(rank.progress() for rank in self.ranks)

    def finished(self):
        return all(rank.end is not None for rank in self.ranks)

    def sum(self, key):
        return sum(int(rank.end.get(key, 0)) for rank in self.ranks if rank.end)

    def seconds(self):
        return max([float(rank.end.get('seconds', 0)) for rank in self.ranks if rank.end] or [0])

    def faults(self):
        """Why the job was not a success, in words; empty when it was."""
        faults = []
        for rank in self.ranks:
            faults += ['rank %d: %s' % (rank.number, text) for text in rank.errors]
            if rank.end is None:
                faults.append('rank %d did not finish' % rank.number)
        for key, text in (('wrong', '%d bytes are wrong'), ('lost', '%d transfers were lost')):
            if self.sum(key):
                faults.append(text % self.sum(key))
        if self.finished() and not self.sum('verified'):
            faults.append('no byte was verified')
        return faults


class Sample:
    """The counters at one moment; the link that is watched is the one that loses lanes: what
    card 0 receives."""

    def __init__(self, seconds, progress, counters):
        self.seconds = seconds
        self.progress = progress
        self.nics = counters['nics']
        self.ports = counters.get('ports', [])
        worn = self.nics[0]
        self.width = worn['width_rx']
        self.rate_mbps = worn['rate_rx_mbps']
        self.spares = worn['spares']
        self.failed = worn['failed']
        self.margin = worn['margin']
        self.clock_ns = counters['clock_ns']

    def ends(self):
        """Both ends of every link: cards and the switch's ports."""
        return self.nics + self.ports

    def total(self, key):
        return sum(end.get(key, 0) for end in self.ends())

    def margin_min(self):
        return min(end['margin_min'] for end in self.ends())
