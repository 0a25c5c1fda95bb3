# SPDX-License-Identifier: GPL-2.0
"""`make coverage`: which lines the host's tests reach. All rooms are built once more below build/coverage, with gcov's
counters; the host's tests run there, sanitizers and all; and the counts of everything that was compiled from a source
file are added up, whatever program it was part of: the driver's own files are in the embedded card.

build/results/coverage.json has the figures, build/results/uncovered.txt each line that nobody reached."""

import collections
import glob
import json
import os
import shutil
import subprocess

from . import build, hosttests, paths, results
from .errors import Failure

DIRECTORY = os.path.join(paths.BUILD, 'coverage')
CFLAGS = '-O1 -g --coverage -fprofile-update=atomic -fprofile-abs-path'
# A test that counts instructions, system calls or time, or looks at what is installed, says nothing about code that counts.
LEFT_OUT = ('libpnic_instr', 'libpnic_abi', 'libpnic_install', 'libpnic_syscalls', 'bench_lanes_sim', 'doc_', 'vm-')

# Room -> where its sources are.
ROOMS = {
    'driver': ('driver/*.c',),
    'driver/lane': ('driver/lane/*.c',),
    'libpnic': ('libpnic/src/*.c', 'libpnic/include/*.h'),
    'model': ('tools/model/core/*.c', 'tools/model/*.c', 'tools/model/embedded/*.c'),
    'tool': ('tools/pnic/src/*.c',),
    'perf': ('tools/perf/*.c',),
    'job': ('tools/job/*.c',),
}


def _gcov(objects):
    """What gcov says of the objects with counters, one at a time: pairs of file and its lines' counts."""
    for data in objects:
        done = subprocess.run(['gcov', '--json-format', '--stdout', os.path.basename(data)],
                              cwd=os.path.dirname(data), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        for line in done.stdout.splitlines():
            if not line.startswith(b'{'):
                continue
            found = json.loads(line)
            for entry in found['files']:
                name = os.path.normpath(os.path.join(found.get('current_working_directory', ''),
                                                     entry['file']))
                yield name, [(at['line_number'], at['count']) for at in entry['lines']]


def counts(objects):
    """{file relative to the top: {line: times}}."""
    total = collections.defaultdict(dict)
    for name, lines in _gcov(objects):
        if not name.startswith(paths.TOP + '/'):
            continue
        of = total[os.path.relpath(name, paths.TOP)]
        for number, times in lines:
            of[number] = of.get(number, 0) + times
    return total


def summary(total, rooms):
    """{room: (lines, reached)} and the lines that nobody reached, as text."""
    figures, missed = {}, []
    for room, patterns in rooms.items():
        files = sorted({os.path.relpath(path, paths.TOP) for pattern in patterns
                        for path in glob.glob(os.path.join(paths.TOP, pattern))})
        lines = reached = 0
        for name in files:
            of = total.get(name, {})
            lines += len(of)
            reached += sum(1 for times in of.values() if times)
            missed += ['%s:%d' % (name, number) for number, times in sorted(of.items()) if not times]
        figures[room] = (lines, reached)
    return figures, missed


def _objects():
    return sorted(os.path.join(where, name) for where, _, names in os.walk(DIRECTORY)
                  for name in names if name.endswith('.gcda'))


def run(progress):
    """The exit status: tests that fail under gcov fail this."""
    if not shutil.which('gcov'):
        raise Failure('gcov is missing: it comes with gcc')
    tests = os.path.join(DIRECTORY, 'host', 'tests')
    found = results.Results(progress)
    with build.tree_lock(progress):
        progress.step('building for this machine, with counters')
        build.make('build-host', ['B=' + DIRECTORY, 'CFLAGS=' + CFLAGS], log_name='build-coverage')
        for data in _objects():
            os.unlink(data)
        hosttests.run(found, progress, directory=tests, left_out=LEFT_OUT)
        progress.step('adding up')
        figures, missed = summary(counts(_objects()), ROOMS)
    progress.done()
    values = {}
    for room, (lines, reached) in figures.items():
        percent = round(100.0 * reached / lines, 1) if lines else 0.0
        values.update({room + '_lines': lines, room + '_reached': reached, room + '_percent': percent})
        print('%-12s %6d lines, %6d reached: %5.1f %%' % (room, lines, reached, percent))
    path = results.write('coverage.json', json.dumps(values, indent=2) + '\n')
    print('figures: %s; lines that nobody reached: %s'
          % (path, results.write('uncovered.txt', '\n'.join(missed) + '\n')))
    return found.finish('coverage-tests.json')
