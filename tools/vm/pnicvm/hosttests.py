# SPDX-License-Identifier: GPL-2.0
"""Runs the test programs that need no guest."""

import os
import selectors
import subprocess
import time

from . import ktap, paths, testconf

DIRECTORY = os.path.join(paths.BUILD, 'host', 'tests')
TIME_LIMIT = 300


def start(path, env=None, argv=None):
    """The program, or what runs it, with its output in a pipe."""
    # gcc's address sanitizer looks at pointers into frames that have ended only if it is told to.
    env = dict({'ASAN_OPTIONS': 'detect_stack_use_after_return=1'}, **(env or os.environ))
    return subprocess.Popen(argv or [path], cwd=os.path.dirname(path), stdin=subprocess.DEVNULL, env=env,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            start_new_session=True)


def run_program(path, limit=TIME_LIMIT, argv=None, watch=None):
    """The cases of one program; `watch` sees each line of it."""
    started = time.monotonic()
    parser = ktap.Parser()
    timed_out = None
    with start(path, argv=argv) as process:
        try:
            selector = selectors.DefaultSelector()
            selector.register(process.stdout, selectors.EVENT_READ)
            rest = b''
            while True:
                left = started + limit - time.monotonic()
                if left <= 0:
                    timed_out = limit
                    break
                if not selector.select(left):
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
                _end(process, started + limit)
    return parser.finish(process.returncode, timed_out)


def _end(process, deadline):
    """The program closed its output or ran too long: what it started goes with it."""
    try:
        process.wait(max(0.0, min(5.0, deadline - time.monotonic())))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()


def run(results, progress, only=None, directory=DIRECTORY, left_out=()):
    """All programs of `directory` but those whose names begin with one of `left_out`."""
    for name in testconf.programs(directory):
        if not testconf.wanted(name, only) or name.startswith(tuple(left_out)):
            continue
        progress.step('host test ' + name)
        conf = testconf.read(directory, name, TIME_LIMIT)
        for case in run_program(os.path.join(directory, name), conf.timeout):
            results.add('host/' + name, case)
