#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#
# A short `make soak-mpi` for each of the two MPIs, and one of all collectives. KTAP on stdout.

. @SHARE@/mpi/mpi.sh

echo 'KTAP version 1'
echo '1..4'
for mpi in openmpi mpich; do
	if [ ! -e "$here/mpi/$mpi/mpi_soak" ]; then
		for name in collectives while_lanes_die; do
			number=$((number + 1))
			echo "ok $number ${mpi}_$name # SKIP it isn't built: make mpich"
		done
		continue
	fi
	$mpi 2 mpi_coll $mpi 600 >out 2>&1 && ! grep -q '^not ok' out && grep -q '_ranks_on_pnic 2 ' out
	report $? ${mpi}_collectives
	before=$(cards wqes)
	DURATION=8 SEED=1 MPIS=$mpi "$here/mpi/soak_mpi" >out 2>&1 && ! grep -q '^not ok' out && [ "$(cards wqes)" -gt "$before" ]
	report $? ${mpi}_while_lanes_die
done
exit $failed
