# SPDX-License-Identifier: GPL-2.0
"""The card's model as a process, and the client of its control socket.

The control protocol is one JSON object a line each way, answered in order.
"""

import json
import os
import socket
import time

from . import paths, process
from .errors import Failure

PROGRAM = os.path.join(paths.BUILD, 'host', 'tools', 'model', 'pnic-model')
READY_SECONDS = 30


class Model:
    """pnic-model with its sockets in `directory`."""

    def __init__(self, directory, nics, log_path, seed=None, args=(), program=None):
        self.directory = directory
        self.nics = nics
        self.log_path = log_path
        self.ctl_path = os.path.join(directory, 'ctl.sock')
        self._argv = [program or PROGRAM, '--nics', str(nics), '--socket-dir', directory,
                      '--ctl', self.ctl_path]
        if seed is not None:
            self._argv += ['--seed', str(seed)]
        self._argv += list(args)
        self._process = None
        self._log = None

    def socket_path(self, nic):
        return os.path.join(self.directory, 'nic%d.sock' % nic)

    def start(self):
        if not os.access(self._argv[0], os.X_OK):
            raise Failure('the model is not built: %s is missing' % self._argv[0])
        self._log = open(self.log_path, 'wb')   # pylint: disable=consider-using-with
        self._process = process.spawn(self._argv, self._log)
        deadline = time.monotonic() + READY_SECONDS
        while not self._ready():
            if not self.alive() or time.monotonic() > deadline:
                self.stop()
                raise Failure('the model did not start: see %s' % self.log_path)
            time.sleep(0.02)

    def _ready(self):
        """It says `ready` on stdout, which goes to the log so that it never blocks."""
        with open(self.log_path, 'rb') as log:
            return b'ready\n' in log.read()

    def alive(self):
        return self._process is not None and self._process.poll() is None

    def control(self):
        return Control(self.ctl_path)

    def stop(self):
        process.end(self._process)
        if self._log:
            self._log.close()
            self._log = None


class Control:
    """One connection to the model's control socket."""

    def __init__(self, path, timeout=30.0):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        try:
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            raise Failure("the model's control socket: %s" % error) from error
        self._file = self._socket.makefile('rb')

    def call(self, cmd, **arguments):
        """Send {"cmd": cmd, ...}; returns the reply (a dict), raises on an error reply."""
        request = dict(arguments, cmd=cmd)
        try:
            self._socket.sendall(json.dumps(request).encode() + b'\n')
            line = self._file.readline()
        except OSError as error:
            raise Failure('the model does not answer %s: %s' % (cmd, error)) from error
        if not line:
            raise Failure('the model closed its control socket at %s' % cmd)
        reply = json.loads(line)
        if reply.get('error') or reply.get('ok') is False:
            raise Failure('the model refused %s: %s'
                          % (request, reply.get('error') or reply))
        return reply

    def close(self):
        self._file.close()
        self._socket.close()
