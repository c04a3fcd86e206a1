# SPDX-License-Identifier: Apache-2.0
"""The limits of the CDDL: at each, one below and one above, what a decoder says."""
import copy

import walk
from session_cddl import decode, encode


SLOTS = [0x9a, 0x9c, 0x9d, 0x9e] + list(range(0x82, 0x96))

# Bytes of a whole message or of one element (protocol.md 2), filled up by an
# unknown key below zero; () is the whole.
SIZES = (('session-request', (), 8192, ''), ('grant', (), 4096, ''),
         ('capabilities', (1,), 4096, 'card-caps'),
         ('token', (1,), 8192, 'the statement'),
         ('token', (2,), 8192, 'card-info'),
         ('reply (create-key)', (1, 1), 8192, 'the statement'),
         ('reply (close)', (1, 0), 32768, 'the statement'),
         ('evidence', (), 1 << 20, ''),
         ('batch', (), 65536, ''), ('replies', (), 65536, ''),
         ('batch', (1, 0), 32768, 'a command'),
         ('replies', (0, 0), 32768, 'a reply'))


def alternatives(cddl, node):
    """A type without its names, and each choice of it."""
    if node[0] == 'name' and node[1] in cddl.rules and not node[2]:
        return alternatives(cddl, cddl.rules[node[1]])
    if node[0] == 'choice':
        return [a for option in node[1] for a in alternatives(cddl, option)]
    return [node]


def bounds_of(cddl, node):
    """(kind, least, most) of numbers, bytes, text or elements."""
    options = alternatives(cddl, node)
    for option in options:
        if option[0] == 'range':
            yield 'number', option[1], option[2]
        elif option[0] == 'size':
            size = option[2]
            yield ('text' if option[1][1] == 'tstr' else 'bytes',) + (
                size[1:] if size[0] == 'range' else (size[1], size[1]))
        elif option[0] == 'array' and len(option[1]) == 1:
            least, most, _, _ = option[1][0]
            least = 0 if ('array', []) in options else least
            if (least, most) != (1, 1) and most is not None:
                yield 'elements', least, most


def _another(value, number):
    """A value like it; lists have to rise, and names to differ."""
    value = copy.deepcopy(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return number
    if isinstance(value, str):
        return f'{value[:2]}{number:03}'
    if isinstance(value, list) and value:
        value[0] = _another(value[0], number)
    if isinstance(value, dict) and 0 in value:
        value[0] = ((SLOTS + [0x81])[number - 1] if value[0] in SLOTS
                    else _another(value[0], number))
    return value


# Why a value at a limit is refused there, or one beyond it is taken.
EXPLAINED = {
    ('intent', 'registered'): '1 has to be among them',
    ('card-caps', 'registered'): '1 has to be among them',
    ('scope', 'command-no'): 'they have to rise',
    ('scope', 'object-id'): 'they have to rise',
    ('evidence', 4): 'as many as replies',
    ('evidence', 5): 'as many as commands',
    ('evidence', 18): 'as many as operators',
    ('evidence', 19): 'as many as approvals',
    ('intent', 9): 'as many as the scope has objects',
    ('named-object', 'object-id'): 'the scope\'s',
    ('set-pin', 1): '0 is the holder\'s PIN',
}


def sized(kind, here, size, name):
    """A value of that size, or None if there is no telling what it would be."""
    if kind == 'number':
        return size
    if size < 0:
        return None
    if kind == 'bytes':
        return (here or b'')[:size].ljust(size, b'\x01')
    if kind == 'text':
        # What it began with: a URL stays one.
        return (here or '')[:size].ljust(size, 'y')
    if name.endswith('scope.2'):
        return sorted((SLOTS + [0x81])[:size])
    if name.endswith('scope.3'):
        return list(range(1, size + 1))
    if not here:
        return None if size else []
    # Short ones, so that the whole does not grow beyond a message.
    first = here[0][:8] if isinstance(here[0], bytes) else here[0]
    return [_another(first, n + 1) for n in range(size)]


class Bounds:
    """rows[(rule, key)] = (kind, least, most, {which: number}, rule)."""

    def __init__(self, sessions, cddl):
        self.sessions, self.cddl = sessions, cddl
        self.rows, self.tries = {}, 0

    def take(self, tap, rule, raw):
        """Every limit in a message that no other message has had."""
        what = tap.split('/', 1)[1]
        name = what if what.startswith('reply') else rule
        flips = walk.Flips(self.cddl, rule, decode(raw))
        for field in flips.fields:
            if field.where is None or not self.sessions.has_decoder(name):
                continue
            # Opened by others than the message's decoder.
            if field.where[0] == 'endorsement-payload' or (
                    field.where[0] == 'properties' and name != 'properties'):
                continue
            here = self._get(flips.value, field.path)
            if here is walk.GONE:
                continue
            if field.node[0] == 'cbor' and field.node[2][1] == 'properties':
                self.take('card/properties', 'properties', here)
            for bound in bounds_of(self.cddl, field.node):
                self._try(name, flips, field, here, bound)

    @staticmethod
    def _get(value, path):
        seen = []
        walk.edit(value, path, lambda v: seen.append(v) or v)
        return seen[0]

    def _try(self, rule, flips, field, here, bound):
        kind, least, most = bound
        kinds = {'number': int, 'bytes': bytes, 'text': str, 'elements': list}
        if not isinstance(here, kinds[kind]) or isinstance(here, bool):
            return
        if 'most' in self.rows.get(field.where, (0, 0, 0, {}))[3]:
            return
        answers = {}
        for which, size in (('below', least - 1), ('least', least),
                            ('most', most), ('above', most + 1)):
            value = sized(kind, here, size, field.name)
            if value is None or not -2**63 <= size < 2**64:
                continue
            changed = walk.edit(flips.value, field.path,
                                lambda _, v=value: v)
            answers[which] = self.sessions.decode(rule, encode(changed))
            self.tries += 1
        self.rows[field.where] = (kind, least, most, answers, rule)

    def _fill(self, flips, path, size):
        """The message with so many bytes in all, or at that place."""
        if path:
            return encode(walk.edit(flips.value, path, lambda _: bytes(size)))
        place = next(f.path for f in flips.fields if f.where is None and
                     f.node[0] == 'map' and not f.closed)
        length = size - len(encode(flips.value))
        for n in range(length, length - 40, -1):
            raw = encode(walk.edit(flips.value, place, lambda v, n=n:
                                   v | {-walk.UNKNOWN: bytes(max(n, 0))}))
            if len(raw) == size:
                return raw
        return None

    def take_size(self, tap, rule, raw):
        """The sizes that protocol.md gives a message."""
        what = tap.split('/', 1)[1]
        rule_name = what if what.startswith('reply') else rule
        flips = walk.Flips(self.cddl, rule, decode(raw))
        for name, path, most, what_is in SIZES:
            where = (name, f'bytes of {what_is}' if what_is else 'bytes')
            if name != rule_name or where in self.rows:
                continue
            answers = {}
            for which, size in (('least', most - 1), ('most', most),
                                ('above', most + 1)):
                filled = self._fill(flips, path, size)
                if filled is not None:
                    answers[which] = self.sessions.decode(rule_name, filled)
                    self.tries += 1
            self.rows[where] = ('bytes', 0, most, answers, rule)

    def findings(self):
        """Limits that do not hold, and limits that nothing was tried at."""
        for where, (_, _, _, answers, _) in self.rows.items():
            name = f'{where[0]} {where[1]}'
            if 'most' not in answers or 'above' not in answers:
                yield f'{name}: no value to try'
            wrong = (answers.get('least') or answers.get('most') or
                     answers.get('below') == 0 or answers.get('above') == 0)
            if wrong and where not in EXPLAINED:
                yield f'{name}: {answers}'
            if not wrong and where in EXPLAINED:
                yield f'{name} needs no explanation'
