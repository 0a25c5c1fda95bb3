# SPDX-License-Identifier: GPL-2.0
"""Work beside other work: jobs several at a time, and a command of the harness that has what processors others leave."""

import concurrent.futures
import os
import subprocess
import sys
import tempfile
import threading

from . import paths, process, results

# Where each session has a share of its own, niceness counts within that alone.
GIVE_WAY = '{ echo 19 >/proc/self/autogroup; } 2>/dev/null; exec nice -n 19 "$@"'


def each(jobs, done, workers=None):
    """Calls each of `jobs` with an event, as many at a time as there are processors, and `done` in this thread with what it
    returned, as they end.  The event is set when nobody wants that any more: after Ctrl-C, or when a job or `done` failed."""
    stop = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        waiting = [pool.submit(job, stop) for job in jobs]
        try:
            for one in concurrent.futures.as_completed(waiting):
                done(one.result())
        except BaseException:
            stop.set()
            for one in waiting:
                one.cancel()
            raise


class Command:
    """A command of the harness (`pnic-vm WORD --into FILE`) in a process that gives way to all others."""

    def __init__(self, word):
        self._word = word
        self._process = None

    def __enter__(self):
        # pylint: disable=consider-using-with
        self._file = tempfile.NamedTemporaryFile('r', encoding='utf-8')
        self._log = tempfile.TemporaryFile('w+', encoding='utf-8')
        argv = ['setpriv', '--pdeathsig', 'TERM', 'sh', '-c', GIVE_WAY, 'sh', sys.executable, '-B',
                os.path.join(paths.VM, 'main.py'), self._word, '--into', self._file.name]
        self._process = process.spawn(argv, self._log)
        return self

    def __exit__(self, *_):
        process.end(self._process)
        self._file.close()
        self._log.close()

    def join(self, found):
        """Waits until it has ended; what it found is added to a Results, and that it failed if it did."""
        status = self._process.wait()
        for group, case in results.taken(self._file.read()):
            found.add(group, case)
        if status:
            self._log.seek(0)
            found.fail(self._word, '', 'status %d' % status, self._log.read().splitlines())
