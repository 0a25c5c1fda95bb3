#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A polling run makes no system call between its first post and its last poll: a run of ten times as many
# transfers makes as many as a short one, by strace -c (to one in a hundred transfers).
set -u
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

calls() { # TRANSFERS
	strace -f -c -o "$tmp/count" @O@/tests/instr post "$1" 256 1 1 || exit 1
	awk '$NF == "total" { print $4 }' "$tmp/count"
}

echo "KTAP version 1"
if ! command -v strace > /dev/null || ! strace -o /dev/null true 2> /dev/null; then
	echo "1..0 # SKIP no strace, or not allowed to"
	exit 4
fi
echo "1..1"
few=$(calls 1000)
many=$(calls 10000)
echo "# figure polling_syscalls $((many - few)) system calls that 9000 more transfers make"
# The cards' coming up, which both have, takes some more or some less.
if [ "$few" -gt 0 ] && [ $((many - few)) -le 90 ]; then
	echo "ok 1 no system call in a polling run"
	exit 0
fi
sed 's/^/# /' "$tmp/count"
echo "not ok 1 no system call in a polling run: $few in a short one, $many in a long one"
exit 1
