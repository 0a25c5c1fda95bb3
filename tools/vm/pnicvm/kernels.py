# SPDX-License-Identifier: GPL-2.0
"""The kernels that a guest can have: Debian's own, which are in the guest root, and debug
kernels that are built from Debian's source (kernelbuild.py)."""

import os

from . import kernelbuild, paths
from .errors import Failure

# name -> what it is
NAMES = {
    'stock': "the suite's own",
    'backports': 'the newest one in the backports',
    'kasan': 'KASAN, lockdep, kmemleak, DMA-API debugging, UBSAN, fault injection',
    'kcsan': 'KCSAN: data races; fault injection',
    'gcov': 'the module counts its lines, for the coverage report; fault injection',
}

# Those that `make check` runs the suite on.
CHECKED = ('stock', 'backports', 'kasan', 'kcsan')

# How much longer things may take than on a stock kernel.
SLOW = {'kasan': 6, 'kcsan': 3}

# A vCPU that a busy host starves for half a minute is no lockup. What the kernel does not ask of the firmware, since it
# has no ASPM, it takes: errors and hotplug of the ports are its own.
DEBUG_APPEND = 'watchdog_thresh=60 workqueue.watchdog_thresh=240 pcie_ports=native'


# What programs in the guest find in their environment: where the counters of those that have some go (`make coverage`).
ENVIRONMENT = {'gcov': {
    'GCOV_PREFIX': paths.ROOT_SHARE,
    'GCOV_PREFIX_STRIP': paths.in_source(paths.BUILD).count('/'),
}}

# KCSAN looks at one access in so many; there are few, as only the module's are counted.
APPEND = {'kcsan': 'kcsan.early_enable=1 kcsan.skip_watch=47'}


class Kernel:
    """One kernel, ready to be booted and built for.

    image, headers: paths inside the guest root; directory: what has to be mounted there at
    paths.ROOT_KERNEL for them, or None."""

    def __init__(self, name, version, image, headers, directory=None):
        self.name = name
        self.version = version
        self.image = image
        self.headers = headers
        self.directory = directory
        self.slow = SLOW.get(name, 1)
        self.environment = ENVIRONMENT.get(name, {})
        # make's, for the module
        self.variables = ['PNIC_COVERAGE=y'] if name == 'gcov' else []
        # Ours know PCIe's way to plug a card in or out, Debian's take ACPI's where the machine has that.
        self.native_hotplug = bool(directory)
        self.append = ' '.join([DEBUG_APPEND, APPEND.get(name, '')]) if directory else ''

    def binds(self):
        """For a build, and for QEMU."""
        return [(self.directory, paths.ROOT_KERNEL)] if self.directory else []

    def guest_binds(self):
        """For virtiofsd: the guest's modprobe finds this kernel's modules."""
        if not self.directory:
            return []
        return [(os.path.join(self.directory, 'lib', 'modules'),
                 paths.ROOT_CLEAN + '/usr/lib/modules')]


def _debian(name, version):
    return Kernel(name, version, '/boot/vmlinux-' + version, '/usr/src/linux-headers-' + version)


def stock(root):
    return _debian('stock', root.kernel)


def get(root, name, progress, deadline=None):
    """The kernel of that name, built if it must be; kernelbuild.TooLong past the deadline."""
    if name == 'stock':
        return stock(root)
    if name == 'backports':
        return _debian(name, root.new_kernel)
    if name not in NAMES:
        raise Failure('no kernel %s; there are: %s' % (name, ', '.join(NAMES)), 2)
    directory = kernelbuild.ensure(root, name, progress, deadline)
    with open(os.path.join(directory, 'kernel.release'), encoding='ascii') as handle:
        version = handle.read().strip()
    return Kernel(name, version, paths.ROOT_KERNEL + '/bzImage', paths.ROOT_KERNEL + '/headers',
                  directory)
