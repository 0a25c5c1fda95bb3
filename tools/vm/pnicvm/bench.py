# SPDX-License-Identifier: GPL-2.0
"""`make bench-...`: runs benchmark programs on the host and in a guest, prints their figures as
a table, and writes build/results/NAME.json with one key for each.

A program says `# figure KEY VALUE MEANING` on a line of its own (selftests/bench/figure.h). It is
a KTAP program all the same: what a figure must be, where it does not depend on the
machine, is checked there, and a failed check is the benchmark's failure.
"""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys

from . import accel, boot, build, hosttests, ktap, mpich, mpiplot, paths, results, space
from .errors import Failure
from .follow import Tail

# What a person may set, handed on to the programs.
SETTINGS = ('COUNT', 'SEED', 'DURATION')


class Bench:
    """Programs of a benchmark: on the host, natively in the guest root, in a guest with two cards; own_core: in a guest with
    one processor, whose cards never sleep, so that they have the machine's other core for themselves."""

    def __init__(self, host=(), guest=(), defaults=None, root=(), judge=None, mpi=False, plot=None, own_core=(), model_args=()):
        self.host = host
        self.root = root
        self.guest = guest
        self.own_core = own_core
        self.defaults = defaults or {}
        self.judge = judge
        self.mpi = mpi          # wants MPICH, and memory for eight ranks
        self.plot = plot        # values -> an SVG
        self.model_args = tuple(model_args)


def _judge_library(values):
    """What of the promises about the library the figures don't keep."""
    short = []
    for other in ('ofi_shm', 'ucx', 'ompi_sm'):
        for key, better in (('lat_ns', False), ('rate_mps', True)):
            ours, theirs = values.get('pnic_' + key), values.get('%s_%s' % (other, key))
            if ours is None or theirs is None:
                short.append('%s of %s was not measured' % (key, other))
                continue
            values['%s_%s_ratio' % (other, key.split('_')[0])] = round(
                ours / theirs if better else theirs / ours, 3)
            if (ours <= theirs) if better else (ours >= theirs):
                short.append('%s: pnic %g, %s %g' % (key, ours, other, theirs))
    if values.get('pnic_bw_memcpy_ratio', 0) < 0.9:
        short.append('1 MiB bandwidth is %g of memcpy' % values.get('pnic_bw_memcpy_ratio', 0))
    for key in ('pnic_ep_create_ratio', 'pnic_ep_bytes_ratio'):
        if not 0.8 <= values.get(key, 0) <= 1.2:
            short.append('%s is %g' % (key, values.get(key, 0)))
    return short + _judge_in_guest(values)


# Ratios of two figures in one guest: key, figure, of what, how many of the second's units are one of the
# first's, at least, what it means.
IN_GUEST = (
    ('guest_lat_rxe_ratio', 'rxe_lat_us', 'pnic_guest_lat_us', 1, 20,
     'latency of rxe by ours: instructions that the guest is spared'),
    ('guest_rate_rxe_ratio', 'pnic_guest_rate_mps', 'rxe_rate_mps', 1, 100,
     'our message rate by rxe\'s, one process'),
    ('guest_rate_mpich_ratio', 'pnic_guest_rate_mps', 'mpich_shm_rate_mps', 1, 3,
     'our message rate by that of MPICH over shared memory'),
    ('guest_bw_rxe_ratio', 'pnic_guest_bw_gbs', 'rxe_bw_mbs', 1000, 50,
     'our bandwidth at 1 MiB by rxe\'s: bytes that the guest does not move itself'),
    ('guest_bw_iperf3_ratio', 'pnic_guest_bw_gbs', 'iperf3_bw_gbs', 1, 20,
     'our bandwidth at 1 MiB by TCP\'s over virtual interfaces'),
    ('guest_bw_memcpy_ratio', 'pnic_guest_bw_gbs', 'memcpy_bw_gbs', 1, 0.7,
     'our bandwidth at 1 MiB in the guest by a memcpy outside of it'),
)


def _judge_in_guest(values):
    short = []
    for key, one, other, units, least, meaning in IN_GUEST:
        if not values.get(one) or not values.get(other):
            short.append('%s: %s or %s was not measured' % (key, one, other))
            continue
        values[key] = round(values[one] * units / values[other], 3)
        if values[key] < least:
            short.append('%s is %g, at least %g wanted: %s' % (key, values[key], least, meaning))
    for key, most in (('pnic_pair_lat_us', 50), ('pnic_pair_lat_p99_us', 1000)):
        if not 0 < values.get(key, 0) <= most:
            short.append('%s is %g, at most %g wanted' % (key, values.get(key, 0), most))
    return short


# Figure, of others (the better of them), their name, how many times better at least; None: told only.
MPI_BARS = (
    ('own_core', 'lat_us', ('ofi_tcp',), 'ofi_tcp', 3, False),
    ('', 'lat_us', ('ofi_tcp',), 'ofi_tcp', None, False),
    ('', 'bw_mbs', ('ofi_tcp',), 'ofi_tcp', 10, True),
    ('', 'bw_mbs', ('sm',), 'sm', 3, True),
    ('', 'allreduce_ms', ('ofi_tcp', 'ofi_tcp_tuned'), 'ofi_tcp', 5, False),
    ('', 'allreduce_ms', ('sm', 'sm_tuned'), 'sm', 2, False),
    ('', 'allreduce_int_ms', ('ofi_tcp', 'ofi_tcp_tuned'), 'ofi_tcp', None, False),
    ('', 'allreduce_int_ms', ('sm', 'sm_tuned'), 'sm', None, False),
)


def _judge_mpi(values):
    """What of the promises about MPI the figures don't keep."""
    short = []
    for ranks, (shape, key, others, label, least, more) in itertools.product((2, 4), MPI_BARS):
        shape += '_' if shape else ''
        ours = values.get('%spnic_%d_%s' % (shape, ranks, key))
        theirs = [values.get('%s%s_%d_%s' % (shape, other, ranks, key)) for other in others]
        if not ours or None in theirs:
            short.append('%s%s of %d ranks was not measured' % (shape, key, ranks))
            continue
        best = max(theirs) if more else min(theirs)
        ratio = ours / best if more else best / ours
        values['%s%s_%d_%s_ratio' % (shape, label, ranks, key)] = round(ratio, 2)
        if least and ratio < least:
            short.append('%s%s of %d ranks: pnic %g, %s %g: %.2f times, not %g'
                         % (shape, key, ranks, ours, label, best, ratio, least))
    return short


BENCHES = {
    'mpi': Bench(guest=['../mpi/bench_mpi'], own_core=['../mpi/bench_mpi own_core lat_us rate_kps'],
                 judge=_judge_mpi, mpi=True, plot=mpiplot.draw),
    'mpi_check': Bench(guest=['../mpi/check_mpi'], mpi=True),
    'lib': Bench(host=['libpnic_instr'], root=[['make', '-s', '-C', 'tools/bench', 'run']],
                 guest=['bench/lib_guest', 'bench/lib_peers'], judge=_judge_library,
                 # Two busy processors of the guest and the card on two cores.
                 model_args=['--realtime']),
    'lanes': Bench(host=['bench_lanes_sim'],
                   guest=['netlink_dump', 'netlink_events', 'bench_lanes'],
                   defaults={'COUNT': '10000', 'SEED': '1'}),
    'nccl': Bench(host=['nccl_rings'], defaults={'COUNT': '100', 'SEED': '1'}),
}
GUEST_SECONDS = 3600
AWAKE = ('--spin', '1000000')   # us: a card that looks on for a second after work


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
        return ['%-*s %14s  %s' % (width, key, value, self.meanings.get(key, 'pnic ahead by'))
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


def _in_root(command, root, figures, progress):
    progress.step('guest root: ' + ' '.join(command))
    with subprocess.Popen(space.in_source(root.path, command), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        said = []
        for line in process.stdout:
            said.append(line.decode(errors='replace').rstrip('\n'))
            figures.line(said[-1])
    if process.returncode:
        figures.failures += ['%s ended with status %d' % (command, process.returncode)] + said[-10:]


def _script(share, programs, env):
    lines = ['CARDS=2', '. $PNIC_RUN/module.sh', 'module_load || exit 70']
    lines += ['export %s=%s' % pair for pair in env.items()]
    lines += ['failed=0']
    for program in programs:
        lines.append('(cd /tmp && %s/%s) >>$PNIC_RUN/figures 2>&1 || failed=1' % (share, program))
    lines += ['module_unload || exit 72', 'exit $failed']
    return '\n'.join(lines) + '\n'


def _in_guest(bench, own_core, root, chosen, env, figures, progress):
    progress.step('booting the guest (%s)' % chosen)
    share = paths.in_guest(os.path.join(paths.BUILD, 'guest', 'tests'))
    guest = boot.Guest(root, 'bench', _script(share, bench.own_core if own_core else bench.guest, env), accel=chosen,
                       nics=2, cpus=1 if own_core else 2, model_args=AWAKE if own_core else bench.model_args,
                       memory_mb=3072 if bench.mpi else 2048, time_limit=GUEST_SECONDS)
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
        build.host(progress, tests=bool(bench.host))
        if bench.mpi:
            mpich.ensure(root, progress)
        if bench.guest:
            build.guest(root, progress, tests=True)
        for program in bench.host:
            _on_host(program, env, figures, progress)
        for command in bench.root:
            _in_root(command, root, figures, progress)
        if bench.guest:
            _in_guest(bench, False, root, chosen, env, figures, progress)
        if bench.own_core:
            _in_guest(bench, True, root, chosen, env, figures, progress)
    progress.done()
    if bench.judge:
        figures.failures += bench.judge(figures.values)
    values = dict(figures.values, **{key.lower(): int(value) for key, value in env.items()})
    path = results.write(name + '.json', json.dumps(values, indent=2) + '\n')
    print('\n'.join(figures.table()))
    print('figures: ' + path)
    if bench.plot:
        print('plot: ' + results.write(name + '.svg', bench.plot(values)))
    for line in figures.failures:
        print('short of what is promised: ' + line, file=sys.stderr)
    return 1 if figures.failures else 0
