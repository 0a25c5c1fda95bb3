#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: runs the programs of the file `tests` ("NAME SECONDS" a line) one after another,
# between loading and unloading the module.  The harness follows the file `events`:
#   begin NAME / end NAME STATUS
#   late NAME
# and reads each program's output in out/NAME. A program is late when its turn comes after UNTIL (seconds since 1970, or
# empty), and does not run.  MODULE=no leaves the module alone.
# What the kernel lost is looked for when the module has gone.

share=/pnic
run=$PNIC_RUN
MODULE=${MODULE:-yes}

. "$run/module.sh"

mkdir -p "$run/out"
mark() {
	echo "pnic-test: $*" >/dev/kmsg
	echo "$*" >>"$run/events"
}

# step NAME COMMAND...: a test of one command
step() {
	name=$1
	shift
	mark "begin $name"
	"$@" >"$run/out/$name" 2>&1
	mark "end $name $?"
}

# What the module counted, on a kernel where it does: a file of debugfs has its length only when it is read.
keep_counts() {
	cd /sys/kernel/debug/gcov || return
	find . -name '*.gcda' | while read -r file; do
		mkdir -p "$share/gcov/${run##*/}/${file%/*}"
		cat "$file" >"$share/gcov/${run##*/}/$file"
	done
}

# What a program counts it adds to a file, whoever runs it: what root made nobody must be able to write, too.
[ -z "${GCOV_PREFIX:-}" ] || umask 0

[ "$MODULE" = no ] || step module-load module_load
while read -r name seconds; do
	if [ -n "${UNTIL:-}" ] && [ "$(date +%s)" -ge "$UNTIL" ]; then
		mark "late $name"
		continue
	fi
	mark "begin $name"
	(cd /tmp && timeout -k 5 "$seconds" "$share/guest/tests/$name") \
		</dev/null >"$run/out/$name" 2>"$run/out/$name.stderr"
	mark "end $name $?"
done <"$run/tests"
! has_leaks || module_symbols >"$run/symbols"
[ "$MODULE" = no ] || step module-unload module_unload
! has_leaks || step leaks leaks_show
[ ! -e /sys/kernel/debug/gcov ] || step counts keep_counts
