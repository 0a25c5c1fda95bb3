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


def bad_lines(text):
    """The offending lines of a log, once each however often console and dmesg repeat them."""
    found = {}
    for line in text.splitlines():
        line = line.rstrip('\r')
        if _BAD.search(line) and not _HARMLESS.search(line):
            found.setdefault(_STAMP.sub('', line), line)
    return list(found.values())


def around(text, lines=30):
    """The last lines of a log, for a guest that died."""
    return text.rstrip().splitlines()[-lines:]
