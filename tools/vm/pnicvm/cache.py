# SPDX-License-Identifier: GPL-2.0
"""Things that take minutes to make, kept between runs outside the tree.

An entry is a directory named by what it is and by a hash of its recipe, so that a changed
recipe makes a new one.  It is built in a directory beside its final place and renamed when
complete: a build that was cut never looks like a good one.  A lock file keeps two runs from
building the same thing; the kernel drops the lock with the process that held it.

Nothing depends on the cache for being right: removing it only costs time.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import time

KEEP_UNUSED_DAYS = 14


def cache_dir():
    """Where entries live: $XDG_CACHE_HOME/pnic or ~/.cache/pnic."""
    base = os.environ.get('XDG_CACHE_HOME') or os.path.join(os.path.expanduser('~'), '.cache')
    return os.path.join(base, 'pnic')


def recipe_key(recipe):
    """A short hash of anything that JSON can hold; the order of keys does not matter."""
    text = json.dumps(recipe, sort_keys=True, separators=(',', ':'))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@contextlib.contextmanager
def locked(path, waiting=None):
    """Hold the lock file `path`; waiting() is called once if somebody else holds it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'a', encoding='ascii') as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting:
                waiting()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


class Entry:
    """One cached directory: `<base>/<kind>-<key>`."""

    def __init__(self, kind, recipe, base=None, remove=shutil.rmtree):
        self.base = base or cache_dir()
        self.kind = kind
        self.name = '%s-%s' % (kind, recipe_key(recipe))
        self.path = os.path.join(self.base, self.name)
        self._remove = remove   # how to delete a tree whose files may not be ours

    def ready(self):
        return os.path.isdir(self.path)

    def touch(self):
        """Note the use, so that prune() leaves the entry alone."""
        with contextlib.suppress(OSError):
            os.utime(self.path)

    def get(self, build, waiting=None):
        """The entry's path; build(directory) fills a fresh directory when there is none."""
        if not self.ready():
            with locked(self.path + '.lock', waiting):
                if not self.ready():    # the one we waited for may have made it
                    self._make(build)
        self.touch()
        return self.path

    def _make(self, build):
        partial = self.path + '.partial'
        if os.path.lexists(partial):
            self._remove(partial)   # a build that was killed; we hold the lock
        os.makedirs(partial)
        try:
            build(partial)
            os.rename(partial, self.path)
        except BaseException:
            if os.path.lexists(partial):
                self._remove(partial)
            raise

    def prune(self, now=None, days=KEEP_UNUSED_DAYS):
        """Drop entries of the same kind with another recipe that nobody used for long."""
        now = time.time() if now is None else now
        dropped = []
        for name in sorted(os.listdir(self.base)):
            path = os.path.join(self.base, name)
            if not name.startswith(self.kind + '-') or not os.path.isdir(path):
                continue
            if name == self.name or name.endswith('.partial'):
                continue
            if now - os.stat(path).st_mtime < days * 86400:
                continue
            with locked(path + '.lock'):
                self._remove(path)
            dropped.append(name)
        return dropped
