#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#
# `make bench-mpi`, in the guest: Open MPI and MPICH over pnic, Open MPI over libfabric's tcp and over its own shared memory; 2 and 4
# ranks, all in one guest. (libfabric's shm has no FI_REMOTE_COMM, Open MPI doesn't take it; the best shared memory is
# its own.) KTAP on stdout, with figures.
#
#	bench_mpi [SHAPE FIGURE ...]
#
# All figures; or some, with SHAPE before their names: which guest it is.

. @SHARE@/mpi/mpi.sh

shape=${1:+$1_}
[ $# -eq 0 ] || shift
figures=$*

# measure NAME FIGURES MPI [OPTIONS]: with 2 and with 4 ranks; FIGURES are those that it has if none were asked for
measure() {
	name=$1
	these=${figures:-$2}
	mpi=$3
	shift 3
	for ranks in 2 4; do
		number=$((number + 1))
		echo "# $name, $ranks ranks"
		if OPTIONS="$*" LIMIT=600 YIELD=0 $mpi $ranks mpi_bench "$shape${name}_$ranks" $these >out 2>&1; then
			grep '^# ' out
			# Whoever says pnic has it mapped, nobody else has.
			case $name in
			*pnic*) grep -q '^# maps .*libpnic-fi.so' out || { echo "not ok $number $name $ranks"; failed=1; continue; } ;;
			sm*) grep -q '^# maps' out && { echo "not ok $number $name $ranks"; failed=1; continue; } ;;
			esac
			echo "ok $number $name $ranks"
		else
			sed 's/^/# /' out | tail -n 20
			echo "not ok $number $name $ranks"
			failed=1
		fi
	done
}

tuned="--tune $here/libpnic/ofi/openmpi.tune"
echo 'KTAP version 1'
if [ -n "$figures" ]; then
	echo '1..8'
	measure pnic '' openmpi $cm pnic
	measure mpich_pnic '' mpich
	measure ofi_tcp '' openmpi $cm 'tcp;ofi_rxm'
	measure sm '' openmpi --mca pml ob1 --mca btl self,sm
else
	# The all-reduce of each as Open MPI chooses it, and as openmpi.tune does.
	reduce='allreduce_ms allreduce_int_ms'
	echo '1..14'
	measure pnic '' openmpi $tuned $cm pnic
	measure pnic_plain "$reduce" openmpi $cm pnic
	measure mpich_pnic '' mpich
	measure ofi_tcp '' openmpi $cm 'tcp;ofi_rxm'
	measure ofi_tcp_tuned "$reduce" openmpi $tuned $cm 'tcp;ofi_rxm'
	measure sm '' openmpi --mca pml ob1 --mca btl self,sm
	measure sm_tuned "$reduce" openmpi $tuned --mca pml ob1 --mca btl self,sm
fi
exit $failed
