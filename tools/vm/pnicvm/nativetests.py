# SPDX-License-Identifier: GPL-2.0
"""Runs test programs in the guest root, natively and without a guest: what needs libraries that
only it has, on embedded cards.  The libfabric provider's suite is all of them; what it covers goes
to build/results/ofi.json."""

import json
import os

from . import hosttests, ktap, paths, results, space, testconf

DIRECTORY = os.path.join(paths.BUILD, 'guest', 'native')
TIME_LIMIT = 300


def run(root, found, progress, only=None):
    """`found` is the Results that they are added to."""
    covered = {}

    def program(name, stop):
        figures = {}
        argv = space.in_source(root.path, ['./' + name], directory=DIRECTORY)
        cases = hosttests.run_program(os.path.join(DIRECTORY, name), TIME_LIMIT, argv,
                                      lambda line: figures.update(ktap.figure(line)), stop)
        return cases, figures

    def done(name, ended):
        cases, figures = ended
        covered.update(figures)
        for case in cases:
            found.add('native/' + name, case)
            key = case.name or name
            # What embedded cards can't do is covered in the guest.
            if case.result != ktap.SKIP:
                covered[key] = int(case.result == ktap.PASS and covered.get(key, 1))

    hosttests.run_all([name for name in testconf.programs(DIRECTORY) if testconf.wanted(name, only)], program, done, progress,
                      'native')
    if covered and not only:
        covered['ofi_calls_and_modes'] = sum(1 for value in covered.values() if value == 1)
        results.write('ofi.json', json.dumps(covered, indent=2, sort_keys=True) + '\n')
