# SPDX-License-Identifier: GPL-2.0
"""Benchmarks' pieces: figures out of lines, settings out of the environment."""

import unittest

from pnicvm import bench
from pnicvm.errors import Failure


class Silent:
    def step(self, _text):
        pass


class Figures(unittest.TestCase):
    def setUp(self):
        self.figures = bench.Figures(Silent())

    def test_values_and_meanings(self):
        self.figures.line('# figure remap_ns 1324 ns, worst')
        self.figures.line('    # figure share 0.25 of all')
        self.assertEqual(self.figures.values, {'remap_ns': 1324, 'share': 0.25})
        self.assertIn('ns, worst', '\n'.join(self.figures.table()))

    def test_failures(self):
        self.figures.line('# lanes_sim.c:11: not true: a == b')
        self.figures.line('not ok 1 hard_loss')
        self.figures.line('ok 2 patch')
        self.assertEqual(len(self.figures.failures), 2)

    def test_other_lines_are_progress(self):
        self.figures.line('# 1000 faults')
        self.assertEqual((self.figures.values, self.figures.failures), ({}, []))


class Settings(unittest.TestCase):
    one = bench.Bench([], [], {'COUNT': '10', 'SEED': '1'})

    def test_defaults_and_wishes(self):
        self.assertEqual(bench.settings(self.one, {'SEED': '7', 'HOME': '/'}),
                         {'COUNT': '10', 'SEED': '7'})

    def test_nonsense(self):
        with self.assertRaises(Failure) as caught:
            bench.settings(self.one, {'COUNT': 'many'})
        self.assertEqual(caught.exception.status, 2)
