# SPDX-License-Identifier: Apache-2.0
"""What is tampered with in the tests of the checks: tables.

Each row says what is wrong, where, and the sentence of the check that must
notice it.
"""
import session_crypto as crypto
from session_cddl import decode, encode
from session_checks import Evidence
from session_record import Session


def flipped(value, at):
    """The value with one bit changed, in the first, middle or last part."""
    if isinstance(value, bytes):
        raw = bytearray(value)
        if raw:
            raw[(0, len(raw) // 2, len(raw) - 1)[at]] ^= 1
            return bytes(raw)
        return b'\x00'
    if isinstance(value, bool) or value is None:
        return 1
    if isinstance(value, int):
        return value ^ 1
    middle = len(value) // 2
    return value[:middle] + chr(ord(value[middle]) ^ 1) + value[middle + 1:]


NAMED = (
    (('th',), 1, 'th is as computed'),
    (('z',), 1, 'Z is as computed'),
    (('prk',), 1, 'PRK is as computed'),
    (('down_key',), 0, 'both keys and both IVs are as computed'),
    (('up_iv',), 2, 'both keys and both IVs are as computed'),
    (('token', 'nonce'), 2,
     'the token\'s nonce and external_aad are as computed'),
    (('token', 'aad'), 2,
     'the token\'s nonce and external_aad are as computed'),
    (('exchanges', 0, 'command_nonce'), 2,
     'every nonce and external_aad of a command or reply is as computed'),
    (('exchanges', 0, 'reply_aad'), 2,
     'every nonce and external_aad of a command or reply is as computed'),
    (('exchanges', 0, 'command_plaintext'), 2,
     'every command decrypts to its recorded plaintext'),
    (('exchanges', 0, 'reply_plaintext'), 2,
     'every reply decrypts to its recorded plaintext'),
    (('exchanges', 0, 'h'), 1, 'every h_i and h_end is as computed'),
    (('h_0',), 1, 'every h_i and h_end is as computed'),
    (('h_end',), 1, 'every h_i and h_end is as computed'),
    (('secrets', 'authority_key'), 2,
     'the long-lived test keys are those of the certificates'),
)


def field(number, value):
    """An edit that replaces an element of a payload."""
    return lambda payload, _: payload.__setitem__(number, value)


def turned(number):
    """An edit that changes one bit of an element of a payload."""
    return lambda payload, _: payload.__setitem__(
        number, flipped(payload[number], 1))


def attribute(number, value):
    """An edit of a key statement's attributes."""
    return lambda payload, _: payload[7].__setitem__(number, value)


def scope_of(number, key, value):
    """An edit of a scope."""
    return lambda payload, _: payload[number].__setitem__(key, value)


def items(number, change):
    """An edit of each of a result's items."""
    return lambda payload, _: [item.__setitem__(number, change(item[number]))
                               for item in payload[5]]


def another_pseudonym(payload, _):
    """One where there is none, and none where there is one."""
    payload[5] = bytes(32) if payload[5] is None else None


def another_key(number, name):
    """An edit that puts the public key of one of ours in."""
    return lambda payload, keys: payload.__setitem__(
        number, crypto.cose_key(keys[name].public_key()))


TOKEN, KEY, RESULT, R, GRANT = (7,), (9, 0), (11,), (1,), (12,)
CARD = 'attestation'
ATTRIBUTES = ('each key is of the type stated, made in the card, '
              'not exportable')
KIND = ('the grant\'s scope is of its action, '
        'and binds what its mode proves')
OUTSIDE = 'the result has nothing that R\'s scope does not name'
APPROVED = 'as many operators as the grant asks for approved this very key'
SIGNATURES = frozenset((
    'R is signed by the management key inside it',
    'the grant is signed by the authority key, '
    'certified for that under the issuer root',
    'each key statement is what the CDDL says, '
    'signed by the attestation leaf',
    'the token statement is what the CDDL says, '
    'signed by the attestation leaf',
    'the result statement is what the CDDL says, '
    'signed by the attestation leaf'))
# Nothing but the one check notices.
FORGED = (
    ('a token statement of another session', TOKEN, CARD, turned(1),
     'the token statement is about this session'),
    ('a token statement of another mode', TOKEN, CARD, field(2, 3),
     'the token statement is about R\'s mode'),
    ('a token statement of another leaf', TOKEN, CARD, turned(3),
     'the token statement is about this attestation leaf'),
    ('a token statement of another card-info', TOKEN, CARD, turned(4),
     'the token statement is about this card-info'),
    ('a token statement with or without a pseudonym', TOKEN, CARD,
     another_pseudonym, 'there is a pseudonym exactly in mode 2'),
    ('a key statement of another session', KEY, CARD, turned(1),
     'each key statement is about this session'),
    ('a key statement for another issuer', KEY, CARD, turned(2),
     'each key statement is about this management key'),
    ('a key statement of another mode', KEY, CARD, field(3, 3),
     'each key statement is about R\'s mode'),
    ('a key statement of another leaf', KEY, CARD, turned(4),
     'each key statement is about this attestation leaf'),
    ('an imported key', KEY, CARD, attribute(2, 2), ATTRIBUTES),
    ('an exportable key', KEY, CARD, attribute(3, True), ATTRIBUTES),
    ('a key of another type', KEY, CARD, attribute(0, 2), ATTRIBUTES),
    ('a key in a slot that R does not name', KEY, CARD, attribute(5, 0x95),
     'the keys are within R\'s scope'),
    ('a result of another session', RESULT, CARD, turned(1),
     'the result statement is about this session'),
    ('a result of other commands', RESULT, CARD, turned(2),
     'the result statement\'s h_end is that of the recorded bytes'),
    ('a result with another close nonce', RESULT, CARD, turned(3),
     'the result statement has the close nonce'),
    ('a result without a counter', RESULT, CARD, field(4, None),
     'the result statement has a counter except in mode 3'),
    ('a result of another certificate', RESULT, CARD,
     items(2, lambda raw: flipped(raw, 1)),
     'the result names the certified key with the hash of its chain'),
    ('a result of one more key', RESULT, CARD,
     lambda p, _: p[5].append([99, 2, bytes(32)]),
     'the result names each stated key as made, and no other key'),
    ('a result of one more deletion', RESULT, CARD,
     lambda p, _: p[5].append([99, 3, bytes(32)]), OUTSIDE),
    ('a result of one more import', RESULT, CARD,
     lambda p, _: p[5].append([99, 8, bytes(32)]), OUTSIDE),
)
# In a file that has approvals: likewise.
FORGED_APPROVAL = (
    ('an approval of another key', (18, 0), 'operator_1', turned(1), APPROVED),
    ('a rejection', (18, 1), 'operator_2', field(2, False), APPROVED),
    ('an approval by no operator', (18, 0), 'authority',
     lambda p, _: None, APPROVED),
    ('an approval in another one\'s place', (18, 0), 'operator_2',
     lambda p, _: None, APPROVED),
)
# A new R or grant has another hash, and what names a key stands twice; but
# every signature is good.
FORGED_BASIS = (
    ('a key with another object id', KEY, CARD, field(5, 77),
     'the result names each stated key as made, and no other key'),
    ('another key', KEY, CARD, another_key(6, 'authority'),
     'the issued certificate carries a stated key'),
    ('a result of a key deleted', RESULT, CARD, items(1, lambda _: 3),
     'the result names each stated key as made, and no other key'),
    ('a grant of an earlier time', GRANT, 'authority', field(9, 1),
     'the grant had not expired when R was made'),
    ('a grant that wants more approvals', GRANT, 'authority', field(11, 9),
     APPROVED),
    ('a grant for managing', GRANT, 'authority', field(5, 3), KIND),
    ('a grant that binds both card and pseudonym', GRANT, 'authority',
     field(10, {0: bytes(32), 1: bytes(32)}), KIND),
    ('a grant of fewer keys', GRANT, 'authority', scope_of(7, 1, 0),
     'scope and mode of R are within the grant'),
    ('a grant for another card', GRANT, 'authority',
     field(10, {0: bytes(32)}), 'what the grant binds is this card'),
    ('a grant for another pseudonym', GRANT, 'authority',
     field(10, {1: bytes(32)}), 'what the grant binds is this card'),
    ('a grant for another model', GRANT, 'authority',
     field(10, {2: 'Another'}), 'what the grant binds is this card'),
    ('a grant for another subject', GRANT, 'authority', field(2, 'CN=Mallory'),
     'the issued certificate has the grant\'s subject'),
    ('an R for another grant', R, 'management', turned(9),
     'R names this grant'),
    ('an R of more keys', R, 'management', scope_of(10, 1, 32),
     'scope and mode of R are within the grant'),
    ('an R of other slots', R, 'management', scope_of(10, 2, [0x9C]),
     'the keys are within R\'s scope'),
    ('an R of another mode', R, 'management', field(11, 3),
     'scope and mode of R are within the grant'),
    ('an R that has run out', R, 'management', field(12, 5),
     'R\'s time and lifetime cover the time of verification'),
    ('an R of another suite', R, 'management',
     lambda p, _: p.__setitem__(2, 3 - p[2]),
     'both ephemeral keys are valid points of the suite\'s curve'),
    ('an R by another management key', R, CARD, another_key(15, CARD),
     'the management key is certified for that under the issuer root'),
    ('an R of fewer commands', R, 'management', field(14, 1),
     'commands and replies are encrypt0 in R\'s suite, '
     'one reply each, within R\'s limit'),
)


def value(name, *path):
    """An edit of what was read: name, keys, and what to put there."""
    def edit(thing):
        target = getattr(thing, name)
        for key in path[:-2]:
            target = target[key]
        target[path[-2]] = path[-1]
    return edit


def unknown_field(thing):
    """A field in message 2 that nobody knows."""
    thing.messages['2'] = encode({**decode(thing.messages['2']), 9: 1})


def serial_number(thing):
    """A serial number where there must be none."""
    thing.info[4], thing.r['mode'] = '1', 3


def at_time(time):
    """Verification at another time."""
    return lambda thing: setattr(thing, 'time', time)


def other_root(name):
    """The other of the two roots."""
    other = {'vendor_root': 'issuer_root', 'issuer_root': 'vendor_root'}[name]
    return lambda thing: setattr(thing, name, getattr(thing, other))


def other_leaf(thing):
    """The CA in the place of the leaf."""
    thing.chain = thing.chain[1:]


def twice(thing):
    """The same key statement twice."""
    thing.key_statements = thing.key_statements * 2


def of_another(thing):
    """The certificate of another key in SET_CERTIFICATES."""
    thing.plain[1][0][2][1][0] = thing.chain[0]


def without_close(thing):
    """Nothing is the last command."""
    thing.plain.pop()


def without_pin(thing):
    """PIN INFO and SET PIN left out."""
    del thing.apdus[4:6]


SCOPED = 'every command is in R\'s scope; CLOSE is the last and only one'
SHAPES = 'every command and reply is what the CDDL says, and no reply is an error'
PLACES = ('each key is in a slot of R\'s scope and has no policy, or outside')
URL = 'R has the intent\'s URL, scope and mode'
ABOUT = 'the key statements are those of the replies, about those commands'
BATCHES = 'messages 5 to 8 carry these commands and replies in order'
PIN = 'a command that needs a PIN is sent again, the same, after SET PIN'
CHOICE = 'R chooses what the card offers'
# What a dishonest or broken end could have said under its own keys.
REWRITTEN = (
    ('a grant with another label', Evidence, value('g', 'label', 'CW1 grants'),
     'the grant is what the CDDL says and no longer than allowed'),
    ('a time before all this', Evidence, at_time(1),
     'R\'s time and lifetime cover the time of verification'),
    ('a time before all this', Evidence, at_time(1),
     'the management key is certified for that under the issuer root'),
    ('a time after all this', Evidence, at_time(1 << 32),
     'the attestation chain leads to the vendor root'),
    ('a time after all this', Evidence, at_time(1 << 32),
     'the issued certificate leads to the issuer root'),
    ('another vendor', Evidence, other_root('vendor_root'),
     'the attestation chain leads to the vendor root'),
    ('another issuer', Evidence, other_root('issuer_root'),
     'the issued certificate leads to the issuer root'),
    ('another issuer', Evidence, other_root('issuer_root'),
     'the grant is signed by the authority key, '
     'certified for that under the issuer root'),
    ('a CA as attestation leaf', Evidence, other_leaf,
     'the attestation leaf is made for attestation'),
    ('the authority\'s certificate for the management key', Evidence,
     lambda thing: setattr(thing, 'management', thing.authority),
     'the management key is certified for that under the issuer root'),
    ('the management key\'s certificate for the authority', Evidence,
     lambda thing: setattr(thing, 'authority', thing.management),
     'the grant is signed by the authority key, '
     'certified for that under the issuer root'),
    ('a serial number in mode 3', Evidence, serial_number,
     'card-info is what the CDDL says, '
     'with a serial number at most in mode 1'),
    ('an unknown field in message 2', Session, unknown_field,
     'messages 1 and 2 are what the CDDL says'),
    ('capabilities for another intent', Session,
     value('capabilities', 2, bytes(32)),
     'capabilities and R name this intent'),
    ('capabilities of another card', Session,
     value('capabilities', 1, b'\xa0'),
     'R has the card\'s nonce and the hash of its capabilities'),
    ('an R with nine endorsements', Evidence, value(
        'r', 'endorsements', [b''] * 9),
     'R is what the CDDL says and no longer than allowed'),
    ('a key statement twice', Evidence, twice,
     'no two key statements have the same object id or key'),
    ('another URL', Session, value('intent', 5, 'https://b.test/'), URL),
    ('a wider scope in the intent', Session, value('intent', 6, 1, 2), URL),
    ('another mode in the intent', Session, value('intent', 7, 3), URL),
    ('another action in the intent', Session, value('intent', 3, 2),
     'the intent has the grant\'s action and subject, and is not expired'),
    ('an expired intent', Session, value('intent', 8, 1),
     'the intent has the grant\'s action and subject, and is not expired'),
    ('a card nonce that is not the card\'s', Session,
     value('caps', 7, bytes(16)),
     'R has the card\'s nonce and the hash of its capabilities'),
    ('a card without the suite', Session, value('caps', 1, [3]), CHOICE),
    ('a card without the mode', Session, value('caps', 4, [3]), CHOICE),
    ('a card that takes shorter commands', Session, value('caps', 6, 99),
     'no message is longer than allowed'),
    ('a command outside the scope', Session, value('plain', 0, 0, 0, 8),
     SCOPED),
    ('a session without CLOSE', Session, without_close, SCOPED),
    ('a batch without "last"', Session, value('plain', 0, 0, 1, False),
     BATCHES),
    ('an error reply', Session, value('plain', 1, 1, 0, 407), SHAPES),
    ('a result where there is none', Session, value('plain', 1, 1, 1, {0: 1}),
     SHAPES),
    ('a slot outside the scope', Session, value('plain', 0, 0, 2, 4, 0x95),
     PLACES),
    ('a PIN policy for a slot', Session, value('plain', 0, 0, 2, 3, 5),
     PLACES),
    ('another object id in the command', Session,
     value('plain', 0, 0, 2, 0, 6), ABOUT),
    ('another usage in the command', Session, value('plain', 0, 0, 2, 2, 1),
     ABOUT),
    ('a certificate of another key', Session, of_another,
     'every key gets certificates whose leaf carries it'),
    ('certificates for another object', Session,
     value('plain', 1, 0, 2, 0, 6),
     'every key gets certificates whose leaf carries it'),
    ('a result item of other certificates', Session,
     value('plain', 1, 0, 2, 1, [b'']),
     'the result\'s items are exactly what was done'),
    ('a SET PIN that is missing', Session, without_pin, PIN),
    ('an APDU that failed', Session,
     lambda thing: thing.apdus.append((0x1C, b'', b'', b'\x69\x85')),
     'every other APDU succeeds'),
)
