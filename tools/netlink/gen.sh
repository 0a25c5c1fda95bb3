#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Makes the netlink policy and the uapi header from the spec, by the kernel's own generator.
#
#   gen.sh KSRC DIR
#
# KSRC: where tools/net/ynl and Documentation/netlink/genetlink.yaml of a kernel are.
# DIR: gets pnic_nl_gen.c, pnic_nl_gen.h and pnic_netlink.h.
#
# Runs in the guest root: `make netlink` writes them to their places, `make check` compares
# them with what is there.

set -eu
ksrc=$1
dir=$2
top=$(cd "$(dirname "$0")/../.." && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

# The generator takes the directory with MAINTAINERS for the top of a kernel tree, and looks
# for ever if there is none; it finds the schema one directory above the spec.
touch "$tree/MAINTAINERS"
mkdir -p "$tree/netlink/specs" "$tree/out"
cp "$ksrc/Documentation/netlink/genetlink.yaml" "$tree/netlink/"
cp "$top/Documentation/netlink/specs/pnic.yaml" "$tree/netlink/specs/"

gen()
{
	timeout 60 python3 "$ksrc/tools/net/ynl/ynl-gen-c.py" --spec "$tree/netlink/specs/pnic.yaml" \
		--mode "$1" "$2" -o "$tree/out/$3"
}

gen kernel --source pnic_nl_gen.c
gen kernel --header pnic_nl_gen.h
gen uapi --header pnic_netlink.h

# In a kernel tree the uapi headers are in the include path.
sed -i 's,#include <uapi/linux/pnic_netlink.h>,#include "../uapi/linux/pnic_netlink.h",' \
	"$tree/out/pnic_nl_gen.c" "$tree/out/pnic_nl_gen.h"

mkdir -p "$dir"
for file in pnic_nl_gen.c pnic_nl_gen.h pnic_netlink.h; do
	cp "$tree/out/$file" "$dir/$file"
done
