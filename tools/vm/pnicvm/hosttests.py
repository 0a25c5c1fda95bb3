# SPDX-License-Identifier: GPL-2.0
"""Runs the test programs that need no guest."""

import os
import selectors
import subprocess
import time

from . import beside, ktap, paths, testconf

DIRECTORY = os.path.join(paths.BUILD, 'host', 'tests')
TIME_LIMIT = 300
# What takes longest begins first, or it would be what all the others wait for at the end.
LONG = ('tool_tool', 'selftest_rails_lost', 'lane_spin', 'ofi_flow', 'nccl_failures')
TICK = 0.5      # seconds within which it is seen that nobody waits any more


def start(path, env=None, argv=None):
    """The program, or what runs it, with its output in a pipe."""
    # gcc's address sanitizer looks at pointers into frames that have ended only if it is told to.
    env = dict({'ASAN_OPTIONS': 'detect_stack_use_after_return=1'}, **(env or os.environ))
    return subprocess.Popen(argv or [path], cwd=os.path.dirname(path), stdin=subprocess.DEVNULL, env=env,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            start_new_session=True)


def run_program(path, limit=TIME_LIMIT, argv=None, watch=None, stop=None, env=None):
    """The cases of one program; `watch` sees each line of it.  When the event `stop` is set it is ended at once."""
    started = time.monotonic()
    parser = ktap.Parser()
    timed_out = None
    with start(path, env, argv) as process:
        try:
            selector = selectors.DefaultSelector()
            selector.register(process.stdout, selectors.EVENT_READ)
            rest = b''
            while True:
                left = started + limit - time.monotonic()
                if left <= 0:
                    timed_out = limit
                    break
                if stop and stop.is_set():
                    break
                if not selector.select(min(left, TICK)):
                    continue
                data = os.read(process.stdout.fileno(), 65536)
                if not data:
                    break
                *lines, rest = (rest + data).split(b'\n')
                for line in lines:
                    text = line.decode(errors='replace')
                    parser.feed(text, time.monotonic() - started)
                    if watch:
                        watch(text)
            if rest:
                parser.feed(rest.decode(errors='replace'), time.monotonic() - started)
        finally:
            if timed_out is not None or process.poll() is None:
                _end(process, time.monotonic() if stop and stop.is_set() else started + limit)
    return parser.finish(process.returncode, timed_out)


def _end(process, deadline):
    """The program closed its output or ran too long: what it started goes with it."""
    try:
        process.wait(max(0.0, min(5.0, deadline - time.monotonic())))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()


def ordered(names):
    """The order in which they begin."""
    return sorted(names, key=lambda name: (not name.startswith(LONG), name))


def run_all(names, program, done, progress, kind):
    """Several programs at a time: `program` runs one, and has its name and an event that ends it; `done` is told the name
    and what came of it."""
    def job(name):
        def begin(stop):
            if not stop.is_set():
                progress.step('%s test %s' % (kind, name))
            return name, program(name, stop)
        return begin
    beside.each([job(name) for name in ordered(names)], lambda ended: done(*ended))


def run(results, progress, only=None, directory=DIRECTORY, left_out=(), slow=1):
    """All programs of `directory` but those whose names begin with one of `left_out`; everything may take `slow` times longer
    than usual."""
    env = dict(os.environ, PNIC_SLOW=str(slow))

    def program(name, stop):
        limit = testconf.read(directory, name, TIME_LIMIT).timeout * slow
        return run_program(os.path.join(directory, name), limit, stop=stop, env=env)

    def done(name, cases):
        for case in cases:
            results.add('host/' + name, case)

    run_all([name for name in testconf.programs(directory)
             if testconf.wanted(name, only) and not name.startswith(tuple(left_out))], program, done, progress, 'host')
