#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#
# `make bench-mpi`, in the guest: Open MPI and MPICH over pnic, Open MPI over libfabric's tcp and over its own shared memory; 2 and 4
# ranks, all in one guest. (libfabric's shm has no FI_REMOTE_COMM, Open MPI doesn't take it; the best shared memory is
# its own.) KTAP on stdout, with figures.

. @SHARE@/mpi/mpi.sh


# measure NAME MPI [OPTIONS]: with 2 and with 4 ranks
measure() {
	name=$1
	mpi=$2
	shift 2
	for ranks in 2 4; do
		number=$((number + 1))
		echo "# $name, $ranks ranks"
		if OPTIONS="$*" LIMIT=600 YIELD=0 $mpi $ranks mpi_bench "${name}_$ranks" >out 2>&1; then
			grep '^# ' out
			# Whoever says pnic has it mapped, nobody else has.
			case $name in
			*pnic*) grep -q '^# maps .*libpnic-fi.so' out || { echo "not ok $number $name $ranks"; failed=1; continue; } ;;
			sm) grep -q '^# maps' out && { echo "not ok $number $name $ranks"; failed=1; continue; } ;;
			esac
			echo "ok $number $name $ranks"
		else
			sed 's/^/# /' out | tail -n 20
			echo "not ok $number $name $ranks"
			failed=1
		fi
	done
}

echo 'KTAP version 1'
echo '1..8'
measure pnic openmpi $cm pnic
measure mpich_pnic mpich
measure ofi_tcp openmpi $cm 'tcp;ofi_rxm'
measure sm openmpi --mca pml ob1 --mca btl self,sm
exit $failed
