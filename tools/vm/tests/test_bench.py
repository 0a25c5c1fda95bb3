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


class JudgeMpi(unittest.TestCase):
    """Ten times better than anybody in everything; and then not."""

    def setUp(self):
        self.values = {}
        for ranks in (2, 4):
            for shape in ('', 'own_core_'):
                for way in ('pnic', 'ofi_tcp', 'ofi_tcp_tuned', 'sm', 'sm_tuned'):
                    for key in ('lat_us', 'bw_mbs', 'allreduce_ms', 'allreduce_int_ms'):
                        better = 1 if (way == 'pnic') == (key == 'bw_mbs') else 0
                        self.values['%s%s_%d_%s' % (shape, way, ranks, key)] = 1000 if better else 100

    def short(self, **changed):
        return bench._judge_mpi(dict(self.values, **changed))   # pylint: disable=protected-access

    def test_all_is_kept(self):
        self.assertEqual(self.short(), [])

    def test_latency_is_judged_where_the_card_has_a_core(self):
        self.assertEqual(self.short(pnic_2_lat_us=900), [])
        self.assertEqual(len(self.short(own_core_pnic_4_lat_us=400)), 1)

    def test_the_better_of_two_settings_counts(self):
        self.assertEqual(len(self.short(sm_tuned_2_allreduce_ms=150)), 1)
        self.assertEqual(len(self.short(ofi_tcp_4_allreduce_ms=499)), 1)

    def test_what_was_not_measured(self):
        del self.values['sm_4_bw_mbs']
        self.assertIn('bw_mbs of 4 ranks was not measured', self.short())


class Plot(unittest.TestCase):
    def bars(self, values):
        return [node for node in minidom.parseString(mpiplot.draw(values)).getElementsByTagName('rect')
                if node.getAttribute('height') == str(mpiplot.BAR - 2)]

    def test_a_bar_for_each_figure(self):
        keys = [key for key, _ in mpiplot.PANELS if not key.startswith('own_core_')]
        values = {'%s_%d_%s' % (way, ranks, key): 3.5 * ranks
                  for way in list(mpiplot.WAYS) + ['own_core_' + way for way in mpiplot.WAYS]
                  for ranks in mpiplot.RANKS for key in keys if 'own' not in way or key == 'lat_us'}
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
