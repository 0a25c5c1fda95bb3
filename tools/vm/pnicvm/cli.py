# SPDX-License-Identifier: GPL-2.0
"""The subcommands of pnic-vm."""

import argparse
import os
import shlex
import subprocess
import sys

from . import (accel, bench, boot, checks, coverage, hostdeps, jobrun, kernels, longrun, mpich, paths, process, root,
               space, testrun)
from .errors import Failure
from .follow import Follower
from .progress import Progress


def _ready_root(progress):
    hostdeps.ensure(progress, os.path.join(paths.BUILD, 'host-packages.log'))
    return root.ensure(progress)


def cmd_setup(_args, progress):
    ready = _ready_root(progress)
    chosen = accel.choose(ready, progress)
    progress.done()
    print('guest root: %s\nkernel: %s\naccelerator: %s' % (ready.path, ready.kernel, chosen))
    return 0


def cmd_chroot(args, progress):
    ready = _ready_root(progress)
    progress.done()
    argv = space.in_source(ready.path, args.command or ['/bin/bash'], os.getcwd())
    return subprocess.run(argv, check=False).returncode


def cmd_boot(args, progress):
    ready = _ready_root(progress)
    chosen = accel.choose(ready, progress)
    kernel = kernels.get(ready, args.kernel, progress)
    interactive = not args.command
    progress.step('booting the guest (%s)' % chosen)
    progress.done()
    command = shlex.join(args.command) if args.command else 'exec bash --norc -i'
    with boot.Guest(ready, 'boot', command + '\n', accel=chosen, cpus=args.cpus,
                    memory_mb=args.memory, nics=args.nics, model_args=args.model_arg,
                    seed=args.seed, append=args.append, cpu=args.cpu, iommu=args.iommu, qmp=args.qmp,
                    interactive=interactive, which=kernel,
                    time_limit=args.time_limit or (86400 if interactive else 600)) as guest:
        follow = [Follower(guest.file('output'), sys.stdout)]
        if args.console and not interactive:
            follow.append(Follower(guest.file('console.log'), sys.stderr))
        status = guest.wait(lambda: [f.poll() for f in follow])
    for follower in follow:
        follower.poll()
    return _verdict(guest, status)


def cmd_test(args, progress):
    if args.kernel:
        return testrun.guest_tests(_ready_root(progress), progress, args.kernel, args.only)
    return testrun.run(_ready_root(progress), progress, args.only)


def cmd_run(_args, progress):
    options = jobrun.Options(os.environ)    # complain before minutes of setting up
    return jobrun.run(_ready_root(progress), options, progress)


def cmd_check(_args, progress):
    return testrun.check(_ready_root(progress), progress)


def cmd_static(args, progress):
    return testrun.static(_ready_root(progress), progress, args.into)


def cmd_netlink(_args, progress):
    ready = _ready_root(progress)
    progress.step('generating the netlink files from their spec')
    checks.generate(ready)
    progress.done()
    return 0


def cmd_bench(args, progress):
    return bench.run(args.name, _ready_root(progress), progress)


def cmd_fuzz(_args, progress):
    return longrun.run('fuzz', _ready_root(progress), progress)


def cmd_soak(_args, progress):
    return longrun.run('soak', _ready_root(progress), progress)


def cmd_soak_mpi(_args, progress):
    return longrun.run('soak-mpi', _ready_root(progress), progress)


def cmd_mpich(_args, progress):
    place = mpich.ensure(_ready_root(progress), progress)
    progress.done()
    print('MPICH: %s, in the guest %s' % (place, mpich.PREFIX))
    return 0


def cmd_coverage(args, progress):
    return coverage.run(_ready_root(progress), progress, args.only, args.add)


def _verdict(guest, status):
    """Says what went wrong in a run; returns the exit status."""
    if status is None:
        print('pnic-vm: no exit status: %s; the last of it:' % guest.reason, file=sys.stderr)
        for line in guest.last_words():
            print('    ' + line, file=sys.stderr)
    bad = guest.kernel_warnings()
    if bad:
        print("pnic-vm: in the guest's kernel log:", file=sys.stderr)
        for line in bad:
            print('    ' + line, file=sys.stderr)
    if status is None or bad:
        print('pnic-vm: all logs are in %s' % guest.directory, file=sys.stderr)
    return 1 if status is None or (bad and not status) else status


def _kernel_help():
    return '; '.join('%s (%s)' % pair for pair in kernels.NAMES.items())


def _parser():
    parser = argparse.ArgumentParser(prog='pnic-vm', description=__doc__)
    sub = parser.add_subparsers(dest='subcommand', required=True, metavar='COMMAND')

    sub.add_parser('setup', help='install host packages, make the guest root, probe KVM')

    chroot = sub.add_parser('chroot', help='run a command (or a shell) in the guest root, with '
                            'the repository at /src')
    chroot.add_argument('command', nargs='*')

    guest = sub.add_parser('boot', help='boot a guest and run a command (or a shell) in it, '
                           'with build/ at /pnic')
    guest.add_argument('--nics', type=int, default=0, help='cards in the guest')
    guest.add_argument('--cpus', type=int, default=2)
    guest.add_argument('--cpu', help="QEMU's -cpu")
    guest.add_argument('--memory', type=int, default=2048, metavar='MB')
    guest.add_argument('--model-arg', action='append', default=[], metavar='ARG',
                       help='a further argument for the model')
    guest.add_argument('--seed', type=int)
    guest.add_argument('--iommu', action='store_true', help='put the cards behind an IOMMU')
    guest.add_argument('--kernel', choices=kernels.NAMES, default='stock')
    guest.add_argument('--qmp', action='store_true',
                       help="QEMU's monitor at the guest's virtio port pnic.qmp")
    guest.add_argument('--append', default='', help='more kernel parameters')
    guest.add_argument('--console', action='store_true', help='show the console on stderr')
    guest.add_argument('--time-limit', type=int, metavar='S')
    guest.add_argument('command', nargs='*')

    test = sub.add_parser('test', help='build everything and run all tests')
    test.add_argument('--kernel', action='append', choices=kernels.NAMES,
                      help='only the programs of the guest, on this kernel: ' + _kernel_help())
    test.add_argument('only', nargs='*', metavar='NAME',
                      help='only test programs whose name contains one of these')

    sub.add_parser('run', help='build everything and run the main job; KILL, NICS, INPUT, SEED, '
                   'CPUS, PACE and STEPS are taken from the environment')

    sub.add_parser('check', help='the static checks of the module, and the programs of the '
                   'guest on every kernel')

    static = sub.add_parser('static', help='the static checks alone, those of `test`')
    static.add_argument('--into', metavar='FILE', help='write what they found to this file, for another run to print')

    sub.add_parser('netlink', help='make the files that are generated from the netlink spec')

    figures = sub.add_parser('bench', help='run a benchmark; COUNT, SEED and DURATION are taken '
                             'from the environment')
    figures.add_argument('name', choices=sorted(bench.BENCHES))

    sub.add_parser('fuzz', help='fuzz the interfaces of the kernel, and what reads bytes outside of '
                   'it; DURATION, SEED and KERNEL are taken from the environment')
    sub.add_parser('soak', help='everything at once, for long; DURATION, SEED and KERNEL are taken '
                   'from the environment')

    sub.add_parser('soak-mpi', help='MPI over cards whose lanes die, for long; DURATION, SEED and MPIS (openmpi, mpich) are '
                   'taken from the environment')
    sub.add_parser('mpich', help='MPICH over libfabric, for the tests and the bench: built once')

    cover = sub.add_parser('coverage', help='which lines the tests reach, on the host and in the guest')
    cover.add_argument('--add', action='store_true', help='to what runs before this one counted')
    cover.add_argument('only', nargs='*', metavar='NAME',
                       help='only test programs whose name contains one of these')

    sub.add_parser('help', help='this text')
    return parser


COMMANDS = {'setup': cmd_setup, 'chroot': cmd_chroot, 'boot': cmd_boot,
            'test': cmd_test, 'run': cmd_run, 'check': cmd_check, 'static': cmd_static, 'netlink': cmd_netlink,
            'bench': cmd_bench, 'fuzz': cmd_fuzz, 'soak': cmd_soak, 'soak-mpi': cmd_soak_mpi,
            'coverage': cmd_coverage, 'mpich': cmd_mpich}


def main(argv):
    parser = _parser()
    args = parser.parse_args(argv)
    if args.subcommand == 'help':
        parser.print_help()
        return 0
    if args.subcommand == 'coverage' and paths.BUILD != coverage.DIRECTORY:
        # in a tree of its own
        os.execve(sys.executable, [sys.executable, '-B', sys.argv[0]] + argv,
                  dict(os.environ, PNIC_BUILD=coverage.DIRECTORY))
    process.terminate_on_signals()
    progress = Progress()
    try:
        os.makedirs(paths.BUILD, exist_ok=True)
        return COMMANDS[args.subcommand](args, progress)
    except Failure as failure:
        progress.done()
        print('pnic-vm: %s' % failure, file=sys.stderr)
        return failure.status
    except KeyboardInterrupt:
        progress.done()
        print('pnic-vm: interrupted', file=sys.stderr)
        return 130
