# SPDX-License-Identifier: Apache-2.0
"""What must hold in an evidence file, and more of it in a recorded session.

Made from docs/protocol.md and proto/session.cddl alone. Each check is a
sentence and a function that raises; nothing that a file claims is taken over
where it can be computed.
"""
import datetime
import os
from functools import cached_property

import session_cddl
import session_crypto as crypto
import session_x509 as x509
from session_cddl import Bad, decode, encode, require
from session_crypto import H

HERE = os.path.dirname(os.path.abspath(__file__))
CDDL = session_cddl.load(os.path.join(HERE, '../../proto/session.cddl'))
MESSAGE_MAX, COMMAND_MAX, R_MAX, GRANT_MAX = 65536, 32768, 8192, 4096
CERTIFICATE_MAX, EVIDENCE_MAX = 8192, 1 << 20
ISSUER_MADE, KEY_MADE, POLICY_MADE = 1, 2, 1


def same(got, want, what=''):
    """Two values are equal; the reason shows both."""
    def show(value):
        return value.hex() if isinstance(value, bytes) else repr(value)
    require(type(got) is type(want) and got == want,
            f'{what} {show(got)[:90]} is not {show(want)[:90]}')


# What a grant of an action may have in its scope, by command number; and which
# command does what a result says, of an object that was there or of a new one.
ALLOWED = {1: {1, 2, 3, 4, 5, 6, 7, 13},
           2: {3, 4, 7, 8, 9, 10, 11, 12, 13},
           3: {8, 9, 10, 13}, 4: {3, 4, 8, 10, 11, 13}}
MANAGED = {3: 9, 4: 11, 5: 10, 9: 12}
MAKES = {1: {2}, 2: {3}, 6: {7}, 7: {1}, 8: {5, 6}}


def check(sentence, of_key=False):
    """Mark a method as a check, or as one of a session that made a key."""
    def mark(method):
        method.sentence = sentence
        method.of_key = of_key
        return method
    return mark


def checks_of(thing):
    """Its checks: the ones of the base class first, each in written order."""
    for kind in reversed(type(thing).__mro__):
        for method in vars(kind).values():
            if hasattr(method, 'sentence') and (
                    not method.of_key or thing.made_key):
                yield method.sentence, method


def within(inner, outer):
    """Is a scope within another?"""
    return inner[1] <= outer[1] and all(
        set(inner[n]) <= set(outer[n]) for n in (0, 2, 3))


class Record:
    """The parts of a session that need no session key: what evidence holds."""

    # Set by the two kinds of file.
    request = ephemeral = message_4 = chain = b''
    commands, replies = [], []
    approvals, operators = [], []
    token_statement = card_info = key_statements = close_nonce = b''
    result_statement = grant = issued = management = authority = b''
    vendor_root = issuer_root = b''
    time = 0

    @cached_property
    def now(self):
        """The time of verification."""
        return datetime.datetime.utcfromtimestamp(self.time)

    def signed(self, rule, raw):
        """A sign1 of the rule: the array, and its payload."""
        array = CDDL.check_bytes(rule, raw)
        return array, decode(array[2])

    @cached_property
    def r(self):
        """R's fields by name."""
        names = ('label version suite session_id uri ephemeral nonce caps_hash '
                 'intent_hash grant_hash scope mode time lifetime limit '
                 'management endorsements').split()
        return dict(zip(names, self.signed('session-request',
                                           self.request)[1]))

    @cached_property
    def g(self):
        """The grant's fields by name."""
        names = ('label id subject account profile action mode scope uses '
                 'not_after binding approvals').split()
        return dict(zip(names, self.signed('grant', self.grant)[1]))

    @cached_property
    def card_ephemeral(self):
        """E_c as message 4 has it."""
        return CDDL.check_bytes('message-4', self.message_4)[0]

    @cached_property
    def th(self):
        """The transcript hash."""
        return H(encode(['CW1', self.request, self.card_ephemeral]))

    @cached_property
    def leaf(self):
        """The attestation leaf."""
        return x509.certificate(self.chain[0])

    @cached_property
    def token_said(self):
        """The token statement's payload."""
        return self.signed('signed-token', self.token_statement)[1]

    @cached_property
    def keys_said(self):
        """The key statements' payloads."""
        return [self.signed('signed-key', raw)[1]
                for raw in self.key_statements]

    @cached_property
    def result_said(self):
        """The result statement's payload."""
        return self.signed('signed-result', self.result_statement)[1]

    @cached_property
    def info(self):
        """card-info."""
        return CDDL.check_bytes('card-info', self.card_info)

    def hashes(self):
        """h_0 to h_(n-1), h_end."""
        values = [H(encode(['CW1 h', self.th, self.message_4]))]
        for command, reply in zip(self.commands[:-1], self.replies):
            values.append(H(encode(['CW1 h', values[-1], command, reply])))
        return values, H(encode(['CW1 end', values[-1], self.commands[-1]]))

    # -- R and the grant

    @check('R is what the CDDL says and no longer than allowed')
    def request_shape(self):
        same(self.r['label'], 'CW1 request')
        require(len(self.request) <= R_MAX, 'too long')
        require(len(self.r['endorsements']) <= 8, 'too many endorsements')

    @check('R is signed by the management key inside it')
    def request_signature(self):
        array, _ = self.signed('session-request', self.request)
        crypto.verify_sign1(array, crypto.public_key(self.r['management']))

    @check('the management key is certified for that under the issuer root')
    def management_chain(self):
        leaf = x509.check_chain(self.management, self.issuer_root, self.now)
        x509.check_end_entity(leaf, x509.EKU_MANAGEMENT)
        same(crypto.cose_key(leaf.key), self.r['management'])

    @check('the grant is what the CDDL says and no longer than allowed')
    def grant_shape(self):
        same(self.g['label'], 'CW1 grant')
        require(len(self.grant) <= GRANT_MAX, 'too long')

    @check('the grant is signed by the authority key, '
           'certified for that under the issuer root')
    def grant_signature(self):
        leaf = x509.check_chain(self.authority, self.issuer_root, self.now)
        x509.check_end_entity(leaf, x509.EKU_AUTHORITY)
        array, _ = self.signed('grant', self.grant)
        crypto.verify_sign1(array, leaf.key)

    @check('R names this grant')
    def grant_hash(self):
        same(self.r['grant_hash'], H(self.grant))

    @check('the grant had not expired when R was made')
    def grant_time(self):
        require(self.r['time'] <= self.g['not_after'], 'expired')

    @property
    def made_key(self):
        """Was a key made, and certified?"""
        return bool(self.key_statements or self.issued)

    @check('the grant\'s scope is of its action, '
           'and binds what its mode proves')
    def grant_kind(self):
        require(set(self.g['scope'][0]) <= ALLOWED[self.g['action']], 'action')
        for key in self.g['binding'] or {}:
            require(key not in (0, 1) or self.g['mode'] == key + 1,
                    f'binding {key} in this mode')

    @check('scope and mode of R are within the grant')
    def grant_scope(self):
        same(self.r['mode'], self.g['mode'])
        require(within(self.r['scope'], self.g['scope']), 'scope is wider')

    @check('R\'s time and lifetime cover the time of verification')
    def request_time(self):
        require(self.r['time'] <= self.time
                <= self.r['time'] + self.r['lifetime'], 'outside')

    # -- the token

    @check('message 4 is what the CDDL says, in R\'s suite')
    def message_4_shape(self):
        _, raw = CDDL.check_bytes('message-4', self.message_4)
        sealed = CDDL.check_bytes('encrypt0', raw)
        same(decode(sealed[0]), {1: {1: 31, 2: 24}[self.r['suite']]})

    @check('the card ephemeral key is message 4\'s')
    def ephemeral_same(self):
        same(self.ephemeral, encode(self.card_ephemeral))

    @check('both ephemeral keys are valid points of the suite\'s curve')
    def ephemeral_points(self):
        kind = {1: 1, 2: 6}[self.r['suite']]
        for key in (self.r['ephemeral'], self.card_ephemeral):
            same(crypto.key_type(key), kind)
            crypto.public_key(key)

    @check('the attestation chain leads to the vendor root')
    def attestation_chain(self):
        require(all(len(c) <= CERTIFICATE_MAX for c in self.chain), 'too long')
        x509.check_chain(self.chain, self.vendor_root, self.now)

    @check('the attestation leaf is made for attestation')
    def attestation_leaf(self):
        x509.check_end_entity(self.leaf, x509.EKU_ATTESTATION)
        x509.attestation(self.leaf, CDDL)

    @check('the attestation leaf is a card\'s own exactly in mode 1')
    def attestation_kind(self):
        kind, _ = x509.attestation(self.leaf, CDDL)
        same(kind == 1, self.r['mode'] == 1)

    @check('the token statement is what the CDDL says, '
           'signed by the attestation leaf')
    def token_signature(self):
        array, _ = self.signed('signed-token', self.token_statement)
        crypto.verify_sign1(array, self.leaf.key)

    @check('the token statement is about this session')
    def token_th(self):
        same(self.token_said[1], self.th)

    @check('the token statement is about R\'s mode')
    def token_mode(self):
        same(self.token_said[2], self.r['mode'])

    @check('the token statement is about this attestation leaf')
    def token_leaf(self):
        same(self.token_said[3], H(self.chain[0]))

    @check('the token statement is about this card-info')
    def token_info(self):
        same(self.token_said[4], H(self.card_info))

    @check('there is a pseudonym exactly in mode 2')
    def token_pseudonym(self):
        same(self.token_said[5] is not None, self.r['mode'] == 2)

    @check('card-info is what the CDDL says, '
           'with a serial number at most in mode 1')
    def info_shape(self):
        require(4 not in self.info or self.r['mode'] == 1, 'a serial number')

    @check('card-info\'s model is the attestation certificate\'s')
    def info_model(self):
        same(self.info[0], x509.attestation(self.leaf, CDDL)[1])

    @check('what the grant binds is this card')
    def grant_binding(self):
        binding = self.g['binding'] or {}
        for key, value in ((0, H(self.chain[0])), (1, self.token_said[5]),
                           (2, self.info[0])):
            if key in binding:
                same(binding[key], value, f'binding {key}')

    # -- keys and certificates

    @check('each key statement is what the CDDL says, '
           'signed by the attestation leaf', of_key=True)
    def key_signatures(self):
        require(self.key_statements, 'no key statement')
        for raw in self.key_statements:
            array, _ = self.signed('signed-key', raw)
            crypto.verify_sign1(array, self.leaf.key)

    @check('each key statement is about this session', of_key=True)
    def key_th(self):
        for said in self.keys_said:
            same(said[1], self.th)

    @check('each key statement is about this management key', of_key=True)
    def key_management(self):
        for said in self.keys_said:
            same(said[2], H(encode(self.r['management'])))

    @check('each key statement is about R\'s mode', of_key=True)
    def key_mode(self):
        for said in self.keys_said:
            same(said[3], self.r['mode'])

    @check('each key statement is about this attestation leaf', of_key=True)
    def key_leaf(self):
        for said in self.keys_said:
            same(said[4], H(self.chain[0]))

    @check('each key is of the type stated, made in the card, not exportable',
           of_key=True)
    def key_attributes(self):
        for said in self.keys_said:
            crypto.public_key(said[6])
            same(said[7][0], crypto.key_type(said[6]))
            same(said[7][2], ISSUER_MADE)
            same(said[7][3], False)

    @check('the keys are within R\'s scope', of_key=True)
    def key_scope(self):
        scope = self.r['scope']
        require(len(self.keys_said) <= scope[1], 'too many keys')
        for said in self.keys_said:
            require(5 not in said[7] or said[7][5] in scope[2],
                    'a slot outside the scope')

    @check('no two key statements have the same object id or key', of_key=True)
    def key_ids(self):
        for what in (5, 6):
            values = [encode(said[what]) for said in self.keys_said]
            same(len(set(values)), len(values))

    @check('the issued certificate leads to the issuer root', of_key=True)
    def issued_chain(self):
        require(all(len(c) <= CERTIFICATE_MAX for c in self.issued), 'too long')
        leaf = x509.check_chain(self.issued, self.issuer_root, self.now)
        require(not leaf.is_ca()[0], 'the leaf is a CA')

    @cached_property
    def certified(self):
        """The object ids whose key the issued certificate carries."""
        key = crypto.cose_key(x509.certificate(self.issued[0]).key)
        return [said[5] for said in self.keys_said if said[6] == key]

    @check('the issued certificate carries a stated key', of_key=True)
    def issued_key(self):
        same(len(self.certified), 1)

    @check('the issued certificate has the grant\'s subject', of_key=True)
    def issued_subject(self):
        same(x509.certificate(self.issued[0]).subject(),
             x509.rfc4514(self.g['subject']))

    def approved_by(self, raw, certificate):
        """The operator's key, if this approval of the key counts; or Bad."""
        leaf = x509.check_chain([certificate], self.issuer_root, self.now)
        x509.check_end_entity(leaf, x509.EKU_OPERATOR)
        array, (label, statement, approved, _) = self.signed('approval', raw)
        same(label, 'CW1 approval')
        crypto.verify_sign1(array, leaf.key)
        require(approved, 'a rejection')
        require(statement in [
            H(raw) for raw, said in zip(self.key_statements, self.keys_said)
            if said[5] in self.certified], 'of another key')
        return encode(crypto.cose_key(leaf.key))

    @check('as many operators as the grant asks for approved this very key')
    def approval_count(self):
        same(len(self.approvals), len(self.operators))
        if not self.made_key:
            return
        counted, reasons = set(), []
        for pair in zip(self.approvals, self.operators):
            try:
                counted.add(self.approved_by(*pair))
            except Bad as error:  # it takes nothing from the others
                reasons.append(str(error))
        require(len(counted) >= self.g['approvals'],
                '; '.join(reasons) or 'too few')

    # -- commands and the result

    @check('commands and replies are encrypt0 in R\'s suite, '
           'one reply each, within R\'s limit')
    def command_shapes(self):
        same(len(self.commands), len(self.replies))
        require(len(self.commands) <= self.r['limit'], 'too many')
        for raw in self.commands + self.replies:
            sealed = CDDL.check_bytes('encrypt0', raw)
            same(decode(sealed[0]), {1: {1: 31, 2: 24}[self.r['suite']]})
            require(len(raw) <= COMMAND_MAX, 'too long')

    @check('the result statement is what the CDDL says, '
           'signed by the attestation leaf')
    def result_signature(self):
        array, _ = self.signed('signed-result', self.result_statement)
        crypto.verify_sign1(array, self.leaf.key)

    @check('the result statement is about this session')
    def result_th(self):
        same(self.result_said[1], self.th)

    @check('the result statement\'s h_end is that of the recorded bytes')
    def result_end(self):
        same(self.result_said[2], self.hashes()[1])

    @check('the result statement has the close nonce')
    def result_nonce(self):
        same(self.result_said[3], self.close_nonce)

    @check('the result statement has a counter except in mode 3')
    def result_counter(self):
        same(self.result_said[4] is not None, self.r['mode'] != 3)

    @check('the result names the certified key with the hash of its chain',
           of_key=True)
    def result_certificate(self):
        items = [item for item in self.result_said[5]
                 if item[:2] == [self.certified[0], KEY_MADE]]
        same([item[2] for item in items], [H(encode(self.issued))])

    @check('the result names each stated key as made, and no other key')
    def result_keys(self):
        same(sorted(i[0] for i in self.result_said[5] if i[1] == KEY_MADE),
             sorted(said[5] for said in self.keys_said))

    @check('the result has nothing that R\'s scope does not name')
    def result_scope(self):
        scope = self.r['scope']
        for target, done, _ in self.result_said[5]:
            require(MANAGED[done] in scope[0] and target in scope[3]
                    if done in MANAGED else MAKES[done] & set(scope[0]),
                    f'{done} of {target}')


class Evidence(Record):
    """An evidence file with the roots that the verifier trusts."""

    def __init__(self, raw, vendor_root, issuer_root):
        require(len(raw) <= EVIDENCE_MAX, 'an evidence file of over 1 MiB')
        value = CDDL.check_bytes('evidence', raw)
        self.vendor_root, self.issuer_root = vendor_root, issuer_root
        self.ephemeral = encode(value[2])
        (self.request, self.message_4, self.commands, self.replies,
         self.chain, self.token_statement, self.card_info,
         self.key_statements, self.close_nonce, self.result_statement,
         self.grant, self.issued, self.management, self.authority) = (
             value[n] for n in (1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
                                15))
        self.time = value[17]
        self.approvals, self.operators = value.get(18, []), value.get(19, [])
