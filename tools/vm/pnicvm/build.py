# SPDX-License-Identifier: GPL-2.0
"""Calls the Makefile: on the host for the host's half, in the guest root for the guest's."""

import contextlib
import os
import re
import subprocess
import sys

from . import cache, kernels, paths, space
from .errors import Failure

TAIL = 40
# Lines of a failed build that say nothing of why.
NOISE = re.compile(r'^(cc|gcc|ar|rm|mkdir|install|make(\[\d+\])?:( Entering|.* up to date)) ?')


class BuildFailure(Failure):
    """`lines` is the end of what make said."""

    def __init__(self, what, lines, log_path):
        super().__init__('%s failed: see %s' % (what, log_path))
        self.what = what
        self.lines = lines


def telling(lines):
    """The end of a failed build's output, without its compiler lines."""
    return [line for line in lines if not NOISE.match(line)][-TAIL:]


@contextlib.contextmanager
def tree_lock(progress):
    """One build in this tree at a time."""
    with cache.locked(os.path.join(paths.BUILD, '.lock'),
                      lambda: progress.step('waiting for another build in this tree')):
        yield


def make(target, variables=(), root=None, log_name=None, which=None):
    """Run `make target`, in the guest root if one is given, for its stock kernel or for another one
    (a kernels.Kernel); the log's text, or BuildFailure."""
    argv = ['make', '-j%d' % (os.cpu_count() or 1), target] + list(variables)
    if os.environ.get('PNIC_BUILD'):
        argv.append('B=' + (paths.in_source(paths.BUILD) if root else paths.BUILD))
    if root:
        which = which or kernels.stock(root)
        argv += ['KDIR=' + which.headers, 'V=' + os.environ.get('V', '0')] + which.variables
        argv = space.in_source(root.path, argv, binds=which.binds())
    # A make above us must not hand down its flags: the goals and job slots are its own.
    env = {k: v for k, v in os.environ.items() if k not in ('MAKEFLAGS', 'MFLAGS', 'MAKELEVEL')}
    log_path = os.path.join(paths.BUILD, (log_name or target) + '.log')
    os.makedirs(paths.BUILD, exist_ok=True)
    lines = []
    with open(log_path, 'w', encoding='utf-8') as log, \
            subprocess.Popen(argv, cwd=paths.TOP, env=env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             errors='replace') as process:
        for line in process.stdout:
            log.write(line)
            lines.append(line.rstrip('\n'))
            if os.environ.get('V', '0') not in ('', '0'):
                sys.stderr.write(line)
    if process.returncode:
        raise BuildFailure(target, telling(lines), log_path)
    return lines


def host(progress, tests):
    progress.step('building for this machine: model, library, tools')
    return make('build-host' if tests else 'rooms')


def guest(root, progress, tests):
    progress.step('building for the guest: module, library, tools')
    return make('build-guest' if tests else 'build-guest-rooms', root=root)


def module(root, which, progress):
    """The module alone, for a kernel that is not the stock one."""
    progress.step('building the module for the %s kernel, %s' % (which.name, which.version))
    return make('build-guest-module', root=root, which=which,
                log_name='build-guest-module-' + which.name)
