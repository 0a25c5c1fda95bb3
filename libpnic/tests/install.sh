#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# make install into a directory, then a program built with what pkg-config says, shared and static.
set -u
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
n=0

# try NAME COMMAND...
try() {
	name=$1
	shift
	n=$((n + 1))
	if "$@" > "$tmp/log" 2>&1; then
		echo "ok $n $name"
	else
		sed 's/^/# /' "$tmp/log"
		echo "not ok $n $name"
		failed=1
	fi
}

pc() {
	PKG_CONFIG_SYSROOT_DIR=$tmp/root PKG_CONFIG_LIBDIR=$tmp/root/opt/pnic/lib/pkgconfig pkg-config "$@" libpnic
}

cat > "$tmp/prog.c" <<'END'
#include <pnic.h>
int main(void)
{
	struct pnic_ctx *ctx;

	return pnic_open("nonsense", 0, &ctx) == -ENODEV && pnic_version() == 0x10001 ? 0 : 1;
}
END

echo "KTAP version 1"
echo "1..5"
try "install" env -u MAKEFLAGS -u MFLAGS make -C @TOP@/libpnic O="$tmp/o" CC="@CC@" DESTDIR="$tmp/root" prefix=/opt/pnic install
if command -v pkg-config > /dev/null; then
	try "shared" sh -c "@CC@ -o $tmp/shared $tmp/prog.c $(pc --cflags --libs)"
	try "shared runs" env LD_LIBRARY_PATH="$tmp/root/opt/pnic/lib" "$tmp/shared"
	try "static" sh -c "@CC@ -static -o $tmp/static $tmp/prog.c $(pc --static --cflags --libs)"
	try "static runs" "$tmp/static"
else
	for i in 2 3 4 5; do
		echo "ok $i # SKIP no pkg-config"
	done
fi
exit $failed
