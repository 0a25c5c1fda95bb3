# SPDX-License-Identifier: GPL-2.0
"""One guest, from the start of its helpers to the end of all of them.

    with Guest(root, 'name', nics=2, command='...') as guest:
        guest.wait(tick=...)

A run has a directory of its own below build/vm/, with everything that was said: console.log,
output, dmesg.log, qemu.log, model.log.
"""

import contextlib
import glob
import os
import shutil
import tempfile
import time

from . import kernel, kernels, klog, model, paths, process, qemu, space
from .errors import Failure

KEEP_RUNS = 20
SOCKET_SECONDS = 20
SOCKET_BASE = '/tmp'        # short: a Unix socket's path has 108 bytes
VIRTIOFSD = '/usr/libexec/virtiofsd'


def run_directory(name):
    """A fresh directory below build/vm/ ; the oldest ones make room."""
    os.makedirs(paths.RUNS, exist_ok=True)
    old = sorted((entry for entry in os.scandir(paths.RUNS) if entry.is_dir()),
                 key=lambda entry: entry.stat().st_mtime)
    hour_ago = time.time() - 3600   # whatever is younger may be running beside us
    for entry in old[:-KEEP_RUNS]:
        if entry.stat().st_mtime < hour_ago:
            shutil.rmtree(entry.path, ignore_errors=True)
    stamp = time.strftime('%m%d-%H%M%S')
    path = os.path.join(paths.RUNS, '%s-%s-%d' % (name, stamp, os.getpid()))
    suffix = ''
    while True:
        with contextlib.suppress(FileExistsError):
            os.mkdir(path + suffix)
            return path + suffix
        suffix = '-%d' % (int(suffix[1:] or 1) + 1)


def socket_directory():
    """A directory for a run's sockets; those of runs that were killed are removed."""
    for path in glob.glob(os.path.join(SOCKET_BASE, 'pnic-*-*')):
        pid = os.path.basename(path).split('-')[1]
        if pid.isdigit() and not os.path.exists('/proc/' + pid):
            shutil.rmtree(path, ignore_errors=True)
    return tempfile.mkdtemp(prefix='pnic-%d-' % os.getpid(), dir=SOCKET_BASE)


class Guest:
    """A guest that runs one shell script and ends."""

    def __init__(self, root, name, command, accel='tcg', cpus=2, memory_mb=2048, nics=0,
                 model_args=(), seed=None, time_limit=600, interactive=False, append='',
                 cpu=None, iommu=False, which=None, qmp=False):
        self.root = root
        self.kernel = which or kernels.stock(root)
        self.command = command
        self.accel = accel
        self.cpus = cpus
        self.cpu = cpu
        self.memory_mb = memory_mb
        self.nics = nics
        self.model_args = model_args
        self.seed = seed
        self.time_limit = time_limit
        self.interactive = interactive
        self.iommu = iommu
        self.qmp = qmp
        self.environment = dict(self.kernel.environment)
        self.append = ' '.join(words for words in (
            kernel.IOMMU if iommu else '', self.kernel.append, append) if words)
        self.directory = run_directory(name)
        self.model = None
        self.reason = None      # why the run was cut, in words
        self.started = None
        self._sockets = None
        self._helpers = []
        self._qemu = None
        self._log = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def file(self, name):
        """A file of this run."""
        return os.path.join(self.directory, name)

    def in_guest(self, name=''):
        """The guest's name for a file of this run."""
        return paths.in_guest(self.file(name)) if name else paths.in_guest(self.directory)

    def start(self):
        self.started = time.monotonic()
        self._sockets = socket_directory()
        self._log = open(self.file('qemu.log'), 'wb')  # pylint: disable=consider-using-with
        shutil.copy(os.path.join(paths.VM, 'guest', 'init.sh'), self.file('init'))
        with open(self.file('command'), 'w', encoding='utf-8') as script:
            script.write(self.command)
        with open(self.file('environment'), 'w', encoding='ascii') as script:
            script.write('PNIC_SLOW=%d\nPNIC_KERNEL=%s\n' % (self.kernel.slow, self.kernel.name))
            script.writelines('%s=%s\n' % pair for pair in self.environment.items())
        if self.interactive:
            with open(self.file('interactive'), 'w', encoding='utf-8') as mark:
                mark.write(os.environ.get('TERM', 'dumb'))
        if self.nics:
            self.model = model.Model(self._sockets, self.nics, self.file('model.log'),
                                     seed=self.seed, args=self.model_args)
            self.model.start()
        self._virtiofsd('root', paths.ROOT_CLEAN, 'always')
        # `auto`: what the host writes there is seen, if a second late
        self._virtiofsd('pnic', paths.ROOT_SHARE, 'auto')
        self._await_sockets()
        # In the guest's shell line no quote and no equals sign may stand.
        init = 'mount -t virtiofs pnic %s && exec /bin/sh %s' % (paths.ROOT_SHARE,
                                                                self.in_guest('init'))
        argv = qemu.command(self.accel, self.cpus, self.memory_mb, self.nics,
                            self.kernel.image,
                            kernel.command_line(self.accel, init, self.append),
                            cpu=self.cpu, iommu=self.iommu, qmp=self.qmp,
                            native_hotplug=self.kernel.native_hotplug,
                            console={'log': self.in_guest('console.log'),
                                     'interactive': self.interactive})
        argv = self._in_root(argv)
        if self.interactive:
            self._qemu = process.spawn_attached(argv, self._log)
        else:
            self._qemu = process.spawn(argv, self._log)

    def _in_root(self, argv):
        binds = [(self._sockets, qemu.SOCKETS), (paths.BUILD, paths.ROOT_SHARE)]
        return space.in_root(self.root.path, argv,
                             binds + self.kernel.binds() + self.kernel.guest_binds())

    def _virtiofsd(self, tag, directory, cache):
        argv = [VIRTIOFSD, '--shared-dir', directory, '--sandbox', 'none', '--cache', cache,
                '--socket-path', '%s/%s.sock' % (qemu.SOCKETS, tag), '--log-level', 'error']
        self._helpers.append(process.spawn(self._in_root(argv), self._log))

    def _await_sockets(self):
        wanted = [os.path.join(self._sockets, tag + '.sock') for tag in ('root', 'pnic')]
        deadline = time.monotonic() + SOCKET_SECONDS
        while not all(map(os.path.exists, wanted)):
            if time.monotonic() > deadline or any(h.poll() is not None for h in self._helpers):
                raise Failure('virtiofsd did not start: see %s' % self.file('qemu.log'))
            time.sleep(0.02)

    def running(self):
        return self._qemu is not None and self._qemu.poll() is None

    def cut(self, reason):
        """End the guest now and remember why."""
        if self.reason is None:
            self.reason = reason
        process.end(self._qemu, patience=1.0)

    def wait(self, tick=None, interval=0.1):
        """Wait until the guest ends, calling tick() meanwhile.  Returns the command's exit
        status, or None when the guest left none (`reason` says what happened)."""
        while self.running():
            if time.monotonic() - self.started > self.time_limit:
                self.cut('time limit of %d s' % self.time_limit)
            elif self.model and not self.model.alive():
                self.cut('the model ended before the guest: see %s' % self.file('model.log'))
            else:
                with contextlib.suppress(process.TimeoutExpired):
                    self._qemu.wait(interval)
            if tick:
                tick()
        return self.status()

    def status(self):
        """The command's exit status, or None."""
        with contextlib.suppress(OSError, ValueError):
            with open(self.file('status'), encoding='ascii') as handle:
                return int(handle.read())
        if self.reason is None:
            self.reason = 'the guest died'
        return None

    def read(self, name):
        """The text of one of the run's files; empty when there is none."""
        with contextlib.suppress(OSError):
            with open(self.file(name), encoding='utf-8', errors='replace') as handle:
                return handle.read()
        return ''

    def kernel_warnings(self):
        """What the guest's kernel complained about."""
        return klog.bad_lines(self.read('console.log') + self.read('dmesg.log'))

    def last_words(self):
        """The end of the console's and of QEMU's own log, for a guest that died."""
        lines = klog.last_words(self.read('console.log'))
        return lines + ['qemu: ' + line for line in self.read('qemu.log').splitlines()[-10:]]

    def stop(self):
        """End everything; safe to call at any time and more than once."""
        process.end(self._qemu, patience=1.0)
        for helper in self._helpers:
            process.end(helper)
        if self.model:
            self.model.stop()
        if self._log:
            self._log.close()
            self._log = None
        if self._sockets:
            shutil.rmtree(self._sockets, ignore_errors=True)
            self._sockets = None
