# SPDX-License-Identifier: GPL-2.0
"""The main job as a test: small, but past the spares, by the same code as `make run`."""

import io
import time

from . import jobrun
from .errors import Failure
from .screen import Screen

KILL = 45
SMALL = {'NICS': '2', 'KILL': str(KILL), 'STEPS': '3', 'SEED': '7', 'TIME_LIMIT': '400'}
BEHIND_IOMMU = {'NICS': '2', 'KILL': '6', 'STEPS': '20', 'SMALL': '1', 'IOMMU': '1',
                'TIME_LIMIT': '400'}
EFFICIENCY = 0.90       # of the line's bits, what FEC and framing must leave to payload


def verdicts(fig):
    """[(name, what speaks against it)] for the figures of a run."""
    rate = fig['rate_end_mbps'] / fig['rate_start_mbps'] if fig['rate_start_mbps'] else 0
    width = fig['width_end'] / fig['width_start'] if fig['width_start'] else 1
    return [
        ('all lanes died on the way', [] if fig['lanes_killed'] == KILL else
         ['%d of %d' % (fig['lanes_killed'], KILL)]),
        ('the link got narrower', [] if fig['width_end'] < fig['width_start'] else
         ['width %d -> %d' % (fig['width_start'], fig['width_end'])]),
        ('the rate follows the width', [] if abs(rate - width) <= 0.01 else
         ['rate %.4f of the start, width %.4f' % (rate, width)]),
        ('link efficiency', [] if fig['link_efficiency'] >= EFFICIENCY else
         ['%.4f, wanted %.2f' % (fig['link_efficiency'], EFFICIENCY)]),
    ]


def _play(name, env, root, chosen, results, progress):
    """One job as a test; its figures, or None."""
    started = time.monotonic()
    try:
        outcome = jobrun.play(root, chosen, jobrun.Options(env), progress,
                              Screen(io.StringIO(), live=False))
    except Failure as failure:
        results.fail('job', name, str(failure))
        return None
    results.check('job', name, outcome.faults, 'see ' + outcome.directory,
                  time.monotonic() - started)
    return outcome.figures


def run(root, chosen, results, progress):
    fig = _play('all-reduce on a link that loses lanes', SMALL, root, chosen, results, progress)
    if fig:
        for name, against in verdicts(fig):
            results.check('job', name, against)
    # Unloading the module fails if it leaves a mapping, and only here one is seen.
    fig = _play('all-reduce behind an IOMMU', BEHIND_IOMMU, root, chosen, results, progress)
    if fig:
        left = fig.get('dma_mappings_left')
        results.check('job', 'no DMA mapping is left', [] if left == 0 else ['%s are left' % left])
