# SPDX-License-Identifier: GPL-2.0
"""Benchmarks' pieces: figures out of lines, settings out of the environment."""

import unittest
from xml.dom import minidom

from pnicvm import bench, mpich, mpiplot
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


class Plot(unittest.TestCase):
    def bars(self, values):
        return [node for node in minidom.parseString(mpiplot.draw(values)).getElementsByTagName('rect')
                if node.getAttribute('height') == str(mpiplot.BAR - 2)]

    def test_a_bar_for_each_figure(self):
        values = {'%s_%d_%s' % (way, ranks, key): 3.5 * ranks
                  for way in mpiplot.WAYS for ranks in mpiplot.RANKS for key, _ in mpiplot.PANELS}
        self.assertEqual(len(self.bars(values)), len(values))

    def test_what_was_not_measured(self):
        self.assertEqual(self.bars({}), [])
        self.assertEqual(len(self.bars({'pnic_2_lat_us': 1, 'sm_2_lat_us': 0})), 1)

    def test_longer_is_more(self):
        long, short = self.bars({'pnic_2_lat_us': 100, 'sm_2_lat_us': 10})
        self.assertGreater(float(long.getAttribute('width')), float(short.getAttribute('width')))


class Mpich(unittest.TestCase):
    def test_progress(self):
        state = {}
        said = [mpich.describe(line, state) for line in
                ['checking build system type... x', 'checking build system type... y'] + ['  CC       a.lo'] * 251]
        self.assertEqual([text for text in said if text],
                         ['configuring', 'compiling, 0 files done', 'compiling, 250 files done'])

    def test_what_it_is_made_of(self):
        self.assertNotEqual(mpich.recipe('14.1'), mpich.recipe('14.2'))
