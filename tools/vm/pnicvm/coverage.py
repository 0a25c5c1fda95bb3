# SPDX-License-Identifier: GPL-2.0
"""`make coverage`: which lines the tests reach.

All is built once more below build/coverage, with gcov's counters: what the host runs, what the guest runs, and the
module, for a kernel that has them (kernels.py's gcov). The host's tests and the whole suite of the guest run there, and
the counts of everything that was compiled from a source file are added up, whatever program or kernel it was part of:
the driver's own files are in the module, and some of them in the embedded card.

build/results/coverage.json has the figures, build/results/uncovered.txt each line that nobody reached, with the reason
where tools/vm/unreached.txt has one."""

import collections
import glob
import json
import os
import re
import shutil
import subprocess

from . import accel, build, guesttests, hosttests, kernels, known, paths, results, space
from .errors import Failure

DIRECTORY = os.path.join(paths.TOP, 'build', 'coverage')
# At this level of optimisation gcc's guesses at what is uninitialised are poor.
CFLAGS = '-O1 -g --coverage -fprofile-update=atomic -fprofile-abs-path -Wno-error=maybe-uninitialized'
# A test that counts instructions, system calls or time, or looks at what is installed, says nothing about code that counts.
LEFT_OUT = ('libpnic_instr', 'libpnic_abi', 'libpnic_install', 'libpnic_syscalls', 'bench_lanes_sim', 'doc_', 'vm-')
# How much longer a host test may take that counts, perhaps under a sanitizer.
SLOW = 3
# Without the plugins of the runtimes.
ROOMS_BUILT = {
    'HOST_ROOMS': 'libpnic tools/model tools/job tools/pnic tools/perf',
    'HOST_TESTS': 'driver/lane driver/tests libpnic tools/model tools/job tools/pnic tools/perf tools/vm selftests/host',
    'GUEST_ROOMS': 'libpnic tools/job tools/pnic tools/perf',
    'GUEST_TESTS': 'selftests',
    'NATIVE_TESTS': '',
}

# Room -> where its sources are, and the percent of their lines that must be reached.
ROOMS = {
    'driver': (('driver/*.[ch]',), 90),
    'driver/lane': (('driver/lane/*.[ch]',), 95),
    'libpnic': (('libpnic/src/*.[ch]', 'libpnic/src/rails/*.[ch]', 'libpnic/include/*.h'), 95),
    'model': (('tools/model/core/*.[ch]', 'tools/model/*.[ch]', 'tools/model/embedded/*.[ch]'), 0),
    'tool': (('tools/pnic/src/*.[ch]',), 0),
    'perf': (('tools/perf/*.[ch]',), 0),
    'job': (('tools/job/*.[ch]',), 0),
}

# A line of unreached.txt: which lines of which files, and why.
REASONS = os.path.join(paths.VM, 'unreached.txt')

# Says what gcov makes of every file with counters below $1/$2. What a kernel wrote lies below gcov/ and the name of the
# boot, by its full name; the compiler's notes are where it left them.
GCOV = r'''
cd "$1" && find "$2" -name '*.gcda' | while read -r data; do
	case $data in
	gcov/*)	notes=/${data#gcov/*/}
		ln -sf "${notes%.gcda}.gcno" "${data%.gcda}.gcno";;
	esac
	(cd "${data%/*}" && gcov --json-format --stdout "${data##*/}")
	echo
done
'''


def _parse(text):
    """What gcov said: pairs of file and its lines' counts."""
    for line in text.splitlines():
        if not line.startswith(b'{'):
            continue
        found = json.loads(line)
        for entry in found['files']:
            name = os.path.normpath(os.path.join(found.get('current_working_directory', ''), entry['file']))
            yield name, [(at['line_number'], at['count']) for at in entry['lines']]


def _gcov(argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return _parse(done.stdout)


def source(name, top):
    """A source file's name relative to the top of the repository, which it is below, perhaps in the directory of links
    that kbuild is given; or None."""
    if not name.startswith(top + '/'):
        return None
    words = os.path.relpath(name, top).split('/')
    for at, word in enumerate(words):
        if word.startswith('kmod-'):
            return '/'.join(words[at + 1:])
    return '/'.join(words)


def counts(pairs, top):
    """{file relative to the top: {line: times}}."""
    total = collections.defaultdict(dict)
    for name, lines in pairs:
        name = source(name, top)
        if not name:
            continue
        of = total[name]
        for number, times in lines:
            of[number] = of.get(number, 0) + times
    return total


def add(total, more):
    for name, lines in more.items():
        of = total[name]
        for number, times in lines.items():
            of[number] = of.get(number, 0) + times
    return total


# How a line ends whose statement has more.
GOES_ON = (',', '(', '|', '&', '?', '+', '-', ' :', '=')

_FUNCTION = re.compile(r'^\w[^;]*?(\w+)\((?!.*;$)')


def function(text, number):
    """The function that a line is in, as `name()`; empty outside of any. A function's own lines begin with white space."""
    if number > len(text):
        return ''
    for line in reversed(text[:number]):
        match = _FUNCTION.match(line)
        if match:
            return match.group(1) + '()'
        if line.startswith('}') and line is not text[number - 1]:
            break
    return ''


def reasons(expected, name, text, numbers):
    """{number: why it is not reached, or empty}: for a line by its words or its function; what a statement goes on with is as its
    beginning."""
    found = {}
    for number in numbers:
        # A file that has changed since is shorter, perhaps.
        line = text[number - 1].strip() if number <= len(text) else ''
        why = known.reason(expected, name, line) or known.reason(expected, name, function(text, number))
        if not why and number - 1 in found and number <= len(text) and text[number - 2].rstrip().endswith(GOES_ON):
            why = found[number - 1]
        found[number] = why
    return found


def summary(total, rooms, expected=()):
    """{room: (lines, reached, those with a reason)} and the lines that nobody reached, as text."""
    figures, missed = {}, []
    for room, (patterns, _) in rooms.items():
        files = sorted({os.path.relpath(path, paths.TOP) for pattern in patterns
                        for path in glob.glob(os.path.join(paths.TOP, pattern))})
        lines = reached = excused = 0
        for name in files:
            of = total.get(name, {})
            lines += len(of)
            reached += sum(1 for times in of.values() if times)
            left = [number for number, times in sorted(of.items()) if not times]
            if not left:
                continue
            with open(os.path.join(paths.TOP, name), encoding='utf-8') as handle:
                text = handle.read().split('\n')
            for number, reason in reasons(expected, name, text, left).items():
                line = text[number - 1].strip() if number <= len(text) else ''
                excused += bool(reason)
                missed.append('%s:%d: %s%s' % (name, number, line, reason and '    -- ' + reason))
        figures[room] = (lines, reached, excused)
    return figures, missed


def _clear():
    for where, _, names in os.walk(DIRECTORY):
        for name in names:
            if name.endswith('.gcda'):
                os.unlink(os.path.join(where, name))
    shutil.rmtree(os.path.join(DIRECTORY, 'gcov'), ignore_errors=True)


def _build(root, kernel, progress):
    variables = ['CFLAGS=' + CFLAGS] + ['%s=%s' % pair for pair in ROOMS_BUILT.items()]
    progress.step('building for this machine, with counters')
    build.make('build-host', variables)
    progress.step('building for the guest, with counters')
    build.make('build-guest', variables, root=root, which=kernel)


def _total(root):
    """The host's compiler counts for its own objects, the root's for those of the guest and of the module."""
    total = counts(_gcov(['sh', '-c', GCOV, 'sh', DIRECTORY, 'host']), paths.TOP)
    for part in ('guest', 'gcov'):
        argv = ['sh', '-c', GCOV, 'sh', paths.in_source(DIRECTORY), part]
        add(total, counts(_gcov(space.in_source(root.path, argv)), paths.ROOT_SRC))
    return total


def run(root, progress, only=None, more=False):
    """The exit status: tests that fail under gcov fail this, and so do rooms that lack lines.  `only` restricts to test
    programs whose name contains one of it; `more` keeps what former runs counted."""
    if not shutil.which('gcov'):
        raise Failure('gcov is missing: it comes with gcc')
    found = results.Results(progress)
    chosen = accel.choose(root, progress)
    kernel = kernels.get(root, 'gcov', progress)
    with build.tree_lock(progress):
        _build(root, kernel, progress)
        if not more:
            _clear()
        hosttests.run(found, progress, only, left_out=LEFT_OUT, slow=SLOW)
        guesttests.run(root, chosen, kernel, found, progress, only)
        progress.step('adding up')
        figures, missed = summary(_total(root), ROOMS, known.load(REASONS))
    progress.done()
    values = {}
    for room, (lines, reached, excused) in figures.items():
        percent = round(100.0 * reached / lines, 1) if lines else 0.0
        values.update({room + '_lines': lines, room + '_reached': reached, room + '_percent': percent})
        bar = ROOMS[room][1]
        print('%-12s %6d lines, %6d reached: %5.1f %%; %d of the others with a reason' % (room, lines, reached, percent, excused))
        if bar and not only:
            found.check('coverage', room, [] if percent >= bar else ['%.1f %%, less than %d' % (percent, bar)])
    path = results.write('coverage.json', json.dumps(values, indent=2) + '\n')
    print('figures: %s; lines that nobody reached: %s'
          % (path, results.write('uncovered.txt', '\n'.join(missed) + '\n')))
    return found.finish('coverage-tests.json')
