# SPDX-License-Identifier: GPL-2.0
"""Reading a file that somebody else is still writing."""


class Tail:
    """Complete new lines of a growing file, each time lines() is called."""

    def __init__(self, path):
        self._path = path
        self._offset = 0
        self._rest = b''

    def more(self):
        """New bytes since the last call."""
        try:
            with open(self._path, 'rb') as handle:
                handle.seek(self._offset)
                data = handle.read()
        except OSError:
            return b''
        self._offset += len(data)
        return data

    def lines(self):
        data = self._rest + self.more()
        *whole, self._rest = data.split(b'\n')
        return [line.decode(errors='replace').rstrip('\r') for line in whole]

    def rest(self):
        """What stands after the last newline, when nothing more will come."""
        rest, self._rest = self._rest, b''
        return [rest.decode(errors='replace')] if rest else []


class Follower:
    """Copies a growing file to a stream as it grows."""

    def __init__(self, path, stream):
        self._tail = Tail(path)
        self._stream = stream

    def poll(self):
        data = self._tail.more()
        if data:
            self._stream.write(data.decode(errors='replace'))
            self._stream.flush()
