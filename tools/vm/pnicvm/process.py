# SPDX-License-Identifier: GPL-2.0
"""Starting and surely ending the processes of a run."""

import contextlib
import signal
import subprocess
import threading
from subprocess import TimeoutExpired   # noqa: F401  (for callers)


def spawn(argv, log):
    """Start argv in a session of its own: Ctrl-C reaches the harness alone, which ends the
    others in order."""
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                            start_new_session=True)


def spawn_attached(argv, log):
    """Start argv with the terminal as its stdin and stdout."""
    return subprocess.Popen(argv, stderr=log)


def end(process, patience=5.0):
    """End a process: by SIGTERM, and by SIGKILL when it does not listen."""
    if process is None or process.poll() is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()


def terminate_on_signals():
    """SIGTERM and SIGHUP end the harness the way Ctrl-C does, with all cleaning up."""
    if threading.current_thread() is not threading.main_thread():
        return

    def leave(number, _frame):
        signal.signal(number, signal.SIG_IGN)
        raise SystemExit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
