# SPDX-License-Identifier: GPL-2.0
"""Long runs: figures of parts that an earlier run measured."""

import json
import os
import tempfile
import unittest

from pnicvm import longrun


class KeptFigures(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.path = os.path.join(self.directory.name, 'x.json')
        with open(self.path, 'w', encoding='utf-8') as out:
            json.dump({'openmpi_steps': 5, 'mpich_steps': 7, 'seconds': 9}, out)

    def test_those_of_others_only(self):
        self.assertEqual(longrun.kept_figures(self.path, longrun.MPIS, ['mpich']), {'openmpi_steps': 5})
        self.assertEqual(longrun.kept_figures(self.path, longrun.MPIS, ['openmpi']), {'mpich_steps': 7})
        self.assertEqual(longrun.kept_figures(self.path, longrun.MPIS, longrun.MPIS), {})

    def test_no_such_file_or_nonsense(self):
        self.assertEqual(longrun.kept_figures(self.path + '2', longrun.MPIS, ['mpich']), {})
        with open(self.path, 'w', encoding='utf-8') as out:
            out.write('{')
        self.assertEqual(longrun.kept_figures(self.path, longrun.MPIS, ['mpich']), {})


if __name__ == '__main__':
    unittest.main()
