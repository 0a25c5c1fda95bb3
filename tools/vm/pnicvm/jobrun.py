# SPDX-License-Identifier: GPL-2.0
"""`make run`: boots a guest with the cards, runs the all-reduce in it, kills lanes meanwhile,
and reports what became of it."""

import json
import os
import shutil
import sys
import time

from . import accel, boot, build, lanekiller, paths, picture, results, summary
from .errors import Failure
from .follow import Tail
from .jobstate import Job, Sample
from .screen import Screen

PROGRAM = os.path.join(paths.BUILD, 'guest', 'tools', 'job', 'pnic-allreduce')
SAMPLE_SECONDS = 0.25
TICK_SECONDS = 0.05
# Training steps, when nobody says how many: some twenty seconds of work, in which lanes can die one
# after another.
STEPS = {'tcg': 6, 'kvm': 60}
# A small file is reduced more often, for the same reason.
INPUT_BYTES = 128 << 20
INPUT_STEPS = 1000
STATUS_WORDS = {70: 'the module could not be loaded', 71: 'a rank failed',
                72: 'the module could not be unloaded, or left pages pinned'}


class Options:
    """What a run can be told; read from the environment as `make run` passes it."""

    def __init__(self, env):
        self.nics = self._number(env, 'NICS', 2, 2, 8)
        self.kill = self._number(env, 'KILL', 60, 0, 4096)
        self.seed = self._number(env, 'SEED', 1, 0, 2 ** 63)
        self.cpus = self._number(env, 'CPUS', 2, 1, 64)
        self.steps = self._number(env, 'STEPS', 0, 0, 10 ** 9)
        self.iommu = bool(self._number(env, 'IOMMU', 0, 0, 1))
        self.small = bool(self._number(env, 'SMALL', 0, 0, 1))
        self.pace = env.get('PACE') or ''
        self.input = env.get('INPUT') or ''
        self.time_limit = self._number(env, 'TIME_LIMIT', 3600, 10, 10 ** 6)
        if self.pace:
            try:
                if not float(self.pace) >= 0:
                    raise ValueError
            except ValueError:
                raise Failure('PACE=%s: not a number from 0 on' % self.pace, 2) from None
        if self.input and not (os.path.isfile(self.input) and os.access(self.input, os.R_OK)
                               and os.path.getsize(self.input)):
            raise Failure('INPUT=%s: no such file, or an empty one' % self.input, 2)

    @staticmethod
    def _number(env, name, default, low, high):
        text = env.get(name) or str(default)
        if not text.isdecimal() or not low <= int(text) <= high:
            raise Failure('%s=%s: not a number from %d to %d' % (name, text, low, high), 2)
        return int(text)

    def memory_mb(self):
        """A rank holds its gradients, a copy to compare with, and what is in flight."""
        data = os.path.getsize(self.input) >> 20 if self.input else 100
        return max(2048, 768 + self.nics * (128 + 4 * data))


def steps(options, chosen):
    """How often the gradients, or the bytes of the file, are reduced."""
    if options.steps or not options.input:
        return options.steps or STEPS[chosen]
    return min(INPUT_STEPS, max(STEPS[chosen], INPUT_BYTES // os.path.getsize(options.input)))


class Watcher:
    """Called a few times a second while the guest runs: reads the ranks' events, samples the
    link, kills lanes, moves the screen."""

    def __init__(self, guest, options, progress, screen):
        self.guest = guest
        self.options = options
        self.progress = progress
        self.screen = screen
        self.job = Job(options.nics)
        self.control = guest.model.control()
        self.samples = []
        self.before = self.after = None     # the lanes of card 0
        self.killer = None
        self.cluster = set()
        self.began = self.ended = None
        self._tails = [Tail(guest.file('rank%d.jsonl' % n)) for n in range(options.nics)]
        self._phases = Tail(guest.file('phases'))
        self._sampled = 0.0

    def tick(self):
        for line in self._phases.lines():
            self._phase(line[len('phase '):])
        for tail, rank in zip(self._tails, self.job.ranks):
            for line in tail.lines():
                rank.feed(line)
        if self.began is not None and self.ended is None:
            self._watch(time.monotonic())

    def _phase(self, phase):
        if phase == 'running the job':
            self.progress.done()
            self._begin()
        elif phase == 'done':
            self._end()
        else:
            self.progress.step('guest: ' + phase)

    def _begin(self):
        self.before = self.control.call('lanes', nic=0)['lanes']
        places = [(lane['lane'], lane['x'], lane['y']) for lane in self.before]
        try:
            order, self.cluster = lanekiller.plan(places, self.options.kill, self.options.seed)
        except ValueError as error:
            raise Failure('KILL=%d: %s' % (self.options.kill, error), 2) from error
        self.killer = lanekiller.Killer(order, self._kill)
        self.began = time.monotonic()
        self._sample(self.began)

    def _kill(self, lane):
        self.control.call('kill', nic=0, lane=lane)

    def _sample(self, now):
        self._sampled = now
        self.samples.append(Sample(now - self.began, self.job.progress(),
                                   self.control.call('counters')))
        return self.samples[-1]

    def _unmended(self, sample):
        """Dead lanes that the link's map still holds."""
        out = len(self.before) - sample.width - sample.spares
        return max(0, len(self.killer.done) - out)

    def _watch(self, now):
        due = len(self.killer.done) < self.killer.due(self.job.progress())
        if not due and now - self._sampled < SAMPLE_SECONDS:
            return
        sample = self._sample(now)
        self.killer.tick(sample.progress, self._unmended(sample), now)
        self.screen.update(self.job, sample, len(self.killer.done), self.options.kill,
                           now - self.began)

    def _end(self):
        """All ranks have ended.  A lane that died last is mended in a moment."""
        self.tick()
        self.ended = time.monotonic()
        deadline = self.ended + 3
        sample = self._sample(self.ended)
        while self._unmended(sample) and time.monotonic() < deadline:
            time.sleep(0.1)
            sample = self._sample(time.monotonic())
        self.after = self.control.call('lanes', nic=0)['lanes']
        self.screen.update(self.job, sample, len(self.killer.done), self.options.kill,
                           self.ended - self.began)
        self.screen.end()
        with open(self.guest.file('seen'), 'w', encoding='ascii'):
            pass

    def close(self):
        self.control.close()


def _script(options, chosen):
    words = ['CARDS=%d' % options.nics, 'STEPS=%d' % steps(options, chosen)]
    if options.input:
        words.append('INPUT=$PNIC_RUN/input')
    if options.small:
        words.append('SMALL=1')
    return ' '.join(words) + ' exec sh $PNIC_RUN/job.sh\n'


def _guest(root, chosen, options):
    args = ['--pace', options.pace] if options.pace else []
    guest = boot.Guest(root, 'job', _script(options, chosen), accel=chosen, cpus=options.cpus,
                       memory_mb=options.memory_mb(), nics=options.nics, model_args=args,
                       seed=options.seed, time_limit=options.time_limit, iommu=options.iommu)
    for name in ('job.sh', 'module.sh'):
        shutil.copy(os.path.join(paths.VM, 'guest', name), guest.file(name))
    if options.input:
        shutil.copyfile(options.input, guest.file('input'))
    return guest


def _faults(watcher, guest, status, options):
    """Everything that makes the run a failure, in words."""
    faults = []
    if status is None:
        faults.append(guest.reason)
    elif status:
        faults.append(STATUS_WORDS.get(status, 'the guest says %d' % status))
    faults += watcher.job.faults()
    faults += ['kernel: ' + line for line in guest.kernel_warnings()]
    if not faults:
        return []
    # What may explain it.
    for rank in range(options.nics):
        faults += ['rank %d: %s' % (rank, line)
                   for line in guest.read('rank%d.log' % rank).splitlines()[-5:]]
    if status == 72:
        faults += guest.read('unload.log').splitlines()[-5:]
    return faults + (guest.last_words() if status is None else [])


class Outcome:
    """What became of a run: `figures` is None if the job never began."""

    def __init__(self, watcher, guest, faults, setup_seconds):
        self.faults = faults
        self.directory = guest.directory
        self.figures = self.picture = None
        if watcher.began is None:
            return
        ended = watcher.ended or time.monotonic()
        self.figures = summary.figures(watcher.job, watcher.samples, len(watcher.killer.done),
                                       setup_seconds, ended - watcher.began)
        self.figures.update(summary.left_over(guest.read('unload.log')))
        self.picture = picture.svg(watcher.before, watcher.after or watcher.before,
                                   watcher.cluster, watcher.samples, watcher.killer.done,
                                   summary.lines(self.figures, len(watcher.job.ranks)))


def play(root, chosen, options, progress, screen):
    """Boot, run, watch; an Outcome."""
    if not os.access(PROGRAM, os.X_OK):
        raise Failure('the job is not built: %s is missing' % PROGRAM)
    progress.step('booting the guest with %d cards (%s)' % (options.nics, chosen))
    guest = _guest(root, chosen, options)
    with guest:
        watcher = Watcher(guest, options, progress, screen)
        try:
            status = guest.wait(watcher.tick, TICK_SECONDS)
            watcher.tick()
        finally:
            watcher.close()
            screen.end()
            progress.done()
    faults = _faults(watcher, guest, status, options)
    return Outcome(watcher, guest, faults, (watcher.began or 0) - progress.started)


def run(root, options, progress):
    """`pnic-vm run`: the exit status."""
    chosen = accel.choose(root, progress)
    with build.tree_lock(progress):
        try:
            build.host(progress, tests=False)
            build.guest(root, progress, tests=False)
        except build.BuildFailure as failure:
            progress.done()
            for line in failure.lines:
                print('    ' + line, file=sys.stderr)
            raise
    outcome = play(root, chosen, options, progress, Screen())
    if outcome.figures:
        print()
        for line in summary.lines(outcome.figures, options.nics):
            print('  ' + line)
        print('  picture            ' + results.write('run.svg', outcome.picture))
        print('  figures            '
              + results.write('run.json', json.dumps(outcome.figures, indent=1) + '\n'), flush=True)
        if outcome.figures['lanes_killed'] < options.kill:
            print('\nThe job was over before all %d lanes had died; a larger STEPS makes it longer.'
                  % options.kill)
    if outcome.faults:
        print('\nThe run failed:', file=sys.stderr)
        for line in outcome.faults:
            print('  ' + line, file=sys.stderr)
        print('  (all logs are in %s)' % outcome.directory, file=sys.stderr)
        return 1
    return 0
