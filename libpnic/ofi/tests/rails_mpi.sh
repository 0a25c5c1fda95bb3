#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#
# Rails that die under MPI: two ranks, each with two of four cards at a switch. See mpi_rails.c; and the error of the last way's
# death is one line of the provider's that names rail, peer, operation and reason.
#
#	rails_mpi [MPI ...]	openmpi and mpich
#
# KTAP on stdout.

. @SHARE@/mpi/mpi.sh

# Each rank its two cards.
cat >own_cards <<'EOF'
#!/bin/sh
case ${OMPI_COMM_WORLD_RANK:-$PMI_RANK} in
0) export FI_PNIC_DEVICE='pnic0+pnic1' ;;
*) export FI_PNIC_DEVICE='pnic2+pnic3' ;;
esac
exec "$@"
EOF
chmod 755 own_cards


rails() {
	mpi=$1
	WRAPPER=$PWD/own_cards LIMIT=250 $mpi 2 mpi_rails $mpi >out 2>&1
	# However it ended, nothing is cut for who comes next.
	for nic in 0 1; do
		echo "{\"cmd\":\"cut\",\"nic\":$nic,\"on\":false}" >/dev/virtio-ports/pnic.ctl
	done
	for name in both_rails_carry goes_on_over_the_other fails_back last_path_is_an_error; do
		number=$((number + 1))
		# To MPICH an error of the network is fatal, whatever the error handler: it ends the job with it.
		if grep -q "^ok [0-9]* ${mpi}_$name" out || { [ $mpi.$name = mpich.last_path_is_an_error ] &&
							       grep -q 'OFI poll failed' out; }; then
			echo "ok $number ${mpi}_$name"
		else
			sed 's/^/# /' out | tail -n 20
			echo "not ok $number ${mpi}_$name"
			failed=1
		fi
	done
	grep '^# figure' out
	number=$((number + 1))
	# "peer 0x... can't be reached any more: rail 0 (pnic0): send of 40 bytes to 0x...: the reason"
	if grep -q "peer 0x.* can't be reached any more: rail .*(pnic.*): .* of .* bytes to 0x.*: " out; then
		grep "can't be reached any more" out | head -n 1 | sed 's/^/# /'
		echo "ok $number ${mpi}_error_says_what"
	else
		sed 's/^/# /' out | head -n 40
		echo "not ok $number ${mpi}_error_says_what"
		failed=1
	fi
}

mpis=${*:-openmpi mpich}
plan=0
for mpi in $mpis; do
	plan=$((plan + 5))
done
echo 'KTAP version 1'
echo "1..$plan"
for mpi in $mpis; do
	if [ -e "$here/mpi/$mpi/mpi_rails" ]; then
		rails "$mpi"
		continue
	fi
	for name in both_rails_carry goes_on_over_the_other fails_back last_path_is_an_error error_says_what; do
		number=$((number + 1))
		echo "ok $number ${mpi}_$name # SKIP it isn't built: make mpich"
	done
done
exit $failed
