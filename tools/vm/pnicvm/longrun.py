# SPDX-License-Identifier: GPL-2.0
"""`make fuzz`, `make soak` and `make soak-mpi`: one program of the guest for as long as one likes, on a debug kernel as a rule, with all
that the harness otherwise looks at: the kernel's log, what is lost, what is left. DURATION in seconds, SEED, and KERNEL
are taken from the environment. The figures go to build/results/NAME.json."""

import glob
import json
import os
import shutil
import subprocess
import time

from . import accel, boot, build, kernels, klog, ktap, mpich, paths, results, space
from .errors import Failure
from .follow import Tail

# For booting, beginning and ending, on a stock kernel.
EXTRA_SECONDS = 900


class Run:
    """@program: of the guest's tests, or in another @folder of its build; @seconds: if nobody says; @env: (seconds, seed) ->
    its environment; @native: libFuzzer's programs run before it, each for a share of the time; @kernel: if nobody says; @mpich:
    it wants MPICH."""

    def __init__(self, program, seconds, env, native=False, memory=2560, folder='tests', kernel='kasan', mpich=False):
        self.program = program
        self.folder = folder
        self.kernel = kernel
        self.mpich = mpich
        self.seconds = seconds
        self.env = env
        self.native = native
        self.memory = memory


def _fuzz_env(seconds, seed):
    return {'FUZZ_SECONDS': seconds // 2, 'FUZZ_SEED': seed, 'FUZZ_KEEP': '$PNIC_RUN'}


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
    'fuzz': Run('fuzz', 600, _fuzz_env, native=True, memory=3584),
    'soak': Run('soak', 600, _soak_env),
    'soak-mpi': Run('soak_mpi', 1800, _soak_mpi_env, memory=3072, folder='mpi', kernel='stock', mpich=True),
}

SCRIPT = '''
CARDS=2
. $PNIC_RUN/module.sh
mkdir -p $PNIC_RUN/out
module_load || exit 70
%(env)s
(cd /tmp && exec /pnic/guest/%(folder)s/%(program)s) >>$PNIC_RUN/out/%(program)s 2>&1
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
    script = SCRIPT % {'program': run.program, 'folder': run.folder,
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


def run(name, root, progress):
    """The exit status."""
    what = RUNS[name]
    seconds, seed = _setting('DURATION', what.seconds), _setting('SEED', 1)
    figures = _Figures(progress)
    kernel = kernels.get(root, os.environ.get('KERNEL') or what.kernel, progress)
    started = time.monotonic()
    with build.tree_lock(progress):
        build.host(progress, tests=False)
        if what.mpich:
            mpich.ensure(root, progress)
        build.guest(root, progress, tests=True)
        if kernel.name != 'stock':
            build.module(root, kernel, progress)
        if what.native:
            _native(root, seconds, seed, figures, progress)
        guest = _in_guest(what, root, kernel, seconds, seed, figures, progress)
    progress.done()
    values = dict(figures.values, kernel=kernel.version, seed=seed, duration=seconds,
                  seconds=round(time.monotonic() - started), findings=len(figures.findings))
    file_name = name.replace('-', '_') + '.json'
    if what.mpich:      # a run may be of one of the two MPIs; both stand in the file
        these = _mpis()
        values.update(('%s_duration' % mpi, seconds // len(these)) for mpi in these)
        values.update(kept_figures(os.path.join(paths.RESULTS, file_name), MPIS, these))
    path = results.write(file_name, json.dumps(values, indent=2) + '\n')
    for key, value in values.items():
        print('%-28s %s' % (key, value))
    for line in figures.findings:
        print('found: ' + line)
    for kept in _keep_new(guest):
        print('new programs: %s (selftests/fuzz/corpus/ is where they are kept)' % kept)
    print('figures: ' + path)
    return 1 if figures.findings else 0
