#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#
# Both MPIs on four cards, a little of everything: the short form of all_mpi for `make test`. KTAP on stdout.

exec @SHARE@/mpi/all_mpi short
