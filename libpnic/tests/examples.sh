#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The examples do what they say, on embedded cards that the library loads when it is asked for one.
set -u
export LD_LIBRARY_PATH=@O@:@EMBEDDED@
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
n=0

run() { # TEXT PROGRAM ARGS...
	n=$((n + 1))
	text=$1
	name=$2
	shift 2
	if timeout 60 "@O@/examples/$name" "$@" > "$tmp/log" 2>&1 && grep -q "$text" "$tmp/log"; then
		echo "ok $n $name $*"
	else
		sed 's/^/# /' "$tmp/log"
		echo "not ok $n $name $*"
		failed=1
	fi
}

echo "KTAP version 1"
echo "1..6"
run "written by the card" put_flag embedded:nic=0 embedded:nic=1
run "us one way" pingpong embedded:nic=0 both "$tmp/pp" embedded:nic=1
run "4 ranks, 16384 numbers each, 0 wrong" all_reduce embedded:nics=4,nic= 4
run " 0 wrong" all_reduce embedded:nics=8,thread=1,nic= 8
run "100 messages of 4 clients" epoll_server embedded:nic=0 embedded:nic=1
run "100 messages of 4 clients" epoll_server embedded:thread=1,nic=0 embedded:nic=1
exit $failed
