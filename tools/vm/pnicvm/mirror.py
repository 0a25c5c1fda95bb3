# SPDX-License-Identifier: GPL-2.0
"""Which Debian mirror to make the guest root from: the one that this machine uses itself.

A machine behind a proxy or with a local mirror works without being told.  Where the machine
is no Debian, the answer is None and mmdebstrap takes its default.
"""

import shutil
import subprocess


def _output(command):
    if not shutil.which(command[0]):
        return ''
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout


def choose(uris):
    """(archive, security) out of the URIs that apt is configured with, or None."""
    archive = security = None
    for uri in uris:
        uri = uri.strip().rstrip('/')
        if not uri.startswith(('http://', 'https://')):
            continue
        last = uri.rsplit('/', 1)[-1]
        if last == 'debian':
            archive = archive or uri
        elif last == 'debian-security':
            security = security or uri
    return (archive, security) if archive else None


def find():
    """The machine's own mirrors."""
    return choose(_output(['apt-get', 'indextargets', '--format', '$(REPO_URI)']).splitlines())


def lines(found, suite):
    """sources.list lines for `suite`, or [] for mmdebstrap's default."""
    if not found:
        return []
    archive, security = found
    result = ['deb %s %s main' % (archive, suite), 'deb %s %s-updates main' % (archive, suite)]
    if security:
        result.append('deb %s %s-security main' % (security, suite))
    return result


def proxy_options(dump=None):
    """apt options for the machine's proxies, for mmdebstrap's --aptopt."""
    if dump is None:
        dump = _output(['apt-config', 'dump', 'Acquire::http']) + \
               _output(['apt-config', 'dump', 'Acquire::https'])
    wanted = []
    for line in dump.splitlines():
        name, _, value = line.partition(' ')
        if value not in ('', '"";') and not name.endswith('::'):
            wanted.append(line)
    return wanted
