#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The description for syzkaller names all calls of both interfaces, and nothing that isn't there: KTAP.

cd "@TOP@" || exit 1
page=selftests/fuzz/pnic.txt
failed=0

missing() {
	echo "# $page: $1"
	failed=1
}

echo "KTAP version 1"
echo "1..1"
calls=$(grep -o '^#define PNIC_IOC_[A-Z_]*' uapi/linux/pnic.h | sed 's/.* //' | grep -v _TYPE)
requests=$(grep -o '^	PNIC_CMD_[A-Z_]*' uapi/linux/pnic_netlink.h | tr -d '\t' | grep -v -e _NTF -e _MAX)
for name in $calls; do
	grep -q "^ioctl\$$name(fd fd_pnic, cmd const\[$name\]" $page || missing "$name isn't described"
done
for name in $requests; do
	grep -q "^sendmsg\$$name(.*msghdr_pnic\[$name, pnic_a_" $page || missing "$name isn't described"
done
for name in $(grep -o 'PNIC_[A-Z0-9_]*' $page | sort -u); do
	grep -qw "$name" uapi/linux/pnic.h uapi/linux/pnic_netlink.h || [ "${name%_SRQ}" != "$name" ] ||
		missing "there is no $name"
done
# Members stand as they do in the struct, by name and place.
for struct in $(grep -o '^pnic_ioc_[a-z_]* {' $page | tr -d ' {'); do
	ours=$(sed -n "/^struct $struct {/,/^}/p" uapi/linux/pnic.h | sed -n 's/.*[	 ]\([a-z_0-9]*\)\(\[.*\)*;.*/\1/p')
	theirs=$(sed -n "/^$struct {/,/^}/p" $page | sed -n 's/^	\([a-z_0-9]*\)	.*/\1/p')
	for member in $theirs; do
		case $member in numbers | rest) continue ;; esac
		echo "$ours" | grep -qx "$member" || missing "$struct has no $member"
	done
done
[ "$(echo "$calls" | wc -l)" -ge 18 ] && [ "$(echo "$requests" | wc -l)" -ge 18 ] || missing "few calls were found"
[ $failed = 0 ] && echo "ok 1 described" || echo "not ok 1 described"
