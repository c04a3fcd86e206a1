# SPDX-License-Identifier: Apache-2.0
"""The fields of a message, from its bytes and the CDDL, and how to change one.

A path leads from the whole to a field: numbers are keys of maps and places in
arrays, CBOR goes into a byte string that holds an encoded item.
"""
import copy

from session_cddl import Bad, Cddl, decode, encode, require

CBOR, GONE = object(), object()
UNKNOWN = 77          # a key that no map has
PLACES = 2            # of an array whose elements are alike


class Field:
    """One field, or one that could be there and is not."""

    def __init__(self, path, name, node, where, entry):
        self.path, self.name, self.node = path, name, node
        self.where = where        # (rule, key), as the CDDL has it
        self.entry = entry        # least number of times, key
        self.closed = False       # a map without unknown keys


def words(node):
    """A type as the CDDL writes it."""
    kind = node[0]
    if kind == 'name':
        return node[1] + (f'<{", ".join(map(words, node[2]))}>'
                          if node[2] else '')
    if kind == 'literal':
        return f'"{node[1]}"' if isinstance(node[1], str) else str(node[1])
    if kind == 'range':
        return f'{node[1]}..{node[2]}'
    if kind == 'choice':
        return ' / '.join(map(words, node[1]))
    if kind in ('size', 'cbor'):
        inner = words(node[2])
        return f'{words(node[1])} .{kind} ' + (
            f'({inner})' if node[2][0] in ('range', 'choice') else inner)
    return {'map': '{ }', 'array': '[ ]'}[kind]


class Walk(Cddl):
    """Holds a value against a rule and remembers the way."""

    def walk(self, rule, value):
        """The fields of a value, which must be what the rule says."""
        self.found, self.rule_at = [], []
        self._match(('name', rule, []), value, {}, ((), ''), False)
        return self.found

    def where(self, key):
        """The rule that is being read, and a key of it."""
        return (self.rule_at[-1] if self.rule_at else '', key)

    def all_fields(self):
        """(rule, key) of everything that a map or an array can hold."""
        for rule, node in self.rules.items():
            yield from ((rule, key) for key in _keys(node))

    def _match(self, node, value, env, path, closed):
        if node[0] != 'cbor':
            super()._match(node, value, env, path, closed)
            return
        self._match(node[1], value, env, path, closed)
        self._match(node[2], decode(value), env,
                    (path[0] + (CBOR,), path[1]), closed)

    def _match_name(self, node, value, env, path, closed):
        # A parameter is a type of whoever gave it.
        is_rule = node[1] in self.rules and node[1] not in env
        if is_rule:
            self.rule_at.append(node[1])
        elif node[1] in env:
            self.rule_at.append(self.rule_at[-2] if len(self.rule_at) > 1
                                else '')
        super()._match_name(node, value, env, path, closed)
        if is_rule or node[1] in env:
            self.rule_at.pop()

    def _match_choice(self, options, value, env, path, closed):
        reasons = []
        for option in options:
            found, at = len(self.found), len(self.rule_at)
            try:
                return self._match(option, value, env, path, closed)
            except Bad as error:
                del self.found[found:], self.rule_at[at:]
                reasons.append(str(error))
        raise Bad(' and '.join(reasons))

    def _add(self, place, name, node, key, entry):
        self.found.append(Field(place, name, node, self.where(key), entry))

    def _match_map(self, entries, value, env, path, closed):
        require(type(value) is dict, f'{path[1]}: not a map')
        self.found.append(Field(path[0], path[1], ('map', entries), None, None))
        self.found[-1].closed = closed
        for least, _, key, rule in entries:
            name = f'{path[1]}.{key}'.lstrip('.')
            require(key in value or least == 0, f'{name} is missing')
            self._add(path[0] + (key,), name, rule, key, (least, key))
            if key in value:
                self._match(rule, value[key], env, (path[0] + (key,), name),
                            closed)
        for key in value:
            require(type(key) is int and key in [e[2] for e in entries] or
                    type(key) is int and key < 0 and not closed,
                    f'{path[1]}: unknown key {key!r}')

    def _match_array(self, entries, value, env, path, closed):
        require(type(value) is list, f'{path[1]}: not an array')
        self.found.append(
            Field(path[0], path[1], ('array', entries), None, None))
        at = 0
        for number, (least, most, label, rule) in enumerate(entries):
            behind, count = len(entries) - number - 1, 0
            while at < len(value) - behind and (most is None or count < most):
                many = most != 1
                name = path[1] + (f'[{at}]' if many else '.' + (
                    label or _own_name(rule, at)))
                found = len(self.found)
                self._add(path[0] + (at,), name.lstrip('.'), rule,
                          _array_key(label, rule, number), (1, None))
                self._match(rule, value[at], env,
                            (path[0] + (at,), name.lstrip('.')), closed)
                if many and count >= PLACES:
                    del self.found[found:]
                at, count = at + 1, count + 1
            require(count >= least, f'{path[1]}: {label or number} is missing')
        require(at == len(value), f'{path[1]}: too many elements')


def _own_name(rule, at):
    if rule[0] == 'name' and not rule[2]:
        return rule[1]
    return 'label' if rule[0] == 'literal' and isinstance(rule[1], str) \
        else str(at)


def _array_key(label, rule, number):
    return label or _own_name(rule, number)


def _keys(node):
    if isinstance(node, tuple) and node and node[0] in ('map', 'array'):
        for number, (_, _, key, rule) in enumerate(node[1]):
            yield key if node[0] == 'map' else _array_key(key, rule, number)
            yield from _keys(rule)
    elif isinstance(node, (tuple, list)):
        for part in node:
            yield from _keys(part)


# ---- changing one ------------------------------------------------------------

def edit(value, path, change):
    """The value with one place changed; GONE takes it away."""
    if not path:
        return change(value)
    step = path[0]
    if step is CBOR:
        return encode(edit(decode(value), path[1:], change))
    value = copy.copy(value)
    is_there = isinstance(value, list) or step in value
    new = edit(value[step] if is_there else GONE, path[1:], change)
    if new is GONE:
        if is_there:
            del value[step]
    else:
        value[step] = new
    return value


def _other_number(v):
    return [lambda v, d=d: v + d for d in (1, -1, 2, -2, 7)] + [
        lambda v, n=n: n for n in (0, 1, 2, 3, 4)]


def _others(v):
    """Changes to another value of the same type, the likely ones first."""
    if isinstance(v, bool):
        return [lambda v: not v]
    if isinstance(v, int):
        return _other_number(v)
    if isinstance(v, bytes):
        return [lambda v: v[:-1] + bytes([v[-1] ^ 1]) if v else b'\x01']
    if isinstance(v, str):
        return [lambda v: v[:-1] + ('z' if v[-1:] == 'y' else 'y')]
    if v is None:
        return [lambda v: bytes(32), lambda v: {}, lambda v: 'y',
                lambda v: 1]
    return []


SAMPLES = (1, 2, 3, 0x9a, bytes(16), bytes(32), b'\x01', 'y', True, {}, [],
           [1], [-9], ['y'], {0: 1, 1: 4, 2: 8, 3: 3, 4: 0}, None, -9)
TYPES = (lambda v: 'y', lambda v: 77, lambda v: b'y', lambda v: None)


class Flips:
    """The ways to change the fields of one message."""

    def __init__(self, cddl, rule, value):
        self.cddl, self.rule, self.value = cddl, rule, value
        self.fields = list(cddl.walk(rule, value))

    def is_valid(self, value):
        """Whether the rule allows it."""
        try:
            self.cddl.walk(self.rule, value)
            return True
        except Bad:
            return False

    def of(self, field):
        """(kind of change, function of a value) for one field."""
        path = field.path
        if field.where is None:
            yield from self._of_container(field)
            return
        here = self._get(path)
        if here is GONE:
            make = self._first(path, [lambda v, s=s: s for s in SAMPLES], True)
            if make:
                yield 'added', make
            return
        if path[-1:] != (CBOR,) and not isinstance(here, (dict, list)) \
                and not self._is_opened(path):
            other = self._first(path, _others(here), True) or _others(here)[0]
            yield 'other', other
        wrong = self._first(path, TYPES, False)
        if wrong:
            yield 'type', wrong
        yield 'missing', lambda v: GONE

    def _of_container(self, field):
        if field.node[0] == 'array':
            yield 'more', lambda v: v + [0]
            return
        yield 'unknown', lambda v: v | {UNKNOWN: 0}
        yield 'negative', lambda v: v | {-UNKNOWN: 0}

    def _is_opened(self, path):
        return any(f.path[:len(path) + 1] == path + (CBOR,)
                   for f in self.fields)

    def _get(self, path):
        seen = []
        edit(self.value, path, lambda v: seen.append(v) or v)
        return seen[0]

    def _first(self, path, changes, valid):
        here = self._get(path)
        for change in changes:
            new = change(here)
            if type(new) is type(here) and new == here:
                continue
            if self.is_valid(edit(self.value, path, change)) == valid:
                return change
        return None
