# SPDX-License-Identifier: GPL-2.0
"""What a machine with the card does: `make`, `make install modules_install`.

Tried in the guest root, a Debian with kernel headers and the newer compiler, with all output in
its own /tmp: nothing of build/ is used or touched.
"""

import subprocess
import time

from . import build, kernels, space

SCRIPT = r'''
set -e
make -j"$(nproc)" B=/tmp/build KDIR="$1" all >/tmp/log 2>&1 &&
make B=/tmp/build KDIR="$1" DESTDIR=/tmp/stage prefix=/usr install modules_install \
	>>/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
cd /tmp/stage
for want in "$(pkg-config --variable=libdir libfabric | cut -c2-)/libfabric/libpnic-fi.so" \
		usr/share/pnic/openmpi.tune usr/lib/libpnic.so usr/lib/libpnic.a usr/lib/pkgconfig/libpnic.pc \
		usr/include/pnic.h usr/include/linux/pnic.h usr/bin/pnic-model \
		usr/bin/pnic-allreduce usr/sbin/pnic usr/share/man/man8/pnic.8 \
		usr/share/bash-completion/completions/pnic "lib/modules/$2/updates/pnic.ko"; do
	# Debian's kernel packs its modules
	[ -s "$want" ] || [ -s "$want.xz" ] || echo "not installed: $want"
done
usr/bin/pnic-model --help >/dev/null || echo "pnic-model does not run"
usr/sbin/pnic --help >/dev/null || echo "pnic does not run"
'''


def run(root, results, progress):
    progress.step('make install, modules_install')
    started = time.monotonic()
    argv = space.in_source(root.path, ['sh', '-c', SCRIPT, 'sh', kernels.stock(root).headers,
                                       root.kernel])
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace', check=False)
    bad = build.telling(done.stdout.splitlines())
    if done.returncode and not bad:
        bad = ['status %d' % done.returncode]
    results.check('install', 'make, install, modules_install', bad,
                  seconds=time.monotonic() - started)
