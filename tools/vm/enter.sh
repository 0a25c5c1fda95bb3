#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs a command inside the guest root:
#   enter.sh OUTSIDE ROOT [--bind SRC DST]... [--cd DIR] -- CMD...
# OUTSIDE is the mount namespace that the harness is in, as readlink shows it.
#
# pnic-vm calls it as the first thing in a mount namespace of its own, so whatever is mounted
# here is gone with the last process, however that ends, and the machine's own mounts are never
# touched.  The root is shared by every run and so it is read-only; /tmp, /run and /dev/shm are private.

set -eu

outside=$1
root=$2
shift 2

# Outside a namespace of its own all this would be done to the machine itself.
here=$(readlink /proc/self/ns/mnt)
case $outside in
mnt:*) ;;
*) here=$outside ;;
esac
if [ "$here" = "$outside" ] || [ "$root" -ef / ] || [ ! -d "$root/boot" ]; then
	echo "enter.sh: to be called by pnic-vm, in a mount namespace of its own" >&2
	exit 2
fi

mount --bind "$root" "$root"
# Once more, before anything is mounted in it: virtiofsd shows this one to the guest.
mount --bind "$root" "$root/mnt"
mount -o remount,bind,ro "$root/mnt"

# A new /proc is possible in a PID namespace of our own; else the machine's.
mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
# Others' shared memory files are not found here, and ours go: names made of process numbers come back.
[ ! -d "$root/dev/shm" ] || mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/run"

dir=/
while [ $# -gt 0 ]; do
	case $1 in
	--bind)
		[ -d "$root$3" ] || mkdir -p "$root$3"
		mount --bind "$2" "$root$3"
		shift 3
		;;
	--cd)
		dir=$2
		shift 2
		;;
	--)
		shift
		break
		;;
	*)
		echo "enter.sh: unknown argument $1" >&2
		exit 2
		;;
	esac
done

mount -o remount,bind,ro "$root"

# Dies with the harness; once more, as a user namespace has dropped it.
exec setpriv --pdeathsig KILL chroot "$root" /usr/bin/env -i \
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	HOME=/tmp LANG=C.UTF-8 TERM="${TERM:-dumb}" \
	/bin/sh -c 'cd "$0" && exec "$@"' "$dir" "$@"
