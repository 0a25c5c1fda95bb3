# SPDX-License-Identifier: GPL-2.0
"""The cache: a build that was cut is never taken for a good one, a recipe has one entry."""

import os
import shutil
import tempfile
import threading
import time
import unittest

from pnicvm import cache


class CacheTest(unittest.TestCase):
    def setUp(self):
        self.base = tempfile.mkdtemp(prefix='pnic-test-')
        self.addCleanup(shutil.rmtree, self.base)
        self.built = []

    def entry(self, recipe='r', kind='thing'):
        return cache.Entry(kind, recipe, base=self.base)

    def build(self, directory):
        self.built.append(directory)
        with open(os.path.join(directory, 'file'), 'w', encoding='ascii') as handle:
            handle.write('x')

    def test_built_once(self):
        path = self.entry().get(self.build)
        self.assertEqual(self.entry().get(self.build), path)
        self.assertEqual(len(self.built), 1)
        self.assertTrue(os.path.exists(os.path.join(path, 'file')))

    def test_another_recipe_is_another_entry(self):
        self.assertNotEqual(self.entry('a').get(self.build), self.entry('b').get(self.build))
        self.assertEqual(len(self.built), 2)

    def test_order_of_keys_does_not_matter(self):
        self.assertEqual(cache.recipe_key({'a': 1, 'b': [2]}), cache.recipe_key({'b': [2], 'a': 1}))
        self.assertNotEqual(cache.recipe_key(['a', 'b']), cache.recipe_key(['b', 'a']))

    def test_failed_build_leaves_nothing(self):
        def fail(directory):
            self.build(directory)
            raise RuntimeError('cut')
        with self.assertRaises(RuntimeError):
            self.entry().get(fail)
        self.assertFalse(self.entry().ready())
        self.assertEqual([n for n in os.listdir(self.base) if not n.endswith('.lock')], [])

    def test_interrupted_build_leaves_nothing(self):
        def interrupt(directory):
            self.build(directory)
            raise KeyboardInterrupt
        with self.assertRaises(KeyboardInterrupt):
            self.entry().get(interrupt)
        self.assertFalse(self.entry().ready())

    def test_killed_build_is_made_anew(self):
        entry = self.entry()
        os.makedirs(entry.path + '.partial/old')    # SIGKILL ran no cleaning up
        self.assertFalse(entry.ready())
        path = entry.get(self.build)
        self.assertEqual(os.listdir(path), ['file'])

    def test_second_run_waits_for_the_first(self):
        began, go, waited = threading.Event(), threading.Event(), threading.Event()

        def slow(directory):
            began.set()
            go.wait(10)
            self.build(directory)
        first = threading.Thread(target=lambda: self.entry().get(slow))
        first.start()
        began.wait(10)
        second = threading.Thread(target=lambda: self.entry().get(self.build, waited.set))
        second.start()
        self.assertTrue(waited.wait(10))
        go.set()
        first.join(10)
        second.join(10)
        self.assertEqual(len(self.built), 1)

    def test_prune_takes_only_old_entries_of_the_kind(self):
        day = 86400
        for recipe, kind, age in (('old', 'thing', 20), ('new', 'thing', 2), ('old', 'else', 20)):
            path = self.entry(recipe, kind).get(self.build)
            stamp = time.time() - age * day
            os.utime(path, (stamp, stamp))
        mine = self.entry('mine')
        mine.get(self.build)
        os.utime(mine.path, (0, 0))
        dropped = mine.prune()
        self.assertEqual(dropped, [self.entry('old').name])
        self.assertTrue(mine.ready() and self.entry('new').ready()
                        and self.entry('old', 'else').ready())

    def test_a_use_keeps_an_entry(self):
        path = self.entry('old').get(self.build)
        os.utime(path, (0, 0))
        self.entry('old').get(self.build)
        self.assertEqual(self.entry('mine').prune() if self.entry('mine').get(self.build) else None,
                         [])


if __name__ == '__main__':
    unittest.main()
