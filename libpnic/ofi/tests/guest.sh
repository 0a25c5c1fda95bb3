#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#
# The provider in the guest, over the kernel driver, as programs of others use it: fi_info, fi_pingpong, Open MPI. And
# its own suite once more. That pnic was taken, and nothing else, is seen in the maps of the processes.
#
# KTAP on stdout.

. @SHARE@/mpi/mpi.sh

pingpong() {
	fi_pingpong -p pnic -d pnic0 -e rdm -c -S "$1" -I 20 >server 2>&1 &
	server=$!
	# It listens before long; who comes too early is refused.
	for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		sleep 1
		fi_pingpong -p pnic -d pnic1 -e rdm -c -S "$1" -I 20 $2 127.0.0.1 >out 2>&1 && break
	done
	status=$?
	[ $status -eq 0 ] || kill $server
	wait $server || status=1
	cat server >>out
	grep -q "20 *=20" out || status=1
	return $status
}

mpi="mpirun --oversubscribe"
cm="--mca pml cm --mca mtl ofi --mca mtl_ofi_provider_include pnic"

# mpi_run RANKS OPTIONS PROGRAM...: verified, and by way of the provider
mpi_run() {
	ranks=$1
	shift
	timeout $((300 * ${PNIC_SLOW:-1})) $mpi -n "$ranks" "$@" >out 2>&1 && grep -q ' 0 errors, .*/libpnic-fi.so' out
}

echo 'KTAP version 1'
echo '1..8'

# All cards as one domain, and nothing else, unless somebody names others.
domains() {
	[ "$(sed -n 's/^ *domain: //p' out | sort -u | tr '\n' ' ')" = "$1" ] && ! grep -q 'ofi_rxm\|ofi_rxd\|FI_EP_MSG' out
}

fi_info -p pnic >out 2>&1 && domains 'pnic0+pnic1 ' &&
	fi_info -p pnic -d pnic1 >out 2>&1 && domains 'pnic1 ' &&
	FI_PNIC_DEVICE='pnic0;pnic1' fi_info -p pnic >out 2>&1 && domains 'pnic0 pnic1 '
report $? fi_info

FI_PNIC_DEVICE=pnic0 fi_info -p pnic -v >out 2>&1 && grep -q 'state: FI_LINK_UP' out && grep -q 'speed: [1-9]' out
report $? fi_info_link

pingpong 64
report $? fi_pingpong_short

pingpong 65536
report $? fi_pingpong_long

(FI_PROVIDER=pnic PNIC_DEVICES=pnic "$here/native/ofi_msg" msg_sizes msg_order tagged_wildcards peek_claim_discard multi_recv &&
 FI_PROVIDER=pnic PNIC_DEVICES=pnic "$here/native/ofi_rma" rma_write rma_read rma_data atomic_forms &&
 FI_PROVIDER=pnic PNIC_DEVICES=pnic "$here/native/ofi_rma" rma_fence rma_order_claims &&
 FI_PROVIDER=pnic PNIC_DEVICES=pnic "$here/native/ofi_hmem" &&
 FI_PROVIDER=pnic PNIC_DEVICES=pnic "$here/native/ofi_flow" memory_replaced peer_vanishes two_rails auto_progress) >out 2>&1
report $? suite_on_the_driver

mpi_run 2 $cm "$here/mpi/openmpi/mpi_check" ptp 65536
report $? open_mpi_messages

mpi_run 4 $cm "$here/mpi/openmpi/mpi_check" coll 8192
report $? open_mpi_collectives

mpi_run 2 --mca pml ob1 --mca btl self,ofi --mca btl_ofi_mode 2 --mca btl_ofi_provider_include pnic --mca osc rdma \
	"$here/mpi/openmpi/mpi_check" rma 65536
report $? open_mpi_windows

exit $failed
