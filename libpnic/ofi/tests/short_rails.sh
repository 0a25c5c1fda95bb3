#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#
# Rails that die under MPI, by one of the two: the short form of rails_mpi for `make test`. KTAP on stdout.

exec @SHARE@/mpi/rails_mpi openmpi
