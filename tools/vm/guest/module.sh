# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# In the guest: loading and unloading pnic.ko, and what it must not leave behind.
# CARDS is how many cards the guest has.

module=$PNIC_MODULE

# Pages that are pinned for DMA at this moment, by whomever.
pinned_pages() {
	# each processor keeps its own count for a while
	cat /proc/sys/vm/stat_refresh
	awk '$1 == "nr_foll_pin_acquired" { a = $2 } $1 == "nr_foll_pin_released" { r = $2 }
	     END { print a - r }' /proc/vmstat
}

# How many DMA mappings the first card has, behind an IOMMU; without one that cannot be seen.
dma_ranges() {
	[ -e /sys/class/iommu/dmar0 ] && [ -e /dev/virtio-ports/pnic.ctl ] || return 0
	exec 3<>/dev/virtio-ports/pnic.ctl
	echo '{"cmd":"counters","nic":0}' >&3
	read -r reply <&3
	exec 3>&-
	echo "$reply" | sed -n 's/.*"dma_ranges": *\([0-9]*\).*/\1/p'
}

module_load() {
	pinned_pages >/run/pinned-before
	dma_ranges >/run/ranges-before
	for need in $(modinfo -F depends "$module" | tr , ' '); do
		modprobe "$need" || return
	done
	insmod "$module" || return
	card=0
	while [ "$card" -lt "$CARDS" ]; do
		tries=0
		until [ -e "/dev/pnic$card" ]; do
			tries=$((tries + 1))
			[ $tries -lt $((100 * PNIC_SLOW)) ] || { echo "no /dev/pnic$card"; return 1; }
			sleep 0.1
		done
		card=$((card + 1))
	done
}

module_unload() {
	timeout $((60 * PNIC_SLOW)) rmmod pnic || return
	[ ! -e /sys/module/pnic ] || { echo "pnic is still there"; return 1; }
	for left in /dev/pnic[0-9]*; do
		[ ! -e "$left" ] || { echo "$left is still there"; return 1; }
	done
	before=$(cat /run/pinned-before)
	now=$(pinned_pages)
	echo "pinned pages: $before before, $now after"
	[ "$now" -eq "$before" ] || return
	before=$(cat /run/ranges-before)
	now=$(dma_ranges)
	[ -z "$now" ] || echo "DMA mappings of card 0: $before before, $now after"
	[ "$now" = "$before" ]
}

# Whether this kernel looks for memory that nothing points to any more.
kmemleak=/sys/kernel/debug/kmemleak
has_leaks() {
	[ -e $kmemleak ]
}

# The addresses of what is in the module, for reports that come when it has gone.
module_symbols() {
	grep '\[pnic\]$' /proc/kallsyms
}

# Prints what is lost. A block counts as lost when two scans find no pointer to it, and not in
# its first seconds.
leaks_show() {
	sleep 6
	echo scan >$kmemleak
	echo scan >$kmemleak
	cat $kmemleak
}
