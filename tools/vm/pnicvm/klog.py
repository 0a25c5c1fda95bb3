# SPDX-License-Identifier: GPL-2.0
"""Finds what no run may leave in the kernel's log: warnings, oopses, lock reports, leaks."""

import re

_BAD = re.compile('|'.join([
    r'\bWARNING:', r'\bBUG:', r'\bOops\b', r'\bkernel BUG at\b', r'Kernel panic',
    r'\bCall Trace:', r'refcount_t:', r'possible circular locking', r'possible recursive locking',
    r'inconsistent lock state', r'unregister_netdevice: waiting',
    r'list_(?:del|add) corruption', r'DMA-API:', r'general protection fault',
    r'unable to handle', r'Bad page (?:state|map)', r'page dumped because',
    r'blocked for more than', r'self-detected stall', r'detected stalls on',
    r'kmemleak: [1-9]', r'UBSAN:', r'memory leak',
]))

# Seen at every boot of the emulated machine, with no module of ours loaded.
_HARMLESS = re.compile('|'.join([
    r'WARNING: CPU: .* at arch/x86/kernel/cpu/mtrr',
]))

_STAMP = re.compile(r'^(?:<\d+>)?\[\s*\d+\.\d+\]\s*')


# What the guest's runner writes into the log when a test begins.
_MARK = re.compile(r'pnic-test: begin (\S+)')


def is_bad(line):
    return bool(_BAD.search(line)) and not _HARMLESS.search(line)


def bad_lines(text):
    """The offending lines of a log, once each however often console and dmesg repeat them,
    with the test that was running."""
    found = {}
    test = None
    for line in text.splitlines():
        line = line.rstrip('\r')
        mark = _MARK.search(line)
        if mark:
            test = mark.group(1)
        if is_bad(line):
            found.setdefault(_STAMP.sub('', line),
                             '%s (during %s)' % (line, test) if test else line)
    return list(found.values())


def last_words(text, lines=40):
    """The end of a dead guest's console: from the first complaint on, if there is one."""
    every = text.rstrip().splitlines()
    for number, line in enumerate(every):
        if is_bad(line):
            return every[max(0, number - 5):][:lines]
    return every[-lines:]
