# SPDX-License-Identifier: GPL-2.0
"""`make bench-...`: runs benchmark programs on the host and in a guest, prints their figures as
a table, and writes build/results/NAME.json with one key for each.

A program says `# figure KEY VALUE MEANING` on a line of its own (selftests/bench/figure.h). It is
a KTAP program all the same: what a figure must be, where it does not depend on the
machine, is checked there, and a failed check is the benchmark's failure.
"""

import json
import os
import re
import shutil
import sys

from . import accel, boot, build, hosttests, ktap, paths, results
from .errors import Failure
from .follow import Tail

# What a person may set, handed on to the programs.
SETTINGS = ('COUNT', 'SEED', 'DURATION')


class Bench:
    """Programs of a benchmark: on the host, and in a guest with two cards."""

    def __init__(self, host, guest, defaults):
        self.host = host
        self.guest = guest
        self.defaults = defaults


BENCHES = {
    'lanes': Bench(host=['bench_lanes_sim'],
                   guest=['netlink_dump', 'netlink_events', 'bench_lanes'],
                   defaults={'COUNT': '10000', 'SEED': '1'}),
}
GUEST_SECONDS = 3600


class Figures:
    """Collects figures and failures as lines come in."""

    def __init__(self, progress):
        self.progress = progress
        self.values = {}
        self.meanings = {}
        self.failures = []

    def line(self, text):
        match = ktap.FIGURE.match(text)
        if match:
            key, value, meaning = match.groups()
            number = float(value)
            self.values[key] = int(number) if number == int(number) else number
            self.meanings[key] = meaning
        elif re.match(r'\s*not ok ', text) or re.match(r'\s*# \S+\.c:\d+: ', text):
            self.failures.append(text.strip())
        elif text.startswith('# '):
            self.progress.step(text[2:].strip())

    def table(self):
        width = max(map(len, self.values), default=0)
        return ['%-*s %14s  %s' % (width, key, value, self.meanings[key])
                for key, value in self.values.items()]


def settings(bench, environ):
    """The programs' environment; a setting that is no number is refused at once."""
    chosen = dict(bench.defaults)
    for name in SETTINGS:
        if environ.get(name):
            if not environ[name].isdigit():
                raise Failure('%s=%s: not a number' % (name, environ[name]), status=2)
            chosen[name] = environ[name]
    return chosen


def _on_host(program, env, figures, progress):
    progress.step('host: ' + program)
    path = os.path.join(hosttests.DIRECTORY, program)
    with hosttests.start(path, dict(os.environ, **env)) as process:
        for line in process.stdout:
            figures.line(line.decode(errors='replace').rstrip('\n'))
    if process.returncode not in (0, 1):
        figures.failures.append('%s ended with status %d' % (program, process.returncode))


def _script(share, programs, env):
    lines = ['CARDS=2', '. $PNIC_RUN/module.sh', 'module_load || exit 70']
    lines += ['export %s=%s' % pair for pair in env.items()]
    lines += ['failed=0']
    for program in programs:
        lines.append('(cd /tmp && %s/%s) >>$PNIC_RUN/figures 2>&1 || failed=1' % (share, program))
    lines += ['module_unload || exit 72', 'exit $failed']
    return '\n'.join(lines) + '\n'


def _in_guest(bench, root, chosen, env, figures, progress):
    progress.step('booting the guest (%s)' % chosen)
    share = paths.in_guest(os.path.join(paths.BUILD, 'guest', 'tests'))
    guest = boot.Guest(root, 'bench', _script(share, bench.guest, env), accel=chosen, nics=2,
                       time_limit=GUEST_SECONDS)
    shutil.copy(os.path.join(paths.VM, 'guest', 'module.sh'), guest.file('module.sh'))
    tail = Tail(guest.file('figures'))

    def tick():
        for line in tail.lines():
            figures.line(line)

    with guest:
        status = guest.wait(tick)
        tick()
    if status is None:
        figures.failures += ['the guest left no status: %s' % guest.reason] + guest.last_words()
    elif status not in (0, 1):
        figures.failures.append('the guest ended with status %d: see %s'
                                % (status, guest.directory))
    figures.failures += guest.kernel_warnings()


def run(name, root, progress):
    """The exit status."""
    bench = BENCHES[name]
    env = settings(bench, os.environ)
    chosen = accel.choose(root, progress)
    figures = Figures(progress)
    with build.tree_lock(progress):
        build.host(progress, tests=True)
        build.guest(root, progress, tests=True)
        for program in bench.host:
            _on_host(program, env, figures, progress)
        if bench.guest:
            _in_guest(bench, root, chosen, env, figures, progress)
    progress.done()
    values = dict(figures.values, **{key.lower(): int(value) for key, value in env.items()})
    path = results.write(name + '.json', json.dumps(values, indent=2) + '\n')
    print('\n'.join(figures.table()))
    print('figures: ' + path)
    for line in figures.failures:
        print('short of what is promised: ' + line, file=sys.stderr)
    return 1 if figures.failures else 0
