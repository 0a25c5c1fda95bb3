# SPDX-License-Identifier: GPL-2.0
"""QEMU's command line for a guest with the card in it.

Every path here is one inside the guest root, where QEMU runs: /run/pnic is the run's socket
directory, /pnic is build/.
"""

import json

SOCKETS = '/run/pnic'
MACHINE_CPU = {'kvm': 'host', 'tcg': 'max'}
# The model may be stopped in a debugger, or starved on a busy machine: a reply that comes
# after this many milliseconds would break the device for good.
MESSAGE_TIMEOUT_MS = 600000
DEBUG_EXIT_STATUS = 3       # isa-debug-exit ends QEMU with (value << 1) | 1, the guest writes 1


def _device(**properties):
    return ['-device', json.dumps({k.replace('_', '-'): v for k, v in properties.items()})]


def _virtiofs(tag):
    name = 'fs-' + tag
    return ['-chardev', 'socket,id=%s,path=%s/%s.sock' % (name, SOCKETS, tag)] + \
        _device(driver='vhost-user-fs-pci', chardev=name, tag=tag)


def _nic(number):
    port = 'rp%d' % number
    return _device(driver='pcie-root-port', id=port, chassis=number + 1, slot=number + 1) + \
        _device(driver='vfio-user-pci', id='nic%d' % number, bus=port, rombar=0,
                x_msg_timeout=MESSAGE_TIMEOUT_MS,
                socket={'type': 'unix', 'path': '%s/nic%d.sock' % (SOCKETS, number)})


def _control_port():
    return _device(driver='virtio-serial-pci') + \
        ['-chardev', 'socket,id=ctl,path=%s/ctl.sock' % SOCKETS] + \
        _device(driver='virtserialport', chardev='ctl', name='pnic.ctl')


def _monitor():
    """QEMU connects to its own monitor, so that a test in the guest can take cards away."""
    return ['-chardev', 'socket,id=qmp,path=%s/qmp.sock,server=on,wait=off' % SOCKETS,
            '-mon', 'chardev=qmp,mode=control',
            '-chardev', 'socket,id=qmp-guest,path=%s/qmp.sock' % SOCKETS] + \
        _device(driver='virtserialport', chardev='qmp-guest', name='pnic.qmp')


def _iommu():
    """Before every device that it translates for.  caching-mode: the model must be told of
    each mapping, as it has a copy of them."""
    return _device(driver='intel-iommu', intremap='on', caching_mode=True)


def command(accel, cpus, memory_mb, nics, image, append, console, cpu=None, iommu=False,
            qmp=False, native_hotplug=False):
    """argv; `console` says where its log goes and whether it is also on the terminal."""
    argv = ['qemu-system-x86_64', '-nodefaults', '-no-user-config', '-display', 'none',
            '-no-reboot',
            '-M', 'q35,memory-backend=ram' + (',kernel-irqchip=split' if iommu else ''),
            '-accel', 'kvm' if accel == 'kvm' else 'tcg,thread=multi',
            '-cpu', cpu or MACHINE_CPU[accel],
            '-smp', str(cpus), '-m', str(memory_mb),
            # shared: virtiofsd and the model work in the guest's memory
            '-object', 'memory-backend-memfd,id=ram,size=%dM,share=on' % memory_mb,
            '-kernel', image, '-append', append,
            '-device', 'isa-debug-exit,iobase=0xf4,iosize=4',
            # without a speed QEMU's root ports cannot reset what is behind them
            '-global', 'pcie-root-port.x-speed=5']
    if native_hotplug:
        # else the firmware's tables keep the ports' own controller from the kernel
        argv += ['-global', 'ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off']
    if console['interactive']:
        argv += ['-chardev', 'stdio,id=con,signal=off,mux=off,logfile=' + console['log']]
    else:
        argv += ['-chardev', 'file,id=con,path=' + console['log']]
    argv += ['-serial', 'chardev:con']
    if iommu:
        argv += _iommu()
    argv += _virtiofs('root') + _virtiofs('pnic')
    for number in range(nics):
        argv += _nic(number)
    if nics:
        argv += _control_port()
    if qmp:
        argv += _monitor()
    return argv
