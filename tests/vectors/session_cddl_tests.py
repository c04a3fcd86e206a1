# SPDX-License-Identifier: Apache-2.0
"""Tests of strict CBOR and of proto/session.cddl and its reader."""
from session_cddl import Bad, Cddl, decode, encode
from session_checks import CDDL

PIN_RULE = {0: 1, 1: 6, 2: 8, 3: 3, 4: 3}
P256 = {1: 2, -1: 1, -2: bytes(32), -3: bytes(32)}
SCOPE = {0: [3, 4, 13], 1: 1, 2: [0x9A], 3: []}
CAPS = {0: [1], 1: [1], 2: [-9], 3: [1], 4: [2], 5: 1, 6: 256, 7: bytes(16)}
TAKEN = (
    ('capabilities', 'card-caps', CAPS),
    ('what somebody will register', 'card-caps', {
        **CAPS, 0: [1, 2], 1: [1, 77], 2: [-9, -1000], 3: [1, 9], 4: [2, 9]}),
    ('an RSA key', 'cose-key', {1: 3, -1: b'\xff' * 384, -2: b'\1\0\1'}),
    ('a rule for PINs', 'pin-rule', PIN_RULE),
    ('an unknown negative key', 'pin-rule', {**PIN_RULE, -1: [{5: None}]}),
    ('a scope', 'scope', SCOPE),
    ('a key', 'cose-key', P256),
    ('a retired slot', 'slot', 0x82),
    ('text of 200 bytes', 'shown-text', 'ä' * 100),
    ('an error reply', 'reply', [401, None]),
    ('a reply without a result', 'reply', [0, {}]),
    ('no binding', 'grant-payload', ['CW1 grant', bytes(16), 'CN=A', 'a', 'p',
                                     1, 1, SCOPE, 1, 1, None, 0]),
)
REFUSED = (
    ('an unknown key of 0 or more', 'pin-rule', {**PIN_RULE, 9: 1}),
    ('a text as a key', 'pin-rule', {**PIN_RULE, 'a': 1}),
    ('a missing field', 'pin-rule', {0: 1, 1: 6, 2: 8, 3: 3}),
    ('a number out of range', 'pin-rule', {**PIN_RULE, 3: 16}),
    ('true for 1', 'pin-rule', {**PIN_RULE, 3: True}),
    ('commands not ascending', 'scope', {**SCOPE, 0: [4, 3]}),
    ('a command twice', 'scope', {**SCOPE, 0: [3, 3]}),
    ('a slot that is none', 'scope', {**SCOPE, 2: [0x9B]}),
    ('one more member of a key', 'cose-key', {**P256, 3: -9}),
    ('an unknown member of a key', 'cose-key', {**P256, -4: b''}),
    ('a short coordinate', 'cose-key', {**P256, -2: bytes(31)}),
    ('a P-256 coordinate for P-384', 'cose-key', {**P256, -1: 2}),
    ('a modulus of 2041 bits', 'cose-key', {
        1: 3, -1: b'\1' + bytes(255), -2: b'\1\0\1'}),
    ('an exponent with leading zeros', 'cose-key', {
        1: 3, -1: b'\xff' * 256, -2: b'\0\3'}),
    ('versions without ours', 'card-caps', {**CAPS, 0: [2]}),
    ('a suite below zero', 'card-caps', {**CAPS, 1: [-1]}),
    ('an issuer\'s PIN without its value', 'create-pin-policy',
     {0: 1, 1: PIN_RULE, 2: 2, 3: False}),
    ('a holder\'s PIN with a value', 'create-pin-policy',
     {0: 1, 1: PIN_RULE, 2: 1, 3: False, 4: b'1234'}),
    ('the holder\'s PIN without PUK', 'set-pin',
     {0: bytes(16), 1: 0, 2: b'123456'}),
    ('a result item of number 10', 'result-statement',
     ['CW1 result', bytes(32), bytes(32), bytes(16), 1, [[1, 10, bytes(32)]]]),
    ('a character of a line end', 'shown-text', 'a\nb'),
    ('a character of direction', 'shown-text', 'a\u202eb'),
    ('no character', 'shown-text', ''),
    ('text of 202 bytes', 'shown-text', 'ä' * 101),
    ('an error reply with a result', 'reply', [401, {}]),
    ('error number 0 without a result', 'reply', [0, None]),
    ('CLOSE that is not the last', 'command', [13, False, {0: bytes(16)}]),
    ('a command that is reserved', 'command', [9, True, {}]),
    ('one element too many', 'token-aad', ['CW1 token', bytes(32), 1]),
    ('one element too few', 'token-aad', ['CW1 token']),
    ('a number for the object 0', 'object-id', 0),
)
ENCODED = (
    ('an integer in a longer form', '1805'),
    ('a length in a longer form', '580161'),
    ('an indefinite array', '9f01ff'), ('an indefinite string', '5f4161ff'),
    ('a float', 'f93c00'), ('a tag', 'c100'),
    ('a big integer', 'c249010000000000000000'),
    ('undefined', 'f7'), ('another simple value', 'f8ff'),
    ('bytes behind', '0000'), ('nothing', ''), ('a cut array', '8201'),
    ('keys not sorted', 'a202000100'),
    ('keys sorted by length first', 'a22000181800'),
    ('a key twice', 'a201000100'), ('keys 1 and true', 'a20100f500'),
    ('no UTF-8', '61ff'), ('nine levels', '81' * 9 + '00'),
)
INVALID_CDDL = ('a = b', 'a = 1 a = 2', 'time = uint', 'a = { 1: x: uint }',
                'a = [ uint', 'a<t> = t b = a', 'a = { uint }', 'a = 1 ~ 2')


def refuses(function, *given):
    """Does it raise Bad?"""
    try:
        function(*given)
    except Bad:
        return True
    return False


def cddl_tests():
    """That the file is complete, and that its reader reads it."""
    yield ('proto/session.cddl uses no name that nobody defines',
           '; '.join(CDDL.findings()) or None)
    for what, rule, given in TAKEN:
        yield (f'{rule} takes {what}',
               'refused' if refuses(CDDL.check_bytes, rule, encode(given))
               else None)
    for what, rule, given in REFUSED:
        yield (f'{rule} refuses {what}',
               None if refuses(CDDL.check_bytes, rule, encode(given))
               else 'taken')
    for what, raw in ENCODED:
        yield (f'the strict reader refuses {what}',
               None if refuses(decode, bytes.fromhex(raw)) else 'taken')
    yield ('the strict reader takes eight levels',
           'refused' if refuses(decode, b'\x81' * 8 + b'\0') else None)
    for text in INVALID_CDDL:
        yield (f'"{text}" is no valid CDDL',
               None if refuses(read_whole, text) else 'taken')


def read_whole(text):
    """CDDL that is complete."""
    for finding in Cddl(text).findings():
        raise Bad(finding)
