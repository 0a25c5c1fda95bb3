#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The public header alone: as C11 and C++17, strictly, and for a 32-bit machine where the
# compiler has its headers.
set -u
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
n=0

result() {
	n=$((n + 1))
	echo "$1 $n $2"
	[ "$1" = ok ] || failed=1
}

# compile NAME COMPILER ARGS...
compile() {
	name=$1
	shift
	if "$@" -Wall -Wextra -Werror -pedantic -I@TOP@/libpnic/include -I@TOP@/uapi -o "$tmp/out" 2> "$tmp/log"; then
		result ok "$name"
	else
		sed 's/^/# /' "$tmp/log"
		result "not ok" "$name"
	fi
}

cat > "$tmp/use.c" <<'END'
#include <pnic.h>
int use(struct pnic_ep *ep, struct pnic_cq *cq, struct pnic_buf *b);
int use(struct pnic_ep *ep, struct pnic_cq *cq, struct pnic_buf *b)
{
	struct pnic_addr to;
	struct pnic_wc wc;

	pnic_ep_addr(ep, &to);
	pnic_post_writev(ep, to, b, 2, 0, 0, 1, PNIC_SQF_SIGNALED);
	pnic_post_send(ep, to, "x", 1, 0, 1, PNIC_SQF_INLINE);
	pnic_ring(ep);
	pnic_post_recv(ep, NULL, 0, 0, 1);
	pnic_ring_recv(ep);
	return pnic_poll(cq, &wc, 1);
}
END
cp "$tmp/use.c" "$tmp/use.cc"

echo "KTAP version 1"
echo "1..5"
compile "c11" @CC@ -std=c11 -c "$tmp/use.c"
compile "c11, optimised" @CC@ -std=c11 -O2 -Wconversion -Wno-sign-conversion -c "$tmp/use.c"
if command -v @CXX@ > /dev/null; then
	compile "c++17" @CXX@ -std=c++17 -O2 -c "$tmp/use.cc"
else
	result ok "c++17 # SKIP no C++ compiler"
fi
compile "freestanding of other headers, twice" @CC@ -std=c11 -include pnic.h -c "$tmp/use.c"
echo '#include <stdint.h>
#include <string.h>
#include <errno.h>' > "$tmp/m32.c"
# Debian's <asm/> for 32 bit lies among the headers of 64 bit, unless gcc-multilib is there.
m32="-m32 -idirafter /usr/include/x86_64-linux-gnu"
if @CC@ $m32 -c "$tmp/m32.c" -o "$tmp/out" 2> "$tmp/log"; then
	compile "32 bit" @CC@ $m32 -std=c11 -O2 -c "$tmp/use.c"
else
	result ok "32 bit # SKIP no 32-bit headers"
fi
exit $failed
