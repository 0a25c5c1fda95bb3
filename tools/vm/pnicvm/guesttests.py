# SPDX-License-Identifier: GPL-2.0
"""Runs the test programs of the guest: as few boots as their wishes allow.

A program that takes the guest down with it has failed; those after it get a fresh guest.
What the kernel's log has against a program fails it too, and so does memory that the module lost
where the kernel looks for that.
"""

import os
import shutil
import time

from . import boot, klog, ktap, paths, testconf
from .errors import Failure
from .follow import Tail

DIRECTORY = os.path.join(paths.BUILD, 'guest', 'tests')
TIME_LIMIT = 120
# All for a stock kernel; a debug kernel takes kernel.slow times longer.
BOOT_SECONDS = 240          # for booting and loading, on a busy machine
HANG_SECONDS = 30           # past its limit: it cannot even be killed
STEP_SECONDS = 90
UNIT_STEPS = ('module-load', 'module-unload', 'leaks', 'counts')
MORE_MEMORY = 512           # MiB that debugging takes
GRACE_SECONDS = 300         # past the deadline: for what began before it
LEAST_SECONDS = 120         # before the deadline: a boot that has less is not worth it
NO_TIME = 'not run: no time left'


class Tally:
    """What one kernel's run of the suite found."""

    def __init__(self):
        self.splats = self.leaks = 0
        self.boots = 0
        self.figures = {}       # what the programs themselves count


class _Events:
    """Follows one boot: the running test's output as it grows, and its end."""

    def __init__(self, guest, confs, results, progress, tally):
        self.guest = guest
        self.confs = confs
        self.results = results
        self.progress = progress
        self.tally = tally
        self.events = Tail(guest.file('events'))
        self._console = Tail(guest.file('console.log'))
        self._log = klog.Scanner()
        self._told = 0
        self.ended = set()
        self.running = None
        self._output = None
        self._parser = None
        self._since = 0.0

    def tick(self):
        for line in self.events.lines():
            words = line.split()
            if words[0] == 'begin':
                self._begin(words[1])
            elif words[0] == 'end' and self.running == words[1]:
                self._end(int(words[2]))
            elif words[0] == 'late':
                self.ended.add(words[1])
                self.results.skip(self._group(words[1]), '', NO_TIME)
        self._feed()
        if self.running is not None and time.monotonic() - self._since > self._limit():
            self.guest.cut('%s hangs and cannot be killed' % self.running)

    def _limit(self):
        if self.running in UNIT_STEPS:
            return STEP_SECONDS * self.guest.kernel.slow
        return self.confs[self.running].timeout + HANG_SECONDS * self.guest.kernel.slow

    def _begin(self, name):
        self.progress.step('%s test %s' % (base(self.guest.kernel), name))
        self.running = name
        self._since = time.monotonic()
        self._output = Tail(self.guest.file('out/' + name))
        self._parser = ktap.Parser()

    def _feed(self, last=False):
        if self.running is None:
            return
        lines = self._output.lines()
        if last:
            lines += self._output.rest()
        for line in lines:
            self._parser.feed(line, time.monotonic() - self._since)
            self.tally.figures.update(ktap.figure(line))

    def _end(self, status, why=None):
        """The running test has ended: by itself, or with the guest (`why`)."""
        name, seconds = self.running, time.monotonic() - self._since
        self._feed(last=True)
        self.running = None
        self.ended.add(name)
        self._judge(name, status, why, seconds)
        complaints = self._complaints()
        if complaints:
            self.results.fail(self._group(name), "the kernel's log", '', complaints)

    def _complaints(self):
        """What the kernel has said since the last time."""
        for line in self._console.lines():
            self._log.feed(line)
        found = self._log.found()[self._told:]
        self._told += len(found)
        return found

    def _judge(self, name, status, why, seconds):
        if name == 'leaks' and not status and not why:
            lost = klog.leaks(self.guest.read('out/leaks'), self.guest.read('symbols'))
            self.tally.leaks += len(lost)
            self.results.check(self._group(name), '', sum(lost, []), '%d leaks' % len(lost),
                               seconds)
            return
        if name in UNIT_STEPS:
            lines = self.guest.read('out/' + name).splitlines()
            if status or why:
                self.results.fail(self._group(name), '', why or 'status %d' % status, lines,
                                  seconds)
            else:
                self.results.ok(self._group(name), '', seconds)
            return
        limit = self.confs[name].timeout
        # timeout(1) says 124, or 137 when it had to kill
        timed_out = limit if status in (124, 137) and seconds >= limit * 0.9 else None
        cases = self._parser.finish(status if why is None else -1, timed_out)
        if why or timed_out:
            cases[-1].seconds = seconds
            cases[-1].message = why or cases[-1].message
        if any(case.result == ktap.FAIL for case in cases):
            cases[-1].lines += self.guest.read('out/%s.stderr' % name).splitlines()[-20:]
        for case in cases:
            self.results.add(self._group(name), case)

    def _group(self, name):
        return '%s%s/%s' % (base(self.guest.kernel), '+iommu' if self.guest.iommu else '', name)

    def cut_short(self):
        """The time is over: nothing is known of the rest of the running test."""
        if self.running is not None:
            for case in self._parser.so_far():
                self.results.add(self._group(self.running), case)
            self.results.skip(self._group(self.running), '', 'cut short: no time left')
            self.ended.add(self.running)
            self.running = None

    def lost(self, why):
        """The guest is gone; the running test takes the blame."""
        if self.running is not None:
            self._end(-1, why)
            return True
        return False


def _rounds():
    """How often the programs that go in rounds are to do what they do; 0: as often as they like."""
    text = os.environ.get('ROUNDS') or '0'
    if not text.isdigit():
        raise Failure('ROUNDS=%s: not a number' % text, 2)
    return int(text)


def base(kernel):
    """The group of a kernel's tests."""
    return 'guest' if kernel.name == 'stock' else kernel.name


def _script(module, cards):
    return 'MODULE=%s CARDS=%d exec sh $PNIC_RUN/run-tests.sh\n' % ('yes' if module else 'no',
                                                                   cards)


def _boot(root, accel, kernel, conf, tests, results, progress, tally, deadline):
    """One boot; returns the tests that did not get their turn."""
    confs = dict(tests)
    tally.boots += 1
    name, number = base(kernel), tally.boots
    limit = BOOT_SECONDS * kernel.slow + sum(c.timeout + 10 for c in confs.values())
    if deadline:
        limit = min(limit, max(60, deadline + GRACE_SECONDS - time.monotonic()))
    progress.step('booting a guest for %d tests (%s, %s)' % (len(tests), accel, kernel.version))
    guest = boot.Guest(root, '%s-%d' % ('test' if name == 'guest' else name, number),
                       _script(conf.module, conf.nics), accel=accel, cpus=conf.cpus,
                       memory_mb=conf.memory + (MORE_MEMORY if kernel.slow > 1 else 0),
                       nics=conf.nics, model_args=conf.model_args, time_limit=limit,
                       append=conf.append, iommu=conf.iommu, which=kernel,
                       qmp=conf.qmp)
    if _rounds():
        guest.environment['ROUNDS'] = _rounds()
    if deadline:
        guest.environment['UNTIL'] = int(time.time() + deadline - time.monotonic())
    for script in ('run-tests.sh', 'module.sh'):
        shutil.copy(os.path.join(paths.VM, 'guest', script), guest.file(script))
    with open(guest.file('tests'), 'w', encoding='ascii') as handle:
        handle.writelines('%s %d\n' % (test, c.timeout) for test, c in tests)
    events = _Events(guest, confs, results, progress, tally)
    with guest:
        status = guest.wait(events.tick)
        events.tick()
    over = status is None and deadline and time.monotonic() >= deadline + GRACE_SECONDS
    if over:
        events.cut_short()
    blamed = status is None and events.lost(guest.reason)
    if status is None and not over:
        for line in guest.last_words():
            progress.note('    ' + line)
        progress.note('the logs of this boot are in ' + guest.directory)
    warnings = guest.kernel_warnings()
    tally.splats += len(warnings)
    results.check(name, 'kernel log of boot %d' % number, warnings, 'see ' + guest.directory)
    left = [(test, c) for test, c in tests if test not in events.ended]
    if over:
        return left
    if status is None and not blamed:
        results.fail(name, 'boot %d' % number, guest.reason, guest.last_words())
    elif status:
        results.fail(name, 'runner of boot %d' % number, 'status %d' % status,
                     guest.read('output').splitlines())
    if status is not None or not blamed:
        # Nobody to blame: another boot would end the same way.
        for test, _ in left:
            results.fail('%s/%s' % (name, test), '', 'did not get its turn')
        return []
    return left


def turned(groups, turn):
    """The groups, and the programs of the first of them, in an order that begins with the turn-th program."""
    turn %= max(1, sum(len(members) for _, members in groups))
    for at, (conf, members) in enumerate(groups):
        if turn < len(members):
            return [(conf, members[turn:] + members[:turn])] + groups[at + 1:] + groups[:at]
        turn -= len(members)
    return groups


def run(root, accel, kernel, results, progress, only=None, deadline=None, after=None, turn=0):
    """The suite on one kernel, beginning with its turn-th program; a Tally.  What would begin past the deadline (of
    time.monotonic()) is skipped, and says so; so is what is still running GRACE_SECONDS later.  `after` is told after each boot but the last how the tally stands and
    which programs are still to run, or to run again behind an IOMMU."""
    tests = [(name, testconf.read(DIRECTORY, name, TIME_LIMIT))
             for name in testconf.programs(DIRECTORY) if testconf.wanted(name, only)]
    for _, conf in tests:
        conf.timeout = (conf.timeout + conf.per_round * _rounds()) * kernel.slow
    tally = Tally()
    groups = turned(testconf.groups(tests), turn)
    for at, (conf, members) in enumerate(groups):
        left = members
        while left:
            if deadline and time.monotonic() > deadline - LEAST_SECONDS:
                for test, _ in left:
                    results.skip('%s/%s' % (base(kernel), test), '', NO_TIME)
                break
            left = _boot(root, accel, kernel, conf, left, results, progress, tally, deadline)
            waiting = {name for name, _ in left + sum((some for _, some in groups[at + 1:]), [])}
            if after and waiting:
                after(tally, waiting)
    return tally
