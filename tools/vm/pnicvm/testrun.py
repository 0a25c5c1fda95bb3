# SPDX-License-Identifier: GPL-2.0
"""`make test`: builds everything, then host tests, guest tests, static checks and the main
job at a small size.  Each is a named test; the end is a plain line with the count."""

from . import accel, build, checks, guesttests, hosttests, installtest, jobtest, kunit
from .results import Results


def _built(half, results, progress):
    """Builds one half; a failure is a failed test, and what does not need it still runs."""
    try:
        half()
        return True
    except build.BuildFailure as failure:
        progress.done()
        results.fail('build', failure.what, str(failure), failure.lines)
        return False


def run(root, progress, only=None):
    """The exit status.  `only` restricts to test programs whose name contains it."""
    results = Results(progress)
    chosen = accel.choose(root, progress)
    with build.tree_lock(progress):
        host = _built(lambda: build.host(progress, tests=True), results, progress)
        guest = _built(lambda: build.guest(root, progress, tests=True), results, progress)
        if host:
            hosttests.run(results, progress, only)
        if not only or only in 'kunit':
            kunit.run(root, results, progress)
        if host and guest:
            guesttests.run(root, chosen, results, progress, only)
            if not only:
                jobtest.run(root, chosen, results, progress)
        if not only:
            checks.run(root, results, progress)
            if host and guest:
                installtest.run(root, results, progress)
    progress.done()
    return results.finish()


def check(root, progress):
    """`make check`: the static checks alone."""
    results = Results(progress)
    with build.tree_lock(progress):
        checks.run(root, results, progress)
    progress.done()
    return results.finish()
