# SPDX-License-Identifier: GPL-2.0
"""`make test`: builds everything, then host tests, guest tests and the main job at a small size, with the static
checks beside these, and the guest tests once more on a debug kernel while there is time.  Each is a named
test; the end is a plain line with the count.

`make check`: the static checks, and the guest tests on every kernel."""

import contextlib
import os
import time

from . import (accel, beside, build, checks, guesttests, hosttests, installtest, jobtest, kernelbuild,
               kernels, kunit, mpich, nativetests, pieces, testconf)
from .errors import Failure
from .results import Kept, Results

# What is kept of `make test`'s budget for the tests on a debug kernel when it has to be built.
KEPT = 600

# What `make check` consists of, and KERNELS can name.
PARTS = ('static',) + kernels.CHECKED


def _built(half, results, progress):
    """Builds one half; a failure is a failed test, and what does not need it still runs."""
    try:
        half()
        return True
    except build.BuildFailure as failure:
        progress.done()
        results.fail('build', failure.what, str(failure), failure.lines)
        return False


def _mpich(root, results, progress):
    """The programs that want MPICH skip where its source can't be had."""
    try:
        mpich.ensure(root, progress)
    except mpich.NoSource as failure:
        results.skip('build', 'mpich', str(failure))
    except Failure as failure:
        results.fail('build', 'mpich', str(failure))


def _budget():
    """Seconds from the start that `make test` may take, the debug kernel included, or None: it is
    left out.  When they are over a kernel that is not built, and what was not begun on it, is
    skipped."""
    text = os.environ.get('PNIC_BUDGET')
    if text and not text.isdigit():
        raise Failure('PNIC_BUDGET=%s: not a number of seconds' % text, 2)
    return int(text) if text else None


def _on_kernel(name, root, chosen, results, progress, only=None, end=None, after=None, turn=0):
    """The guest's programs on one kernel, from the turn-th on; what is known of that but its tests, which are in @results.
    `after` is told the same after each boot, and which programs have not ended."""
    started = time.monotonic()
    tally = guesttests.Tally()
    version = ''

    def known(tally):
        return {'kernel': version, 'splats': tally.splats, 'leaks': tally.leaks,
                'seconds': round(time.monotonic() - started, 1), 'figures': dict(tally.figures)}

    def between(tally, waiting):
        after(known(tally), waiting)

    try:
        kernel = kernels.get(root, name, progress, end and end - KEPT)
        version = kernel.version
        if name == 'stock' or _built(lambda: build.module(root, kernel, progress), results,
                                     progress):
            begun = time.monotonic()
            tally = guesttests.run(root, chosen, kernel, results, progress, only, end, after and between, turn)
            progress.note('the tests on the %s kernel took %d s' % (name, time.monotonic() - begun))
    except kernelbuild.TooLong as failure:
        results.skip(name, '', 'not run: %s' % failure)
    except Failure as failure:
        results.fail(name, 'kernel', str(failure))
    return known(tally)


def _within(budget, root, chosen, results, progress):
    """The debug kernel's part of `make test`."""
    if budget is None:
        results.skip('kasan', '', 'not run: no PNIC_BUDGET of seconds')
        return
    end = time.monotonic() - progress.elapsed() + budget
    # There is seldom time for all programs: each commit begins with another one.
    _on_kernel('kasan', root, chosen, results, progress, end=end, turn=int(pieces.commit().rstrip('+') or '0', 16))


def run(root, progress, only=None):
    """The exit status.  `only` restricts to test programs whose name contains one of it."""
    budget = _budget()
    results = Results(progress)
    chosen = accel.choose(root, progress)
    with build.tree_lock(progress):
        host = _built(lambda: build.host(progress, tests=True), results, progress)
        if any(testconf.wanted(name, only) for name in ('ofi_mpi', 'ofi_all')):
            _mpich(root, results, progress)
        guest = _built(lambda: build.guest(root, progress, tests=True), results, progress)
        if host:
            hosttests.run(results, progress, only)
        if guest:
            nativetests.run(root, results, progress, only)
        if testconf.wanted('kunit', only):
            kunit.run(root, results, progress)
        # A guest leaves much of the processors alone.
        with contextlib.nullcontext() if only else beside.Command('static') as static:
            if host and guest:
                guesttests.run(root, chosen, kernels.stock(root), results, progress, only)
                if not only:
                    jobtest.run(root, chosen, results, progress)
            if static:
                progress.step('waiting for the static checks')
                static.join(results)
        if host and guest and not only:
            installtest.run(root, results, progress)
            _within(budget, root, chosen, results, progress)
    progress.done()
    return results.finish()


def guest_tests(root, progress, names, only=None):
    """The guest's programs alone, on these kernels."""
    results = Results(progress)
    chosen = accel.choose(root, progress)
    with build.tree_lock(progress):
        if _built(lambda: build.host(progress, tests=False), results, progress) \
                and _built(lambda: build.guest(root, progress, tests=True), results, progress):
            for name in names:
                _on_kernel(name, root, chosen, results, progress, only)
    progress.done()
    return results.finish('guest.json')


def _wish(name):
    return os.environ.get(name, '').split()


def _static(root, results, progress):
    started = time.monotonic()
    checks.run(root, results, progress, thorough=True)
    return {'seconds': round(time.monotonic() - started, 1)}


def static(root, progress, into=None):
    """`pnic-vm static`: the exit status.  With `into`, a file's name, what was found is in that, and 0 says that it is whole."""
    if into:
        with open(into, 'w', encoding='utf-8') as out:
            checks.run(root, Kept(out), progress)
        progress.done()
        return 0
    results = Results(progress)
    checks.run(root, results, progress)
    progress.done()
    return results.finish(None)


def check(root, progress):
    """`make check`: the static checks, and every kernel; check.json. KERNELS and PROGRAMS of the environment make it
    one piece of that, which is put to what check.json has already (pieces.py)."""
    parts, only = _wish('KERNELS') or list(PARTS), _wish('PROGRAMS')
    for name in parts:
        if name not in PARTS:
            raise Failure('KERNELS=%s: of %s' % (' '.join(parts), ', '.join(PARTS)), 2)
    results = Results(progress)
    chosen = accel.choose(root, progress)
    whole = not os.environ.get('KERNELS') and not only
    kept = {} if whole else pieces.read()
    commit, suite = pieces.commit(), ()
    before = {part: kept.get(part, []) for part in parts}

    def keep(part, first, piece, waiting=()):
        """What is measured stays measured, whatever becomes of the rest."""
        piece.update(commit=commit, programs=pieces.counted(results.cases[first:], waiting))
        kept[part] = pieces.merged(before[part], piece)
        pieces.write(kept, suite)

    with build.tree_lock(progress):
        ready = parts == ['static'] or (_built(lambda: build.host(progress, tests=False), results, progress) and
                                        _built(lambda: build.guest(root, progress, tests=True), results, progress))
        suite = testconf.programs(guesttests.DIRECTORY)
        for name in parts if ready else ():
            first = len(results.cases)
            if name == 'static':
                piece = _static(root, results, progress)
            else:
                piece = _on_kernel(name, root, chosen, results, progress, only,
                                   after=lambda piece, waiting, name=name, first=first: keep(name, first, piece, waiting))
            keep(name, first, piece)
    progress.done()
    return results.finish(None)
