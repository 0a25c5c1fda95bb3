# SPDX-License-Identifier: GPL-2.0
"""The guest root: a Debian 13 with kernel, compiler, QEMU and virtiofsd, made by mmdebstrap.

It is where everything for the guest is compiled, what the guest boots from (read-only), and
where QEMU itself runs: Debian 12's QEMU is too old to have the vfio-user-pci device.

Beside it, from the kernel's source package, are the few files that no package holds:
checkpatch, the kselftest headers, and the netlink generator and command line tool.
"""

import os
import re
import shutil
import subprocess

from . import cache, kernel, mirror, paths, space
from .errors import Failure

SUITE = 'trixie'

# From backports: QEMU 11.1 has vfio-user-pci; its firmware comes along.
BACKPORTS = ['src:qemu', 'src:seabios']

PACKAGES = [
    'qemu-system-x86', 'virtiofsd',
    'linux-image-amd64', 'linux-headers-amd64',
    'gcc', 'libc6-dev', 'make', 'pkgconf', 'sparse', 'perl', 'libjansson-dev',
    'libnl-3-dev', 'libnl-genl-3-dev', 'libncurses-dev',        # the administrator's tool
    'python3-yaml', 'python3-jsonschema',                       # the kernel's netlink tools
    'cbmc', 'spin',                                             # provers of the lane code
    'valgrind', 'abigail-tools', 'mandoc',                      # the library's checks
    'libfabric-dev', 'libucx-dev', 'ucx-utils', 'openmpi-bin', 'libopenmpi-dev',    # whom it is measured against
    'perftest', 'rdma-core', 'iperf3', 'mpich', 'libmpich-dev', # and against what in the guest
    'libfabric-bin', 'netpipe-openmpi', 'hpcc', 'python3-mpi4py',   # clients of the libfabric provider
    'bc', 'bison', 'flex', 'libelf-dev',                        # to build kernels
    'clang', 'lld', 'llvm',                                     # the module by the other compiler
    'libclang-rt-dev', 'clang-tools', 'gcovr', 'coccinelle', 'cppcheck', 'codespell',   # fuzzers, coverage, static checks
    'kmod', 'iproute2', 'ethtool', 'pciutils', 'procps', 'strace', 'zstd', 'xz-utils',
]
SOURCE_PACKAGE = 'linux-source-6.12'
# From the backports a second kernel beside the suite's own, whatever its version is now.
NEW_KERNEL = ['linux-image-amd64', 'linux-headers-amd64']

# Not in a root that nobody logs into.
EXCLUDED = ['/usr/share/man/*', '/usr/share/doc/*', '/usr/share/locale/*', '/usr/share/info/*']

# Out of the kernel's source, relative to its top.
SOURCE_FILES = [
    'scripts/checkpatch.pl', 'scripts/spelling.txt', 'scripts/const_structs.checkpatch',
    'scripts/kernel-doc',
    'tools/testing/selftests/kselftest.h', 'tools/testing/selftests/kselftest_harness.h',
    'tools/testing/selftests/kselftest', 'tools/testing/selftests/lib.mk',
    'tools/net/ynl', 'Documentation/netlink/genetlink.yaml',
]
KSRC = '/usr/src/pnic-kernel'       # where they are in the root

MOUNT_POINTS = [paths.ROOT_SRC, paths.ROOT_SHARE, paths.ROOT_KERNEL, paths.ROOT_LINUX]

# Raise it when a change of the code below makes another root from the same lists.
VERSION = 1

RECIPE = {
    'version': VERSION, 'suite': SUITE, 'backports': BACKPORTS, 'packages': PACKAGES,
    'source': SOURCE_PACKAGE, 'source files': SOURCE_FILES, 'excluded': EXCLUDED,
    'mount points': MOUNT_POINTS, 'new kernel': NEW_KERNEL,
}

_SETUP_HOOK = r'''
set -eu
cd "$1/etc/apt"
# The backports lie beside the suite on whichever mirror was chosen.
cat sources.list sources.list.d/* 2>/dev/null | sed -n 's/ %(suite)s main/ %(suite)s-backports main/p' \
	| head -n 1 > sources.list.d/pnic-backports.list
test -s sources.list.d/pnic-backports.list
printf 'Package: %(pins)s\nPin: release n=%(suite)s-backports\nPin-Priority: 900\n' \
	> preferences.d/pnic
'''

_SOURCE_HOOK = r'''
set -eu
cd "$1"
mkdir -p tmp/source .%(ksrc)s
chroot "$1" sh -c 'cd /tmp/source && apt-get -o APT::Sandbox::User=root download %(package)s'
chroot "$1" sh -c 'cd /tmp/source && dpkg-deb --fsys-tarfile %(package)s_*.deb \
	| tar -xO --wildcards ./usr/src/linux-source-*.tar.xz | xz -dc -T0 \
	| tar -x -C %(ksrc)s --strip-components=1 %(files)s'
rm -rf tmp/source
'''

_KERNEL_HOOK = r'''
set -eu
chroot "$1" apt-get install -y --no-install-recommends %(packages)s
'''


def _hooks():
    files = ' '.join('%s/%s' % (SOURCE_PACKAGE, name) for name in SOURCE_FILES)
    setup = _SETUP_HOOK % {'suite': SUITE, 'pins': ' '.join(BACKPORTS)}
    source = _SOURCE_HOOK % {'package': SOURCE_PACKAGE, 'files': files, 'ksrc': KSRC}
    backports = ' '.join('%s/%s-backports' % (name, SUITE) for name in NEW_KERNEL)
    new = _KERNEL_HOOK % {'packages': backports}
    places = 'mkdir -p ' + ' '.join('"$1"%s' % p for p in MOUNT_POINTS)
    return ['--setup-hook=' + setup] + ['--customize-hook=' + hook
                                        for hook in (new, source, places)]


def _command(target, source_lines):
    argv = ['mmdebstrap', '--verbose', '--mode=root', '--variant=apt', '--format=directory',
            '--dpkgopt=force-unsafe-io']    # a root that was cut is thrown away anyway
    argv += ['--dpkgopt=path-exclude=' + pattern for pattern in EXCLUDED]
    argv += ['--aptopt=' + option for option in mirror.proxy_options()]
    argv += ['--include=' + ','.join(PACKAGES)]
    argv += _hooks() + [SUITE, target] + source_lines
    # What mmdebstrap starts, and what it mounts in the root, ends with it, however that comes.
    return space.unshare(own_pids=True) + argv


_SAYS = [
    (re.compile(r'running apt-get update'), 'reading package lists'),
    (re.compile(r'^I: extracting archives'), 'unpacking the base system'),
    (re.compile(r'^\d+ upgraded, (\d+) newly installed'), 'installing %s packages'),
    (re.compile(r'^Need to get (\S+ \S+?) of'), 'fetching %s'),
    (re.compile(r'^Preconfiguring|^Selecting previously'), 'unpacking packages'),
    (re.compile(r'^Setting up linux-image'), 'setting up the kernel'),
    (re.compile(r'Setting up linux-headers'), "fetching the kernel's own test tools"),
    (re.compile(r'cleaning package lists'), 'cleaning'),
]


def describe(line):
    """What to show for a line of mmdebstrap's, or None."""
    for pattern, text in _SAYS:
        match = pattern.search(line)
        if match:
            return text % match.groups() if match.groups() else text
    return None


def _run(argv, log, progress):
    """mmdebstrap's exit status; its output goes to the log, its stages to the screen."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(('LC_', 'LANG'))}
    env.update(DEBIAN_FRONTEND='noninteractive', LC_ALL='C.UTF-8',
               INITRD='No')     # the guest boots without one
    env['PATH'] = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    shown = None
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace',
                          env=env) as process:
        try:
            for line in process.stdout:
                log.write(line)
                text = describe(line)
                if text and text != shown:
                    shown = text
                    progress.step('guest root: ' + text)
        except BaseException:
            process.kill()
            process.wait()
            raise
    return process.returncode


def _build(directory, progress, log_path):
    target = os.path.join(directory, 'root')
    found = mirror.find()
    choices = [mirror.lines(found, SUITE)] if found else []
    choices.append([])      # a mirror without this suite: mmdebstrap's default
    with open(log_path, 'w', encoding='utf-8') as log:
        for sources in choices:
            if os.path.lexists(target):
                space.remove_tree(target)
            progress.step('guest root: making a Debian %s' % SUITE)
            if _run(_command(target, sources), log, progress) == 0:
                break
            log.flush()
        else:
            raise Failure('the guest root could not be made: see %s' % log_path)
    progress.step('guest root: unpacking the kernels')
    for version in kernel.versions(target):
        kernel.extract(target, version)


class Root:
    """The ready guest root."""

    def __init__(self, entry):
        self.entry = entry
        self.path = os.path.join(entry.path, 'root')
        self.kernel, self.new_kernel = kernel.versions(self.path)
        self.ksrc = KSRC        # inside


def ensure(progress):
    """The guest root, made if there is none for this recipe."""
    entry = cache.Entry('guest', RECIPE, remove=space.remove_tree)
    log_path = os.path.join(entry.base, 'guest.log')
    os.makedirs(entry.base, exist_ok=True)
    fresh = not entry.ready()
    if fresh and shutil.disk_usage(entry.base).free < 4 << 30:
        raise Failure('the guest root needs 4 GB in %s' % entry.base)
    entry.get(lambda directory: _build(directory, progress, log_path),
              lambda: progress.step('guest root: waiting for another run that makes it'))
    if fresh:
        entry.prune()
    return Root(entry)
