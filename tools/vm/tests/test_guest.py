# SPDX-License-Identifier: GPL-2.0
"""What surrounds a guest: kernel log, kernel image, test wishes, mirrors, packages, tails."""

import os
import shutil
import struct
import tempfile
import unittest

from pnicvm import follow, hostdeps, kernel, kernelbuild, klog, mirror, root, testconf
from pnicvm.errors import Failure


class KernelLog(unittest.TestCase):
    def test_what_is_bad(self):
        for line in ('WARNING: CPU: 0 PID: 77 at driver/main.c:10 pnic_probe+0x1/0x2 [pnic]',
                     'BUG: unable to handle page fault for address: ffff',
                     'Oops: 0000 [#1] PREEMPT SMP', 'Call Trace:',
                     'refcount_t: underflow; use-after-free.',
                     'WARNING: possible circular locking dependency detected',
                     'unregister_netdevice: waiting for pn0 to become free. Usage count = 2',
                     'list_del corruption. prev->next should be x', 'DMA-API: device driver leaks',
                     'Kernel panic - not syncing: sysrq triggered crash',
                     'INFO: task job:77 blocked for more than 120 seconds.',
                     'BUG: KASAN: slab-use-after-free in pnic_mr_put+0x1/0x2 [pnic]',
                     'BUG kmalloc-64 (Not tainted): Right Redzone overwritten',
                     'WARNING: possible recursive locking detected',
                     'WARNING: suspicious RCU usage',
                     'WARNING: bad unlock balance detected!',
                     'UBSAN: shift-out-of-bounds in driver/pnic_ring.c:10:3',
                     'ODEBUG: free active (active state 0) object: 0 object type: timer_list',
                     'rcu: INFO: rcu_preempt self-detected stall on CPU',
                     'BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 300s!',
                     'BUG: sleeping function called from invalid context at mm/slab.h:1',
                     'DMAR: [DMA Read] Request device [01:00.0] fault addr 0x1000',
                     'kmemleak: Kernel memory leak detector disabled'):
            self.assertEqual(len(klog.bad_lines('[    1.0] ' + line)), 1, line)

    def test_what_is_not(self):
        text = '[ 1.0] pnic 0000:01:00.0: lane 17 lost\n[ 1.1] amd_pstate: debugging\n' \
               '[ 1.2] pnic: module verification failed: tainting kernel\n'
        self.assertEqual(klog.bad_lines(text), [])

    def test_console_and_dmesg_count_once(self):
        self.assertEqual(len(klog.bad_lines('[ 1.0] WARNING: x\r\n[ 1.0] WARNING: x\n')), 1)

    def test_the_second_log_may_have_lost_its_beginning(self):
        mark, line = '[ 1.0] pnic-test: begin xfer\n', '[ 1.1] WARNING: x\n'
        self.assertEqual(klog.bad_lines(mark + line + '[ 9.0] pnic-test: begin a\n' + line),
                         ['[ 1.1] WARNING: x (during xfer)'])

    def test_the_running_test_is_named(self):
        text = '[ 1.0] pnic-test: begin xfer\n[ 1.1] WARNING: x\n'
        self.assertEqual(klog.bad_lines(text), ['[ 1.1] WARNING: x (during xfer)'])

    RACE = '[ 1.0] ' + '=' * 66 + '\n[ 1.0] BUG: KCSAN: data-race in a / b\n\n' \
           '[ 1.0] write to 0xffff of 8 bytes by task 1 on cpu 0:\n[ 1.0]  a+0x1/0x2%s\n' \
           '[ 1.0] Reported by Kernel Concurrency Sanitizer on:\n[ 1.0] ' + '=' * 66 + '\n'

    def test_races_count_where_the_module_has_a_part(self):
        self.assertEqual(klog.bad_lines(self.RACE % ''), [])
        self.assertEqual(klog.bad_lines(self.RACE % ' [pnic]'),
                         ['[ 1.0] BUG: KCSAN: data-race in a / b'])

    def test_a_race_report_that_was_cut_counts(self):
        cut = (self.RACE % ' [pnic]').split('[ 1.0] Reported')[0]
        self.assertEqual(len(klog.bad_lines(cut)), 1)

    def test_what_follows_a_race_report_is_seen(self):
        self.assertEqual(len(klog.bad_lines(self.RACE % '' + '[ 2.0] WARNING: x\n')), 1)

    # As the kasan kernel says it when pciehp takes a card out.
    CIRCLE = """
======================================================
WARNING: possible circular locking dependency detected
6.12.118-pnic-kasan #1 Tainted: G           O
------------------------------------------------------
irq/24-pciehp/43 is trying to acquire lock:
ffff888008494b00 (&ctrl->reset_lock){.+.+}-{4:4}, at: pciehp_unconfigure_device+0x12c/0x1c0

but task is already holding lock:
ffffffff82774548 (pci_rescan_remove_lock){+.+.}-{4:4}, at: pci_lock_rescan_remove+0x12/0x20

which lock already depends on the new lock.


the existing dependency chain (in reverse order) is:

-> #1 (pci_rescan_remove_lock){+.+.}-{4:4}:
       __mutex_lock+0x153/0xd10
       pci_lock_rescan_remove+0x12/0x20
       pciehp_unconfigure_device+0x97/0x1c0

-> #0 (&ctrl->reset_lock){.+.+}-{4:4}:
       __lock_acquire+0x202c/0x2b50
       down_read_nested+0x81/0x300
       pciehp_unconfigure_device+0x12c/0x1c0

other info that might help us debug this:

 Possible unsafe locking scenario:

 *** DEADLOCK ***

1 lock held by irq/24-pciehp/43:
 #0: ffffffff82774548 (pci_rescan_remove_lock){+.+.}-{4:4}, at: pci_lock_rescan_remove+0x12/0x20

stack backtrace:
CPU: 0 UID: 0 PID: 43 Comm: irq/24-pciehp Tainted: G           O       6.12.118-pnic-kasan #1
Tainted: [O]=OOT_MODULE
Call Trace:
 <TASK>
 dump_stack_lvl+0x71/0xb0
 pciehp_unconfigure_device+0x12c/0x1c0
 pciehp_ist+0x1fb/0x270
 </TASK>
"""

    @classmethod
    def circle(cls, *changes):
        """The report with stamps, and with what stands there replaced by something else."""
        text = cls.CIRCLE
        for was, now in changes:
            assert was in text
            text = text.replace(was, now)
        return ''.join('[   40.%03d] %s\n' % pair for pair in enumerate(text.strip().split('\n')))

    def test_the_circle_of_pciehps_own_locks_is_let_pass(self):
        self.assertEqual(klog.bad_lines(self.circle()), [])
        # ... also if a message of the driver came in between, and in the second of the two logs
        between = (' *** DEADLOCK ***', ' *** DEADLOCK ***\npnic 0000:02:00.0: the card is gone')
        self.assertEqual(klog.bad_lines(self.circle(between) * 2), [])

    def test_other_circles_count(self):
        header = 'WARNING: possible circular locking dependency detected'
        for changes in (
                # a frame of ours, in the chain, among the locks that are held, in the stack
                [('       __mutex_lock+0x153/0xd10', '       pnic_remove+0x21/0x120 [pnic]')],
                [('       __mutex_lock+0x153/0xd10', '       pnic_remove+0x21/0x120')],
                [('1 lock held', '2 locks held'), ('stack backtrace:', ' #1: 0 (x){+.+.}-{4:4}, at: f+0x1/0x2 [pnic]')],
                [(' pciehp_ist+', ' pnic_irq_handler+0x1/0x2 [pnic]\n pciehp_ist+')],
                # other locks, or one more
                [('reset_lock', 'state_lock')], [('pci_rescan_remove_lock', '&dev->mutex')],
                [('-> #0 (', '-> #2 (&dev->mutex){+.+.}-{4:4}:\n       f+0x1/0x2\n\n-> #0 (')],
                # the reset_lock of somebody else
                [('reset_lock){.+.+}-{4:4}, at: pciehp_', 'reset_lock){.+.+}-{4:4}, at: other_')]):
            found = klog.bad_lines(self.circle(*changes))
            self.assertEqual(found[:1], ['[   40.001] ' + header], changes)

    def test_a_circle_that_was_cut_counts(self):
        self.assertEqual(len(klog.bad_lines(self.circle().split(' <TASK>')[0])), 2)
        endless = self.circle(('</TASK>', '')) + '[ 41.0] a\n' * 1000 + '[ 42.0] WARNING: x\n'
        self.assertEqual(klog.bad_lines(endless)[-1], '[ 42.0] WARNING: x')

    def test_other_complaints_in_and_after_that_circle_count(self):
        within = (' *** DEADLOCK ***', ' *** DEADLOCK ***\nBUG: KASAN: slab-use-after-free in f+0x1/0x2')
        self.assertEqual(len(klog.bad_lines(self.circle(within))), 1)
        stack = (' *** DEADLOCK ***', ' *** DEADLOCK ***\nCPU: 1\nCall Trace:')
        self.assertEqual(len(klog.bad_lines(self.circle(stack))), 1)
        self.assertEqual(len(klog.bad_lines(self.circle() + '[ 41.0] WARNING: x\n')), 1)
        other = '[ 41.0] WARNING: possible recursive locking detected\n'
        self.assertEqual(len(klog.bad_lines(self.circle() + other)), 1)

    def test_an_injected_failure_is_no_complaint(self):
        text = '[ 1.0] job: page allocation failure: order:0\n[ 1.0] Call Trace:\n[ 1.0]  <TASK>\n'
        mark = '[ 0.9] pnic-test: begin %s\n'
        self.assertEqual(klog.bad_lines(mark % 'fail_nth' + text), [])
        self.assertEqual(len(klog.bad_lines(mark % 'fail_nth' + text + '[ 2.0] Call Trace:\n')), 1)
        self.assertEqual(len(klog.bad_lines(mark % 'xfer' + text)), 1)

    def test_what_is_switched_on_is_no_complaint(self):
        text = '[ 1.0] rcu: \tRCU callback double-/use-after-free debug is enabled.\n' \
               '[ 1.0] DMA-API: preallocated 65536 debug entries\n' \
               '[ 1.0] DMA-API: debugging enabled by kernel config\n' \
               '[ 1.0] kmemleak: Kernel memory leak detector initialized (mem pool: 1)\n'
        self.assertEqual(klog.bad_lines(text), [])

    def test_leaks_of_the_module(self):
        text = 'unreferenced object 0xffff1 (size 64):\n  comm "init", pid 1\n' \
               '  backtrace (crc 1):\n    kmalloc+0x1/0x2\n    acpi_init+0x1/0x2\n' \
               'unreferenced object 0xffff2 (size 64):\n  backtrace (crc 1):\n' \
               '    kmalloc+0x1/0x2\n    pnic_open+0x1/0x2 [pnic]\n' \
               'unreferenced object 0xffff3 (size 64):\n  hex dump (first 32 bytes):\n' \
               '    00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff  ........\n' \
               '  backtrace (crc 1):\n    kmalloc+0x1/0x2\n    0xffffffffc0201234\n'
        self.assertEqual([lines[0].split()[2] for lines in klog.leaks(text)],
                         ['0xffff2', '0xffff3'])
        self.assertEqual(klog.leaks(''), [])
        named = klog.leaks(text, 'ffffffffc0201000 t pnic_a\t[pnic]\n'
                                 'ffffffffc0201200 t pnic_b\t[pnic]\n')
        self.assertEqual(named[1][-1], '    pnic_b+0x34 [pnic]')

    def test_last_words_begin_at_the_complaint(self):
        text = 'a\n' * 100 + 'BUG: x\n' + 'b\n' * 100
        self.assertIn('BUG: x', klog.last_words(text))


class KernelImage(unittest.TestCase):
    def image(self, payload, magic=b'HdrS'):
        head = bytearray(1024)
        head[kernel.SETUP_SECTS] = 1
        head[kernel.MAGIC:kernel.MAGIC + 4] = magic
        struct.pack_into('<II', head, kernel.PAYLOAD_OFFSET, 16, len(payload) + 4)
        return bytes(head) + b'x' * 16 + payload + b'size' + b'tail'

    def test_payload(self):
        data = kernel.ZSTD + b'data'
        self.assertEqual(kernel.payload(self.image(data)), data)

    def test_no_kernel(self):
        with self.assertRaises(Failure):
            kernel.payload(self.image(kernel.ZSTD, magic=b'none'))

    def test_other_compression(self):
        with self.assertRaises(Failure):
            kernel.payload(self.image(b'\x1f\x8bdata'))

    def test_calibration_is_preset_under_tcg_only(self):
        self.assertIn('lpj=', kernel.command_line('tcg', 'true'))
        self.assertNotIn('lpj=', kernel.command_line('kvm', 'true'))

    def test_new_pages_are_written_to_under_tcg(self):
        self.assertIn(' init_on_alloc=1 ', kernel.command_line('tcg', 'true'))


class KernelConfig(unittest.TestCase):
    def test_what_kconfig_dropped(self):
        wanted = 'CONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\n# CONFIG_D is not set\n' \
                 '# words of CONFIG_E=y\nCONFIG_F="x"\n'
        final = 'CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_D=y\nCONFIG_F="x"\n'
        self.assertEqual(kernelbuild.missing(wanted, final),
                         ['CONFIG_B is n, wanted m', 'CONFIG_D is y, wanted n'])

    def test_the_fragments_contradict_nothing(self):
        for flavour in kernelbuild.FLAVOURS:
            names = [line.split('=')[0] for line in kernelbuild.fragments(flavour).splitlines()
                     if line.startswith('CONFIG_')]
            self.assertEqual(len(names), len(set(names)), flavour)

    def test_newest_kernel_last(self):
        with tempfile.TemporaryDirectory() as root:
            os.mkdir(os.path.join(root, 'boot'))
            for name in ('10.2.1+deb13-amd64', '6.12.118+deb13-amd64'):
                with open(os.path.join(root, 'boot', 'vmlinuz-' + name), 'wb'):
                    pass
            self.assertEqual(kernel.versions(root), ['6.12.118+deb13-amd64', '10.2.1+deb13-amd64'])


class TestWishes(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix='pnic-test-')
        self.addCleanup(shutil.rmtree, self.directory)

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.directory, name)
        with open(path, 'w', encoding='ascii') as handle:
            handle.write(text)
        os.chmod(path, mode)

    def read(self, text):
        self.write('t.conf', text)
        return testconf.read(self.directory, 't', 120)

    def test_without_a_file(self):
        conf = testconf.read(self.directory, 'none', 120)
        self.assertEqual((conf.nics, conf.timeout, conf.separate, conf.module),
                         (2, 120, False, True))

    def test_all_keys(self):
        conf = self.read('nics=4\nmodel_args=--spares 2 --name "a b"\ntimeout=300\n'
                         'boot=separate\nmodule=no\n')
        self.assertEqual(conf.model_args, ('--spares', '2', '--name', 'a b'))
        self.assertEqual((conf.nics, conf.timeout, conf.separate, conf.module),
                         (4, 300, True, False))

    def test_with_a_section(self):
        self.assertEqual(self.read('[guest]\nnics=1\n').nics, 1)

    def test_a_misspelt_key_is_refused(self):
        with self.assertRaises(Failure):
            self.read('nic=4\n')

    def test_nonsense_is_refused(self):
        for text in ('nics=many\n', 'just words\n'):
            with self.assertRaises(Failure):
                self.read(text)

    def test_programs_are_the_executables(self):
        self.write('b', '', 0o755)
        self.write('a', '', 0o755)
        self.write('a.conf', '')
        self.write('data', '')
        self.assertEqual(testconf.programs(self.directory), ['a', 'b'])

    def test_equal_wishes_share_a_boot(self):
        def conf(**values):
            return testconf.Conf({k: str(v) for k, v in values.items()}, 120, 't')
        made = testconf.groups([('a', conf()), ('b', conf(nics=4)), ('c', conf(timeout=9)),
                                ('d', conf(boot='separate')), ('e', conf(nics=4))])
        self.assertEqual([[n for n, _ in members] for _, members in made],
                         [['a', 'c'], ['b', 'e'], ['d']])


    def test_also_behind_an_iommu(self):
        plain, also = self.read(''), self.read('iommu=also\n')
        made = testconf.groups([('a', plain), ('b', also)])
        self.assertEqual([(c.iommu, [n for n, _ in members]) for c, members in made],
                         [(False, ['a', 'b']), (True, ['b'])])

    def test_wanted(self):
        self.assertTrue(testconf.wanted('lanes', None))
        self.assertTrue(testconf.wanted('lanes', []))
        self.assertTrue(testconf.wanted('tool_lanes', ['ops', 'lanes']))
        self.assertFalse(testconf.wanted('xfer', ['ops', 'lanes']))


class Mirrors(unittest.TestCase):
    def test_the_machines_own(self):
        found = mirror.choose(['http://m.example/debian/', 'http://m.example/debian-security/',
                               'https://other.example/apt/'])
        self.assertEqual(found, ('http://m.example/debian', 'http://m.example/debian-security'))
        self.assertEqual(len(mirror.lines(found, 'trixie')), 3)

    def test_no_debian(self):
        self.assertIsNone(mirror.choose(['http://m.example/ubuntu', 'file:/media/debian']))
        self.assertEqual(mirror.lines(None, 'trixie'), [])

    def test_proxies_are_passed_on(self):
        dump = 'Acquire::http "";\nAcquire::http::Proxy "http://p.example:3128";\n'
        self.assertEqual(mirror.proxy_options(dump),
                         ['Acquire::http::Proxy "http://p.example:3128";'])


class Packages(unittest.TestCase):
    def test_only_what_is_not_there(self):
        wanted = {'gcc': 'gcc', 'libjansson-dev': '/usr/include/jansson.h', 'make': 'make'}
        self.assertEqual(hostdeps.missing(wanted, which=lambda name, path=None: name == 'gcc',
                                          exists=lambda path: True), ['make'])


class RootProgress(unittest.TestCase):
    def test_stages_of_the_root(self):
        self.assertEqual(root.describe('0 upgraded, 149 newly installed, 0 to remove and 0 not'),
                         'installing 149 packages')
        self.assertIsNone(root.describe('Get:1 something'))


class Tails(unittest.TestCase):
    def test_whole_lines_as_they_come(self):
        with tempfile.NamedTemporaryFile() as handle:
            tail = follow.Tail(handle.name)
            for piece, lines in ((b'one\ntw', ['one']), (b'o', []), (b'\nthree', ['two'])):
                handle.write(piece)
                handle.flush()
                self.assertEqual(tail.lines(), lines)
            self.assertEqual(tail.rest(), ['three'])

    def test_a_file_that_is_not_there_yet(self):
        self.assertEqual(follow.Tail('/nonexistent').lines(), [])


if __name__ == '__main__':
    unittest.main()
