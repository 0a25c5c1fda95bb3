#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The man pages: nothing is wrong with them as far as a formatter sees, and every command, option,
# knob and JSON key of the tool is in them.

man=@TOP@/tools/pnic/man
tool=@O@/pnic-fake
. @TOP@/tools/pnic/tests/ktap.sh

objects() {
	"$tool" help | sed -n '/^OBJECT:/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

# A page as text, on one line, with single blanks.
plain() {
	sed -e '/^\.\\"/d' -e 's/^\.[A-Z]* *//' -e 's/\\f[A-Z]//g' -e 's/\\-/-/g' -e 's/"//g' \
		"$man/$1" | tr -s ' \n' '  '
}

test_lint() {
	local page out

	for page in "$man"/*.8; do
		if command -v mandoc >/dev/null; then
			out=$(mandoc -T lint -W warning "$page" 2>&1)
		elif command -v groff >/dev/null; then
			out=$(groff -man -Tutf8 -ww -z "$page" 2>&1)
		else
			# No formatter here: at least every request is one of man(7).
			out=$(grep -nE '^\.' "$page" |
				grep -vE ':\.(\\"|TH|SH|SS|PP|TP|IP|B|I|BR|RB|RI|IR|BI|IB|nf|fi)( |$)')
		fi
		[ -z "$out" ] || say "$page: $out"
		for section in NAME SYNOPSIS DESCRIPTION EXAMPLES 'EXIT STATUS' 'SEE ALSO'; do
			grep -q "^\.SH $section$" "$page" || say "$page: no $section"
		done
	done
}

test_commands() {
	local object verb text

	[ "$(objects | wc -l)" -eq 11 ] || say "the tool has $(objects | wc -l) objects"
	for object in $(objects); do
		text=$(plain "pnic-$object.8")
		for verb in $("$tool" "$object" help | sed -n "s/.*pnic $object \([a-z]*\).*/\1/p"); do
			[[ $text == *"pnic $object $verb"* ]] || say "pnic-$object.8: no $verb"
			[[ $(sed '/^\.SH SYNOPSIS/,/^\.SH/d' "$man/pnic-$object.8") == *"$verb"* ]] ||
				say "pnic-$object.8: $verb is in the synopsis only"
		done
		grep -q "pnic\\\\-$object (8)" "$man/pnic.8" || say "pnic.8 does not point at $object"
	done
}

test_options() {
	local option text

	text=$(plain pnic.8)
	for option in $("$tool" help | sed -n '/^OPTIONS/,/^$/p' | grep -oE -- '-{1,2}[A-Za-z]+'); do
		[[ $text == *"$option"* ]] || say "pnic.8: no $option"
	done
}

# keys PAGE COMMAND...: each key of the command's JSON is in the page, as a word
keys() {
	local page=$1 key text
	shift
	text=" $(plain "$page" | tr -c 'a-z_\n' ' ') "
	for key in $("$tool" -j "$@" | grep -oE '"[a-z_0-9]+":' | tr -d '":' | sort -u); do
		[[ $text == *" $key "* ]] || say "$page: $* has the key $key"
	done
}

test_json_keys() {
	keys pnic-dev.8 dev show
	keys pnic-link.8 link show
	keys pnic-lane.8 -d lane show 0
	keys pnic-lane.8 lane set 0 lane 17 retire preview
	keys pnic-policy.8 policy show
	keys pnic-history.8 history show 0
	keys pnic-stat.8 stat show
	keys pnic-res.8 res show
	keys pnic-res.8 res show object
	keys pnic-monitor.8 monitor lane 2>/dev/null
	keys pnic-monitor.8 monitor health 2>/dev/null
}

test_knobs() {
	local knob

	for knob in $("$tool" policy show 0 | sed -n 's/^\([a-z]*\(-[a-z]*\)*\) .*/\1/p' | sort -u); do
		[[ $(plain pnic-policy.8) == *" $knob "* ]] || say "pnic-policy.8: no $knob"
	done
}

run_tests lint commands options json_keys knobs
