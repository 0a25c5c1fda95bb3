# SPDX-License-Identifier: GPL-2.0
"""The frequency of the time stamp counter, which an emulated guest shares with the machine.

The guest's kernel would measure it against an emulated timer, and on a busy machine gets it wrong
by as much as seventy times: then its clock races, and time-outs and soft lockups come from nowhere.
"""

import functools
import os
import subprocess

from . import paths


@functools.lru_cache(maxsize=None)
def khz():
    """In kHz, or 0 where it can't be told: the guest measures it then."""
    source = os.path.join(paths.VM, 'tsc-khz.c')
    program = os.path.join(paths.BUILD, 'host', 'tools', 'vm', 'tsc-khz')
    try:
        if not os.path.exists(program) or os.path.getmtime(program) < os.path.getmtime(source):
            os.makedirs(os.path.dirname(program), exist_ok=True)
            subprocess.run(['cc', '-O2', '-Wall', '-Wextra', '-Werror', '-o', program, source],
                           check=True, capture_output=True)
        return int(subprocess.run([program], check=True, capture_output=True).stdout)
    except (OSError, ValueError, subprocess.CalledProcessError):
        return 0
