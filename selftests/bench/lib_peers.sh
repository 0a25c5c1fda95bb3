#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What others reach in the same guest, for `make bench-lib`: RDMA over a soft NIC (rxe), TCP over a pair of
# virtual interfaces, MPICH over shared memory. A line "# figure KEY VALUE MEANING" for each.
set -u
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

figure() {
	if [ -n "$2" ]; then
		echo "# figure $*"
	else
		echo "not ok - $1 could not be measured"
		sed 's/^/# /' "$tmp"/err | tail -n 5
		failed=1
	fi
}

# Last line of numbers of a table of perftest's, column $1.
column() {
	awk -v c="$1" '/^ *[0-9]/ { v = $c } END { print v }' "$tmp/out"
}

# both_ends COLUMN PROGRAM ARGS: the client's table, with a server beside it
both_ends() {
	column=$1
	shift
	timeout 300 "$@" >/dev/null 2>&1 &
	server=$!
	sleep 3
	timeout 300 "$@" 127.0.0.1 >"$tmp/out" 2>"$tmp/err"
	wait $server
	column "$column"
}

ip link set lo up
modprobe -a ib_uverbs rdma_rxe 2>"$tmp/err" && rdma link add rxe0 type rxe netdev lo 2>>"$tmp/err"
# The server and the client spin; the typical value is the one in the middle.
figure rxe_lat_us "$(both_ends 5 ib_write_lat -d rxe0 -s 8 -n 500 -F)" us, typical 8-byte write of ib_write_lat over rxe
figure rxe_rate_mps "$(both_ends 5 ib_write_bw -d rxe0 -s 8 -n 5000 -F)" million 8-byte writes a second of ib_write_bw over rxe
figure rxe_bw_mbs "$(both_ends 4 ib_write_bw -d rxe0 -s 1048576 -n 20 -F)" MB/s, writes of 1 MiB over rxe

ip netns add far 2>"$tmp/err"
ip link add near0 type veth peer name far0 netns far
ip addr add 192.0.2.1/24 dev near0
ip link set near0 up
ip -n far addr add 192.0.2.2/24 dev far0
ip -n far link set far0 up
ip netns exec far iperf3 -s -1 >/dev/null 2>&1 &
sleep 2
timeout 120 iperf3 -c 192.0.2.2 -t 5 -J >"$tmp/out" 2>"$tmp/err"
figure iperf3_bw_gbs "$(python3 -c '
import json, sys
print("%.4f" % (json.load(open(sys.argv[1]))["end"]["sum_received"]["bits_per_second"] / 8e9))' "$tmp/out" 2>>"$tmp/err")" \
	GB/s, iperf3 over a pair of virtual interfaces

# Over shared memory, whatever devices there are.
UCX_TLS=sm,self mpirun.mpich -n 2 "$(dirname "$0")/lib_mpich" >"$tmp/out" 2>"$tmp/err"
grep "^# figure" "$tmp/out"
grep -q mpich_shm_rate_mps "$tmp/out" || figure mpich_shm_rate_mps ""
exit $failed
