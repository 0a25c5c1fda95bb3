# SPDX-License-Identifier: GPL-2.0
"""Where things are, on the host and in the guest."""

import os

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__)))))
VM = os.path.join(TOP, 'tools', 'vm')
# Another tree than the usual one: that of `make coverage`.
BUILD = os.environ.get('PNIC_BUILD') or os.path.join(TOP, 'build')
RESULTS = os.path.join(TOP, 'build', 'results')
RUNS = os.path.join(BUILD, 'vm')

# Mount points that the guest root's recipe makes.
ROOT_SRC = '/src'       # the repository, when compiling in the root
ROOT_SHARE = '/pnic'    # build/, in the guest
ROOT_KERNEL = '/kernel' # a kernel that was built here: image, modules, headers
ROOT_LINUX = '/linux'   # the kernel's source, while one is built
ROOT_CLEAN = '/mnt'     # the root once more, without what is mounted on it


def in_source(path):
    """The guest root's name for a path of the repository, where that is at /src."""
    return os.path.normpath(os.path.join(ROOT_SRC, os.path.relpath(path, TOP)))


def in_guest(path):
    """The guest's name for a path below build/."""
    return ROOT_SHARE + '/' + os.path.relpath(path, BUILD)
