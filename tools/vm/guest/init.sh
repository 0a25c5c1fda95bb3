#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The first process of the guest.  The harness copies it into the directory of the run, which
# the guest sees on the share, beside:
#   command     what to run, a shell script
#   environment variables for it, as a shell reads them: PNIC_SLOW, how many times longer than on a
#               stock kernel everything may take
# and it leaves there:
#   output      what the command printed (unless it talks to the console)
#   dmesg.log   the kernel's log at the end
#   status      the command's exit status; no such file means that the guest died

run=${0%/*}
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/tmp LANG=C.UTF-8 TERM=dumb PNIC_RUN="$run"

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
for dir in /dev/shm /tmp /run; do
	mount -t tmpfs -o mode=1777 tmpfs "$dir"
done
mount -t debugfs debugfs /sys/kernel/debug
modprobe -q configfs	# a module of Debian's kernel
mount -t configfs configfs /sys/kernel/config
ln -s /proc/self/fd /dev/fd
ip link set lo up
hostname pnic

# From here on the console shows what drivers say, for the case that the guest dies.
dmesg -n 7
set -a
. "$run/environment"
set +a
# ... and where a task hangs, before the harness loses its patience.
echo $((60 * PNIC_SLOW)) >/proc/sys/kernel/hung_task_timeout_secs

# The way to the model's control socket; there is no udev to name the port.
modprobe -q virtio_console
mkdir -p /dev/virtio-ports
for port in /sys/class/virtio-ports/*; do
	[ -e "$port/name" ] && ln -s "../${port##*/}" "/dev/virtio-ports/$(cat "$port/name")"
done

# The tools by their names, and the model's client with no need to say where the model is.
export PATH="$PATH:/pnic/guest/tools/pnic:/pnic/host/tools/model"
export PNIC_MODEL_CTL=/dev/virtio-ports/pnic.ctl
export PNIC_MODULE="/pnic/guest/modules/$(uname -r)/pnic.ko"

cd "${run%/vm/*}" || exit 1
if [ -e "$run/interactive" ]; then
	export TERM="$(cat "$run/interactive")" PS1='guest# '
	setsid -cw sh "$run/command" </dev/ttyS0 >/dev/ttyS0 2>&1
else
	sh "$run/command" </dev/null >"$run/output" 2>&1
fi
status=$?

dmesg >"$run/dmesg.log"
echo "$status" >"$run/status.tmp"
mv "$run/status.tmp" "$run/status"
sync

# isa-debug-exit: the write ends QEMU.  Always the same value: the status is in the file.
printf '\001' | dd of=/dev/port bs=1 seek=244 2>/dev/null
echo "the guest could not end QEMU" >/dev/ttyS0
exit 1
