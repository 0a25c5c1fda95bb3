# SPDX-License-Identifier: GPL-2.0
# KTAP for shell tests. run_tests NAME... runs the functions test_NAME; say notes a failure.

ktap_bad=0

say() {
	echo "# $*"
	ktap_bad=1
}

run_tests() {
	local name number=0 failed=0

	echo 'KTAP version 1'
	echo "1..$#"
	for name in "$@"; do
		number=$((number + 1))
		ktap_bad=0
		"test_$name"
		if [ "$ktap_bad" -eq 0 ]; then
			echo "ok $number $name"
		else
			echo "not ok $number $name"
			failed=1
		fi
	done
	exit $failed
}
