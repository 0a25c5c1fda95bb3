#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Instructions of the fast path, by callgrind: within what is promised, and the same whatever the depth of the
# queue, the number of endpoints and of regions.
set -u
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
n=0

# count WHAT SLOTS ENDPOINTS REGIONS: of one call
count() {
	for calls in 100 1100; do
		valgrind --tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no \
			--toggle-collect="counted_$1" @O@/tests/instr "$1" $calls "$2" "$3" "$4" 2>&1 |
			sed -n 's/.*Collected : *//p'
	done | { read -r few; read -r many; echo $(((many - few) / 1000)); }
}

check() { # WHAT LIMIT MEANING
	n=$((n + 1))
	small=$(count "$1" 256 1 1)
	large=$(count "$1" 4096 1000 1000)
	echo "# figure $1_instructions $small instructions of $3, at most $2"
	if [ "$small" -gt 0 ] && [ "$small" -le "$2" ] && [ "$large" -eq "$small" ]; then
		echo "ok $n $3: $small"
	else
		echo "not ok $n $3: $small instructions, $large with deep queues and many objects, at most $2"
		failed=1
	fi
}

echo "KTAP version 1"
if ! command -v valgrind > /dev/null; then
	echo "1..0 # SKIP no valgrind"
	exit 4
fi
echo "1..3"
check post 60 "post of an 8-byte inline write"
check poll 40 "poll of one completion"
check empty 12 "poll of an empty queue"
exit $failed
