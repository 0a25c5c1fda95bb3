# SPDX-License-Identifier: GPL-2.0
"""Runs the KUnit suites: in a user-mode kernel, as Debian's kernels have no KUnit.

Its source is that of the guest's kernel, and it is built in the guest root, once, with little
more than KUnit in it.  That takes two minutes of a processor and is kept; a run copies the
lane code and its suites into the kernel's tree, compiles what has changed, links, and runs
it, which takes some seconds.
"""

import os
import subprocess
import time

from . import cache, ktap, mirror, paths, root as guest_root, space
from .errors import Failure

CONFIG = ['CONFIG_KUNIT=y', 'CONFIG_PRINTK=y', 'CONFIG_64BIT=y']

# Nothing of these is compiled for a user-mode kernel without devices; their Kconfig files stay.
ARCHES = ['alpha', 'arc', 'arm', 'arm64', 'csky', 'hexagon', 'loongarch', 'm68k', 'microblaze',
          'mips', 'nios2', 'openrisc', 'parisc', 'powerpc', 'riscv', 's390', 'sh', 'sparc',
          'xtensa']
EXCLUDED = ['*/Documentation/*', '*/tools/testing/selftests/*', '*/samples/*.[ch]',
            '*/sound/*.[ch]', '*.dts', '*.dtsi'] \
    + ['*/arch/%s/*.[chS]' % name for name in ARCHES] \
    + ['*/drivers/%s/*.[ch]' % name for name in
       ('accel', 'clk', 'crypto', 'gpu', 'hid', 'hwmon', 'iio', 'infiniband', 'iommu', 'md',
        'media', 'mmc', 'mtd', 'net', 'phy', 'pinctrl', 'platform', 'power', 'scsi', 'staging',
        'usb', 'video')]

RECIPE = {
    'version': 1, 'root': guest_root.RECIPE, 'config': CONFIG, 'excluded': EXCLUDED,
}

# In the kernel's tree.
PLACE = 'drivers/pnic'
COPIED = ['driver/lane', 'driver/hw', 'driver/tests/kunit']

_PREPARE = r'''
set -eu
cd %(inside)s
mkdir -p apt/lists/partial apt/cache/archives/partial linux out
trap 'rm -rf apt linux-source-*.deb' EXIT
apt="-o APT::Sandbox::User=root -o Dir::State::Lists=$PWD/apt/lists -o Dir::Cache=$PWD/apt/cache"
apt-get $apt %(options)s update
apt-get $apt %(options)s download %(package)s
dpkg-deb --fsys-tarfile %(package)s_*.deb \
	| tar -xO --wildcards './usr/src/linux-source-*.tar.xz' | xz -dc -T0 \
	| tar -x -C linux --strip-components=1 --wildcards %(excluded)s
mkdir -p linux/Documentation linux/%(place)s
touch linux/Documentation/Kconfig linux/%(place)s/Makefile
echo 'obj-y += pnic/' >> linux/drivers/Makefile
printf '%%s\n' %(config)s > base.config
make -C linux ARCH=um O=$PWD/out KCONFIG_ALLCONFIG=$PWD/base.config allnoconfig
make -C linux ARCH=um O=$PWD/out -j%(jobs)d linux
'''

_RUN = r'''
set -eu
cd %(inside)s
make -s -C linux ARCH=um O=$PWD/out -j%(jobs)d linux >&2
cd /tmp
exec %(inside)s/out/linux mem=64M kunit.enable=1 kunit_shutdown=halt </dev/null
'''

TIME_LIMIT = 600


def _script(text, **more):
    return text % dict(more, inside=paths.ROOT_SHARE, jobs=os.cpu_count() or 1)


def _in_root(root, directory, script):
    """The argv; `directory` is the cache's, writable at the share's mount point."""
    return space.in_root(root.path, ['sh', '-c', script],
                         [(directory, paths.ROOT_SHARE)], paths.ROOT_SHARE, own_pids=True)


def _quoted(words):
    return ' '.join("'%s'" % word for word in words)


def _build(root, directory, log_path):
    script = _script(_PREPARE, package=guest_root.SOURCE_PACKAGE, place=PLACE,
                     options=_quoted('-o' + option for option in mirror.proxy_options()),
                     excluded=_quoted('--exclude=' + pattern for pattern in EXCLUDED),
                     config=_quoted(CONFIG))
    with open(log_path, 'w', encoding='utf-8') as log:
        done = subprocess.run(_in_root(root, directory, script), stdin=subprocess.DEVNULL,
                              stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise Failure('the kernel for KUnit could not be built: see %s' % log_path)


def _ready(root, progress):
    entry = cache.Entry('kunit', RECIPE, remove=space.remove_tree)
    os.makedirs(entry.base, exist_ok=True)
    fresh = not entry.ready()
    if fresh:
        progress.step('building a kernel for KUnit (once)')
    entry.get(lambda directory: _build(root, directory, os.path.join(entry.base, 'kunit.log')),
              lambda: progress.step('waiting for another run that builds a kernel for KUnit'))
    if fresh:
        entry.prune()
    return entry


def _put(path, content):
    """Writes it only if it is another one: make goes by the time of a file."""
    try:
        with open(path, 'rb') as old:
            if old.read() == content:
                return
    except FileNotFoundError:
        pass
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as new:
        new.write(content)


def _wanted():
    """What belongs into the kernel's tree: name -> content."""
    files, objects = {}, []
    for top in COPIED:
        for directory, _, names in os.walk(os.path.join(paths.TOP, top)):
            for name in names:
                if not name.endswith(('.c', '.h')):
                    continue
                path = os.path.join(directory, name)
                relative = os.path.relpath(path, paths.TOP)
                with open(path, 'rb') as handle:
                    files[relative] = handle.read()
                compiled = os.path.dirname(relative) in ('driver/lane', 'driver/tests/kunit')
                if name.endswith('.c') and compiled:
                    objects.append(relative[:-1] + 'o')
    files['Makefile'] = ('ccflags-y := -Werror\nobj-y := %s\n'
                         % ' '.join(sorted(objects))).encode()
    return files


def _sync(tree):
    files = _wanted()
    for directory, _, names in os.walk(tree):
        for name in names:
            path = os.path.join(directory, name)
            if os.path.relpath(path, tree) not in files:
                os.remove(path)
    for name, content in files.items():
        _put(os.path.join(tree, name), content)


def _cases(lines, status):
    """KTAP begins behind the kernel's own messages, and the kernel has the last word, too."""
    parser = ktap.Parser()
    begun = False
    for line in lines:
        begun = begun or line.startswith('KTAP version')
        if begun:
            parser.feed(line)
    return parser.finish(status)


def run(root, results, progress):
    started = time.monotonic()
    try:
        entry = _ready(root, progress)
        progress.step('KUnit')
        with cache.locked(entry.path + '.run',
                          lambda: progress.step('waiting for another run of KUnit')):
            _sync(os.path.join(entry.path, 'linux', PLACE))
            done = subprocess.run(_in_root(root, entry.path, _script(_RUN)),
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, errors='replace',
                                  timeout=TIME_LIMIT, check=False)
    except Failure as failure:
        results.fail('kunit', 'kernel', str(failure), (), time.monotonic() - started)
        return
    except subprocess.TimeoutExpired:
        results.fail('kunit', 'kernel', 'time limit of %d s' % TIME_LIMIT, (),
                     time.monotonic() - started)
        return
    if 'KTAP version' not in done.stdout:
        results.fail('kunit', 'kernel', 'it did not run the suites',
                     (done.stderr + done.stdout).splitlines()[-40:],
                     time.monotonic() - started)
        return
    for case in _cases(done.stdout.splitlines(), done.returncode):
        results.add('kunit', case)
