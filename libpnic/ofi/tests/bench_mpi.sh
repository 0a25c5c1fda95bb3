#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#
# `make bench-mpi`, in the guest: Open MPI over pnic, over libfabric's tcp, and over its own shared memory; 2 and 4
# ranks, all in one guest. (libfabric's shm has no FI_REMOTE_COMM, Open MPI doesn't take it; the best shared memory is
# its own.) KTAP on stdout, with figures.

here=@SHARE@
export FI_PROVIDER_PATH=$here/libpnic/ofi FI_LOG_PROV=pnic
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 TMPDIR=/tmp HOME=/tmp
ulimit -l unlimited
ip link set lo up
cd /tmp || exit 1

cm="--mca pml cm --mca mtl ofi --mca mtl_ofi_provider_include"
number=0
failed=0

# measure NAME OPTIONS: with 2 and with 4 ranks
measure() {
	name=$1
	shift
	for ranks in 2 4; do
		number=$((number + 1))
		echo "# $name, $ranks ranks"
		if timeout 600 mpirun --oversubscribe -n $ranks "$@" "$here/mpi/mpi_bench" "${name}_$ranks" >out 2>&1; then
			grep '^# ' out
			# Whoever says pnic has it mapped, nobody else has.
			case $name in
			pnic) grep -q '^# maps .*libpnic-fi.so' out || { echo "not ok $number $name $ranks"; failed=1; continue; } ;;
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
echo '1..6'
measure pnic $cm pnic
measure ofi_tcp $cm 'tcp;ofi_rxm'
measure sm --mca pml ob1 --mca btl self,sm
exit $failed
