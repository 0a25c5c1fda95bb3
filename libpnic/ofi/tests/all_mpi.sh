#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#
# Unmodified Open MPI and MPICH (ch4:ofi) in the guest over the provider, with 2 to 8 ranks on 1 to 4 cards: point to point,
# all collectives, windows, threads, and traffic of chance while lanes die. Nothing else carries the bytes: each rank has the provider mapped,
# and the cards have carried out at least what the program moves.
#
#	all_mpi [short]
#
# KTAP on stdout.

. @SHARE@/mpi/mpi.sh

# carried COUNT COMMAND...: the command works, and the cards carried out so many descriptors at least meanwhile
carried() {
	least=$1
	shift
	before=$(cards wqes)
	"$@" >out 2>&1 || { echo "status $?" >>out; return 1; }
	done=$(($(cards wqes) - before))
	echo "the cards carried out $done descriptors, $least at least were to be" >>out
	[ "$done" -ge "$least" ]
}

# check RANKS CARDS COUNT PROGRAM...: by way of $mpi
check() {
	ranks=$1
	export FI_PNIC_DEVICE="$2"
	least=$3
	shift 3
	carried "$least" $mpi "$ranks" "$@"
	status=$?
	unset FI_PNIC_DEVICE
	[ $status -eq 0 ] || return 1
	case $1 in
	mpi_check) grep -q ' 0 errors, .*/libpnic-fi.so' out ;;
	*) ! grep -q '^not ok' out && grep -q "_ranks_on_pnic $ranks \|_on_pnic$" out ;;
	esac
}

with_faults() {
	"$here/mpi/lane_faults" 4 1 >faults 2>&1 &
	pid=$!
	check "$@"
	status=$?
	kill -TERM $pid
	wait $pid || status=1
	cat faults >>out
	return $status
}

everything() {
	check 2 pnic0 60 mpi_check ptp 65536
	report $? "${mpi}_messages_1_card"

	check 3 'pnic0;pnic1' 90 mpi_check ptp 65536
	report $? "${mpi}_messages_2_cards"

	check 8 'pnic0;pnic1;pnic2;pnic3' 300 mpi_check ptp 8192
	report $? "${mpi}_messages_4_cards_8_ranks"

	check 4 'pnic0;pnic1;pnic2;pnic3' 5000 mpi_coll "$mpi" 8193
	report $? "${mpi}_collectives"

	check 2 'pnic2;pnic3' 150 mpi_check threads
	report $? "${mpi}_threads"

	with_faults 4 'pnic0;pnic1;pnic2;pnic3' 200 mpi_soak "$mpi" 6 1
	report $? "${mpi}_while_lanes_die"
}

a_little() {
	check 8 'pnic0;pnic1;pnic2;pnic3' 200 mpi_check ptp 512
	report $? "${mpi}_messages_4_cards_8_ranks"

	check 4 'pnic0;pnic1;pnic2;pnic3' 500 mpi_coll "$mpi" 9
	report $? "${mpi}_collectives"
}

what=everything
window=65536
each=7
[ "$1" != short ] || { what=a_little; window=1024; each=3; }
echo 'KTAP version 1'
echo "1..$((2 * each))"
for mpi in openmpi mpich; do
	if [ -e "$here/mpi/$mpi/mpi_check" ]; then
		$what
		if [ $mpi = mpich ]; then
			check 4 'pnic0;pnic1' 50 mpi_check rma $window
		else
			OPTIONS=$windows check 2 'pnic0;pnic1' 50 mpi_check rma $window
		fi
		report $? ${mpi}_windows
		continue
	fi
	for skipped in $(seq $each); do
		number=$((number + 1))
		echo "ok $number ${mpi}_$skipped # SKIP it isn't built: make mpich"
	done
done
exit $failed
