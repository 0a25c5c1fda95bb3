#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every test that promises.rst names is one: KTAP.

cd "@TOP@" || exit 1
page=Documentation/promises.rst
names=$(grep -oE '``[a-z_0-9]+: [a-z_0-9]+``' $page | tr -d '`' | sed 's/: /:/' | sort -u)

echo "KTAP version 1"
echo "1..1"
missing=0
for name in $names; do
	program=${name%%:*}
	test=${name##*:}
	# tool_x is made from test_x.c of the tool, libpnic_x from the library's, all others from a file of their name.
	files=$(find selftests driver libpnic tools -name "$program.c" -o \
		-path "tools/pnic/tests/test_${program#tool_}.c" -o -path "libpnic/tests/test_${program#libpnic_}.c")
	if [ -z "$files" ] || ! grep -q "^KTAP_TEST($test)" $files; then
		echo "# $page: there is no test $test in $program"
		missing=1
	fi
done
[ "$(echo "$names" | wc -l)" -gt 50 ] || { echo "# $page: names few tests"; missing=1; }
[ $missing = 0 ] && echo "ok 1 promises" || echo "not ok 1 promises"
