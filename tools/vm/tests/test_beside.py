# SPDX-License-Identifier: GPL-2.0
"""Jobs side by side, results that another run prints, and the order of what there may be no time for."""

import io
import os
import stat
import tempfile
import threading
import time
import unittest

from pnicvm import beside, guesttests, hosttests, ktap, results


class Each(unittest.TestCase):
    def test_at_once(self):
        meet = threading.Barrier(2, timeout=30)
        ended = []
        beside.each([lambda _stop: meet.wait() is not None] * 2, ended.append, workers=2)
        self.assertEqual(ended, [True, True])

    def test_all_of_them(self):
        ended = []
        beside.each([lambda _stop, n=n: n for n in range(20)], ended.append, workers=3)
        self.assertEqual(sorted(ended), list(range(20)))

    def test_one_that_fails_stops_the_others(self):
        begun, told = [], []

        def fails(_stop):
            raise ValueError('x')

        def waits(stop):
            begun.append(1)
            told.append(stop.wait(5))

        with self.assertRaises(ValueError):
            beside.each([fails, waits] + [waits] * 20, lambda _: None, workers=2)
        self.assertLess(len(begun), 4)
        self.assertTrue(all(told))

    def test_nobody_who_takes_it(self):
        def leave(_):
            raise SystemExit(143)

        told = []
        with self.assertRaises(SystemExit):
            beside.each([lambda _stop: 1] + [lambda stop: told.append(stop.wait(5))] * 3, leave, workers=2)
        self.assertTrue(all(told))


class Programs(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def write(self, name, text):
        path = os.path.join(self.directory.name, name)
        with open(path, 'w', encoding='utf-8') as out:
            out.write('#!/bin/sh\n' + text)
        os.chmod(path, stat.S_IRWXU)
        return path

    def test_the_cases_of_each(self):
        for name in 'abc':
            self.write(name, 'echo "KTAP version 1"\necho 1..1\necho "ok 1 of_%s"\n' % name)
        found = results.Results(stream=io.StringIO())

        class Quiet:
            def step(self, _):
                pass
        hosttests.run(found, Quiet(), directory=self.directory.name, left_out=('c',))
        self.assertEqual(sorted(found.cases), [('host/a', ktap.PASS), ('host/b', ktap.PASS)])

    def test_a_program_is_ended_with_its_children(self):
        mark = os.path.join(self.directory.name, 'mark')
        path = self.write('a', '(sleep 2; echo >%s) &\nsleep 60\n' % mark)
        stop = threading.Event()
        threading.Timer(0.2, stop.set).start()
        began = time.monotonic()
        hosttests.run_program(path, 60, stop=stop)
        self.assertLess(time.monotonic() - began, 30)
        time.sleep(2.5)
        self.assertFalse(os.path.exists(mark))

    def test_the_long_ones_begin_first(self):
        names = ['a', 'selftest_rails_lost_tsan', 'tool_tool', 'z']
        self.assertEqual(hosttests.ordered(names), ['selftest_rails_lost_tsan', 'tool_tool', 'a', 'z'])


class Kept(unittest.TestCase):
    def test_come_as_they_went(self):
        out = io.StringIO()
        kept = results.Kept(out)
        kept.ok('check', 'a', 1.5)
        kept.skip('check', 'b', 'why')
        kept.check('check', 'c', ['bad'], 'see')
        child = ktap.Case('inner', ktap.FAIL, 'm')
        kept.add('check', ktap.Case('d', ktap.FAIL, 'n', [child], ['line'], 2.0))
        cases = results.taken(out.getvalue())
        self.assertEqual([(group, case.name, case.result, case.message, case.seconds) for group, case in cases],
                         [('check', 'a', ktap.PASS, '', 1.5), ('check', 'b', ktap.SKIP, 'why', 0.0),
                          ('check', 'c', ktap.FAIL, 'see', 0.0), ('check', 'd', ktap.FAIL, 'n', 2.0)])
        self.assertEqual(cases[2][1].lines, ['bad'])
        self.assertEqual(list(cases[3][1].failures()), [('inner', 'm')])


class Turns(unittest.TestCase):
    GROUPS = [('x', ['a', 'b']), ('y', ['c']), ('z', ['d', 'e'])]

    def order(self, turn):
        return [name for _, members in guesttests.turned(self.GROUPS, turn) for name in members]

    def test_each_is_first_once(self):
        self.assertEqual(self.order(0), list('abcde'))
        self.assertEqual(self.order(1), list('bacde'))
        self.assertEqual(self.order(2), list('cdeab'))
        self.assertEqual(self.order(4), list('edabc'))
        self.assertEqual(self.order(5), self.order(0))

    def test_nothing_to_run(self):
        self.assertEqual(guesttests.turned([], 7), [])


if __name__ == '__main__':
    unittest.main()
