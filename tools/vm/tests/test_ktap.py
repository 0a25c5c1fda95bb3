# SPDX-License-Identifier: GPL-2.0
"""The KTAP reader: above all, what must not pass."""

import unittest

from pnicvm import ktap


def results(text, status=0, timed_out=None):
    return [(c.name, c.result) for c in ktap.parse(text, status, timed_out)]


def fault(text, status=0, timed_out=None):
    """The message of the case that stands for the program itself."""
    case = ktap.parse(text, status, timed_out)[-1]
    assert case.name == '' and case.result == ktap.FAIL, (case.name, case.result)
    return case.message


class Good(unittest.TestCase):
    def test_plain(self):
        self.assertEqual(results('KTAP version 1\n1..2\nok 1 first\nok 2 - second\n'),
                         [('first', 'pass'), ('second', 'pass')])

    def test_tap_13_and_plan_at_the_end(self):
        self.assertEqual(results('TAP version 13\nok 1 a\nok 2\n1..2\n'),
                         [('a', 'pass'), ('test 2', 'pass')])

    def test_not_ok(self):
        self.assertEqual(results('1..1\nnot ok 1 a\n', 1), [('a', 'fail')])

    def test_failed_result_with_status_zero_is_still_a_failure(self):
        self.assertEqual(results('1..1\nnot ok 1 a\n', 0), [('a', 'fail')])

    def test_skip(self):
        case, = ktap.parse('1..1\nok 1 a # SKIP no card\n')
        self.assertEqual((case.name, case.result, case.message), ('a', 'skip', 'no card'))

    def test_whole_program_skipped(self):
        self.assertEqual(results('1..0 # SKIP no module\n', 4), [('', 'skip')])

    def test_status_four_with_only_skips(self):
        self.assertEqual(results('1..1\nok 1 a # SKIP x\n', 4), [('a', 'skip')])

    def test_expected_failure(self):
        self.assertEqual(results('1..1\nnot ok 1 a # XFAIL later\n'), [('a', 'skip')])

    def test_a_hash_in_a_name_is_no_directive(self):
        self.assertEqual(results('1..1\nok 1 lane #3 dies\n'), [('lane #3 dies', 'pass')])

    def test_subtests(self):
        case, = ktap.parse('KTAP version 1\n1..1\n    KTAP version 1\n    ok 1 x\n'
                           '    ok 2 y\n    1..2\nok 1 a\n')
        self.assertEqual([c.name for c in case.children], ['x', 'y'])
        self.assertEqual(case.result, 'pass')

    def test_two_levels_of_subtests(self):
        case, = ktap.parse('1..1\n  1..1\n    1..1\n    ok 1 z\n  ok 1 y\nok 1 a\n')
        self.assertEqual(case.children[0].children[0].name, 'z')

    def test_subtests_belong_to_the_result_that_follows(self):
        first, second = ktap.parse('1..2\n    1..1\n    ok 1 x\nok 1 a\nok 2 b\n')
        self.assertEqual((len(first.children), len(second.children)), (1, 0))

    def test_other_output_becomes_diagnostics(self):
        case, = ktap.parse('1..1\nhello\n# left 1, right 2\nnot ok 1 a\n', 1)
        self.assertEqual(case.lines, ['hello', '# left 1, right 2'])

    def test_carriage_returns(self):
        self.assertEqual(results('1..1\r\nok 1 a\r\n'), [('a', 'pass')])

    def test_times(self):
        parser = ktap.Parser(started=10.0)
        for line, now in (('1..2', 10.1), ('ok 1 a', 11.0), ('ok 2 b', 14.0)):
            parser.feed(line, now)
        self.assertEqual([c.seconds for c in parser.finish(0)], [1.0, 3.0])

    def test_what_has_ended_so_far(self):
        parser = ktap.Parser()
        self.assertEqual(parser.so_far(), [])
        for line in ('1..3', 'ok 1 a', 'not ok 2 b', '    ok 1 x'):
            parser.feed(line)
        self.assertEqual([(case.name, case.result) for case in parser.so_far()], [('a', 'pass'), ('b', 'fail')])


class Bad(unittest.TestCase):
    def test_nothing_at_all(self):
        self.assertEqual(fault(''), 'no plan')

    def test_no_plan(self):
        self.assertEqual(fault('ok 1 a\n'), 'no plan')

    def test_fewer_than_planned(self):
        self.assertEqual(fault('1..3\nok 1 a\n'), '3 tests planned, 1 run')

    def test_more_than_planned(self):
        self.assertEqual(fault('1..1\nok 1 a\nok 2 b\n'), '1 tests planned, 2 run')

    def test_empty_plan_without_a_reason(self):
        self.assertEqual(fault('1..0\n'), 'no test was run')

    def test_a_repeated_number(self):
        self.assertIn('test 2 has number 1', fault('1..2\nok 1 a\nok 1 b\n'))

    def test_two_plans(self):
        self.assertIn('two plans', fault('1..1\n1..1\nok 1 a\n'))

    def test_crash_after_all_tests(self):
        self.assertEqual(fault('1..1\nok 1 a\n', -11), 'killed by signal 11')

    def test_crash_as_a_shell_says_it(self):
        self.assertEqual(fault('1..1\nok 1 a\n', 139), 'killed by signal 11')

    def test_exit_status_without_a_failure(self):
        self.assertIn('exit status 3', fault('1..1\nok 1 a\n', 3))

    def test_status_four_without_skips(self):
        self.assertIn('exit status 4', fault('1..1\nok 1 a\n', 4))

    def test_time_limit(self):
        self.assertEqual(fault('1..1\n', 0, timed_out=120), 'time limit of 120 s')

    def test_bail_out(self):
        self.assertEqual(fault('1..1\nok 1 a\nBail out! no memory\n'), 'bailed out: no memory')

    def test_ok_above_a_failed_subtest(self):
        case, = ktap.parse('1..1\n    1..1\n    not ok 1 x\nok 1 a\n')
        self.assertEqual(case.result, 'fail')
        self.assertEqual(list(case.failures()), [('x', '')])

    def test_subtests_short_of_their_plan(self):
        case, = ktap.parse('1..1\n    1..2\n    ok 1 x\nok 1 a\n')
        self.assertEqual(case.result, 'fail')
        self.assertIn('2 tests planned, 1 run', case.message)

    def test_subtests_without_a_result(self):
        self.assertEqual(fault('1..1\nok 1 a\n    1..1\n    ok 1 x\n'),
                         'subtests without a result')

    def test_a_lost_middle_level(self):
        case, = ktap.parse('1..1\n  1..1\n  ok 1 w\n    1..1\n    ok 1 z\nok 1 a\n')
        self.assertEqual(case.result, 'fail')

    def test_subtests_of_the_crashed_test_are_kept(self):
        case = ktap.parse('1..1\n    ok 1 x\n# boom\n', -6)[-1]
        self.assertEqual([c.name for c in case.children], ['x'])
        self.assertEqual(case.lines, ['# boom'])

    def test_error_directive(self):
        self.assertEqual(results('1..1\nok 1 a # TIMEOUT 3s\n'), [('a', 'fail')])


if __name__ == '__main__':
    unittest.main()
