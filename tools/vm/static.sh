#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# One static tool over the tree, in the guest root, with the repository at /src and the kernel's source at /linux:
#   static.sh spelling|cppcheck|semantic|analyzer|memcheck [FILE...]
# Prints what is to be mended and nothing else, and exits with 0 if the tool itself worked. What a tool is told to leave
# alone has its reason here or, for one place, beside that place.

set -eu
tool=$1
shift

case $tool in
spelling)
	# Names: a PCI capability, symbol error rate, "no date" of a man page, netlink's iput, syzkaller's inout; and
	# words that are right in the language of their tests.
	exec codespell -q 3 -L aer,ser,nd,iput,inout,datas,whats,fro "$@"
	;;
cppcheck)
	# What it takes for an uninitialised variable is one that is handed on by its address to be filled in, it does not
	# follow KTAP_TEST and the macros of requests; the compilers and valgrind look for these.
	# A program that is out of memory may end by the fault (nullPointerOutOfMemory, memleakOnRealloc); the library and
	# the driver may not, and have tests in which each allocation fails.
	# Tests and their macros are not looked at, nor is what includes the kernel's headers, whose macros it does not know.
	# A signed number that is printed as an unsigned one was made to be positive (invalidPrintfArgType_uint).
	exec cppcheck -j2 --quiet --std=c11 --enable=warning,portability --inline-suppr -D__x86_64__ -D_GNU_SOURCE \
		--suppress=uninitvar --suppress=nullPointerOutOfMemory --suppress=nullPointerArithmeticOutOfMemory \
		--suppress=memleakOnRealloc --suppress=invalidPrintfArgType_uint --suppress=normalCheckLevelMaxBranches \
		-i tools/model/tests -i tools/model/embedded/tests -i tools/pnic/tests -i tools/job/tests -i tools/perf/tests \
		-i driver/lane/tests \
		-I/src -I/src/uapi -I/src/libpnic/include -Itools/model \
		--template='{file}:{line}: {severity}: {id}: {message}' \
		libpnic/src driver/lane tools/model tools/pnic tools/perf tools/job 2>&1
	;;
semantic)
	# The kernel's own semantic patches: what is freed twice or used after, locks that stay held, null pointers, iterators,
	# calls that take the wrong thing, and what there is a shorter word for. Each with the options that it names. What they
	# find is shown by their context or patch mode, as the report mode is Python of theirs that needs a library which
	# Debian's package does not bring; those that decide by Python what a match is can't be run, as these two.
	looked=0
	for script in $(cd /linux/scripts/coccinelle && find "$PWD/free" "$PWD/locks" "$PWD/null" "$PWD/iterators" "$PWD/api" \
			"$PWD/misc" "$PWD/tests" -name '*.cocci' ! -name returnvar.cocci ! -name newline_in_nl_msg.cocci | sort); do
		if grep -q '^virtual context' "$script"; then mode=context
		elif grep -q '^virtual patch' "$script"; then mode=patch
		else continue; fi
		awk '/^@.*(script|initialize|finalize): *(python|ocaml)/ { skip = 1; body = 0; next }
			skip && !body && /^@@/ { body = 1; next }
			skip && body && /^@/ { skip = 0 }
			!skip' "$script" >/tmp/one.cocci
		# One that decides by Python what a match is can't be run.
		! grep -q 'script:python' /tmp/one.cocci || continue
		# The options are words.
		# shellcheck disable=SC2046
		spatch -D $mode --very-quiet --cocci-file /tmp/one.cocci $(sed -n 's/.*Options://p' "$script") \
			--dir driver -I uapi --timeout 100 >/tmp/one.out 2>/tmp/one.err ||
			echo "${script##*/}: $(tail -1 /tmp/one.err)"
		awk -v script="${script##*/}" '/^--- / { file = $2; next } file !~ /\/tests\// && /^[-*]/ { print file ": " script ": " substr($0, 2) }' /tmp/one.out
		looked=$((looked + 1))
	done
	[ "$looked" -ge 20 ] || echo "only $looked of the kernel's semantic patches were found"
	;;
analyzer)
	# clang's analyzer over what runs in user space, as C files are compiled there.
	make -s -C tools/model/embedded O=/tmp/embedded stubs
	analyze="clang --analyze --analyzer-output text -Xclang -analyzer-disable-checker=deadcode.DeadStores -std=gnu11 -D_GNU_SOURCE"
	analyze="$analyze -I. -Iuapi -Ilibpnic/include -Itools/model -Itools/pnic/src -I/usr/include/libnl3 -o /dev/null"
	# The options are words.
	# shellcheck disable=SC2086
	{
		ls tools/model/embedded/*.c | xargs -P2 -n1 $analyze -I/tmp/embedded/stubs
		ls libpnic/src/*.c libpnic/src/rails/*.c tools/model/*.c tools/model/core/*.c tools/pnic/src/*.c tools/perf/*.c \
			tools/job/*.c driver/lane/*.c | xargs -P2 -n1 $analyze
	} 2>&1 | grep -E '(warning|error):' || true
	;;
memcheck)
	make -s -C libpnic O=/tmp/memcheck/libpnic BUILD=/tmp/memcheck TESTDIR=/tmp/memcheck/tests memcheck >/tmp/memcheck.out 2>&1 ||
		tail -40 /tmp/memcheck.out
	;;
*)
	echo "static.sh: no tool $tool" >&2
	exit 2
	;;
esac
