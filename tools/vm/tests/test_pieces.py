# SPDX-License-Identifier: GPL-2.0
"""How the pieces of `make check` add up, and runs of a fuzzer."""

import unittest

from pnicvm import ktap, longrun, pieces


def piece(commit, **programs):
    return {'commit': commit, 'kernel': 'k', 'seconds': 1.0, 'splats': 0, 'leaks': 0,
            'programs': {name: {'passed': passed, 'failed': failed, 'skipped': 0}
                         for name, (passed, failed) in programs.items()}}


class Pieces(unittest.TestCase):
    def test_whose_a_test_is(self):
        for group, name in (('kasan+iommu/xfer', 'xfer'), ('guest/xfer', 'xfer'), ('kasan', pieces.REST)):
            self.assertEqual(pieces.program(group), name)

    def test_counts(self):
        found = pieces.counted([('kasan/a', ktap.PASS), ('kasan/a', ktap.FAIL), ('kasan', ktap.PASS), ('kasan/a', ktap.SKIP)])
        self.assertEqual(found, {'a': {'passed': 1, 'failed': 1, 'skipped': 1},
                                 pieces.REST: {'passed': 1, 'failed': 0, 'skipped': 0}})

    def test_what_waits_is_not_counted(self):
        cases = [('kasan/a', ktap.PASS), ('kasan/b', ktap.PASS), ('kasan', ktap.PASS)]
        self.assertEqual(set(pieces.counted(cases, {'b', 'c'})), {'a', pieces.REST})

    def test_the_last_run_of_a_program_counts(self):
        both = pieces.merged([piece('old', a=(0, 1), b=(5, 0))], piece('new', a=(1, 0)))
        flat = pieces.figures({'kasan': both}, ['a', 'b', 'c'])
        self.assertEqual((flat['kasan_passed'], flat['kasan_failed']), (6, 0))
        self.assertEqual(flat['kasan_commits'], ['new', 'old'])
        self.assertEqual(flat['kasan_missing'], ['c'])

    def test_a_piece_goes_with_its_last_program(self):
        old = piece('old', a=(1, 0))
        old['programs'][pieces.REST] = {'passed': 0, 'failed': 3, 'skipped': 0}
        self.assertEqual(len(pieces.merged([old], piece('new', b=(1, 0)))), 2)
        self.assertEqual(pieces.merged([old], piece('new', a=(1, 0))), [piece('new', a=(1, 0))])

    def test_the_static_checks_replace_each_other(self):
        old = {'commit': 'old', 'seconds': 1.0, 'programs': {pieces.REST: {'passed': 1, 'failed': 1, 'skipped': 0}}}
        new = dict(old, commit='new', programs={pieces.REST: {'passed': 2, 'failed': 0, 'skipped': 0}})
        flat = pieces.figures({'static': pieces.merged([old], new)}, ['a'])
        self.assertEqual(flat, {'static_passed': 2, 'static_failed': 0, 'static_seconds': 1.0, 'static_commits': ['new']})


class Runs(unittest.TestCase):
    def test_sum(self):
        one = {'fuzz_ioctl_calls': 5, 'fuzz_ioctl_places': 7, 'kernel': 'k', 'seed': 1, 'findings': 0}
        two = {'fuzz_ioctl_calls': 6, 'fuzz_ioctl_places': 3, 'kernel': 'k', 'seed': 2, 'findings': 1}
        first = longrun.summed({}, one)
        self.assertEqual((first['sum_of_runs'], first['fuzz_ioctl_calls']), (1, 5))
        for before in (one, first):
            both = longrun.summed(before, two)
            self.assertEqual((both['sum_of_runs'], both['fuzz_ioctl_calls'], both['fuzz_ioctl_places'], both['findings']),
                             (2, 11, 7, 1))
            self.assertEqual(both['runs'], [one, two])
