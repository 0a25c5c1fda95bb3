# SPDX-License-Identifier: GPL-2.0
"""KVM or TCG: decided by booting a guest, because a /dev/kvm that opens may still not work
(nested in an emulator that lacks instructions, for one)."""

import json
import os
import platform
import time

from . import boot, cache
from .errors import Failure

PROBE_SECONDS = 30
SILENT_SECONDS = 8      # a guest that runs has said something long before


def _cpu_model():
    with open('/proc/cpuinfo', encoding='utf-8') as info:
        for line in info:
            if line.startswith('model name'):
                return line.partition(':')[2].strip()
    return ''


def _machine():
    """What the verdict depends on, the guest root aside."""
    with open('/proc/sys/kernel/random/boot_id', encoding='ascii') as boot_id:
        return [boot_id.read().strip(), platform.release(), _cpu_model(), os.geteuid()]


def _boots(root):
    """Does a guest really come up under KVM?"""
    def tick():
        # QEMU keeps a guest that KVM cannot go on with: no need to wait for the limit
        if 'KVM internal error' in guest.read('qemu.log'):
            guest.cut('KVM internal error')
        elif time.monotonic() - guest.started > SILENT_SECONDS and not guest.read('console.log'):
            guest.cut('no word from the kernel')
    try:
        with boot.Guest(root, 'kvm-probe', 'true\n', accel='kvm', cpus=2, memory_mb=512,
                        time_limit=PROBE_SECONDS,
                        append='earlyprintk=ttyS0 loglevel=7') as guest:
            return guest.wait(tick) == 0
    except Failure:
        return False


def choose(root, progress):
    """'kvm' or 'tcg'."""
    forced = os.environ.get('PNIC_ACCEL')
    if forced in ('kvm', 'tcg'):
        return forced
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        return 'tcg'
    key = cache.recipe_key([_machine(), root.entry.name])
    path = os.path.join(root.entry.base, 'kvm-verdict.json')
    try:
        with open(path, encoding='utf-8') as handle:
            known = json.load(handle)
        if known['key'] == key and known['accel'] in ('kvm', 'tcg'):
            return known['accel']
    except (OSError, ValueError, KeyError, TypeError):
        pass
    progress.step('probing KVM with a small guest')
    accel = 'kvm' if _boots(root) else 'tcg'
    progress.note('KVM works' if accel == 'kvm' else
                  '/dev/kvm does not boot a guest here: using TCG')
    with open(path + '.%d' % os.getpid(), 'w', encoding='utf-8') as handle:
        json.dump({'key': key, 'accel': accel}, handle)
    os.replace(path + '.%d' % os.getpid(), path)
    return accel
