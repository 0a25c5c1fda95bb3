# SPDX-License-Identifier: GPL-2.0
"""The main job's pieces, fed with recorded events and counters: no guest, no model."""

import io
import unittest
from xml.dom import minidom

from pnicvm import jobrun, jobtest, lanekiller, picture, screen, summary
from pnicvm.errors import Failure
from pnicvm.jobstate import Job, Sample

GRID = [(n, n % 20, n // 20) for n in range(460)]


def counters(width=425, margin=7, spares=35, line_bits=0, payload=0, remaps=0, clock=0):
    """A reply of the control socket, as the model gives it."""
    def end(width_rx):
        return {'width': 425, 'width_rx': width_rx, 'spares': spares, 'failed': 0,
                'margin': margin, 'margin_min': margin, 'rate_mbps': 800000,
                'rate_rx_mbps': 800000 * width_rx // 425, 'remaps_rx': remaps,
                'link_downs': 0, 'frames_replayed': 0, 'payload_bytes': payload,
                'line_bits': line_bits}
    return {'ok': True, 'clock_ns': clock, 'nics': [end(width), end(425)]}


def finished_job():
    job = Job(2)
    for rank in job.ranks:
        rank.feed('{"ev":"start","rank":%d,"total":1000}' % rank.number)
        rank.feed('{"ev":"progress","rank":%d,"done":500,"total":1000}' % rank.number)
        rank.feed('{"ev":"done","rank":%d,"verified":1000,"wrong":0,"lost":0,"moved":2000,'
                  '"seconds":1.5}' % rank.number)
    return job


class JobState(unittest.TestCase):
    def test_a_good_job(self):
        job = finished_job()
        self.assertTrue(job.finished())
        self.assertEqual((job.progress(), job.sum('moved'), job.faults()), (1.0, 4000, []))

    def test_progress_is_the_slowest_ranks(self):
        job = Job(2)
        job.ranks[0].feed('{"ev":"start","rank":0,"total":10}')
        job.ranks[0].feed('{"ev":"progress","rank":0,"done":9,"total":10}')
        self.assertEqual(job.progress(), 0.0)
        self.assertFalse(job.started())

    def test_a_wrong_byte_is_a_fault(self):
        job = finished_job()
        job.ranks[1].end['wrong'] = 1
        self.assertEqual(job.faults(), ['1 bytes are wrong'])

    def test_a_lost_transfer_is_a_fault(self):
        job = finished_job()
        job.ranks[0].end['lost'] = 2
        self.assertEqual(job.faults(), ['2 transfers were lost'])

    def test_an_unfinished_rank_is_a_fault(self):
        job = finished_job()
        job.ranks[1].end = None
        self.assertEqual(job.faults(), ['rank 1 did not finish'])

    def test_nothing_verified_is_a_fault(self):
        job = finished_job()
        for rank in job.ranks:
            rank.end['verified'] = 0
        self.assertEqual(job.faults(), ['no byte was verified'])

    def test_words_that_are_no_event_are_a_fault(self):
        job = finished_job()
        job.ranks[0].feed('Segmentation fault')
        job.ranks[0].feed('{"ev":"error","rank":0,"text":"no device"}')
        self.assertEqual(job.faults(), ['rank 0: not an event: Segmentation fault',
                                        'rank 0: no device'])


class LaneKiller(unittest.TestCase):
    def test_the_seed_repeats_the_plan(self):
        self.assertEqual(lanekiller.plan(GRID, 60, 1), lanekiller.plan(GRID, 60, 1))
        self.assertNotEqual(lanekiller.plan(GRID, 60, 1), lanekiller.plan(GRID, 60, 2))

    def test_as_many_different_lanes_as_asked(self):
        order, cluster = lanekiller.plan(GRID, 60, 3)
        self.assertEqual(len(set(order)), 60)
        self.assertEqual(len(cluster), 12)
        self.assertTrue(cluster <= set(order))

    def test_the_cluster_is_close_together(self):
        _, cluster = lanekiller.plan(GRID, 60, 4)
        places = [(x, y) for n, x, y in GRID if n in cluster]
        for axis in (0, 1):
            values = [p[axis] for p in places]
            self.assertLess(max(values) - min(values), 12)

    def test_not_every_lane_may_die(self):
        with self.assertRaises(ValueError):
            lanekiller.plan(GRID, 460, 1)
        self.assertEqual(len(lanekiller.plan(GRID, 459, 1)[0]), 459)

    def test_none(self):
        self.assertEqual(lanekiller.plan(GRID, 0, 1), ([], set()))

    def drive(self, count, steps):
        dead = []
        killer = lanekiller.Killer(list(range(count)), dead.append)
        for step in range(steps + 1):
            killer.tick(step / steps, 0, float(step))
        return killer, dead

    def test_all_are_dead_before_the_end(self):
        killer, dead = self.drive(60, 1000)
        self.assertEqual(dead, list(range(60)))
        self.assertLessEqual(killer.done[-1][0], lanekiller.LAST_KILL)

    def test_evenly(self):
        killer, _ = self.drive(60, 1000)
        half = sum(1 for progress, _ in killer.done if progress < 0.45)
        self.assertTrue(28 <= half <= 32, half)

    def test_none_dies_before_the_job_begins(self):
        killer = lanekiller.Killer([1, 2], self.fail)
        killer.tick(0.0, 0, 0.0)

    def test_waits_for_the_link_to_mend(self):
        dead = []
        killer = lanekiller.Killer(list(range(60)), dead.append)
        killer.tick(0.5, 0, 10.0)
        self.assertEqual(len(dead), lanekiller.OUTSTANDING)
        killer.tick(0.5, lanekiller.OUTSTANDING, 11.0)
        self.assertEqual(len(dead), lanekiller.OUTSTANDING)
        killer.tick(0.5, 0, 12.0)
        self.assertEqual(len(dead), 2 * lanekiller.OUTSTANDING)

    def test_but_not_for_ever(self):
        dead = []
        killer = lanekiller.Killer(list(range(60)), dead.append)
        killer.tick(0.5, 0, 10.0)
        killer.tick(0.5, 9, 10.0 + lanekiller.PATIENCE)
        self.assertEqual(len(dead), lanekiller.OUTSTANDING + 1)


class Report(unittest.TestCase):
    def samples(self):
        return [Sample(0, 0.0, counters(line_bits=100, payload=10)),
                Sample(1, 0.5, counters(margin=6, spares=0, line_bits=5100, payload=310)),
                Sample(2, 1.0, counters(width=400, margin=7, spares=0, line_bits=10100,
                                        payload=1210, remaps=30))]

    def test_figures(self):
        fig = summary.figures(finished_job(), self.samples(), 60, 2.0, 3.0)
        self.assertEqual(fig['link_efficiency'], 0.96)
        self.assertEqual((fig['width_start'], fig['width_end'], fig['remaps']), (425, 400, 60))
        self.assertEqual((fig['bytes_verified'], fig['lanes_killed']), (2000, 60))
        for value in fig.values():
            self.assertIsInstance(value, (int, float))

    def test_closing_lines(self):
        text = '\n'.join(summary.lines(summary.figures(finished_job(), self.samples(), 60, 2, 3),
                                       2))
        for part in ('transfers lost     0', '425 -> 400 lanes', '800.0 -> 752.9 Gb/s', '96.0 %'):
            self.assertIn(part, text)

    def test_what_is_left_over(self):
        text = 'pinned pages: 3 before, 3 after\nDMA mappings of card 0: 0 before, 2 after\nx\n'
        self.assertEqual(summary.left_over(text), {'pages_left': 0, 'dma_mappings_left': 2})
        self.assertEqual(summary.left_over('pinned pages: many\n'), {})

    def test_verdicts_of_the_small_job(self):
        good = {'rate_start_mbps': 800000, 'rate_end_mbps': 753000, 'width_start': 425,
                'width_end': 400, 'link_efficiency': 0.93, 'lanes_killed': jobtest.KILL}
        self.assertEqual([against for _, against in jobtest.verdicts(good)], [[], [], [], []])
        for key, value in (('width_end', 425), ('rate_end_mbps', 760000 + 5000),
                           ('link_efficiency', 0.89), ('lanes_killed', 44), ('rate_start_mbps', 0)):
            self.assertTrue(any(against for _, against
                                in jobtest.verdicts(dict(good, **{key: value}))), key)

    def lanes(self, dead):
        return [{'lane': n, 'x': x, 'y': y, 'dead': n in dead,
                 'state': 'lost' if n in dead else 'active' if n < 425 else 'spare'}
                for n, x, y in GRID]

    def test_the_picture_is_sound_xml_with_every_lane(self):
        text = picture.svg(self.lanes(()), self.lanes((3, 4, 5)), {4}, self.samples(),
                           [(0.1, 3), (0.5, 4), (0.6, 5)], ['a < b & c'])
        doc = minidom.parseString(text)
        titles = [t.firstChild.data for t in doc.getElementsByTagName('title')]
        self.assertEqual(len(titles), 460)
        self.assertEqual(sum('in the cluster' in t for t in titles), 1)
        self.assertEqual(sum(t.endswith(': dead') for t in titles), 2)

    def test_axes_enclose_what_they_show(self):
        for values, from_zero in (([800.0, 752.9], False), ([7, 6, 5], True), ([0, 0], True),
                                  ([35, 0], True), ([0.1], False), ([123456], True)):
            ticks = picture.axis(values, from_zero)
            self.assertTrue(ticks[0] <= min(values) and ticks[-1] >= max(values))
            self.assertTrue(2 <= len(ticks) <= 7, ticks)

    def test_a_spare_that_took_over_is_shown(self):
        start = {'lane': 1, 'state': 'spare', 'dead': False}
        end = {'lane': 1, 'state': 'active', 'dead': False}
        self.assertEqual(picture.role(start, end, set()), 'replaced')


class Looks(unittest.TestCase):
    def test_live_lines_fit_the_terminal(self):
        sample = Sample(0, 0.5, counters())
        for columns in (40, 80, 200):
            for line in screen.render(finished_job(), sample, 3, 60, 12.0, columns):
                self.assertLess(len(line), columns)

    def test_plain_lines_only_now_and_then(self):
        out = io.StringIO()
        view = screen.Screen(out, live=False)
        job = Job(1)
        job.ranks[0].feed('{"ev":"start","rank":0,"total":1000}')
        for done in range(1001):
            job.ranks[0].feed('{"ev":"progress","rank":0,"done":%d,"total":1000}' % done)
            view.update(job, Sample(0, job.progress(), counters()), 1, 60, 0.001 * done)
        self.assertLess(len(out.getvalue().splitlines()), 25)
        self.assertNotIn('\033', out.getvalue())

    def test_live_screen_redraws_in_place(self):
        out = io.StringIO()
        view = screen.Screen(out, live=True)
        for _ in range(2):
            view.update(finished_job(), Sample(0, 1.0, counters()), 1, 60, 1.0)
        self.assertEqual(out.getvalue().count('\033[5A'), 1)


class RunOptions(unittest.TestCase):
    def test_defaults(self):
        options = jobrun.Options({'KILL': '', 'NICS': ''})
        self.assertEqual((options.kill, options.nics, options.input), (60, 2, ''))

    def test_steps(self):
        options = jobrun.Options({'STEPS': '7'})
        self.assertEqual(jobrun.steps(options, 'tcg'), 7)
        options = jobrun.Options({'INPUT': __file__})
        self.assertEqual(jobrun.steps(options, 'tcg'), jobrun.INPUT_STEPS)
        self.assertEqual(jobrun.steps(jobrun.Options({}), 'kvm'), jobrun.STEPS['kvm'])

    def test_bad_values_end_with_status_2(self):
        for env in ({'NICS': '1'}, {'NICS': '9'}, {'NICS': 'two'}, {'KILL': '-1'},
                    {'PACE': 'slow'}, {'PACE': '-1'}, {'INPUT': '/nonexistent/file'},
                    {'INPUT': '/'}, {'INPUT': '/dev/null'}):
            with self.assertRaises(Failure) as caught:
                jobrun.Options(env)
            self.assertEqual(caught.exception.status, 2)
            self.assertNotIn('\n', str(caught.exception))


if __name__ == '__main__':
    unittest.main()
