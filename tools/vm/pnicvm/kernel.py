# SPDX-License-Identifier: GPL-2.0
"""The guest's kernel: the plain ELF image out of Debian's vmlinuz, and its command line.

QEMU starts an ELF kernel with a PVH note directly, with no boot loader and no self-extraction:
most of a second less under TCG.
"""

import os
import re
import struct
import subprocess

from . import space, tsc
from .errors import Failure

# offsets in the setup header, Documentation/arch/x86/boot.rst
SETUP_SECTS = 0x1f1
MAGIC = 0x202
PAYLOAD_OFFSET = 0x248
ZSTD = b'\x28\xb5\x2f\xfd'


def payload(image):
    """The compressed ELF file inside a bzImage (bytes)."""
    if image[MAGIC:MAGIC + 4] != b'HdrS':
        raise Failure('the guest kernel is no bzImage')
    start = ((image[SETUP_SECTS] or 4) + 1) * 512
    offset, length = struct.unpack_from('<II', image, PAYLOAD_OFFSET)
    data = image[start + offset:start + offset + length - 4]    # 4: the unpacked size
    if not data.startswith(ZSTD):
        raise Failure('the guest kernel is not packed with zstd')
    return data


def _numbers(version):
    """6.12.118+deb13-amd64 -> (6, 12, 118), to sort by."""
    return tuple(int(n) for n in re.findall(r'\d+', version.partition('+')[0]))


def versions(root):
    """The versions of the root's kernels, as `uname -r` says them, oldest first."""
    found = sorted((n[len('vmlinuz-'):] for n in os.listdir(os.path.join(root, 'boot'))
                    if n.startswith('vmlinuz-')), key=_numbers)
    if len(found) != 2:
        raise Failure("the guest root holds %d kernels, not the suite's and the backports'"
                      % len(found))
    return found


def extract(root, version):
    """Unpack vmlinuz to /boot/vmlinux-VERSION in the root, with the root's own zstd."""
    boot = os.path.join(root, 'boot')
    with open(os.path.join(boot, 'vmlinuz-' + version), 'rb') as image:
        data = payload(image.read())
    with open(os.path.join(boot, 'vmlinux-' + version), 'wb') as out:
        # The root is read-only inside; the data goes through pipes.
        done = subprocess.run(space.in_root(root, ['zstd', '-dqc']), input=data, stdout=out,
                              check=False)
    if done.returncode:
        raise Failure('the guest kernel could not be unpacked')


# Each mapping is undone at once, so that one that is left over can be counted.
IOMMU = 'intel_iommu=on iommu.strict=1'


def command_line(accel, init, extra=''):
    """Kernel parameters; `init` is the shell line that the first process runs."""
    words = ['console=ttyS0', '8250.nr_uarts=1', 'panic=-1',
             # warnings are seen on the console as they happen, boot chatter is not
             'quiet', 'loglevel=5',
             'root=root', 'rootfstype=virtiofs', 'ro',
             # a guest is short-lived and trusted: addresses stay comparable, code stays fast
             'nokaslr', 'mitigations=off',
             # a busy host starves a vCPU for seconds; that is no bug of the guest
             'rcupdate.rcu_cpu_stall_timeout=120']
    if accel == 'tcg':
        # Calibrations that take half a second and go wrong on a busy host.
        words += ['tsc=reliable', 'no_timer_check', 'lpj=4000000',
                  # What virtiofsd and the model write into the guest's memory is not seen by
                  # QEMU, which goes on running what it has translated of a page's code of before
                  # -- unless the guest itself writes to a page before it is used anew.
                  'init_on_alloc=1']
        if tsc.khz():
            words.append('tsc_early_khz=%d' % tsc.khz())
    if extra:
        words.append(extra)
    return ' '.join(words) + ' init=/bin/sh -- -c "%s"' % init
