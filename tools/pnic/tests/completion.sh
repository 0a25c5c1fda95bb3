#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Sources the completion and asks it for words, over the tool with the made-up kernel.

_pnic_tool=@O@/pnic-fake
. @TOP@/tools/pnic/bash-completion/pnic
. @TOP@/tools/pnic/tests/ktap.sh

# completes LINE WANTED...: what is offered behind LINE has all of WANTED
completes() {
	local line=$1 word
	shift
	COMP_WORDS=($line)
	[[ $line == *' ' ]] && COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	COMPREPLY=()
	_pnic
	for word in "$@"; do
		[[ " ${COMPREPLY[*]} " == *" $word "* ]] ||
			say "\"$line\": no $word in: ${COMPREPLY[*]}"
	done
	[[ $# -gt 0 || ${#COMPREPLY[@]} -eq 0 ]] || say "\"$line\": offers ${COMPREPLY[*]}"
}

test_objects() {
	local object

	completes 'pnic ' dev link lane spare policy history stat res grant monitor top help
	completes 'pnic l' link lane
	completes 'pnic -j sp' spare
	completes 'pnic xyz'
	# Those of the tool, no more and no fewer.
	completes 'pnic ' $("$_pnic_tool" help | sed -n '/^OBJECT:/,/^$/s/^  \([a-z]*\) .*/\1/p')
	[[ ${#COMPREPLY[@]} -eq 12 ]] || say "${#COMPREPLY[@]} objects"
}

test_verbs() {
	local object

	for object in dev link lane spare policy history stat res grant monitor top; do
		completes "pnic $object " help $("$_pnic_tool" $object help |
			sed -n "s/.*pnic $object \([a-z]*\).*/\1/p")
	done
	completes 'pnic lane s' show set
}

test_devices() {
	completes 'pnic lane show ' pnic0 pnic1
	completes 'pnic -p link margin pnic' pnic0 pnic1
	completes 'pnic top ' pnic0 pnic1
	PNIC_FAKE=none completes 'pnic lane show '
	PNIC_FAKE=nofamily completes 'pnic lane show '
}

test_words() {
	completes 'pnic link set pnic0 ' up down
	completes 'pnic lane show pnic0 ' lane dir
	completes 'pnic lane show pnic0 dir ' rx tx
	completes 'pnic lane set pnic0 ' lane
	completes 'pnic lane set pnic0 lane '
	completes 'pnic lane set pnic0 lane 5 ' disable enable retire test
	completes 'pnic lane set pnic0 lane 5 retire ' preview force generation
	completes 'pnic policy set pnic0 ' watch-ppb quarantine-max-ms revision
	completes 'pnic policy preview pnic0 watch-ppb 5 gr' grow-ms
	completes 'pnic res show object ' context region cq endpoint
	completes 'pnic monitor lane -t ' iso unix none
	completes 'pnic lane show --js' --json
}

run_tests objects verbs devices words
