# SPDX-License-Identifier: GPL-2.0
"""What a test program wants, from the file `<name>.conf` beside it:

    nics=4                  cards in the guest (default 2)
    model_args=--spares 2   further arguments for the model, as a shell would split them
    timeout=300             seconds (default 120 in the guest)
    per_round=80            seconds more for each round, where ROUNDS asks for that many
    boot=separate           a guest of its own
    module=no               pnic.ko is not loaded before the test
    memory=4096             MiB of the guest
    cpus=4                  processors of the guest
    append=...              further kernel parameters
    iommu=yes               behind an IOMMU, where a DMA mapping that is left over is found;
                            also: once without and once with it
    qmp=yes                 the guest has QEMU's monitor at the virtio port pnic.qmp: it can take
                            its own cards away

Programs that want the same guest share one boot.
"""

import configparser
import copy
import os
import shlex

from .errors import Failure

KEYS = {'nics', 'model_args', 'timeout', 'boot', 'module', 'memory', 'cpus', 'append',
        'iommu', 'qmp', 'per_round'}


class Conf:
    def __init__(self, values, default_timeout, where):
        unknown = set(values) - KEYS
        if unknown:
            raise Failure('%s: unknown key %s' % (where, ', '.join(sorted(unknown))))
        try:
            self.nics = int(values.get('nics', 2))
            self.timeout = int(values.get('timeout', default_timeout))
            self.per_round = int(values.get('per_round', 0))
            self.memory = int(values.get('memory', 2048))
            self.cpus = int(values.get('cpus', 2))
            self.model_args = tuple(shlex.split(values.get('model_args', '')))
        except ValueError as error:
            raise Failure('%s: %s' % (where, error)) from error
        self.separate = values.get('boot', 'shared') == 'separate'
        self.module = values.get('module', 'yes') != 'no'
        self.append = values.get('append', '')
        self.qmp = values.get('qmp', 'no') == 'yes'
        self.iommu = values.get('iommu', 'no') == 'yes'
        self.also_iommu = values.get('iommu', 'no') == 'also'

    def guest(self):
        """What has to be equal for two programs to share a boot."""
        return (self.nics, self.model_args, self.module, self.memory, self.cpus, self.append,
                self.iommu, self.qmp)

    def behind_iommu(self):
        """The second of the two boots of iommu=also."""
        second = copy.copy(self)
        second.iommu, second.also_iommu = True, False
        return second


def read(directory, name, default_timeout):
    path = os.path.join(directory, name + '.conf')
    parser = configparser.ConfigParser(interpolation=None)
    try:
        with open(path, encoding='utf-8') as handle:
            text = handle.read()
    except FileNotFoundError:
        text = ''
    try:
        parser.read_string(text if text.lstrip().startswith('[') else '[test]\n' + text)
    except configparser.Error as error:
        raise Failure('%s: %s' % (path, error)) from error
    values = {}
    for section in parser.sections():
        values.update(parser[section])
    return Conf(values, default_timeout, path)


def programs(directory):
    """The executables of a test directory."""
    if not os.path.isdir(directory):
        return []
    return sorted(name for name in os.listdir(directory)
                  if os.path.isfile(os.path.join(directory, name))
                  and os.access(os.path.join(directory, name), os.X_OK)
                  and not name.endswith('.conf'))


def wanted(name, only):
    """Whether a program is to run: its name contains one of `only`, or there is no such wish."""
    return not only or any(part in name for part in only)


def groups(named_confs):
    """[(conf, [(name, conf), ...])]: one element a boot, in a stable order."""
    shared, result = {}, []
    again = [(name, conf.behind_iommu()) for name, conf in named_confs if conf.also_iommu]
    for name, conf in named_confs + again:
        if conf.separate:
            result.append((conf, [(name, conf)]))
            continue
        key = conf.guest()
        if key not in shared:
            shared[key] = []
            result.append((conf, shared[key]))
        shared[key].append((name, conf))
    return result
