#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# pnic-perf on embedded cards: each test with every byte verified, each form of output, and what it says when
# the command line is wrong.
set -u
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
n=0

result() { # STATUS NAME
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n $2"
	else
		sed 's/^/# /' "$tmp/out" "$tmp/err" 2> /dev/null
		echo "not ok $n $2"
		failed=1
	fi
}

perf() {
	@PERF@ -d "${devices:-embedded:nic=}" "$@" > "$tmp/out" 2> "$tmp/err"
}

# refused STATUS TEXT ARGS...: one line on stderr with TEXT
refused() {
	want=$1
	text=$2
	shift 2
	perf "$@"
	[ $? -eq "$want" ] && [ "$(wc -l < "$tmp/err")" -eq 1 ] && grep -q "$text" "$tmp/err"
	result $? "refused: $text"
}

echo "KTAP version 1"
echo "1..21"
for t in lat bw rate atomic; do
	perf --verify -n 50 -s 1:4k $t && grep -q ' 0 wrong' "$tmp/out"
	result $? "$t"
done
for t in allreduce alltoall rails; do
	devices=embedded:nics=4,nic= perf --verify -n 20 -r 4 -s 64:64k $t && grep -q ' 0 wrong' "$tmp/out"
	result $? "$t"
done
perf -j -n 10 -s 8:64 lat && python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
assert [r["size"] for r in d["rows"]] == [8, 16, 32, 64]
assert all(r["min_ns"] <= r["p50_ns"] <= r["p99_ns"] <= r["max_ns"] for r in d["rows"])' "$tmp/out" 2> "$tmp/err"
result $? "JSON"
perf -c -n 10 -s 8:64 bw && [ "$(wc -l < "$tmp/out")" -eq 5 ] && awk -F, 'NF != 14 { exit 1 }' "$tmp/out"
result $? "CSV"
perf --svg "$tmp/a.svg" -n 10 -s 8:1k lat && grep -q '</svg>' "$tmp/a.svg"
result $? "SVG"
perf -n 10 -s 8M bw && grep -q 8388608 "$tmp/out"
result $? "8 MiB"
perf --help && grep -q alltoall "$tmp/out"
result $? "help"
refused 2 "no such test" nothing
refused 2 "one test is wanted"
refused 2 "not a size" -s 0 lat
refused 2 "not a size" -s 16:8 lat
refused 2 "not a count" -n x lat
refused 2 "ranks" -r 9 lat
refused 2 "no such option" -z lat
refused 2 "pairs" -r 3 rails
devices=pnic9999 refused 1 "no such device" lat
exit $failed
