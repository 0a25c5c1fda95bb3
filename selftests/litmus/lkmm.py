#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs litmus tests under the Linux kernel's memory model:  lkmm.py MODEL FILE...  prints KTAP.

MODEL is the kernel's tools/memory-model. Where herd7 is installed it does the work. Debian has no herd7, so otherwise
this does: it reads the kernel's own linux-kernel.bell and linux-kernel.cat, makes all candidate executions of a test
(which write each read takes its value from, and the order of the writes to each variable), and keeps those of which the
model says nothing bad. It knows marked and plain accesses to integers, fences and branches; no locks, no RCU, no
pointers, no read-modify-write. The README says how it is itself checked.

A file's comment has a line `Result: Never` or `Result: Sometimes`, which is what the test is compared with."""

import itertools
import os
import re
import shutil
import subprocess
import sys

EMPTY = frozenset()


class Unsupported(Exception):
    """The test has something that this does not know."""


# --- relations: frozensets of pairs; sets of events: frozensets of numbers ----

def seq(a, b):
    """a ; b"""
    after = {}
    for x, y in b:
        after.setdefault(x, []).append(y)
    return frozenset((x, z) for x, y in a for z in after.get(y, ()))


def plus(a):
    """The transitive closure."""
    while True:
        more = a | seq(a, a)
        if more == a:
            return a
        a = more


def inverse(a):
    return frozenset((y, x) for x, y in a)


def cyclic(a):
    return any(x == y for x, y in plus(a))


# --- the language of the model ----

TOKEN = re.compile(r"""\s+|\(\*.*?\*\)|//[^\n]*|(?P<t>"[^"]*"|'?[A-Za-z_][\w.-]*|\^-1|\|\||[()\[\];|&\\*+?~=,{}])""", re.S)
WORDS = {'let', 'rec', 'and', 'in', 'acyclic', 'irreflexive', 'empty', 'flag', 'as', 'include', 'enum', 'instructions'}


def tokens(text):
    at, found = 0, []
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise ValueError('what is this in the model: %r' % text[at:at + 20])
        at = match.end()
        if match.group('t'):
            found.append(match.group('t'))
    return found


class Parser:
    """Of bell and cat files, to a list of statements."""

    def __init__(self, text):
        self.left = tokens(text)[::-1]

    def peek(self):
        return self.left[-1] if self.left else None

    def take(self, wanted=None):
        token = self.left.pop()
        if wanted and token != wanted:
            raise ValueError('%s instead of %s' % (token, wanted))
        return token

    def accept(self, token):
        if self.peek() == token:
            self.left.pop()
            return True
        return False

    def statements(self):
        found = []
        while self.left:
            token = self.take()
            if token.startswith('"'):
                continue
            if token == 'include':
                self.take()
            elif token in ('enum', 'instructions'):
                # The sets are made by whoever makes the events.
                while self.peek() not in WORDS and self.left:
                    self.take()
            elif token == 'let':
                found.append(('let',) + self.bindings())
            else:
                flag = token == 'flag'
                negated = flag and self.accept('~')
                kind = self.take() if flag else token
                body = self.expression()
                name = self.take() if self.accept('as') else ''
                found.append(('check', flag, negated, kind, body, name))
        return found

    def bindings(self):
        rec, found = self.accept('rec'), []
        while True:
            name, argument = self.take(), None
            if self.accept('('):
                argument = self.take()
                self.take(')')
            self.take('=')
            found.append((name, argument, self.expression()))
            if not self.accept('and'):
                return rec, found

    def expression(self):
        if self.accept('let'):
            rec, found = self.bindings()
            self.take('in')
            return ('in', rec, found, self.expression())
        return self.infix(0)

    INFIX = ['|', ';', '\\', '&', '*']    # the loosest first

    def infix(self, level):
        if level == len(self.INFIX):
            return self.postfix()
        left = self.infix(level + 1)
        while self.peek() == self.INFIX[level]:
            self.take()
            left = (self.INFIX[level], left, self.infix(level + 1))
        return left

    def postfix(self):
        if self.accept('~'):
            return ('~', self.postfix())
        value = self.primary()
        while self.peek() in ('*', '+', '?', '^-1'):
            if self.peek() == '*' and self.begins(self.left[-2] if len(self.left) > 1 else None):
                break       # the product of two sets
            value = (self.take() + 'post', value)
        return value

    @staticmethod
    def begins(token):
        return token is not None and (token in ('(', '[', '~') or (token[0].isalpha() and token not in WORDS))

    def primary(self):
        token = self.take()
        if token == '(':
            value = self.expression()
            self.take(')')
            return value
        if token == '[':
            value = self.expression()
            self.take(']')
            return ('[]', value)
        if self.peek() == '(':
            self.take()
            value = self.expression()
            self.take(')')
            return ('call', token, value)
        return ('name', token)


class Model:
    def __init__(self, directory):
        self.statements = []
        for name in ('linux-kernel.bell', 'linux-kernel.cat'):
            with open(os.path.join(directory, name), encoding='utf-8') as handle:
                self.statements += Parser(handle.read()).statements()

    def allows(self, names, everything):
        """Whether an execution is one; `names` has its sets and relations, `everything` its events. Flags (data races)
        make it Unsupported: such a test says nothing."""
        env = dict(names)
        look = Evaluation(everything)
        for what in self.statements:
            if what[0] == 'let':
                look.bind(env, what[1], what[2])
                continue
            _, flag, negated, kind, body, name = what
            value = look.value(body, env)
            good = {'acyclic': lambda v: not cyclic(v), 'empty': lambda v: not v,
                    'irreflexive': lambda v: all(x != y for x, y in v)}[kind](value)
            if flag:
                if good != negated:
                    raise Unsupported('flagged: ' + name)
            elif not good:
                return False
        return True


class Evaluation:
    def __init__(self, everything):
        self.all = frozenset(everything)
        self.id = frozenset((x, x) for x in self.all)

    def bind(self, env, rec, found):
        if not rec:
            new = {name: ('function', argument, body, env.copy()) if argument else self.value(body, env)
                   for name, argument, body in found}
            env.update(new)
            return
        env.update({name: EMPTY for name, _, _ in found})
        while True:
            new = {name: self.value(body, env) for name, _, body in found}
            if all(env[name] == value for name, value in new.items()):
                return
            env.update(new)

    def value(self, what, env):
        kind = what[0]
        if kind == 'name':
            # Sets of events that no test here has are empty.
            if what[1] in env:
                return env[what[1]]
            if what[1][0].isupper():
                return EMPTY
            raise ValueError('the model has no ' + what[1])
        if kind == 'call':
            return self.call(what[1], self.value(what[2], env), env)
        if kind == 'in':
            env = env.copy()
            self.bind(env, what[1], what[2])
            return self.value(what[3], env)
        values = [self.value(part, env) for part in what[1:]]
        return {
            '|': lambda a, b: a | b, '&': lambda a, b: a & b, '\\': lambda a, b: a - b, ';': seq,
            '*': lambda a, b: frozenset((x, y) for x in a for y in b),
            '~': lambda a: self.all - a,
            '[]': lambda a: frozenset((x, x) for x in a),
            '*post': lambda a: plus(a) | self.id, '+post': plus, '?post': lambda a: a | self.id, '^-1post': inverse,
        }[kind](*values)

    def call(self, name, argument, env):
        if name == 'fencerel':
            return seq(frozenset((x, y) for x, y in env['po'] if y in argument), env['po'])
        if name == 'domain':
            return frozenset(x for x, _ in argument)
        if name == 'range':
            return frozenset(y for _, y in argument)
        if name == 'different-values':
            if argument:
                raise Unsupported('SRCU')
            return EMPTY
        _, parameter, body, inner = env[name]
        return self.value(body, dict(inner, **{parameter: argument}))


# --- tests ----

FENCES = {'smp_mb': 'Mb', 'smp_wmb': 'Wmb', 'smp_rmb': 'Rmb', 'barrier': 'Barrier'}
CODE = re.compile(r'\s+|(?P<t>\d+|\w+|==|!=|&&|\|\||/\\|\\/|[(){};,*=!<>&|+:\[\]~-])')


def code(text):
    at, found = 0, []
    text = text.strip()
    while at < len(text):
        match = CODE.match(text, at)
        if not match:
            raise Unsupported('%r' % text[at:at + 20])
        at = match.end()
        if match.group('t'):
            found.append(match.group('t'))
    return found


# A `(*` with no space behind it is an access.
COMMENT = r'\(\*\s.*?\*\)'


class Test:
    """name, expected result, the initial values, the threads as trees of statements, the condition."""

    def __init__(self, text):
        comments = ' '.join(re.findall(COMMENT, text, re.S))
        match = re.search(r'Result:\s*(\w+)', comments)
        self.expected = match.group(1) if match else None
        text = re.sub(COMMENT + r'|//[^\n]*', ' ', text, flags=re.S)
        match = re.match(r'\s*C\s+(\S+)\s*\{(.*?)\}(.*?)\n\s*(?:locations\s*\[.*?\]\s*)?exists\s*(.*)$', text, re.S)
        if not match:
            raise Unsupported('not a test as this knows them')
        self.name, start, threads, self.condition = match.groups()
        self.start = {}
        for part in filter(None, (word.strip() for word in start.split(';'))):
            found = re.match(r'(?:int\s+)?(\w+)\s*=\s*(\d+)$', part)
            if not found:
                raise Unsupported(part)
            self.start[found.group(1)] = int(found.group(2))
        self.threads = []
        self.left = code(threads)[::-1]
        while self.left:
            if not re.match(r'P\d+$', self.left.pop()):
                raise Unsupported('a thread was expected')
            while self.left.pop() != ')':
                pass
            self.threads.append(self.block())

    def take(self, wanted=None):
        token = self.left.pop() if self.left else 'the end'
        if wanted and token != wanted:
            raise Unsupported('%s instead of %s' % (token, wanted))
        return token

    def accept(self, token):
        if self.left and self.left[-1] == token:
            self.left.pop()
            return True
        return False

    def block(self):
        if not self.accept('{'):
            return self.statement()
        found = []
        while not self.accept('}'):
            found += self.statement()
        return found

    def statement(self):
        if self.accept('if'):
            self.take('(')
            condition = self.expression()
            self.take(')')
            then = self.block()
            return [('if', condition, then, self.block() if self.accept('else') else [])]
        if self.accept('*'):
            name = self.take()
            self.take('=')
            value = self.expression()
            self.take(';')
            return [('write', name, value, 'Plain')]
        if self.accept('int'):
            if self.left[-2] == ';':
                self.take()
                self.take(';')
                return []
        name = self.take()
        if self.accept('='):
            found = self.read(name)
        else:
            found = self.call(name)
        self.take(';')
        return found

    def call(self, name):
        self.take('(')
        if name in FENCES:
            self.take(')')
            return [('fence', FENCES[name])]
        if name not in ('WRITE_ONCE', 'smp_store_release'):
            raise Unsupported(name)
        self.accept('*')
        where = self.take()
        self.take(',')
        value = self.expression()
        self.take(')')
        return [('write', where, value, 'Once' if name == 'WRITE_ONCE' else 'Release')]

    def read(self, register):
        kinds = {'READ_ONCE': 'Once', 'smp_load_acquire': 'Acquire'}
        if self.left[-1] in kinds:
            kind = kinds[self.take()]
            self.take('(')
            self.accept('*')
            where = self.take()
            self.take(')')
            return [('read', register, where, kind)]
        if self.accept('*'):
            return [('read', register, self.take(), 'Plain')]
        return [('set', register, self.expression())]

    LEVELS = [('||',), ('&&',), ('|',), ('&',), ('==', '!='), ('<', '>'), ('+', '-')]

    def expression(self, level=0):
        if level == len(self.LEVELS):
            return self.operand()
        left = self.expression(level + 1)
        while self.left and self.left[-1] in self.LEVELS[level]:
            left = (self.take(), left, self.expression(level + 1))
        return left

    def operand(self):
        if self.accept('('):
            value = self.expression()
            self.take(')')
            return value
        if self.accept('!'):
            return ('!', self.operand())
        token = self.take()
        return ('number', int(token)) if token.isdigit() else ('register', token)


OPERATORS = {
    '||': lambda a, b: int(bool(a or b)), '&&': lambda a, b: int(bool(a and b)), '|': lambda a, b: a | b,
    '&': lambda a, b: a & b, '==': lambda a, b: int(a == b), '!=': lambda a, b: int(a != b), '<': lambda a, b: int(a < b),
    '>': lambda a, b: int(a > b), '+': lambda a, b: a + b, '-': lambda a, b: a - b,
}


def compute(what, registers):
    """(value, the reads that it comes from)."""
    if what[0] == 'number':
        return what[1], EMPTY
    if what[0] == 'register':
        return registers.get(what[1], (0, EMPTY))
    if what[0] == '!':
        value, reads = compute(what[1], registers)
        return int(not value), reads
    left, right = compute(what[1], registers), compute(what[2], registers)
    return OPERATORS[what[0]](left[0], right[0]), left[1] | right[1]


class Trace:
    """One way through a thread: its events (kind, variable, value, mark), dependencies by number within it."""

    def __init__(self):
        self.events = []
        self.data = []
        self.ctrl = []
        self.registers = {}

    def copy(self):
        other = Trace()
        other.events, other.data, other.ctrl = self.events[:], self.data[:], self.ctrl[:]
        other.registers = dict(self.registers)
        return other


def traces(statements, values):
    """All ways through a thread, where a read may see any of `values[variable]`."""
    def go(trace, left, under):
        if not left:
            yield trace
            return
        what, rest = left[0], left[1:]
        kind = what[0]
        number = len(trace.events)
        if kind == 'end':
            yield from go(trace, rest, what[1])
            return
        if kind == 'if':
            value, reads = compute(what[1], trace.registers)
            yield from go(trace, (what[2] if value else what[3]) + [('end', under)] + rest, under | reads)
            return
        if kind == 'set':
            trace = trace.copy()
            trace.registers[what[1]] = compute(what[2], trace.registers)
            yield from go(trace, rest, under)
            return
        trace = trace.copy()
        trace.ctrl += [(read, number) for read in under]
        if kind == 'fence':
            trace.events.append(('F', None, None, what[1]))
        elif kind == 'write':
            value, reads = compute(what[2], trace.registers)
            trace.data += [(read, number) for read in reads]
            trace.events.append(('W', what[1], value, what[3]))
        else:
            for value in sorted(values[what[2]]):
                one = trace.copy()
                one.events.append(('R', what[2], value, what[3]))
                one.registers[what[1]] = (value, frozenset([number]))
                yield from go(one, rest, under)
            return
        yield from go(trace, rest, under)

    return list(go(Trace(), list(statements), EMPTY))


def variables(statements):
    for what in statements:
        if what[0] == 'if':
            yield from variables(what[2])
            yield from variables(what[3])
        elif what[0] == 'write':
            yield what[1]
        elif what[0] == 'read':
            yield what[2]


def all_traces(test):
    """Of each thread, once no read can see any other value."""
    values = {name: {test.start.get(name, 0)} for thread in test.threads for name in variables(thread)}
    while True:
        found = [traces(thread, values) for thread in test.threads]
        before = sum(map(len, values.values()))
        for trace in itertools.chain(*found):
            for kind, name, value, _ in trace.events:
                if kind == 'W':
                    values[name].add(value)
        if sum(map(len, values.values())) == before:
            return found, sorted(values)


class Execution:
    """What is common to all executions with these ways through the threads."""

    def __init__(self, test, chosen, names):
        self.events = [('W', name, test.start.get(name, 0), 'Init') for name in names]
        self.thread = [-1] * len(names)
        po, data, ctrl = set(), set(), set()
        self.registers = []
        for number, trace in enumerate(chosen):
            base = len(self.events)
            self.events += trace.events
            self.thread += [number] * len(trace.events)
            po |= {(base + i, base + j) for j in range(len(trace.events)) for i in range(j)}
            data |= {(base + i, base + j) for i, j in trace.data}
            ctrl |= {(base + i, base + j) for i, j in trace.ctrl}
            self.registers.append({name: value for name, (value, _) in trace.registers.items()})
        everything = range(len(self.events))
        self.names = names
        self.env = env = {'po': frozenset(po), 'data': frozenset(data), 'ctrl': frozenset(ctrl), 'addr': EMPTY,
                          'rmw': EMPTY, 'id': frozenset((x, x) for x in everything)}
        env['int'] = frozenset((x, y) for x in everything for y in everything
                               if self.thread[x] == self.thread[y] != -1) | env['id']
        env['ext'] = frozenset((x, y) for x in everything for y in everything) - env['int']
        env['loc'] = frozenset((x, y) for x in everything for y in everything
                               if self.events[x][1] and self.events[x][1] == self.events[y][1])
        env['po-loc'] = env['po'] & env['loc']
        of = lambda test: frozenset(x for x in everything if test(self.events[x]))    # pylint: disable=C3001
        env.update(R=of(lambda e: e[0] == 'R'), W=of(lambda e: e[0] == 'W'), F=of(lambda e: e[0] == 'F'),
                   M=of(lambda e: e[0] != 'F'), IW=of(lambda e: e[3] == 'Init'))
        for mark in ('Once', 'Acquire', 'Release', 'Mb', 'Wmb', 'Rmb', 'Barrier'):
            env[mark] = of(lambda e, mark=mark: e[3] == mark)

    def candidates(self):
        """Each choice of rf and co, as the sets and relations of the model."""
        env, events = self.env, self.events
        sources = [[(w, r) for w in sorted(env['W']) if events[w][1:3] == events[r][1:3]] for r in sorted(env['R'])]
        orders = []
        for name in self.names:
            first = [x for x in sorted(env['IW']) if events[x][1] == name]
            others = [x for x in sorted(env['W'] - env['IW']) if events[x][1] == name]
            orders.append([tuple(first) + order for order in itertools.permutations(others)])
        for rf in itertools.product(*sources):
            for order in itertools.product(*orders):
                co = frozenset((line[i], line[j]) for line in order for j in range(len(line)) for i in range(j))
                made = dict(env, rf=frozenset(rf), co=co)
                made['fr'] = seq(inverse(made['rf']), co)
                for name in ('rf', 'co', 'fr'):
                    made[name + 'e'] = made[name] & env['ext']
                    made[name + 'i'] = made[name] & env['int']
                yield made, {name: events[line[-1]][2] for name, line in zip(self.names, order)}


def holds(condition, registers, memory):
    """Whether an execution ends as the `exists` clause says."""
    text = condition.replace('/\\', ' and ').replace('\\/', ' or ').replace('~', ' not ')
    text = re.sub(r'(\d+):(\w+)\s*=\s*(-?\d+)', lambda m: str(registers[int(m[1])].get(m[2], 0) == int(m[3])), text)
    text = re.sub(r'\b([A-Za-z_]\w*)\s*=\s*(-?\d+)', lambda m: str(memory[m[1]] == int(m[2])), text)
    if not re.match(r'(?:True|False|and|or|not|[()\s])*$', text):
        raise Unsupported(condition)
    return eval(text, {'__builtins__': {}})     # pylint: disable=eval-used


def result(model, test):
    """Never, Sometimes or Always."""
    found, names = all_traces(test)
    seen = set()
    for chosen in itertools.product(*found):
        execution = Execution(test, chosen, names)
        for env, memory in execution.candidates():
            state = bool(holds(test.condition, execution.registers, memory))
            if state in seen and len(seen) == 1 and state is False:
                # Whether it is one of many that end otherwise matters not; races do, but of these
                # the executions that end as asked have them as well.
                continue
            if model.allows(env, range(len(execution.events))):
                seen.add(state)
    return {(True,): 'Always', (False,): 'Never', (False, True): 'Sometimes'}.get(tuple(sorted(seen)), 'Nothing')


def by_herd(directory, path):
    done = subprocess.run(['herd7', '-conf', 'linux-kernel.cfg', os.path.abspath(path)], cwd=directory,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    match = re.search(r'^Observation \S+ (\w+)', done.stdout, re.M)
    if not match:
        raise ValueError(done.stdout)
    return match.group(1)


def main(directory, files):
    herd = shutil.which('herd7')
    model = None if herd else Model(directory)
    bad = 0
    print('KTAP version 1\n1..%d' % len(files))
    print('# by ' + (herd or 'lkmm.py'))
    for number, path in enumerate(files, 1):
        name = os.path.basename(path).rsplit('.', 1)[0]
        try:
            with open(path, encoding='utf-8') as handle:
                test = Test(handle.read())
            found = by_herd(directory, path) if herd else result(model, test)
            good = found == test.expected
            if not good:
                print('# %s: %s, expected %s' % (path, found, test.expected))
        except Unsupported as error:
            print('ok %d %s # SKIP %s' % (number, name, error))
            continue
        bad += not good
        print('%s %d %s' % ('ok' if good else 'not ok', number, name), flush=True)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2:]))
