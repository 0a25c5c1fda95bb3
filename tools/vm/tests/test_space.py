# SPDX-License-Identifier: GPL-2.0
"""What is mounted in a root is not deleted with it."""

import os
import shutil
import subprocess
import tempfile
import unittest

from pnicvm import space


@unittest.skipIf(os.geteuid() != 0, 'who is not root can mount nothing that others see')
class RemoveTreeTest(unittest.TestCase):
    def setUp(self):
        self.base = tempfile.mkdtemp(prefix='pnic-test-')
        self.addCleanup(shutil.rmtree, self.base)
        self.tree = os.path.join(self.base, 'tree')
        self.place = os.path.join(self.tree, 'a b')
        os.makedirs(self.place)
        self.mine = os.path.join(self.base, 'mine')
        os.mkdir(self.mine)
        self.file = os.path.join(self.mine, 'file')
        with open(self.file, 'w', encoding='ascii'):
            pass

    def mount(self):
        done = subprocess.run(['mount', '--bind', self.mine, self.place], stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            self.skipTest('nothing can be mounted here: ' + done.stderr.strip())
        self.addCleanup(subprocess.run, ['umount', self.place], check=True)

    def test_what_is_mounted_stays(self):
        self.mount()
        with self.assertRaisesRegex(OSError, 'unmount it first.*a b'):
            space.remove_tree(self.tree)
        self.assertTrue(os.path.exists(self.file))

    def test_else_it_is_removed(self):
        self.assertEqual(space.mounted_below(self.tree), [])
        space.remove_tree(self.tree)
        self.assertFalse(os.path.exists(self.tree))


if __name__ == '__main__':
    unittest.main()
