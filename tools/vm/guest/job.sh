#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: the main job, one process a card.  CARDS is how many, STEPS how often
# the gradients are reduced; INPUT and SMALL may be set.
# Each rank's events go to rankN.jsonl in the directory of the run, where the harness follows
# them, its complaints to rankN.log.

run=$PNIC_RUN
. "$run/module.sh"

echo "phase loading the module" >>"$run/phases"
module_load || exit 70
echo "phase running the job" >>"$run/phases"

set -- --ranks "$CARDS" --steps "$STEPS" --rendezvous /tmp/ranks --json
[ -z "$INPUT" ] || set -- "$@" --input "$INPUT"
[ -z "$SMALL" ] || set -- "$@" --small
mkdir /tmp/ranks

rank=0
while [ "$rank" -lt "$CARDS" ]; do
	/pnic/guest/tools/job/pnic-allreduce --rank "$rank" --dev "pnic$rank" "$@" \
		>"$run/rank$rank.jsonl" 2>"$run/rank$rank.log" &
	pids="$pids $!"
	rank=$((rank + 1))
done

failed=0
for pid in $pids; do
	wait "$pid" || failed=71
done

# The harness still looks at the link; then it lets the module go.
echo "phase done" >>"$run/phases"
tries=0
until [ -e "$run/seen" ] || [ $tries -ge 100 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
module_unload >"$run/unload.log" 2>&1 || exit 72
exit $failed
