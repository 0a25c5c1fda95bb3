# SPDX-License-Identifier: GPL-2.0
"""Reads KTAP version 1, as test programs print it, and believes nothing.

A program passes only if it said what it would do, did it, and ended well: a missing or wrong
plan, a crash, a time-out, `Bail out!`, an `ok` above a failed subtest are failures.  Other
output between the lines is kept as the diagnostics of the test that follows.

    parser = Parser()
    parser.feed(line, now)...
    cases = parser.finish(exit_status)
"""

import re

PASS, FAIL, SKIP = 'pass', 'fail', 'skip'

_VERSION = re.compile(r'^\s*K?TAP version \d+\s*$')
_PLAN = re.compile(r'^(\s*)1\.\.(\d+)\s*(?:#\s*SKIP\b\s*(.*))?$', re.I)
_RESULT = re.compile(r'^(\s*)(not ok|ok)\b(?:\s+(\d+))?(?:\s+-)?\s*(.*)$')
_DIRECTIVE = re.compile(r'(?:^|\s)#\s*(SKIP|TODO|XFAIL|TIMEOUT|ERROR)\b\s*(.*)$', re.I)
_BAIL = re.compile(r'^\s*Bail out!\s*(.*)$', re.I)
FIGURE = re.compile(r'^\s*# figure (\w+) (\S+) (.*)')

KEEP_LINES = 60     # of diagnostics a test; a runaway program must not fill the screen


def figure(line):
    """{key: number} of a line `# figure KEY NUMBER MEANING`, else {}."""
    match = FIGURE.match(line)
    if not match:
        return {}
    number = float(match.group(2))
    return {match.group(1): int(number) if number == int(number) else number}


class Case:
    """One test with its subtests."""

    def __init__(self, name, result, message='', children=(), lines=(), seconds=0.0):
        self.name = name
        self.result = result
        self.message = message
        self.children = list(children)
        self.lines = list(lines)
        self.seconds = seconds

    def failures(self):
        """(path, message) of every subtest that failed."""
        for child in self.children:
            if child.result == FAIL:
                yield child.name, child.message
                for name, message in child.failures():
                    yield child.name + '/' + name, message


class _Level:
    """The results at one indentation that no outer result has claimed yet."""

    def __init__(self):
        self.cases = []
        self.plan = None
        self.plan_skip = None
        self.faults = []

    def check(self):
        """What is wrong with the level as a whole, or ''."""
        if self.plan is None:
            return '; '.join(self.faults + ['no plan'])
        if self.plan != len(self.cases):
            return '; '.join(self.faults + ['%d tests planned, %d run'
                                            % (self.plan, len(self.cases))])
        return '; '.join(self.faults)


class Parser:
    def __init__(self, started=0.0):
        self._levels = {}       # indentation -> _Level
        self._lines = []
        self._since = started
        self._now = started
        self._bail = None

    def feed(self, line, now=0.0):
        """One line of output; `now` is when it came, for the tests' times."""
        line = line.rstrip('\r\n')
        self._now = now
        if _VERSION.match(line):
            return
        plan = _PLAN.match(line)
        if plan:
            self._plan(self._level(len(plan.group(1))), int(plan.group(2)), plan.group(3))
            return
        bail = _BAIL.match(line)
        if bail:
            self._bail = bail.group(1) or 'bailed out'
            return
        result = _RESULT.match(line)
        if result:
            self._result(*result.groups())
            return
        if line.strip():
            self._lines.append(line)
            del self._lines[:-KEEP_LINES]

    def _level(self, indent):
        return self._levels.setdefault(indent, _Level())

    @staticmethod
    def _plan(level, count, skip):
        if level.plan is not None:
            level.faults.append('two plans')
        level.plan = count
        level.plan_skip = skip

    def _result(self, indent, verdict, number, rest):
        depth = len(indent)
        level = self._level(depth)
        children, fault = self._claim(depth)
        name, result, message = self._judge(verdict, rest)
        if number is not None and int(number) != len(level.cases) + 1:
            level.faults.append('test %d has number %s' % (len(level.cases) + 1, number))
        if fault and result != FAIL:
            result, message = FAIL, fault
        elif result != FAIL and any(child.result == FAIL for child in children):
            result, message = FAIL, 'says ok, but a subtest failed'
        case = Case(name or 'test %d' % (len(level.cases) + 1), result, message, children)
        if depth == 0:
            case.lines, self._lines = self._lines, []
            case.seconds, self._since = self._now - self._since, self._now
        level.cases.append(case)

    @staticmethod
    def _judge(verdict, rest):
        """(name, result, message) of a result line."""
        result = PASS if verdict == 'ok' else FAIL
        message = ''
        directive = _DIRECTIVE.search(rest)
        if directive:
            kind, message = directive.group(1).upper(), directive.group(2).strip()
            rest = rest[:directive.start()]
            if kind == 'SKIP' and result == PASS:
                result = SKIP
            elif kind in ('TODO', 'XFAIL'):
                result = SKIP if result == FAIL else PASS
                message = '%s %s' % (kind, message)
            elif kind in ('TIMEOUT', 'ERROR'):
                result, message = FAIL, '%s %s' % (kind.lower(), message)
        return rest.strip(), result, message.strip()

    def _claim(self, depth):
        """The subtests of the result that has just come, and what is wrong with them."""
        inner = sorted(d for d in self._levels if d > depth)
        if not inner:
            return [], ''
        # Deeper levels that nobody claimed belong to a subtest that never ended.
        lost = [d for d in inner[1:] if self._levels[d].cases]
        level = self._levels[inner[0]]
        fault = level.check() or ('a subtest gave no result' if lost else '')
        for d in inner:
            del self._levels[d]
        return level.cases, 'subtests: ' + fault if fault else ''

    def so_far(self):
        """The cases that have ended, of a program that has not."""
        return self._levels[0].cases if 0 in self._levels else []

    def finish(self, status, timed_out=None):
        """All cases, with one more failed one named '' for what is wrong with the program.

        `status` is its exit status, negative for a signal; `timed_out` a limit in seconds."""
        top = self._levels.pop(0, None) or _Level()
        cases = top.cases
        fault = self._fault(top, status, timed_out)
        if fault:
            inside = [c for d in sorted(self._levels) for c in self._levels[d].cases]
            cases = cases + [Case('', FAIL, fault, inside, self._lines,
                                  self._now - self._since)]
        elif top.plan == 0:
            cases = [Case('', SKIP, top.plan_skip or 'nothing to test')]
        return cases

    def _fault(self, top, status, timed_out):
        if timed_out is not None:
            return 'time limit of %g s' % timed_out
        if self._bail is not None:
            return 'bailed out: ' + self._bail
        if status < 0:
            return 'killed by signal %d' % -status
        if status > 128:    # as a shell says it
            return 'killed by signal %d' % (status - 128)
        wrong = top.check()
        if wrong:
            return wrong
        if self._levels:
            return 'subtests without a result'
        if top.plan == 0 and top.plan_skip is None:
            return 'no test was run'
        failed = any(case.result == FAIL for case in top.cases)
        skipped = all(case.result == SKIP for case in top.cases)
        if status == 4 and skipped or (status == 1 and failed):
            return ''
        if status and not failed:
            return 'exit status %d though no test failed' % status
        return ''


def parse(text, status=0, timed_out=None):
    """All cases of a complete output."""
    parser = Parser()
    for line in text.splitlines():
        parser.feed(line)
    return parser.finish(status, timed_out)
