# SPDX-License-Identifier: Apache-2.0
"""Strict CBOR, and a reader of the CDDL subset that proto/session.cddl uses.

Made from docs/protocol.md, proto/session.cddl, RFC 8949 and RFC 8610 alone.
"""
import re
import unicodedata

import cbor2


class Bad(Exception):
    """Bytes or a value are not what the specification says."""


def require(truth, why):
    """Raise Bad unless the thing holds."""
    if not truth:
        raise Bad(why)


# ---- deterministic CBOR (protocol.md 2) ------------------------------------

MAX_DEPTH = 8


def _head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << 8 * size:
            return bytes([major << 5 | code]) + number.to_bytes(size, 'big')
    raise Bad('an integer of more than 64 bits')


def encode(value, depth=0):
    """The only encoding of a value; refuses what the protocol refuses."""
    if value is None or isinstance(value, bool):
        return {False: b'\xf4', True: b'\xf5', None: b'\xf6'}[value]
    if type(value) is int:
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if type(value) is bytes:
        return _head(2, len(value)) + value
    if type(value) is str:
        raw = value.encode()
        return _head(3, len(raw)) + raw
    require(type(value) in (list, tuple, dict),
            f'{type(value).__name__} is not allowed')
    require(depth < MAX_DEPTH, f'deeper than {MAX_DEPTH} levels')
    if type(value) is dict:
        # Sorted by the encoded keys, byte by byte: not what cbor2 calls
        # canonical, which is RFC 7049's "shorter first".
        pairs = sorted((encode(k, depth + 1), encode(v, depth + 1))
                       for k, v in value.items())
        return _head(5, len(pairs)) + b''.join(k + v for k, v in pairs)
    return _head(4, len(value)) + b''.join(
        encode(v, depth + 1) for v in value)


def decode(raw):
    """One item and nothing behind it, in its only encoding."""
    try:
        value = cbor2.loads(raw)
    except Exception as error:  # cbor2 lets many kinds through
        raise Bad(f'not CBOR: {error!r}') from error
    require(encode(value) == raw, 'not deterministic')
    return value


def diagnostic(value, indent=0):
    """Diagnostic notation (RFC 8949 8); CBOR inside bytes as << >>."""
    pad, close = '  ' * (indent + 1), '  ' * indent
    if value is None or isinstance(value, bool):
        return {False: 'false', True: 'true', None: 'null'}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        escaped = value.replace('\\', '\\\\').replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, bytes):
        inner = _inner(value)
        if inner is None:
            return f"h'{value.hex()}'"
        return f'<<{diagnostic(inner, indent)}>>'
    if isinstance(value, dict):
        items = [f'{diagnostic(k)}: {diagnostic(v, indent + 1)}'
                 for k, v in value.items()]
        marks = '{}'
    else:
        items = [diagnostic(v, indent + 1) for v in value]
        marks = '[]'
    if sum(map(len, items)) < 60 and not any('\n' in i for i in items):
        return marks[0] + ', '.join(items) + marks[1]
    return (f'{marks[0]}\n{pad}' + f',\n{pad}'.join(items)
            + f'\n{close}{marks[1]}')


def _inner(raw):
    """The map or array that a byte string holds, or None."""
    if len(raw) < 2 or raw[0] >> 5 not in (4, 5):
        return None
    try:
        return decode(raw)
    except Bad:
        return None


# ---- the CDDL ---------------------------------------------------------------

TOKEN = re.compile(r'''
    (?P<space>(\s|;[^\n]*)+)
  | (?P<number>-?(0x[0-9a-fA-F]+|[0-9]+))
  | (?P<name>[A-Za-z_@$]([-.]*[A-Za-z0-9_@$])*)
  | (?P<string>"[^"]*")
  | (?P<control>\.[a-z]+)
  | (?P<mark>\.\.|[=/{}\[\]():,?*+<>])''', re.X)

PRELUDE = {'uint': lambda v: type(v) is int and v >= 0,
           'nint': lambda v: type(v) is int and v < 0,
           'int': lambda v: type(v) is int,
           'bstr': lambda v: type(v) is bytes,
           'tstr': lambda v: type(v) is str,
           'bool': lambda v: type(v) is bool,
           'true': lambda v: v is True,
           'false': lambda v: v is False,
           'null': lambda v: v is None,
           'any': lambda v: True}
# The whole of RFC 8610's prelude: its names must not be given a new meaning.
RESERVED = frozenset('''any uint nint int bstr bytes tstr text tdate time number
    biguint bignint bigint integer unsigned decfrac bigfloat eb64url eb64legacy
    eb16 encoded-cbor uri b64url b64legacy regexp mime-message cbor-any float16
    float32 float64 float16-32 float32-64 float false true bool nil null
    undefined'''.split())


class Cddl:
    """The rules of one file; check() holds a value against one of them."""

    def __init__(self, text, closed=(), extra=None):
        self.closed = frozenset(closed)   # maps without an extension range
        self.extra = extra or {}          # rule name -> further check
        self.tokens = self._lex(text)
        self.at = 0
        self.rules, self.params = {}, {}
        while self.at < len(self.tokens):
            self._rule()

    # -- reading

    @staticmethod
    def _lex(text):
        at, tokens = 0, []
        while at < len(text):
            found = TOKEN.match(text, at)
            line = text.count('\n', 0, at) + 1
            require(found, f'CDDL line {line}: unreadable')
            if found.lastgroup != 'space':
                tokens.append((found.lastgroup, found.group(), line))
            at = found.end()
        return tokens

    def _peek(self, ahead=0):
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else ('end', '', 0)

    def _take(self, wanted=None):
        token = self._peek()
        require(wanted is None or token[1] == wanted,
                f'CDDL line {token[2]}: {token[1]!r}, expected {wanted!r}')
        self.at += 1
        return token

    def _rule(self):
        kind, name, line = self._take()
        require(kind == 'name', f'CDDL line {line}: {name!r} is no rule name')
        require(name not in self.rules and name not in RESERVED,
                f'CDDL line {line}: {name} is already defined')
        params = []
        if self._peek()[1] == '<':
            self._take()
            while self._peek()[1] != '>':
                params.append(self._take()[1])
                if self._peek()[1] == ',':
                    self._take()
            self._take('>')
        self._take('=')
        self.params[name] = params
        self.rules[name] = self._type()

    def _type(self):
        options = [self._type1()]
        while self._peek()[1] == '/':
            self._take()
            options.append(self._type1())
        return options[0] if len(options) == 1 else ('choice', options)

    def _type1(self):
        base = self._type2()
        kind, word, line = self._peek()
        if word == '..':
            self._take()
            return ('range', base[1], self._type2()[1])
        if kind == 'control':
            require(word in ('.size', '.cbor'),
                    f'CDDL line {line}: {word} is not known here')
            self._take()
            return (word[1:], base, self._type2())
        return base

    def _type2(self):
        kind, word, line = self._take()
        if kind == 'number':
            return ('literal', int(word, 0))
        if kind == 'string':
            return ('literal', word[1:-1])
        if kind == 'name':
            args = []
            if self._peek()[1] == '<':
                self._take()
                args.append(self._type1())
                while self._peek()[1] == ',':
                    self._take()
                    args.append(self._type1())
                self._take('>')
            return ('name', word, args)
        if word == '(':
            inner = self._type()
            self._take(')')
            return inner
        require(word in ('{', '['), f'CDDL line {line}: unexpected {word!r}')
        return self._group('map' if word == '{' else 'array')

    def _group(self, kind):
        close, entries = {'map': '}', 'array': ']'}[kind], []
        while self._peek()[1] != close:
            entries.append(self._entry(kind))
            if self._peek()[1] == ',':
                self._take()
        self._take(close)
        return (kind, entries)

    def _entry(self, kind):
        least, most, key = 1, 1, None
        if self._peek()[1] == '?':
            self._take()
            least = 0
        elif self._peek()[1] == '+':
            self._take()
            most = None
        elif self._peek()[1] == '*' or (
                self._peek()[0] == 'number' and self._peek(1)[1] == '*'):
            least, most = 0, None
            if self._peek()[0] == 'number':
                least = int(self._take()[1])
            self._take('*')
            if self._peek()[0] == 'number' and self._peek(1)[1] != ':':
                most = int(self._take()[1])
        if self._peek(1)[1] == ':':
            what, word, line = self._take()
            require(what == ('number' if kind == 'map' else 'name'),
                    f'CDDL line {line}: a map has numbers as keys, '
                    'an array names as labels')
            key = int(word, 0) if kind == 'map' else word
            self._take(':')
        require(kind == 'array' or key is not None, 'CDDL: a map without keys')
        return (least, most, key, self._type())

    # -- checking the file itself

    def findings(self):
        """Names used and not defined, with a wrong number of arguments."""
        for name, rule in self.rules.items():
            for used, args in self._names(rule):
                if used in self.params[name] or used in PRELUDE:
                    continue
                if used not in self.rules:
                    yield f'{name} uses {used}, which nobody defines'
                elif len(self.params[used]) != args:
                    yield f'{name} gives {used} {args} arguments'

    def _names(self, node):
        if isinstance(node, tuple) and node and node[0] == 'name':
            yield node[1], len(node[2])
            yield from self._names(node[2])
        elif isinstance(node, (list, tuple)):
            for part in node:
                yield from self._names(part)

    # -- checking a value

    def check(self, name, value):
        """Raise Bad with the place unless value is what the rule says."""
        self._match(('name', name, []), value, {}, name, False)
        return value

    def check_bytes(self, name, raw):
        """The same for encoded bytes; gives the value."""
        return self.check(name, decode(raw))

    def _match(self, node, value, env, path, closed):
        kind = node[0]
        if kind == 'name':
            self._match_name(node, value, env, path, closed)
        elif kind == 'literal':
            require(type(value) is type(node[1]) and value == node[1],
                    f'{path}: {value!r} is not {node[1]!r}')
        elif kind == 'range':
            require(type(value) is int and node[1] <= value <= node[2],
                    f'{path}: {value!r} is not in {node[1]}..{node[2]}')
        elif kind == 'choice':
            self._match_choice(node[1], value, env, path, closed)
        elif kind == 'size':
            self._match(node[1], value, env, path, closed)
            raw = value.encode() if isinstance(value, str) else value
            self._match(node[2], len(raw), env, f'{path} length', closed)
        elif kind == 'cbor':
            self._match(node[1], value, env, path, closed)
            try:
                inner = decode(value)
            except Bad as error:
                raise Bad(f'{path}: {error}') from error
            self._match(node[2], inner, env, path, closed)
        elif kind == 'map':
            self._match_map(node[1], value, env, path, closed)
        else:
            self._match_array(node[1], value, env, path, closed)

    def _match_name(self, node, value, env, path, closed):
        _, name, args = node
        if name in env:
            bound, outer = env[name]
            self._match(bound, value, outer, path, closed)
        elif name in self.rules:
            inner = {p: (a, env) for p, a in zip(self.params[name], args)}
            self._match(self.rules[name], value, inner, path,
                        name in self.closed)
            if name in self.extra:
                try:
                    self.extra[name](value)
                except Bad as error:
                    raise Bad(f'{path}: {error}') from error
        else:
            require(PRELUDE[name](value), f'{path}: {value!r} is no {name}')

    def _match_choice(self, options, value, env, path, closed):
        reasons = []
        for option in options:
            try:
                return self._match(option, value, env, path, closed)
            except Bad as error:
                reasons.append(str(error))
        raise Bad(' and '.join(reasons))

    def _match_map(self, entries, value, env, path, closed):
        require(type(value) is dict, f'{path}: not a map')
        known = set()
        for least, _, key, rule in entries:
            known.add(key)
            if key in value:
                self._match(rule, value[key], env, f'{path}.{key}', closed)
            else:
                require(least == 0, f'{path}: {key} is missing')
        for key in value:
            ignored = type(key) is int and key < 0 and not closed
            require(type(key) is int and key in known or ignored,
                    f'{path}: unknown key {key!r}')

    def _match_array(self, entries, value, env, path, closed):
        require(type(value) is list, f'{path}: not an array')
        at = 0
        for number, (least, most, label, rule) in enumerate(entries):
            # What stands behind a repeated entry is of fixed length here.
            behind = len(entries) - number - 1
            count = 0
            while at < len(value) - behind and (most is None or count < most):
                self._match(rule, value[at], env,
                            f'{path}[{label or at}]', closed)
                at, count = at + 1, count + 1
            require(count >= least, f'{path}: {label or number} is missing')
        require(at == len(value), f'{path}: too many elements')


# ---- what the CDDL says in comments -------------------------------------------

def _shown_text(value):
    for char in value:
        require(unicodedata.category(char) not in
                ('Cc', 'Cf', 'Cs', 'Co', 'Cn', 'Zl', 'Zp'),
                f'character U+{ord(char):04X} is not for people')


def _ascending(values, what):
    require(all(a < b for a, b in zip(values, values[1:])),
            f'{what} not ascending and unique')


def _scope(value):
    for key, what in ((0, 'commands'), (2, 'slots'), (3, 'objects')):
        _ascending(value[key], what)


def _rsa_key(value):
    require(value[-1][0] >= 0x80 and value[-2][0] != 0,
            'a number with leading zeros')


def _versions(value):
    require(1 in value[0], 'version 1 is not among them')


def load(path):
    """The project's CDDL with the checks that CDDL cannot say."""
    with open(path, encoding='utf-8') as file:
        return Cddl(file.read(),
                    closed=('ec2-key', 'okp-key', 'rsa-key', 'sign1',
                            'encrypt0'),
                    extra={'shown-text': _shown_text, 'scope': _scope,
                           'rsa-key': _rsa_key, 'intent': _versions,
                           'card-caps': _versions})
