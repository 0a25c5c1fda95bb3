#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Each call of the headers has a manual page, and mandoc finds nothing wrong with the pages.
set -u
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
cd @TOP@/libpnic || exit 1

sed -nE 's/^(static inline )?(const )?(struct )?[a-z0-9_]+ \*?(pnic_[a-z0-9_]+)\(.*/\4/p' include/*.h |
	grep -v '^pnic__' | sort -u > "$tmp/calls"
ls man/*.3 @O@/man/*.3 | sed 's|.*/||;s|\.3$||' | sort -u > "$tmp/named"

echo "KTAP version 1"
echo "1..2"
if [ -s "$tmp/calls" ] && [ -z "$(comm -23 "$tmp/calls" "$tmp/named")" ]; then
	echo "ok 1 a page for each call"
else
	comm -23 "$tmp/calls" "$tmp/named" | sed 's/^/# no page names /'
	echo "not ok 1 a page for each call"
	failed=1
fi
if ! command -v mandoc > /dev/null; then
	echo "ok 2 mandoc # SKIP not installed"
elif mandoc -Tlint -Werror man/*.[37] $(grep -L '^\.so ' @O@/man/*.3) > "$tmp/lint" 2>&1; then
	echo "ok 2 mandoc"
else
	sed 's/^/# /' "$tmp/lint"
	echo "not ok 2 mandoc"
	failed=1
fi
exit $failed
