# SPDX-License-Identifier: GPL-2.0
"""Debug kernels for the guest, which Debian has none of: built in the guest root from Debian's
own kernel source, once, and kept.

`kernel/base.config` and a fragment for the flavour say what is in one, and nothing else is:
that is a third of a usual kernel's build. Each line of the fragments is looked up in the final
configuration, as Kconfig drops without a word what depends on something that is missing.

Kept are the image, its modules, and what a module is built against; the unpacked source is an
entry of its own, for all flavours.
"""

import os
import re
import subprocess
import time

from . import cache, mirror, paths, root as guest_root, space
from .errors import Failure

FRAGMENTS = os.path.join(paths.VM, 'kernel')
FLAVOURS = {
    # flavour -> make's variables
    'kasan': [],
    # Only the module is instrumented: its headers do not know of this.
    'kcsan': ['KCSAN_SANITIZE=n'],
    # For `make coverage`: the module counts its lines, and nothing else is slow.
    'gcov': [],
}

# Nothing of these is compiled; their Kconfig files stay.
ARCHES = ['alpha', 'arc', 'arm', 'arm64', 'csky', 'hexagon', 'loongarch', 'm68k', 'microblaze',
          'mips', 'nios2', 'openrisc', 'parisc', 'powerpc', 'riscv', 's390', 'sh', 'sparc',
          'um', 'xtensa']
DRIVERS = ['accel', 'clk', 'crypto', 'gpu', 'hid', 'iio', 'infiniband', 'md', 'media', 'mmc',
           'mtd', 'net/wireless', 'phy', 'pinctrl', 'scsi', 'staging', 'usb', 'video']
EXCLUDED = ['*/Documentation/*', '*/tools/testing/*', '*/tools/perf/*', '*/samples/*.[ch]',
            '*/sound/*.[ch]', '*.dts', '*.dtsi'] \
    + ['*/arch/%s/*.[chS]' % name for name in ARCHES] \
    + ['*/drivers/%s/*.[ch]' % name for name in DRIVERS]

SOURCE_RECIPE = {
    'version': 1, 'suite': guest_root.SUITE, 'package': guest_root.SOURCE_PACKAGE,
    'excluded': EXCLUDED,
}

_UNPACK = r'''
set -eu
cd %(linux)s
mkdir -p apt/lists/partial apt/cache/archives/partial
trap 'rm -rf apt linux-source-*.deb' EXIT
apt="-o APT::Sandbox::User=root -o Dir::State::Lists=$PWD/apt/lists -o Dir::Cache=$PWD/apt/cache"
apt-get $apt %(options)s update
apt-get $apt %(options)s download %(package)s
dpkg-deb --fsys-tarfile %(package)s_*.deb \
	| tar -xO --wildcards './usr/src/linux-source-*.tar.xz' | xz -dc -T0 \
	| tar -x --strip-components=1 --wildcards %(excluded)s
mkdir -p Documentation
touch Documentation/Kconfig
'''

_CONFIGURE = r'''
set -eu
cd %(kernel)s
make -C %(linux)s O=$PWD/out KCONFIG_ALLCONFIG=$PWD/wanted.config allnoconfig
'''

# A module's build wants what install-extmod-build copies, and no more.
_COMPILE = r'''
set -eu
cd %(kernel)s
make() { command make -C %(linux)s O=%(kernel)s/out "$@"; }
make -j%(jobs)d %(variables)s bzImage modules
make INSTALL_MOD_PATH=%(kernel)s modules_install
make run-command KBUILD_RUN_COMMAND='$(srctree)/scripts/package/install-extmod-build %(kernel)s/headers'
cp out/arch/x86/boot/bzImage bzImage
cp out/System.map out/include/config/kernel.release out/.config .
mv .config config
rm -rf out lib/modules/*/build
'''


def _quoted(words):
    return ' '.join("'%s'" % word for word in words)


class TooLong(Failure):
    """The time that a build may take is over."""


def _run(root, script, binds, log, seconds=None, **words):
    words.update(kernel=paths.ROOT_KERNEL, linux=paths.ROOT_LINUX, jobs=os.cpu_count() or 1)
    argv = ['nice', '-n', '10'] + space.in_root(root.path, ['sh', '-c', script % words], binds,
                                                own_pids=True)
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=log,
                              stderr=subprocess.STDOUT, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise TooLong('the kernel was not built in the %d s that were left' % seconds) from error
    return done.returncode


def _unpack(root, directory, log_path):
    with open(log_path, 'w', encoding='utf-8') as log:
        if _run(root, _UNPACK, [(directory, paths.ROOT_LINUX)], log,
                package=guest_root.SOURCE_PACKAGE,
                options=_quoted('-o' + option for option in mirror.proxy_options()),
                excluded=_quoted('--exclude=' + pattern for pattern in EXCLUDED)):
            raise Failure("the kernel's source could not be unpacked: see %s" % log_path)


def fragments(flavour):
    """The text of what a flavour's configuration must have."""
    text = ''
    for name in ('base', flavour):
        with open(os.path.join(FRAGMENTS, name + '.config'), encoding='utf-8') as handle:
            text += handle.read()
    return text


_SET = re.compile(r'^(CONFIG_\w+)=(.*)$')
_UNSET = re.compile(r'^# (CONFIG_\w+) is not set$')


def symbols(text):
    """{symbol: value} of a configuration; n for what is not set."""
    found = {}
    for line in text.splitlines():
        match = _SET.match(line)
        if match:
            found[match.group(1)] = match.group(2)
        elif _UNSET.match(line):
            found[_UNSET.match(line).group(1)] = 'n'
    return found


def missing(wanted, final):
    """Lines of the fragments that Kconfig did not do, in words."""
    have = symbols(final)
    return ['%s is %s, wanted %s' % (name, have.get(name, 'n'), value)
            for name, value in symbols(wanted).items() if have.get(name, 'n') != value]


def _build(root, source, flavour, directory, log_path, deadline):
    wanted = fragments(flavour)
    with open(os.path.join(directory, 'wanted.config'), 'w', encoding='utf-8') as handle:
        handle.write(wanted)
    binds = [(directory, paths.ROOT_KERNEL), (source, paths.ROOT_LINUX)]
    with open(log_path, 'w', encoding='utf-8') as log:
        if _run(root, _CONFIGURE, binds, log):
            raise Failure('a kernel could not be configured: see %s' % log_path)
        with open(os.path.join(directory, 'out', '.config'), encoding='utf-8') as handle:
            lost = missing(wanted, handle.read())
        if lost:
            raise Failure('the %s kernel would lack: %s' % (flavour, '; '.join(lost)))
        seconds = max(1, deadline - time.monotonic()) if deadline else None
        if _run(root, _COMPILE, binds, log, seconds, variables=_quoted(FLAVOURS[flavour])):
            raise Failure('a kernel could not be built: see %s' % log_path)


def compiler(root):
    """The version of the root's compiler: another one makes another kernel."""
    with open(os.path.join(root.path, 'var/lib/dpkg/status'), encoding='utf-8') as status:
        for block in status.read().split('\n\n'):
            if block.startswith('Package: gcc-14\n'):
                return re.search(r'^Version: (.*)$', block, re.M).group(1)
    raise Failure('the guest root has no gcc-14')


def entry(root, flavour):
    recipe = {
        'version': 1, 'source': SOURCE_RECIPE, 'compiler': compiler(root),
        'config': symbols(fragments(flavour)), 'variables': FLAVOURS[flavour],
        'scripts': [_CONFIGURE, _COMPILE],
    }
    return cache.Entry('kernel-' + flavour, recipe, remove=space.remove_tree)


def ensure_source(root, progress):
    """The kernel's unpacked source, as a cache.Entry."""
    source = cache.Entry('linux', SOURCE_RECIPE, remove=space.remove_tree)
    if not source.ready():
        progress.step("unpacking the kernel's source (once)")
    source.get(lambda directory: _unpack(root, directory, os.path.join(source.base, 'linux.log')),
               lambda: progress.step("waiting for another run that unpacks the kernel's source"))
    return source


def ensure(root, flavour, progress, deadline=None):
    """The directory of the flavour's kernel, built if there is none.

    TooLong if that is not done at `deadline` (of time.monotonic())."""
    wanted = entry(root, flavour)
    os.makedirs(wanted.base, exist_ok=True)
    if wanted.ready():
        wanted.touch()
        return wanted.path
    if deadline and time.monotonic() >= deadline:
        raise TooLong('no time left to build the kernel')
    source = ensure_source(root, progress)
    progress.step('building the %s kernel (once)' % flavour)
    log_path = os.path.join(wanted.base, 'kernel-%s.log' % flavour)
    wanted.get(lambda directory: _build(root, source.path, flavour, directory, log_path, deadline),
               lambda: progress.step('waiting for another run that builds the %s kernel' % flavour))
    wanted.prune()
    source.prune()
    return wanted.path
