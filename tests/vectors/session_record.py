# SPDX-License-Identifier: Apache-2.0
"""What must hold in a recorded session whose secrets are recorded too.

Made from docs/protocol.md and proto/session.cddl alone.
"""
import hashlib
import hmac
from functools import cached_property

import session_crypto as crypto
import session_x509 as x509
from session_cddl import decode, encode, require
from session_checks import (CDDL, KEY_MADE, MESSAGE_MAX, POLICY_MADE, Record,
                            check, same)
from session_crypto import H

GET_CAPABILITIES, OPEN_SESSION, COMMAND = 0x10, 0x12, 0x14
PIN_INFO, SET_PIN = 0x16, 0x18
CREATE_PIN_POLICY, CREATE_KEY, SET_CERTIFICATES, CLOSE = 2, 3, 4, 13
RESULTS = {CREATE_KEY: 'create-key-result', 8: 'list-result',
           CLOSE: 'close-result'}


def unhex(value):
    """Every string of the file, as bytes, but its prose."""
    if isinstance(value, dict):
        return {k: v if k in ('name', 'description') else unhex(v)
                for k, v in value.items()}
    if isinstance(value, list):
        return [unhex(v) for v in value]
    return bytes.fromhex(value) if isinstance(value, str) else value


class Session(Record):
    """A recorded session: the JSON of the vector file."""

    def __init__(self, case):
        case = unhex(case)
        self.case, self.secrets = case, case['secrets']
        self.messages, self.token = case['messages'], case['token']
        self.exchanges = case['exchanges']
        self.request, self.message_4 = self.messages['3'], self.messages['4']
        self.ephemeral = case['card_ephemeral']
        self.commands = [e['command'] for e in self.exchanges]
        self.replies = [e['reply'] for e in self.exchanges]
        self.chain = self.token['chain']
        self.token_statement = self.token['statement']
        self.card_info = self.token['card_info']
        for name in ('key_statements', 'close_nonce', 'result_statement',
                     'grant', 'issued', 'management', 'authority',
                     'vendor_root', 'issuer_root', 'time', 'approvals',
                     'operators'):
            setattr(self, name, case[name])

    @cached_property
    def caps(self):
        """card-caps."""
        return CDDL.check_bytes('card-caps', self.capabilities[1])

    @cached_property
    def capabilities(self):
        """Message 2."""
        return CDDL.check_bytes('capabilities', self.messages['2'])

    @cached_property
    def intent(self):
        """Message 1."""
        return CDDL.check_bytes('intent', self.messages['1'])

    @property
    def suite(self):
        """R's."""
        return self.r['suite']

    @cached_property
    def z(self):
        """The agreement, with the issuer's recorded secret."""
        return crypto.agree(self.suite, self.issuer_private,
                            crypto.public_key(self.card_ephemeral))

    @cached_property
    def issuer_private(self):
        """The issuer's ephemeral private key."""
        return crypto.private_key({1: 'P-256', 2: 'X25519'}[self.suite],
                                  self.secrets['issuer_ephemeral'])

    @cached_property
    def keys(self):
        """PRK, keys and IVs, computed."""
        return crypto.schedule(self.suite, self.th, self.z)

    def opened(self, way, i, raw, aad):
        """The plaintext of something sent up or down."""
        return crypto.open_encrypt0(
            self.suite, decode(raw), self.keys[f'{way}_key'],
            crypto.nonce(self.keys[f'{way}_iv'], i), aad)

    def command_aad(self, i):
        """external_aad of command i."""
        return encode(['CW1 down', self.th, i])

    def reply_aad(self, i):
        """external_aad of reply i."""
        return encode(['CW1 up', self.th, i, H(self.commands[i - 1])])

    @cached_property
    def plain(self):
        """Decrypted commands and replies, decoded: [(command, reply)]."""
        return [(CDDL.check_bytes('command', self.opened(
                    'down', i, e['command'], self.command_aad(i))),
                 CDDL.check_bytes('reply', self.opened(
                     'up', i, e['reply'], self.reply_aad(i))))
                for i, e in enumerate(self.exchanges, 1)]

    def of(self, number):
        """Arguments and result of every command of a number."""
        return [(command[2], reply[1]) for command, reply in self.plain
                if command[0] == number]

    # -- messages 1 to 3

    @check('the file says the same suite and mode as R')
    def file_head(self):
        same(self.case['suite'], self.suite)
        same(self.case['mode'], self.r['mode'])

    @check('messages 1 and 2 are what the CDDL says')
    def first_shapes(self):
        require(self.intent and self.capabilities and self.caps, 'empty')

    @check('capabilities and R name this intent')
    def intent_hash(self):
        same(self.capabilities[2], H(self.messages['1']))
        same(self.r['intent_hash'], H(self.messages['1']))

    @check('R has the intent\'s URL, scope and mode')
    def intent_same(self):
        same(self.r['uri'], self.intent[5])
        same(self.r['scope'], self.intent[6])
        same(self.r['mode'], self.intent[7])

    @check('the intent has the grant\'s action and subject, and is not expired')
    def intent_grant(self):
        same(self.intent[3], self.g['action'])
        same(self.intent[4], self.g['subject'])
        require(self.r['time'] <= self.intent[8], 'expired')

    @check('R has the card\'s nonce and the hash of its capabilities')
    def caps_hash(self):
        same(self.r['nonce'], self.caps[7])
        same(self.r['caps_hash'], H(self.capabilities[1]))

    @check('R chooses what the card offers')
    def caps_offer(self):
        for key, value in ((0, 'version'), (1, 'suite'), (4, 'mode')):
            require(self.r[value] in self.caps[key], value)
        require(self.r['version'] in self.intent[0], 'version of the intent')
        require(1 in self.caps[1] and -9 in self.caps[2],
                'suite 1 and ESP256 are mandatory')

    @check('no message is longer than allowed')
    def message_sizes(self):
        require(all(len(m) <= MESSAGE_MAX for m in self.messages.values()),
                'longer than an HTTP body')
        require(all(len(c) <= self.caps[6] for c in self.commands),
                'longer than the card takes')

    # -- secrets, key schedule

    @check('the issuer\'s ephemeral secret is the one of R\'s public key')
    def secret_ephemeral(self):
        same(crypto.cose_key(self.issuer_private.public_key()),
             self.r['ephemeral'])

    @check('the long-lived test keys are those of the certificates')
    def secret_keys(self):
        for name, ders in (('management_key', self.management),
                           ('authority_key', self.authority),
                           ('attestation_key', self.chain),
                           ('operator_1_key', self.operators[:1]),
                           ('operator_2_key', self.operators[1:])):
            if not ders:
                same(self.secrets[name], None, name)
                continue
            private = crypto.private_key('P-256', self.secrets[name])
            same(crypto.cose_key(private.public_key()), crypto.cose_key(
                x509.certificate(ders[0]).key), name)

    @check('the pseudonym is that of the card secret and the management key')
    def secret_pseudonym(self):
        if self.r['mode'] == 2:
            same(self.token_said[5], hmac.new(
                self.secrets['card_secret'], H(encode(self.r['management'])),
                hashlib.sha256).digest())
        else:
            same(self.secrets['card_secret'], None)

    @check('th is as computed')
    def value_th(self):
        same(self.case['th'], self.th)

    @check('Z is as computed')
    def value_z(self):
        same(self.case['z'], self.z)

    @check('PRK is as computed')
    def value_prk(self):
        same(self.case['prk'], self.keys['prk'])

    @check('both keys and both IVs are as computed')
    def value_keys(self):
        for name in ('down_key', 'down_iv', 'up_key', 'up_iv'):
            same(self.case[name], self.keys[name], name)

    # -- token

    @check('the token\'s nonce and external_aad are as computed')
    def token_sealing(self):
        same(self.token['nonce'], crypto.nonce(self.keys['up_iv'], 0))
        same(self.token['aad'], encode(['CW1 token', self.th]))

    @check('message 4 decrypts to the recorded token')
    def token_plaintext(self):
        _, raw = CDDL.check_bytes('message-4', self.message_4)
        same(self.token['plaintext'],
             self.opened('up', 0, raw, encode(['CW1 token', self.th])))

    @check('the token is what the CDDL says; its parts are the recorded ones')
    def token_parts(self):
        chain, statement, info, pseudonym = CDDL.check_bytes(
            'token', self.token['plaintext'])
        same(chain, self.chain)
        same(statement, self.token_statement)
        same(info, self.card_info)
        same(pseudonym, self.token['pseudonym'])

    @check('the token statement has the token\'s pseudonym')
    def token_pseudonym_same(self):
        same(self.token_said[5], self.token['pseudonym'])

    # -- commands and replies

    @check('every nonce and external_aad of a command or reply is as computed')
    def exchange_sealing(self):
        for i, e in enumerate(self.exchanges, 1):
            same(e['i'], i)
            same(e['command_nonce'], crypto.nonce(self.keys['down_iv'], i))
            same(e['command_aad'], self.command_aad(i))
            same(e['reply_nonce'], crypto.nonce(self.keys['up_iv'], i))
            same(e['reply_aad'], self.reply_aad(i))

    @check('every command decrypts to its recorded plaintext')
    def exchange_commands(self):
        for i, e in enumerate(self.exchanges, 1):
            same(self.opened('down', i, e['command'], self.command_aad(i)),
                 e['command_plaintext'], f'command {i}')

    @check('every reply decrypts to its recorded plaintext')
    def exchange_replies(self):
        for i, e in enumerate(self.exchanges, 1):
            same(self.opened('up', i, e['reply'], self.reply_aad(i)),
                 e['reply_plaintext'], f'reply {i}')

    @check('every command and reply is what the CDDL says, '
           'and no reply is an error')
    def exchange_shapes(self):
        for command, reply in self.plain:
            same(reply[0], 0)
            if command[0] in RESULTS:
                CDDL.check(RESULTS[command[0]], reply[1])
            else:
                same(reply[1], {})

    @check('every h_i and h_end is as computed')
    def exchange_hashes(self):
        values, end = self.hashes()
        same(self.case['h_0'], values[0])
        for i, e in enumerate(self.exchanges[:-1], 1):
            same(e['h'], values[i], f'h_{i}')
        same(self.exchanges[-1]['h'], None)
        same(self.case['h_end'], end)

    @check('messages 5 to 8 carry these commands and replies in order')
    def batches(self):
        at = 0
        for down, up, phase in (('5', '6', 2), ('7', '8', 3)):
            batch = CDDL.check_bytes('batch', self.messages[down])
            replies = CDDL.check_bytes('replies', self.messages[up])
            same(batch[0], phase)
            count = len(batch[1])
            same(batch[1], self.commands[at:at + count])
            same(replies[0], self.replies[at:at + count])
            lasts = [c[1] for c, _ in self.plain[at:at + count]]
            same(lasts, [False] * (count - 1) + [True])
            at += count
        same(at, len(self.commands))

    @check('every command is in R\'s scope; CLOSE is the last and only one')
    def command_scope(self):
        numbers = [command[0] for command, _ in self.plain]
        require(set(numbers) <= set(self.r['scope'][0]) | {CLOSE},
                'outside the scope')
        same([n == CLOSE for n in numbers],
             [False] * (len(numbers) - 1) + [True])

    @check('the key statements are those of the replies, about those commands')
    def key_replies(self):
        made = self.of(CREATE_KEY)
        same([result[1] for _, result in made], self.key_statements)
        for (wanted, result), said in zip(made, self.keys_said):
            same(said[5], wanted[0], 'object id')
            same(said[6], result[0], 'key')
            same([said[7].get(n) for n in (0, 1, 4, 5)],
                 [wanted.get(n) for n in (1, 2, 3, 4)], 'attributes')

    @check('each key is in a slot of R\'s scope and has no policy, or outside')
    def key_places(self):
        for wanted, _ in self.of(CREATE_KEY):
            require(3 not in wanted or 4 not in wanted, 'slot and policy')
            require(4 not in wanted or wanted[4] in self.r['scope'][2], 'slot')

    @check('every key gets certificates whose leaf carries it')
    def key_certificates(self):
        keys = {wanted[0]: result[0] for wanted, result in self.of(CREATE_KEY)}
        chains = {wanted[0]: wanted[1] for wanted, _ in
                  self.of(SET_CERTIFICATES)}
        same(sorted(keys), sorted(chains))
        for number, chain in chains.items():
            same(keys[number], crypto.cose_key(
                x509.certificate(chain[0]).key))
        require(self.issued in list(chains.values()), 'the recorded chain')

    @check('close nonce and result statement are those of CLOSE')
    def close_parts(self):
        closes = self.of(CLOSE)
        same(len(closes), 1)
        wanted, result = closes[0]
        same(wanted[0], self.close_nonce)
        same(result[0], self.result_statement)

    @check('the result\'s items are exactly what was done')
    def result_items(self):
        done = [[wanted[0], KEY_MADE, H(encode(wanted[1]))]
                for wanted, _ in self.of(SET_CERTIFICATES)]
        done += [[wanted[0], POLICY_MADE, H(encode(wanted[1]))]
                 for wanted, _ in self.of(CREATE_PIN_POLICY)]
        same(sorted(self.result_said[5]), sorted(done))

    # -- APDUs

    @cached_property
    def apdus(self):
        """[(INS, data, answer, status word)] of the provisioning APDUs."""
        return [parse_apdu(a['command']) + (a['response'][:-2],
                                            a['response'][-2:])
                for a in self.case['apdus']]

    @check('the APDUs select the application and carry messages 2 to 4')
    def apdu_open(self):
        same(self.apdus[0][:2], (0xA4, b'\xF0CARDWRIGHT\x01'))
        given = [a[2] for a in self.apdus if a[0] == GET_CAPABILITIES]
        require(given, 'no GET CAPABILITIES')
        for caps in given:
            same(caps, self.capabilities[1])
        same([a[1:] for a in self.apdus if a[0] == OPEN_SESSION],
             [(self.request, self.message_4, b'\x90\x00')])

    @check('the APDUs carry each command and reply')
    def apdu_commands(self):
        same([a[1:3] for a in self.apdus
              if a[0] == COMMAND and a[3] == b'\x90\x00'],
             [(self.r['session_id'] + c, r)
              for c, r in zip(self.commands, self.replies)])

    @check('a command that needs a PIN is sent again, the same, after SET PIN')
    def apdu_pin(self):
        stopped = [n for n, a in enumerate(self.apdus) if a[3] == b'\x6A\x88']
        require(stopped, 'no PIN was needed')
        for at in stopped:
            first, info, given, again = self.apdus[at:at + 4]
            same(first[2], b'')
            same(first[:2], again[:2])
            same([info[0], given[0]], [PIN_INFO, SET_PIN])
            wanted = CDDL.check_bytes('pin-info', info[2])
            value = CDDL.check_bytes('set-pin', given[1])
            same(value[0], self.r['session_id'])
            same(value[1], wanted[0])
            same(wanted[2], False)
            for rule, pin in ((wanted[1], value[2]),
                              (wanted.get(4), value.get(3))):
                require(rule is None or rule[1] <= len(pin) <= rule[2],
                        'a PIN that the rule forbids')

    @check('every other APDU succeeds')
    def apdu_status(self):
        for number, apdu in enumerate(self.apdus):
            require(apdu[3] in (b'\x90\x00', b'\x6A\x88'),
                    f'APDU {number} failed')
            require(apdu[3] == b'\x90\x00' or apdu[0] == COMMAND,
                    f'APDU {number} needs no PIN')


def parse_apdu(raw):
    """INS and data of a short or extended command APDU (ISO 7816-4)."""
    require(len(raw) >= 4 and raw[0] in (0x00, 0x80), 'class')
    wanted = b'\x04\x00' if raw[1] == 0xA4 else b'\x00\x00'
    same(raw[2:4], wanted, 'P1 P2')
    body = raw[4:]
    if len(body) <= 1 or body[0] == 0 and len(body) == 3:
        require(not any(body), 'not as many bytes as there are')
        return raw[1], b''
    head, size = (1, body[0]) if body[0] else (
        3, int.from_bytes(body[1:3], 'big'))
    rest = body[head + size:]
    require(len(body) >= head + size and not any(rest)
            and len(rest) in (0, 1 if head == 1 else 2), 'length')
    return raw[1], body[head:head + size]
