# SPDX-License-Identifier: GPL-2.0
"""How lines are counted that several programs and a kernel have in common, and lists of what has a reason."""

import os
import unittest

from pnicvm import checks, coverage, known, paths
from pnicvm.errors import Failure


class Sources(unittest.TestCase):
    def test_a_file_has_one_name(self):
        for name in ('/src/driver/a.c', '/src/build/coverage/guest/kmod-6.12-gcov/driver/a.c'):
            self.assertEqual(coverage.source(name, '/src'), 'driver/a.c')

    def test_not_ours(self):
        self.assertIsNone(coverage.source('/usr/include/stdio.h', '/src'))
        self.assertIsNone(coverage.source('/srcs/driver/a.c', '/src'))

    def test_counts_add_up(self):
        total = coverage.counts([('/src/a.c', [(1, 2), (2, 0)]), ('/src/a.c', [(1, 1)])], '/src')
        coverage.add(total, coverage.counts([('/x/a.c', [(2, 0), (3, 4)])], '/x'))
        self.assertEqual(total, {'a.c': {1: 3, 2: 0, 3: 4}})


class Figures(unittest.TestCase):
    def test_lines_that_nobody_reached(self):
        name = 'tools/vm/main.py'
        figures, missed = coverage.summary({name: {1: 1, 4: 0, 6: 0}}, {'x': ((name,), 90)},
                                           [('tools/*', 'import sys', 'why')])
        self.assertEqual(figures, {'x': (3, 1, 1)})
        self.assertEqual(len(missed), 2)
        self.assertTrue(missed[0].endswith('import sys    -- why'), missed)
        self.assertNotIn('--', missed[1])


class Reasons(unittest.TestCase):
    TEXT = '''static int first(struct x *x,
                 int b)
{
        if (b)
                return fail("%d %d", x->a,
                            x->b);
        go(x);
}

int second(void);

static int table[] = { 1,
};

EXPORT int second(void)
{
        go(NULL);
label:
        return 0;
}'''.split('\n')

    def reasons(self, what, numbers):
        return coverage.reasons([('a.c', what, 'why')], 'a.c', self.TEXT, numbers)

    def test_what_a_statement_goes_on_with(self):
        self.assertEqual(self.reasons('return fail(', [5, 6, 7]), {5: 'why', 6: 'why', 7: ''})
        self.assertEqual(self.reasons('return fail(', [6]), {6: ''})

    def test_all_of_a_function(self):
        self.assertEqual(self.reasons('first()', [1, 4, 7, 17]), {1: 'why', 4: 'why', 7: 'why', 17: ''})
        self.assertEqual(self.reasons('second()', [7, 12, 15, 17, 19]), {7: '', 12: '', 15: 'why', 17: 'why', 19: 'why'})

    def test_a_file_that_is_shorter_by_now(self):
        self.assertEqual(self.reasons('first()', [100]), {100: ''})


class Known(unittest.TestCase):
    def test_which_line_is_meant(self):
        found = known.parse('a/*.c: x == 1 -- a reason\n', 'here')
        self.assertEqual(known.reason(found, 'a/b.c', 'if (x == 1)'), 'a reason')
        self.assertEqual(known.reason(found, 'a/b.c', 'if (x == 2)'), '')
        self.assertEqual(known.reason(found, 'b.c', 'if (x == 1)'), '')

    def test_a_line_without_a_reason(self):
        for text in ('a.c: words\n', 'a.c -- reason\n'):
            with self.assertRaises(Failure):
                known.parse(text, 'here')

    def test_the_lists(self):
        for path in (checks.KNOWN, coverage.REASONS):
            for name, _, _ in known.load(path):
                if '*' not in name:
                    self.assertTrue(os.path.exists(os.path.join(paths.TOP, name)), name)
