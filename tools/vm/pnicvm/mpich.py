# SPDX-License-Identifier: GPL-2.0
"""MPICH over libfabric. Debian's own is built for UCX and can load no provider, so this one is built in the guest root
from Debian's source package, once, and kept.

As small as possible: C, no files, libfabric and hwloc from the root. Where the mirror does not hold the
suite's source it is the one of the suite before. Debian's patches are left out: they are about making configure anew, which is not done here.

What was installed is copied to build/guest/mpich, so that the guest has it at /pnic/guest/mpich.
"""

import os
import re
import shutil
import subprocess

from . import cache, kernelbuild, mirror, paths, root as guest_root, space
from .errors import Failure

SUITES = [guest_root.SUITE, 'bookworm']
PREFIX = paths.ROOT_SHARE + '/guest/mpich'
PLACE = os.path.join(paths.BUILD, 'guest', 'mpich')

CONFIGURE = [
    '--prefix=' + PREFIX, '--with-device=ch4:ofi', '--with-libfabric=/usr', '--with-hwloc=/usr', '--without-ucx',
    '--with-datatype-engine=dataloop',   # the other one is 100 MB of generated source
    '--disable-fortran', '--disable-cxx', '--disable-romio', '--disable-static', '--disable-doc', 'CFLAGS=-O2',
]

# $1: where; then suites, `--`, and apt's options.
_FETCH = r'''
set -eu
cd %(inside)s
suites=
while [ "$1" != -- ]; do
	suites="$suites $1"
	shift
done
shift
archive=$(sed -n 's/^deb \([^ ]*\) .*/\1/p' /etc/apt/sources.list | head -n 1)
trap 'rm -rf apt' EXIT
for suite in $suites; do
	rm -rf apt mpich_*
	mkdir -p apt/lists/partial apt/cache/archives/partial
	echo "deb-src $archive $suite main" >apt/sources.list
	set -- "$@" -o APT::Sandbox::User=root -o "Dir::State::Lists=$PWD/apt/lists" -o "Dir::Cache=$PWD/apt/cache" \
		-o "Dir::Etc::SourceList=$PWD/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
	if apt-get "$@" update && apt-get "$@" source --download-only mpich; then
		mkdir source
		tar -x -C source --strip-components=1 -f mpich_*.orig.tar.*
		rm -f mpich_*.tar.* mpich_*.dsc
		exit 0
	fi
done
exit 1
'''

_COMPILE = r'''
set -eu
cd %(inside)s
mkdir out installed pc
# Its programs are linked with what a static libfabric would want, too, of which the root has little.
sed /^Libs.private/d "$(pkg-config --variable=pcfiledir libfabric)/libfabric.pc" >pc/libfabric.pc
export PKG_CONFIG_PATH=%(inside)s/pc
cd out
../source/configure "$@"
make -j%(jobs)d
make install DESTDIR=%(inside)s/installed
cd ..
mv installed%(prefix)s mpich
rm -rf installed out source pc mpich/share mpich/lib/*.la
'''

_SAYS = [
    (re.compile(r'^checking build system type'), 'configuring'),
    (re.compile(r'^Making install in'), 'installing'),
]
_COMPILED = re.compile(r'^\s+CC\s+(\S+)')
EVERY = 250     # files compiled, of some 3,000


class NoSource(Failure):
    """The mirror doesn't have it."""


def recipe(compiler):
    """All that it is made of."""
    return {'version': 1, 'suites': SUITES, 'root': guest_root.SUITE, 'configure': CONFIGURE, 'compiler': compiler,
            'scripts': [_FETCH, _COMPILE]}


def describe(line, state):
    """What to show for a line of the build's, or None; `state` counts what was compiled."""
    for pattern, text in _SAYS:
        if pattern.match(line):
            return text if state.get('shown') != text and not state.update(shown=text) else None
    if _COMPILED.match(line):
        state['files'] = state.get('files', 0) + 1
        if state['files'] % EVERY == 1:
            return 'compiling, %d files done' % (state['files'] - 1)
    return None


def _run(root, directory, script, arguments, log, progress):
    """The exit status."""
    words = {'inside': paths.ROOT_LINUX, 'jobs': os.cpu_count() or 1, 'prefix': PREFIX}
    argv = ['nice', '-n', '10'] + space.in_root(root.path, ['sh', '-c', script % words, 'sh'] + arguments,
                                                [(directory, paths.ROOT_LINUX)], own_pids=True)
    state = {}
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors='replace') as process:
        for line in process.stdout:
            log.write(line)
            text = describe(line, state)
            if text:
                progress.step('MPICH: ' + text)
    return process.returncode


def _build(root, directory, log_path, progress):
    options = ['-o' + option for option in mirror.proxy_options()]
    with open(log_path, 'w', encoding='utf-8') as log:
        progress.step("MPICH: fetching Debian's source (once)")
        if _run(root, directory, _FETCH, SUITES + ['--'] + options, log, progress):
            raise NoSource("Debian's source of MPICH could not be fetched: see %s" % log_path)
        if _run(root, directory, _COMPILE, CONFIGURE, log, progress):
            raise Failure('MPICH could not be built: see %s' % log_path)


def _place(entry):
    """The copy in build/, made anew if it is of another entry."""
    mark = os.path.join(PLACE, 'made-of')
    try:
        with open(mark, encoding='utf-8') as handle:
            if handle.read() == entry.name:
                return
    except FileNotFoundError:
        pass
    shutil.rmtree(PLACE, ignore_errors=True)
    shutil.copytree(os.path.join(entry.path, 'mpich'), PLACE, symlinks=True)
    with open(mark, 'w', encoding='utf-8') as handle:
        handle.write(entry.name)


def ensure(root, progress):
    """MPICH is in build/guest/mpich, built if it must be."""
    entry = cache.Entry('mpich', recipe(kernelbuild.compiler(root)), remove=space.remove_tree)
    os.makedirs(entry.base, exist_ok=True)
    log_path = os.path.join(entry.base, 'mpich.log')
    fresh = not entry.ready()
    entry.get(lambda directory: _build(root, directory, log_path, progress),
              lambda: progress.step('waiting for another run that builds MPICH'))
    if fresh:
        entry.prune()
    _place(entry)
    return PLACE
