# SPDX-License-Identifier: GPL-2.0
"""Entry of the harness, started by pnic-vm."""

import sys

from pnicvm import cli

if __name__ == '__main__':
    sys.exit(cli.main(sys.argv[1:]))
