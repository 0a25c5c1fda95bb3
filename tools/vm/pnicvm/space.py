# SPDX-License-Identifier: GPL-2.0
"""Command lines that run something inside the guest root, in namespaces of its own.

Without root, `unshare` maps the caller to root in a user namespace; --map-auto adds the
caller's sub-ids, which a Debian root needs for its other owners.
"""

import errno
import os
import re
import shutil

from . import paths


def unshare(own_pids=False):
    """The namespaces.  With own_pids nothing that the command starts outlives it."""
    # Whatever kills the harness ends its processes too.  A user namespace drops this setting,
    # enter.sh makes it once more.
    argv = ['setpriv', '--pdeathsig', 'KILL', 'unshare', '--mount']
    if os.geteuid() != 0:
        argv += ['--map-root-user', '--map-auto']
    if own_pids:
        argv += ['--pid', '--fork', '--kill-child']
    return argv


def in_root(root, command, binds=(), directory='/', own_pids=False):
    """argv that runs `command` (a list) in `root` with (source, target) `binds`."""
    argv = unshare(own_pids) + ['/bin/sh', os.path.join(paths.VM, 'enter.sh'),
                                os.readlink('/proc/self/ns/mnt'), root]
    for source, target in binds:
        argv += ['--bind', source, target]
    return argv + ['--cd', directory, '--'] + list(command)


def in_source(root, command, directory=None, binds=()):
    """argv that runs `command` in the root with the repository at /src, writable."""
    inside = paths.ROOT_SRC
    if directory:
        below = os.path.relpath(os.path.realpath(directory), paths.TOP)
        if below != '.' and not below.startswith('..'):
            inside += '/' + below
    return in_root(root, command, [(paths.TOP, paths.ROOT_SRC)] + list(binds), inside,
                   own_pids=True)


def mounted_below(path):
    """Where something is mounted in `path`, as this process sees it."""
    with open('/proc/self/mountinfo', encoding='utf-8', errors='surrogateescape') as lines:
        places = [re.sub(r'\\([0-7]{3})', lambda m: chr(int(m.group(1), 8)), line.split()[4]) for line in lines]
    inside = os.path.realpath(path) + '/'
    return [place for place in places if (place + '/').startswith(inside)]


def remove_tree(path):
    """Delete a root: without root its files belong to several ids, so from a namespace."""
    # The machine's own files may be seen there, of a build that was killed.
    for place in mounted_below(path):
        raise OSError(errno.EBUSY, 'something is mounted in what is to be removed, unmount it first', place)
    if os.geteuid() == 0:
        shutil.rmtree(path)
        return
    import subprocess   # pylint: disable=import-outside-toplevel
    subprocess.run(unshare() + ['rm', '-rf', path], check=True)
