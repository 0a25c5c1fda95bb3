# SPDX-License-Identifier: GPL-2.0
"""Progress of the long steps, with the time since the start: `[ 12.3s] guest root: unpacking`.

On a terminal a running step ticks in place; anywhere else each change is one plain line, so
that a log of a CI run reads well.  Everything goes to stderr: stdout belongs to results.
"""

import sys
import threading
import time


class Progress:
    def __init__(self, stream=None, quiet=False):
        self.stream = stream or sys.stderr
        self.started = time.monotonic()
        self.quiet = quiet
        self.live = not quiet and self.stream.isatty()
        self._lock = threading.Lock()
        self._text = None
        self._stop = None
        self._thread = None

    def elapsed(self):
        return time.monotonic() - self.started

    def _line(self, text):
        return '[%6.1fs] %s' % (self.elapsed(), text)

    def _write(self, text):
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError):
            pass    # nobody is looking any more; the work goes on

    def step(self, text):
        """A new step begins; on a terminal it ticks until the next one or until done()."""
        if self.quiet:
            return
        with self._lock:
            if not self.live:
                self._write(self._line(text) + '\n')
                return
            if self._text is not None:
                self._write('\r\033[K' + self._line(self._text) + '\n')
            self._text = text
            self._write('\r\033[K' + self._line(text))
        if self._thread is None:
            self._stop = threading.Event()
            self._thread = threading.Thread(target=self._tick, daemon=True)
            self._thread.start()

    def note(self, text):
        """One line that is not a step of its own (a warning, a path)."""
        if self.quiet:
            return
        with self._lock:
            if self.live and self._text is not None:
                self._write('\r\033[K')
            self._write(self._line(text) + '\n')

    def clear(self):
        """Make room for a line that somebody else prints; the step shows again below it."""
        with self._lock:
            if self.live and self._text is not None:
                self._write('\r\033[K')

    def done(self):
        """The last step has ended: nothing ticks after this."""
        if self._thread is not None:
            self._stop.set()
            self._thread.join()
            self._thread = None
        with self._lock:
            if self.live and self._text is not None:
                self._write('\r\033[K' + self._line(self._text) + '\n')
            self._text = None

    def _tick(self):
        while not self._stop.wait(0.5):
            with self._lock:
                if self._text is not None:
                    self._write('\r\033[K' + self._line(self._text))
