#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# What the shared library exports: the functions of the header, all versioned, and nothing else.
set -u
lib=@O@/libpnic.so.1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
n=0

check() {
	n=$((n + 1))
	if [ -s "$tmp/diff" ]; then
		sed 's/^/# /' "$tmp/diff"
		echo "not ok $n $1"
		failed=1
	else
		echo "ok $n $1"
	fi
}

echo "KTAP version 1"
echo "1..4"

nm -D --defined-only "$lib" | awk '$2 ~ /[TDBR]/ { print $3 }' | grep -v '^PNIC_' | sed 's/@.*//' | sort -u > "$tmp/exported"
# Declarations begin a line and are not static.
grep -hE '^(const |int |void |unsigned |uint32_t |struct [a-z_]+ \*)' @TOP@/libpnic/include/*.h |
	grep -v static | grep "(" | sed -E 's/^[^(]*[ *](pnic_[a-z_]+)\(.*/\1/' | sort -u > "$tmp/declared"
diff "$tmp/declared" "$tmp/exported" > "$tmp/diff"
check "the header's functions and no others"

nm -D --defined-only "$lib" | awk '$2 ~ /[TDBR]/ && $3 !~ /@@PNIC_1\.[0-9]+$/ && $3 !~ /^PNIC_/' > "$tmp/diff"
check "every symbol has a version"

readelf -d "$lib" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vE '^(libc|ld-linux.*)\.so\.[0-9]$' > "$tmp/diff"
check "needs nothing but libc"

readelf -d "$lib" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p' | grep -vx 'libpnic\.so\.1' > "$tmp/diff"
check "soname"
exit $failed
