#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#
# `make soak-mpi`, in the guest: verified MPI traffic of 4 ranks for DURATION seconds while lanes die, weaken and drift, and frames
# are lost and damaged; by each of MPIS in turn. KTAP on stdout, with figures.

. @SHARE@/mpi/mpi.sh

count=0
for mpi in ${MPIS:-openmpi mpich}; do
	count=$((count + 1))
done
echo "KTAP version 1"
"$here/mpi/lane_faults" 2 "${SEED:-1}" >faults 2>&1 &
pid=$!
for mpi in ${MPIS:-openmpi mpich}; do
	share=$((${DURATION:-30} / count))
	more=
	[ $mpi = openmpi ] || more=windows
	before=$(cards wqes)
	LIMIT=$((share + 900)) $mpi 4 mpi_soak $mpi $share "${SEED:-1}" $more 2>&1 || { echo "not ok $mpi"; failed=1; }
	echo "# figure ${mpi}_descriptors $(($(cards wqes) - before)) that the cards carried out"
done
kill -TERM $pid
wait $pid || failed=1
cat faults
exit $failed
