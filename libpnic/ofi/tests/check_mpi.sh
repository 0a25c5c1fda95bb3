#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#
# `make check-mpi`, in the guest: all collectives, 1 byte to 4 MiB, verified, 4 ranks, by Open MPI and by MPICH over the
# provider; and the rest of mpi_check. KTAP on stdout, with figures.

. @SHARE@/mpi/mpi.sh


for mpi in openmpi mpich; do
	echo "# $mpi"
	before=$(cards wqes)
	LIMIT=2400 $mpi 4 mpi_coll $mpi 4194304 2>&1 || failed=1
	echo "# figure ${mpi}_coll_descriptors $(($(cards wqes) - before)) that the cards carried out for them"
	for what in ptp threads rma; do
		options=
		[ $mpi$what != openmpirma ] || options=$windows
		if OPTIONS=$options LIMIT=600 $mpi 4 mpi_check $what >out 2>&1 && grep -q ' 0 errors, .*/libpnic-fi.so' out; then
			echo "# figure ${mpi}_$what $(sed -n 's/^mpi_check: \([0-9]*\) .*/\1/p' out) things that were verified, 4 ranks"
		else
			sed 's/^/# /' out | tail -n 20
			echo "not ok ${mpi}_$what"
			failed=1
		fi
	done
done
exit $failed
