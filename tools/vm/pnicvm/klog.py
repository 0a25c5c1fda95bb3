# SPDX-License-Identifier: GPL-2.0
"""Finds what no run may leave in the kernel's log: warnings, oopses, lock reports, races, and
what else a kernel says when it is not well; and what a leak report says of the module."""

import re

_BAD = re.compile('|'.join([
    # the kernel's own word for nearly everything: WARN_ON(), lockdep, KASAN, KCSAN, bad pages,
    # sleeping in atomic context, soft lockups, stuck workqueues
    r'\bWARNING:', r'\bBUG:', r'\bBUG [\w-]+ \(', r'\bOops\b', r'\bkernel BUG at\b',
    r'Kernel panic', r'\bCall Trace:', r'general protection fault', r'unable to handle',
    # locks
    r'possible (?:circular|recursive) locking', r'inconsistent lock state', r'bad unlock balance',
    r'suspicious RCU usage', r'trying to register non-static key', r'MAX_LOCK\w+ too low',
    r'INFO: lockdep is turned off',
    # lifetimes
    r'refcount_t:', r'ODEBUG:', r'list_(?:del|add) corruption', r'leaked reference',
    r'unregister_netdevice: waiting', r'tried to init an initialized object',
    r'double free', r'use-after-free', r'nonexistent IRQ', r'already-free IRQ',
    # memory
    r'Bad page (?:state|map)', r'page dumped because', r'UBSAN:',
    r'Trying to vfree', r'usercopy: Kernel memory', r'out-of-bounds',
    # DMA and interrupts
    r'DMA-API:', r'DMAR: \[?(?:DMA|INTR)', r'nobody cared',
    # time
    r'blocked for more than', r'(?:self-)?detected stall', r'detected expedited stalls',
    r'sysfs: cannot create duplicate', r'kobject_add_internal failed',
    # a check that gave up finds nothing any more
    r'kmemleak: .*(?:disabled|Cannot allocate)', r'debugging (?:out of memory|disabled)',
]))

_HARMLESS = re.compile('|'.join([
    # Seen at every boot of the emulated machine, with no module of ours loaded.
    r'WARNING: CPU: .* at arch/x86/kernel/cpu/mtrr',
    # What is switched on says so.
    r'debug is enabled', r'DMA-API: (?:preallocated|debugging enabled)',
]))

_STAMP = re.compile(r'^(?:<\d+>)?\[\s*\d+\.\d+\](?:\[\s*[TC]\d+\])?\s*')

# What the guest's runner writes into the log when a test begins.
_MARK = re.compile(r'pnic-test: begin (\S+)')

_RACE = 'BUG: KCSAN:'
_RACE_END = re.compile(r'^={10,}$|Reported by Kernel Concurrency Sanitizer')
# Stacks of what was made to fail are no complaint, in the test that does so.
_INJECTING = 'fail_nth'
_INJECTED = re.compile('|'.join([
    r'FAULT_INJECTION: forcing a failure', r'page allocation failure', r'vmalloc error',
    # an interrupt's directory in /proc that could not be made, and is removed all the same
    r'WARNING: .* at remove_proc_entry',
]))
# ... what could not be made in sysfs, without a stack; and checkers that were short of memory themselves: that program
# has a guest of its own.
_REFUSED = re.compile('|'.join([
    r'kobject_add_internal failed for \S+ \(error: -12 ',
    r'DMA-API: cacheline tracking ENOMEM', r'kmemleak: Cannot allocate a scan area',
]))

# A kernel's own locks that lockdep complains of: pciehp lets go of its reset_lock for as long as drivers are bound or unbound, and takes
# it again below pci_rescan_remove_lock, which it takes below reset_lock otherwise. That is so in any unplugging and plugging by
# that driver, whatever the card is. Only a whole report, of a chain of just these two, without a frame of ours is left alone.
_CIRCLE = 'WARNING: possible circular locking dependency detected'
_CIRCLE_END = re.compile(r'^\s*</(?:TASK|IRQ|NMI)>$')
_CIRCLE_LONGEST = 500
_LINK = re.compile(r'^-> #\d+ \(([^)]+)\)')
_PCIEHP_LOCKS = {'&ctrl->reset_lock', 'pci_rescan_remove_lock'}
_PCIEHP_WANTS = re.compile(r'\(&ctrl->reset_lock\)\{.*\}.*, at: pciehp_\w+\+')
_OURS = re.compile(r'\[pnic\]|\bpnic_')


def _is_pciehps_circle(lines):
    """Whether a report of a circle of locks (without stamps, to its end) is that of pciehp's own two."""
    links = [match.group(1) for match in map(_LINK.match, lines) if match]
    return bool(_CIRCLE_END.match(lines[-1]) and len(links) == 2 and set(links) == _PCIEHP_LOCKS
                and any(_PCIEHP_WANTS.search(line) for line in lines)
                and not any(_OURS.search(line) for line in lines))


def is_bad(line):
    return bool(_BAD.search(line)) and not _HARMLESS.search(line)


class Scanner:
    """Takes a log line by line, and keeps the offending ones: once each however often console
    and dmesg repeat them, with the test that was running."""

    def __init__(self):
        self._found = {}
        self._seen = set()
        self._test = None
        self._race = None       # the lines of a race report that has not ended
        self._circle = None     # the same of a report of locks that are taken in a circle
        self._injected = False

    def feed(self, line):
        line = line.rstrip('\r\n')
        plain = _STAMP.sub('', line)
        if plain != line:
            # The second of console and dmesg, which may begin late and know of no test.
            if line in self._seen:
                return
            self._seen.add(line)
        mark = _MARK.search(line)
        if mark:
            self._test = mark.group(1)
        if self._race is not None:
            self._race.append(line)
            if _RACE_END.search(plain):
                self._end_race()
            return
        if _RACE in line:
            self._race = [line]
            return
        if self._circle is not None:
            self._circle.append(line)
            if _CIRCLE_END.match(plain) or len(self._circle) > _CIRCLE_LONGEST:
                self._end_circle()
            return
        if _CIRCLE in line:
            self._circle = [line]
            return
        if self._test == _INJECTING and _INJECTED.search(line):
            self._injected = True
        elif self._test == _INJECTING and _REFUSED.search(line):
            pass
        elif self._injected and 'Call Trace:' in line:
            self._injected = False
        elif is_bad(line):
            self._note(line)

    def _end_race(self):
        """Races that the module has no part in are somebody else's."""
        if any('[pnic]' in line for line in self._race):
            self._note(self._race[0])
        self._race = None

    def _end_circle(self):
        """What stands in a report that is let pass, but is no part of one, is a complaint still."""
        lines, self._circle = self._circle, None
        bad = [line for line in lines if is_bad(line)]
        if _is_pciehps_circle([_STAMP.sub('', line) for line in lines]):
            stack = next((line for line in bad if 'Call Trace:' in line), None)
            bad = [line for line in bad[1:] if line is not stack]
        for line in bad:
            self._note(line)

    def _note(self, line):
        self._found.setdefault(_STAMP.sub('', line),
                               '%s (during %s)' % (line, self._test) if self._test else line)

    def found(self):
        """The offending lines up to now."""
        return list(self._found.values())

    def end(self):
        """... and all of them when no more will come."""
        if self._race is not None:      # a log that was cut
            self._end_race()
        if self._circle is not None:
            self._end_circle()
        return self.found()


def bad_lines(text):
    """The offending lines of a whole log."""
    scanner = Scanner()
    for line in text.splitlines():
        scanner.feed(line)
    return scanner.end()


def last_words(text, lines=40):
    """The end of a dead guest's console: from the first complaint on, if there is one."""
    every = text.rstrip().splitlines()
    for number, line in enumerate(every):
        if is_bad(line):
            return every[max(0, number - 5):][:lines]
    return every[-lines:]


LONGEST = 0x2000        # no function of ours is longer
_LEAK = re.compile(r'^unreferenced object 0x')
# A place in a module that was unloaded: its name is gone. No other module ever is.
_NAMELESS = re.compile(r'^(\s+)(?:\[<[0-9a-f]+>\] )?0x([0-9a-f]+)$')


def _named(line, symbols):
    """The line of a stack with the name that its address had."""
    match = _NAMELESS.match(line)
    if not match:
        return line
    address = int(match.group(2), 16)
    below = [pair for pair in symbols if pair[0] <= address]
    if not below:
        return line
    start, name = max(below)
    if address - start >= LONGEST:
        return line     # what ran at loading only is gone before
    return '%s%s+%#x [pnic]' % (match.group(1), name, address - start)


def leaks(text, kallsyms=''):
    """The reports, each a list of lines, of memory that the module lost: out of what kmemleak
    shows, and the symbols of the module when it was loaded."""
    symbols = [(int(words[0], 16), words[2]) for words in map(str.split, kallsyms.splitlines())
               if len(words) > 2]
    reports = []
    for line in text.splitlines():
        if _LEAK.match(line):
            reports.append([])
        if reports:
            reports[-1].append(line)
    return [[_named(line, symbols) for line in lines] for lines in reports
            if any('[pnic]' in line or _NAMELESS.match(line) for line in lines)]
