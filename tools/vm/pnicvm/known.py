# SPDX-License-Identifier: GPL-2.0
"""Lists of what is known and has a reason: lines that no test reaches, complaints of tools that are no faults.

A line is `FILE: WORDS -- REASON`: a pattern of file names, words of the line that is meant, why."""

import fnmatch

from .errors import Failure


def parse(text, where):
    """[(pattern of file names, words, reason)]."""
    found = []
    for line in text.splitlines():
        if line and not line.startswith('#'):
            what, _, why = line.rpartition(' -- ')
            name, _, words = what.partition(': ')
            if not words or not why:
                raise Failure('%s: FILE: WORDS -- REASON, and not: %s' % (where, line))
            found.append((name, words, why))
    return found


def load(path):
    with open(path, encoding='utf-8') as handle:
        return parse(handle.read(), path)


def reason(known, name, line):
    """Why a line of a file, or about it, is as it is; empty if nobody said so."""
    for pattern, words, why in known:
        if fnmatch.fnmatch(name, pattern) and words in line:
            return why
    return ''
