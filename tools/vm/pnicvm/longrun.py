# SPDX-License-Identifier: GPL-2.0
"""`make fuzz`, `make soak` and `make soak-mpi`: one program of the guest for as long as one likes, on a debug kernel as a rule, with all
that the harness otherwise looks at: the kernel's log, what is lost, what is left. DURATION in seconds, SEED, and KERNEL
are taken from the environment. The figures go to build/results/NAME.json; with MORE=1, for those of fuzzing, they are added to
those that it has, and it says of which runs it is the sum."""

import glob
import json
import os
import shutil
import subprocess
import time

from . import accel, boot, build, kernels, klog, ktap, mpich, paths, pieces, results, space
from .errors import Failure
from .follow import Tail

# For booting, beginning and ending, on a stock kernel.
EXTRA_SECONDS = 900


class Run:
    """@program: of the guest's tests, or in another @folder of its build; @seconds: if nobody says; @env: (seconds, seed) ->
    its environment; @native: libFuzzer's programs run before it, each for a share of the time; @kernel: if nobody says; @mpich:
    it wants MPICH; @sums: figures of several runs can be added up."""

    def __init__(self, program, seconds, env, native=False, memory=2560, folder='tests', kernel='kasan', mpich=False, sums=False):
        self.program = program
        self.folder = folder
        self.kernel = kernel
        self.mpich = mpich
        self.sums = sums
        self.seconds = seconds
        self.env = env
        self.native = native
        self.memory = memory


# What is fuzzed: tests of the program, or libFuzzer's programs.
TARGETS = ('native', 'ioctl', 'netlink')


def _targets():
    chosen = os.environ.get('TARGETS', '').split() or TARGETS
    for name in chosen:
        if name not in TARGETS:
            raise Failure('TARGETS=%s: of %s' % (' '.join(chosen), ', '.join(TARGETS)), 2)
    return chosen


def _fuzz_tests():
    """Each with its corpus before."""
    return [name for target in _targets() if target != 'native' for name in (target + '_corpus', target)]


def _fuzz_env(seconds, seed):
    return {'FUZZ_SECONDS': seconds // max(1, len(_fuzz_tests()) // 2), 'FUZZ_SEED': seed, 'FUZZ_KEEP': '$PNIC_RUN',
            'FUZZ_PROCESSES': _setting('PROCESSES', 4)}


def _soak_env(seconds, seed):
    return {'DURATION': seconds, 'SEED': seed}


MPIS = ('openmpi', 'mpich')


def _mpis():
    mpis = os.environ.get('MPIS', '').split()
    for name in mpis:
        if name not in MPIS:
            raise Failure('MPIS=%s: openmpi, mpich or both' % ' '.join(mpis), 2)
    return mpis or list(MPIS)


def _soak_mpi_env(seconds, seed):
    return {'DURATION': seconds, 'SEED': seed, 'MPIS': "'%s'" % ' '.join(_mpis())}


def kept_figures(path, parts, these):
    """Of an earlier run, whose figures are in `path`: those of the `parts` that are not among `these`."""
    try:
        with open(path, encoding='utf-8') as handle:
            before = json.load(handle)
    except (OSError, ValueError):
        return {}
    others = tuple(part + '_' for part in parts if part not in these)
    return {key: value for key, value in before.items() if others and key.startswith(others)}


RUNS = {
    'fuzz': Run('fuzz', 600, _fuzz_env, native=True, memory=3584, sums=True),
    'soak': Run('soak', 600, _soak_env),
    'soak-mpi': Run('soak_mpi', 1800, _soak_mpi_env, memory=3072, folder='mpi', kernel='stock', mpich=True),
}

SCRIPT = '''
CARDS=2
. $PNIC_RUN/module.sh
mkdir -p $PNIC_RUN/out
module_load || exit 70
%(env)s
(cd /tmp && exec /pnic/guest/%(folder)s/%(program)s %(tests)s) >>$PNIC_RUN/out/%(program)s 2>&1
status=$?
! has_leaks || module_symbols >$PNIC_RUN/symbols
module_unload >$PNIC_RUN/out/module-unload 2>&1 || exit 72
! has_leaks || leaks_show >$PNIC_RUN/out/leaks
exit $status
'''


def _setting(name, otherwise):
    text = os.environ.get(name)
    if not text:
        return otherwise
    if not text.isdigit():
        raise Failure('%s=%s: not a number' % (name, text), 2)
    return int(text)


class _Figures:
    def __init__(self, progress):
        self.progress = progress
        self.values = {}
        self.findings = []

    def line(self, text):
        found = ktap.figure(text)
        if found:
            self.values.update(found)
        elif text.strip().startswith('not ok') or 'Bail out' in text:
            self.findings.append(text.strip())
        elif text.startswith('# '):
            self.progress.step(text[2:].strip()[:150])


def _native(root, seconds, seed, figures, progress):
    """libFuzzer's programs, in the guest root."""
    progress.step('libFuzzer: what reads bytes outside of the kernel')
    argv = ['make', '-s', '-j%d' % (os.cpu_count() or 1), '-C', 'selftests/fuzz/native', 'run',
            'SECONDS_EACH=%d' % max(5, seconds // 10), 'SEED=%d' % seed]
    done = subprocess.run(space.in_source(root.path, argv), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors='replace', check=False)
    seen = 0
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) == 4 and words[3] in ('clean', 'found') and words[1].isdigit():
            seen += 1
            figures.values['native_%s_runs' % words[0]] = int(words[1])
            figures.values['native_%s_coverage' % words[0]] = int(words[2])
            if words[3] == 'found' or not int(words[1]):
                figures.findings.append('libFuzzer, %s: see build/guest/fuzz/%s.log'
                                        % (words[0], words[0]))
    if done.returncode or not seen:
        figures.findings += ['libFuzzer: status %d' % done.returncode] + \
            done.stdout.splitlines()[-10:]


def _in_guest(run, root, kernel, seconds, seed, figures, progress):
    env = run.env(seconds, seed)
    tests = _fuzz_tests() if run.program == 'fuzz' else []
    script = SCRIPT % {'program': run.program, 'folder': run.folder, 'tests': ' '.join(tests),
                       'env': '\n'.join('export %s=%s' % pair for pair in env.items())}
    progress.step('booting a guest (%s)' % kernel.version)
    guest = boot.Guest(root, run.program, script, accel=accel.choose(root, progress), nics=2,
                       memory_mb=run.memory, which=kernel,
                       time_limit=seconds + EXTRA_SECONDS * kernel.slow)
    shutil.copy(os.path.join(paths.VM, 'guest', 'module.sh'), guest.file('module.sh'))
    os.makedirs(guest.file('out'))
    tail = Tail(guest.file('out/' + run.program))

    def tick():
        for line in tail.lines():
            figures.line(line)

    with guest:
        status = guest.wait(tick)
        tick()
    if status is None:
        figures.findings += ['the guest left no status: %s' % guest.reason] + guest.last_words()
    elif status:
        figures.findings.append('status %d: see %s' % (status, guest.directory))
        figures.findings += guest.read('out/module-unload').splitlines() if status == 72 else []
    figures.findings += guest.kernel_warnings()
    lost = klog.leaks(guest.read('out/leaks'), guest.read('symbols'))
    figures.values['leaks'] = len(lost)
    figures.findings += sum(lost, [])
    return guest


def _keep_new(guest):
    """Programs that reached something new lie in build/fuzz-new/."""
    kept = []
    for path in glob.glob(guest.file('*.txt')):
        os.makedirs(os.path.join(paths.BUILD, 'fuzz-new'), exist_ok=True)
        kept.append(shutil.copy(path, os.path.join(paths.BUILD, 'fuzz-new')))
    return kept


# What of two runs of a fuzzer isn't added: how far it got, and how it was guided.
LARGEST = ('_places', '_corpus', '_kcov', '_coverage')


def summed(old, new):
    """Figures of several runs: @old, which may be a sum already or empty, and one more."""
    runs = old.get('runs', [old] if old else []) + [new]
    total = {}
    for one in runs:
        for key, value in one.items():
            if isinstance(value, (int, float)) and key not in ('seed', 'runs'):
                total[key] = max(total.get(key, 0), value) if key.endswith(LARGEST) else total.get(key, 0) + value
    return {'sum_of_runs': len(runs), **total, 'runs': runs}


def _former(name):
    try:
        with open(os.path.join(paths.RESULTS, name), encoding='utf-8') as handle:
            return json.load(handle)
    except FileNotFoundError:
        return {}


def run(name, root, progress):
    """The exit status."""
    what = RUNS[name]
    seconds, seed = _setting('DURATION', what.seconds), _setting('SEED', 1)
    figures = _Figures(progress)
    kernel = kernels.get(root, os.environ.get('KERNEL') or what.kernel, progress)
    started = time.monotonic()
    commit = pieces.commit()
    with build.tree_lock(progress):
        build.host(progress, tests=False)
        if what.mpich:
            mpich.ensure(root, progress)
        build.guest(root, progress, tests=True)
        if kernel.name != 'stock':
            build.module(root, kernel, progress)
        if what.native and 'native' in _targets():
            _native(root, seconds, seed, figures, progress)
        guest = None
        if not what.native or _fuzz_tests():
            guest = _in_guest(what, root, kernel, seconds, seed, figures, progress)
    progress.done()
    values = dict(figures.values, kernel=kernel.version, seed=seed, duration=seconds,
                  seconds=round(time.monotonic() - started), findings=len(figures.findings), commit=commit)
    file_name = name.replace('-', '_') + '.json'
    if what.mpich:      # a run may be of one of the two MPIs; both stand in the file
        these = _mpis()
        values.update(('%s_duration' % mpi, seconds // len(these)) for mpi in these)
        values.update(kept_figures(os.path.join(paths.RESULTS, file_name), MPIS, these))
    whole = summed(_former(file_name), values) if what.sums and os.environ.get('MORE') else values
    path = results.write(file_name, json.dumps(whole, indent=2) + '\n')
    for key, value in values.items():
        print('%-28s %s' % (key, value))
    for line in figures.findings:
        print('found: ' + line)
    for kept in _keep_new(guest) if guest else ():
        print('new programs: %s (selftests/fuzz/corpus/ is where they are kept)' % kept)
    print('figures: ' + path)
    return 1 if figures.findings else 0
