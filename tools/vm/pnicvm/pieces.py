# SPDX-License-Identifier: GPL-2.0
"""`make check` in pieces. One piece is what one run did of one part: the static checks, or the programs of the guest on one
kernel, all of them or some. check.json has the pieces of former runs as well, each with the commit that it was measured at: a
program counts as it was when it ran last, and a piece goes when all of its programs ran again."""

import json
import os
import subprocess

from . import ktap, paths, results

NAME = 'check.json'
# What a piece has of its whole run, as it isn't any one program's.
OWN = ('splats', 'leaks')
COUNTS = {ktap.PASS: 'passed', ktap.FAIL: 'failed', ktap.SKIP: 'skipped'}
# What belongs to no program: booting, the kernel's log of a boot, the static checks.
REST = '-'


def commit():
    """What is measured: a commit, with a + if files differ from it; empty if nobody knows."""
    def git(*words):
        done = subprocess.run(['git', *words], cwd=paths.TOP, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              check=False)
        return done.stdout.strip() if not done.returncode else ''
    name = git('rev-parse', '--short=12', 'HEAD')
    return name + ('+' if name and git('status', '--porcelain', '--untracked-files=no') else '')


def program(group):
    """Of the group of a test: 'kasan+iommu/xfer' is xfer's."""
    return group.partition('/')[2] or REST


def counted(cases, waiting=()):
    """[(group, result)] of a run -> {program: {passed, failed, skipped}}, without the programs that are still @waiting, for
    the first time or for another boot."""
    found = {}
    for group, result in cases:
        if program(group) in waiting:
            continue
        one = found.setdefault(program(group), dict.fromkeys(COUNTS.values(), 0))
        one[COUNTS[result]] += 1
    return found


def read():
    """{part: [pieces]} of former runs."""
    try:
        with open(os.path.join(paths.RESULTS, NAME), encoding='utf-8') as handle:
            return json.load(handle).get('pieces', {})
    except (OSError, ValueError):
        return {}


def merged(old, new):
    """The pieces of one part, with a new one: what it measured counts no longer in the others."""
    kept = []
    for piece in old:
        left = {name: counts for name, counts in piece['programs'].items() if name == REST or name not in new['programs']}
        if set(left) - {REST}:
            kept.append(dict(piece, programs=left))
    return kept + [new]


def figures(pieces, suite):
    """Flat: the sums of each part. @suite: the programs that a kernel's part has when it is complete."""
    flat = {}
    for part, some in pieces.items():
        total = dict.fromkeys(list(COUNTS.values()) + list(OWN), 0)
        done, seconds, numbers = set(), 0.0, {}
        for piece in some:
            for name, counts in piece['programs'].items():
                done.add(name)
                for key, value in counts.items():
                    total[key] += value
            for key in OWN:
                total[key] += piece.get(key, 0)
            seconds += piece['seconds']
            numbers.update(piece.get('figures', {}))
        missing = sorted(set(suite) - done) if part != 'static' else []
        total.update(kernel=some[-1].get('kernel', ''), seconds=round(seconds, 1), programs=len(done - {REST}),
                     missing=missing, commits=sorted({piece['commit'] for piece in some}), **numbers)
        if part == 'static':
            total = {key: total[key] for key in ('passed', 'failed', 'seconds', 'commits')}
        flat.update(('%s_%s' % (part, key), value) for key, value in total.items())
    return flat


def write(pieces, suite):
    """check.json: the sums, and the pieces that they are of."""
    flat = figures(pieces, suite)
    total = {key: sum(flat['%s_%s' % (part, key)] for part in pieces if '%s_%s' % (part, key) in flat)
             for key in list(COUNTS.values()) + ['seconds']}
    results.write(NAME, json.dumps({**total, **flat, 'pieces': pieces}, indent=1) + '\n')
