# SPDX-License-Identifier: GPL-2.0
"""The packages that the machine itself needs: few, as nearly all lives in the guest root.

Each is known by something that can be looked for, so that a machine where it came by another
way is left alone.  What is missing is installed when we are root, and named when we are not.
"""

import os
import shutil
import subprocess

from .errors import Failure

# package -> how to see that it is there: a command or a file
GUEST = {
    'mmdebstrap': 'mmdebstrap',                 # makes the guest root
    'debian-archive-keyring': '/usr/share/keyrings/debian-archive-keyring.gpg',
    'util-linux': 'unshare',
}
UNPRIVILEGED = {
    'uidmap': 'newuidmap',                      # sub-ids for the guest root
}
BUILD = {
    'gcc': 'gcc',
    'g++': 'c++',                               # the library's header is C++ as well
    'make': 'make',
    'pkg-config': 'pkg-config',
    'libc6-dev': '/usr/include/stdio.h',
    'libc6-dev-i386': '/usr/include/x86_64-linux-gnu/gnu/stubs-32.h',   # ABI layouts in 32 bit
    'libjansson-dev': '/usr/include/jansson.h', # the model's control socket
    'libnl-genl-3-dev': '/usr/include/libnl3/netlink/genl/genl.h',      # the administrator's tool
    'libncurses-dev': '/usr/include/curses.h',
    'spin': 'spin',                             # checks the lane protocol's model
    'mandoc': 'mandoc',                         # checks the manual pages
    'valgrind': 'valgrind',                     # counts the library's instructions
    'strace': 'strace',                         # and its system calls
}


def missing(wanted, which=shutil.which, exists=os.path.exists):
    """The packages of `wanted` that are not there."""
    def there(sign):
        if sign.startswith('/'):
            return exists(sign)
        return which(sign) or which(sign, path='/usr/sbin:/sbin:/usr/bin:/bin')
    return [package for package, sign in wanted.items() if not there(sign)]


def _apt(args, log):
    env = dict(os.environ, DEBIAN_FRONTEND='noninteractive', LC_ALL='C.UTF-8')
    command = ['apt-get', '-o', 'DPkg::Lock::Timeout=300'] + args
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log,
                          stderr=subprocess.STDOUT, env=env, check=False).returncode


def ensure(progress, log_path):
    """Install what is missing, or say in one line which packages to install."""
    wanted = dict(GUEST, **BUILD)
    if os.geteuid() != 0:
        wanted.update(UNPRIVILEGED)
    need = missing(wanted)
    if not need:
        return
    if os.geteuid() != 0 or not shutil.which('apt-get'):
        raise Failure('please install: ' + ' '.join(sorted(need)))
    os.makedirs(os.path.dirname(log_path), exist_ok=True)
    with open(log_path, 'w', encoding='utf-8') as log:
        progress.step('host packages: apt-get update')
        _apt(['update'], log)   # a failing third-party source is not our concern
        progress.step('host packages: installing ' + ' '.join(sorted(need)))
        status = _apt(['install', '-y', '--no-install-recommends'] + need, log)
    still = missing(wanted)
    if status or still:
        raise Failure('apt-get could not install %s: see %s'
                      % (' '.join(still or need), log_path))
