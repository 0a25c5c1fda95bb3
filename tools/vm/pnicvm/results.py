# SPDX-License-Identifier: GPL-2.0
"""The results of `make test`: each printed as it comes, a count at the end, and test.json; or kept in a file for another
run to print (Kept)."""

import json
import os
import sys
import time

from . import ktap, paths

_WORD = {ktap.PASS: 'ok  ', ktap.FAIL: 'FAIL', ktap.SKIP: 'skip'}
SHOW_LINES = 40


def write(name, text):
    """A file of build/results/; its path as people type it."""
    os.makedirs(paths.RESULTS, exist_ok=True)
    path = os.path.join(paths.RESULTS, name)
    with open(path, 'w', encoding='utf-8') as out:
        out.write(text)
    return os.path.relpath(path)


class _Added:
    """The ways to add to results."""

    def add(self, group, case):
        """One test of `group` (a program, or a kind of check)."""
        raise NotImplementedError

    def ok(self, group, name, seconds=0.0):
        self.add(group, ktap.Case(name, ktap.PASS, seconds=seconds))

    def fail(self, group, name, message='', lines=(), seconds=0.0):
        self.add(group, ktap.Case(name, ktap.FAIL, message, (), lines, seconds))

    def skip(self, group, name, message):
        self.add(group, ktap.Case(name, ktap.SKIP, message))

    def check(self, group, name, bad_lines, message='', seconds=0.0):
        """A test that passes when there is nothing to say against it."""
        if bad_lines:
            self.fail(group, name, message, bad_lines, seconds)
        else:
            self.ok(group, name, seconds)


class Kept(_Added):
    """Each result is a line of a file, for taken() to read."""

    def __init__(self, out):
        self._out = out

    def add(self, group, case):
        self._out.write(json.dumps([group, _packed(case)]) + '\n')
        self._out.flush()


def _packed(case):
    return [case.name, case.result, case.message, [_packed(child) for child in case.children], case.lines, case.seconds]


def _unpacked(words):
    name, result, message, children, lines, seconds = words
    return ktap.Case(name, result, message, [_unpacked(child) for child in children], lines, seconds)


def taken(text):
    """[(group, case)] of what a Kept wrote."""
    return [(group, _unpacked(words)) for group, words in map(json.loads, text.splitlines())]


class Results(_Added):
    def __init__(self, progress=None, stream=None):
        self.progress = progress
        self.stream = stream or sys.stdout
        self.count = {ktap.PASS: 0, ktap.FAIL: 0, ktap.SKIP: 0}
        self.failed = []
        self.cases = []         # (group, result) of each test
        self.started = time.monotonic()

    def _say(self, text):
        if self.progress:
            self.progress.clear()
        self.stream.write(text + '\n')
        self.stream.flush()

    def add(self, group, case):
        name = '%s: %s' % (group, case.name) if case.name else group
        self.count[case.result] += 1
        self.cases.append((group, case.result))
        text = '%s %8.2fs  %s' % (_WORD[case.result], case.seconds, name)
        if case.message:
            text += '  # ' + case.message
        self._say(text)
        if case.result == ktap.FAIL:
            self.failed.append(name)
            for path, message in case.failures():
                self._say('        subtest %s%s' % (path, message and '  # ' + message))
            for line in case.lines[-SHOW_LINES:]:
                self._say('        | ' + line)

    def summary_line(self):
        text = '%d passed, %d failed' % (self.count[ktap.PASS], self.count[ktap.FAIL])
        if self.count[ktap.SKIP]:
            text += ', %d skipped' % self.count[ktap.SKIP]
        return text

    def finish(self, name='test.json', more=None):
        """The last words, the file of figures if it has a name (with `more` of them), and the exit status."""
        figures = {'passed': self.count[ktap.PASS], 'failed': self.count[ktap.FAIL],
                   'skipped': self.count[ktap.SKIP],
                   'seconds': round(time.monotonic() - self.started, 1)}
        figures.update(more or {})
        if name:
            write(name, json.dumps(figures, indent=1) + '\n')
        if self.failed:
            self._say('\nfailed:')
            for name in self.failed:
                self._say('  ' + name)
        self._say('\n' + self.summary_line())
        return 1 if self.failed or not self.count[ktap.PASS] else 0
