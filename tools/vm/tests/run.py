# SPDX-License-Identifier: GPL-2.0
"""Runs one module of unit tests and prints KTAP:  run.py test_ktap"""

import os
import sys
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]


def cases(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases(item)
        else:
            yield item


def main():
    tests = list(cases(unittest.defaultTestLoader.loadTestsFromName(sys.argv[1])))
    failed = 0
    print('KTAP version 1\n1..%d' % len(tests), flush=True)
    for number, test in enumerate(tests, 1):
        result = unittest.TestResult()
        test.run(result)
        bad = result.errors + result.failures
        for _, trace in bad:
            print('\n'.join('# ' + line for line in trace.splitlines()))
        if not bad and result.unexpectedSuccesses:
            bad = result.unexpectedSuccesses
        name = '.'.join(test.id().split('.')[1:])
        skip = ' # SKIP ' + result.skipped[0][1] if result.skipped else ''
        print('%s %d %s%s' % ('not ok' if bad else 'ok', number, name, skip), flush=True)
        failed += bool(bad)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
