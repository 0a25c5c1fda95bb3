# SPDX-License-Identifier: GPL-2.0
"""The static checks of the kernel's side: W=1 by two compilers and for two kernels, sparse,
checkpatch, generated files."""

import difflib
import os
import re
import shutil
import subprocess
import time

from . import build, kernelbuild, kernels, known, ktap, paths, space
from .errors import Failure

CHECKPATCH = ['--no-tree', '--strict', '--max-line-length=100', '--show-types', '--no-summary',
              '--quiet', '--color=never']


def _sources():
    """C files and headers of the module and of its uapi, relative to the top."""
    found = []
    for top in ('driver', 'uapi'):
        for directory, _, names in os.walk(os.path.join(paths.TOP, top)):
            found += [os.path.relpath(os.path.join(directory, name), paths.TOP)
                      for name in names if name.endswith(('.c', '.h'))]
    return sorted(found)


def _module_sources():
    """How many C files the module has: as many as there are objects in the farm."""
    farm = os.path.join(paths.BUILD, 'guest', 'check-sparse')
    return sum(1 for _, _, names in os.walk(farm) for name in names
               if name.endswith('.o') and not name.startswith('.')
               and name not in ('pnic.o', 'pnic.mod.o'))


def _compile(results, name, target, root, which=None):
    """One build of the module as a test."""
    started = time.monotonic()
    log = target + ('-' + which.name if which else '')
    try:
        lines = build.make(target, root=root, which=which, log_name=log)
    except build.BuildFailure as failure:
        results.fail('check', name, 'see build/%s.log' % log, failure.lines,
                     time.monotonic() - started)
        return
    bad = [line for line in lines if 'warning:' in line or 'error:' in line]
    if target == 'check-clang':
        # objtool looks for what the kernel's configuration, made for gcc, asks of gcc.
        bad = [line for line in bad if ': objtool: ' not in line]
    if target == 'check-sparse' and not bad:
        # kbuild leaves sparse out without a word when it cannot run it
        checked = sum(1 for line in lines if line.split()[:1] == ['CHECK'])
        if checked < max(1, _module_sources()):
            bad = ['sparse looked at %d files of %d' % (checked, _module_sources())]
    results.check('check', name, bad, 'see build/%s.log' % log, time.monotonic() - started)


# What the netlink spec makes, and where it is kept.
GENERATED = {
    'pnic_nl_gen.c': 'driver', 'pnic_nl_gen.h': 'driver', 'pnic_netlink.h': 'uapi/linux',
}


def _read(path):
    try:
        with open(path, encoding='utf-8') as handle:
            return handle.read().splitlines()
    except FileNotFoundError:
        return []


def _generate(root):
    """Runs the generator; the directory with what it made and what it said."""
    scratch = os.path.join(paths.BUILD, 'netlink')
    shutil.rmtree(scratch, ignore_errors=True)
    argv = ['sh', 'tools/netlink/gen.sh', root.ksrc, os.path.relpath(scratch, paths.TOP)]
    done = subprocess.run(space.in_source(root.path, argv), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors='replace', check=False)
    said = done.stdout.splitlines()
    if done.returncode:
        said.append('the generator ended with status %d' % done.returncode)
    return scratch, said


def generate(root):
    """Makes the generated files anew, in their places."""
    scratch, said = _generate(root)
    if said:
        raise Failure('\n'.join(said))
    for name, place in GENERATED.items():
        shutil.copy(os.path.join(scratch, name), os.path.join(paths.TOP, place, name))


def _netlink(results, root):
    """The files that are generated from the netlink spec are those that it makes now."""
    started = time.monotonic()
    scratch, bad = _generate(root)
    if not bad:
        for name, place in GENERATED.items():
            kept = os.path.join(place, name)
            bad += difflib.unified_diff(_read(os.path.join(paths.TOP, kept)),
                                        _read(os.path.join(scratch, name)), kept,
                                        'from the spec', lineterm='')
    results.check('check', 'netlink: generated files are fresh', bad,
                  '`make netlink` makes them anew', time.monotonic() - started)


# checkpatch has rules of its own for uapi headers and knows them by their place in the kernel.
CHECKPATCH_SCRIPT = r'''
set -e
mkdir -p /tmp/tree/include
ln -s /src/driver /tmp/tree/driver
ln -s /src/uapi /tmp/tree/include/uapi
cd /tmp/tree
exec perl "$@"
'''


def _run_checkpatch(root, files, options=()):
    files = [re.sub('^uapi/', 'include/uapi/', name) for name in files]
    argv = ['sh', '-c', CHECKPATCH_SCRIPT, 'sh', root.ksrc + '/scripts/checkpatch.pl'] \
        + CHECKPATCH + list(options) + ['-f'] + files
    done = subprocess.run(space.in_source(root.path, argv), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors='replace', check=False)
    bad = done.stdout.splitlines()
    if done.returncode and not bad:
        bad = ['checkpatch ended with status %d' % done.returncode]
    return bad


def _checkpatch(results, root):
    started = time.monotonic()
    generated = {os.path.join(place, name) for name, place in GENERATED.items()}
    # The generator breaks no lines.
    bad = _run_checkpatch(root, sorted(generated), ['--ignore', 'LONG_LINE'])
    bad += _run_checkpatch(root, [name for name in _sources() if name not in generated])
    results.check('check', 'checkpatch --strict', bad, seconds=time.monotonic() - started)


def _proofs(results, root):
    started = time.monotonic()
    argv = ['make', '-j%d' % (os.cpu_count() or 1), '-C', 'driver/lane', 'cbmc']
    done = subprocess.run(space.in_source(root.path, argv),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace', check=False)
    bad = done.stdout.splitlines()[-40:] if done.returncode else []
    if not bad and 'proved: ' not in done.stdout:
        bad = ['nothing was proved']
    results.check('check', 'lane code: CBMC', bad, seconds=time.monotonic() - started)


# What a program was linked with stays as it was: the library against libpnic/libpnic.abi, which is made anew by
# `make -C libpnic abi` when something is added on purpose.
ABI_SCRIPT = '''
set -e
make -s -C libpnic O=/tmp/pnic-abi BUILD=/tmp/pnic-abi /tmp/pnic-abi/libpnic.so.1
exec abidiff --no-added-syms libpnic/libpnic.abi /tmp/pnic-abi/libpnic.so.1
'''


def _abi(results, root):
    started = time.monotonic()
    done = subprocess.run(space.in_source(root.path, ['sh', '-c', ABI_SCRIPT]),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace', check=False)
    bad = done.stdout.splitlines()[-40:]
    if done.returncode and not bad:
        bad = ['abidiff ended with status %d' % done.returncode]
    results.check('check', 'libpnic: abidiff', bad if done.returncode else [],
                  seconds=time.monotonic() - started)


# Tools that find what compilers do not, by tools/vm/static.sh: name there, name here, what they look at.
SPELLED = re.compile(r'^(LICENSES|COPYING)|\.(svg|png)$|/corpus/|pnic_nl_gen|libpnic\.abi$')
QUICK = [('spelling', 'codespell')]
THOROUGH = [('cppcheck', 'cppcheck'), ('semantic', "coccinelle, the kernel's semantic patches"),
            ('analyzer', "clang's analyzer, user space"), ('memcheck', 'libpnic: valgrind')]
# What a tool says in error: which words of which files, and why that is no fault.
KNOWN = os.path.join(paths.VM, 'static-known.txt')


def _files():
    done = subprocess.run(['git', 'ls-files'], cwd=paths.TOP, stdout=subprocess.PIPE, text=True, check=True)
    return [name for name in done.stdout.splitlines() if not SPELLED.search(name)]


def static_tool(root, source, tool, name, results):
    started = time.monotonic()
    argv = ['sh', 'tools/vm/static.sh', tool] + (_files() if tool == 'spelling' else [])
    binds = [(source.path, paths.ROOT_LINUX)] if source else []
    done = subprocess.run(space.in_source(root.path, argv, binds=binds), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace', check=False)
    expected = known.load(KNOWN)
    bad = [line for line in done.stdout.splitlines() if not known.reason(expected, line.partition(':')[0], line)]
    if done.returncode and not bad and not done.stdout.strip():
        bad = ['static.sh %s ended with status %d' % (tool, done.returncode)]
    results.check('check', name, bad, seconds=time.monotonic() - started)


def _analyzer(results, root):
    """clang's analyzer over the module, with kbuild's flags."""
    started = time.monotonic()
    try:
        lines = build.make('check-analyzer', root=root)
    except build.BuildFailure as failure:
        results.fail('check', "clang's analyzer, the module", '', failure.lines, time.monotonic() - started)
        return
    expected = known.load(KNOWN)
    bad = []
    for line in lines:
        where = re.sub(r'^.*/check-analyzer/', '', line)
        if 'warning:' in line and '/driver/' in line and not known.reason(expected, where.partition(':')[0], where):
            bad.append(where)
    if sum(1 for line in lines if line.split()[:1] == ['CHECK']) < 50:
        bad.append('it looked at too few files')
    results.check('check', "clang's analyzer, the module", bad, 'see build/check-analyzer.log', time.monotonic() - started)


def litmus(root, source, results):
    """The barriers of the rings under the kernel's memory model; before that the checker, by the kernel's own tests."""
    model = paths.ROOT_LINUX + '/tools/memory-model'
    for name, files in (("the kernel's own tests", model + '/litmus-tests/*.litmus'), ('rings', 'selftests/litmus/*.litmus')):
        argv = ['sh', '-c', 'exec python3 selftests/litmus/lkmm.py %s %s' % (model, files)]
        started = time.monotonic()
        done = subprocess.run(space.in_source(root.path, argv, binds=[(source.path, paths.ROOT_LINUX)]),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors='replace', check=False)
        parser = ktap.Parser()
        for line in done.stdout.splitlines():
            parser.feed(line, time.monotonic() - started)
        cases = parser.finish(done.returncode)
        if name == 'rings':
            for case in cases:
                results.add('litmus', case)
        else:
            passed = sum(1 for case in cases if case.result == ktap.PASS)
            bad = [case.name for case in cases if case.result == ktap.FAIL]
            if passed < 20:
                bad.append('only %d of them were run' % passed)
            results.check('litmus', name, bad, seconds=time.monotonic() - started)


def run(root, results, progress, thorough=False):
    """`thorough`: also what takes minutes, or needs the kernel's source."""
    progress.step('static check: W=1')
    _compile(results, 'W=1 -Werror', 'check-w1', root)
    newest = kernels.get(root, 'backports', progress)
    progress.step('static check: W=1, ' + newest.version)
    _compile(results, "W=1 -Werror, the backports' kernel", 'check-w1', root, newest)
    progress.step('static check: clang')
    _compile(results, 'clang, W=1 -Werror', 'check-clang', root)
    progress.step('static check: sparse')
    _compile(results, 'sparse', 'check-sparse', root)
    progress.step('static check: generated files')
    _netlink(results, root)
    progress.step('static check: proofs of the lane code')
    _proofs(results, root)
    progress.step('static check: checkpatch')
    _checkpatch(results, root)
    progress.step('static check: ABI of the library')
    _abi(results, root)
    for tool, name in QUICK:
        progress.step('static check: ' + name)
        static_tool(root, None, tool, name, results)
    if not thorough:
        return
    source = kernelbuild.ensure_source(root, progress)
    progress.step('static check: litmus tests')
    litmus(root, source, results)
    for tool, name in THOROUGH:
        progress.step('static check: ' + name)
        static_tool(root, source, tool, name, results)
    progress.step("static check: clang's analyzer, the module")
    _analyzer(results, root)
