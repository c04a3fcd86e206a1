# SPDX-License-Identifier: Apache-2.0
"""Certificates and chains (RFC 5280), as far as the session protocol has them.

python3-cryptography of Debian 12 cannot parse a certificate with an object
identifier component of more than 32 bits, and the protocol's arc has one of
128 (2.25, X.667). So the DER is read here; the library verifies signatures.
"""
import base64
import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from session_cddl import Bad, decode, require

ARC = '2.25.142391527348171012979207228871701721110'
ATTESTATION = ARC + '.1'
EKU_ATTESTATION, EKU_MANAGEMENT, EKU_AUTHORITY, EKU_OPERATOR = (
    f'{ARC}.{n}' for n in (2, 3, 4, 5))
BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE = (
    f'2.5.29.{n}' for n in (19, 15, 37))
UNDERSTOOD = (BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE, ATTESTATION)
DIGITAL_SIGNATURE, KEY_CERT_SIGN = 0, 5

SEQUENCE, SET, BOOLEAN, INTEGER, BITS, OCTETS, OID = (
    0x30, 0x31, 0x01, 0x02, 0x03, 0x04, 0x06)
UTC_TIME, GENERALIZED_TIME, VERSION, EXTENSIONS = 0x17, 0x18, 0xA0, 0xA3


# ---- DER ------------------------------------------------------------------------

def elements(raw):
    """[(tag, contents, whole)] of what stands side by side."""
    found, at = [], 0
    while at < len(raw):
        start = at
        require(len(raw) - at >= 2 and raw[at] & 0x1F != 0x1F, 'DER: cut off')
        tag, size, at = raw[at], raw[at + 1], at + 2
        if size >= 0x80:
            count = size - 0x80
            require(1 <= count <= 4 and at + count <= len(raw), 'DER: length')
            size = int.from_bytes(raw[at:at + count], 'big')
            require(size >= 0x80 and size >> 8 * (count - 1) != 0,
                    'DER: longer than needed')
            at += count
        require(at + size <= len(raw), 'DER: cut off')
        found.append((tag, raw[at:at + size], raw[start:at + size]))
        at += size
    return found


def only(raw, tag):
    """The contents of the one element with this tag."""
    found = elements(raw)
    require(len(found) == 1 and found[0][0] == tag, f'DER: not one {tag:#x}')
    return found[0][1]


def oid_text(raw):
    """1.2.3"""
    require(raw and raw[-1] < 0x80, 'DER: object identifier')
    numbers, value, fresh = [], 0, True
    for byte in raw:
        require(not (fresh and byte == 0x80), 'DER: object identifier')
        value, fresh = value << 7 | byte & 0x7F, False
        if byte < 0x80:
            numbers.append(value)
            value, fresh = 0, True
    first = min(numbers[0] // 40, 2)
    return '.'.join(map(str, [first, numbers[0] - 40 * first] + numbers[1:]))


def _time(tag, raw):
    require(tag in (UTC_TIME, GENERALIZED_TIME), 'DER: no time')
    text = raw.decode('ascii')
    if tag == UTC_TIME:
        text = ('20' if text[:2] < '50' else '19') + text
    return datetime.datetime.strptime(text, '%Y%m%d%H%M%SZ')


def _name(raw):
    """[[(type, text)]], what two equal names have in common."""
    texts = {0x0C: 'utf-8', 0x13: 'ascii', 0x16: 'ascii', 0x14: 'latin-1'}
    parts = []
    for tag, contents, _ in elements(raw):
        require(tag == SET, 'DER: name')
        parts.append(sorted(
            (oid_text(pair[0][1]), pair[1][1].decode(texts[pair[1][0]]))
            for pair in (elements(inner) for _, inner, _
                         in elements(contents))))
    return parts


# ---- a certificate ----------------------------------------------------------------

class Certificate:
    """The fields that count."""

    def __init__(self, der):
        tbs, algorithm, signature = elements(only(der, SEQUENCE))
        self.tbs, self.algorithm = tbs[2], algorithm[2]
        require(signature[0] == BITS and signature[1][0] == 0, 'DER: bits')
        self.signature = signature[1][1:]
        fields = elements(tbs[1])
        require(fields[0][:2] == (VERSION, b'\x02\x01\x02'), 'not version 3')
        _, inner, issuer, validity, subject, spki = fields[1:7]
        require(inner[2] == self.algorithm, 'two signature algorithms')
        self.issuer_der, self.subject_der = issuer[2], subject[2]
        self.valid = [_time(*e[:2]) for e in elements(validity[1])]
        self.key = serialization.load_der_public_key(spki[2])
        self.extensions = {}
        for tag, contents, _ in fields[7:]:
            require(tag == EXTENSIONS, 'unique identifiers')
            self._read_extensions(contents)

    def _read_extensions(self, raw):
        for tag, contents, _ in elements(only(raw, SEQUENCE)):
            parts = elements(contents)
            oid = oid_text(parts[0][1])
            critical = len(parts) == 3
            require(tag == SEQUENCE and oid not in self.extensions
                    and parts[-1][0] == OCTETS, 'an extension')
            require(not critical or parts[1][:2] == (BOOLEAN, b'\xff'),
                    'DER: boolean')
            self.extensions[oid] = (critical, parts[-1][1])

    def subject(self):
        """The subject, to be compared."""
        return _name(only(self.subject_der, SEQUENCE))

    def is_ca(self):
        """Whether it is a CA, and the path length or None."""
        _, raw = self.extensions.get(BASIC_CONSTRAINTS, (False, b'\x30\x00'))
        parts = elements(only(raw, SEQUENCE))
        is_ca = bool(parts) and parts[0][:2] == (BOOLEAN, b'\xff')
        return is_ca, (int.from_bytes(parts[1][1], 'big')
                       if len(parts) > 1 else None)

    def may(self, bit):
        """Whether keyUsage has a bit."""
        if KEY_USAGE not in self.extensions:
            return False
        bits = only(self.extensions[KEY_USAGE][1], BITS)[1:]
        return bit // 8 < len(bits) and bits[bit // 8] >> 7 - bit % 8 & 1 == 1

    def purposes(self):
        """Those of extKeyUsage."""
        if EXTENDED_KEY_USAGE not in self.extensions:
            return []
        return [oid_text(contents) for _, contents, _ in elements(
            only(self.extensions[EXTENDED_KEY_USAGE][1], SEQUENCE))]

    def verify(self, key):
        """Its signature under a key."""
        oid = oid_text(elements(only(self.algorithm, SEQUENCE))[0][1])
        try:
            if oid == '1.3.101.112':
                require(isinstance(key, ed25519.Ed25519PublicKey), 'key type')
                return key.verify(self.signature, self.tbs)
            if oid.startswith('1.2.840.10045.4.3.'):
                require(isinstance(key, ec.EllipticCurvePublicKey), 'key type')
                digest = {'2': hashes.SHA256, '3': hashes.SHA384,
                          '4': hashes.SHA512}[oid[-1]]()
                return key.verify(self.signature, self.tbs, ec.ECDSA(digest))
            require(oid == '1.2.840.113549.1.1.11'
                    and isinstance(key, rsa.RSAPublicKey),
                    f'signature algorithm {oid}')
            return key.verify(self.signature, self.tbs, padding.PKCS1v15(),
                              hashes.SHA256())
        except InvalidSignature as error:
            raise Bad('a certificate\'s signature does not verify') from error


def certificate(der):
    """A certificate, with nothing behind it."""
    try:
        return Certificate(der)
    except (ValueError, IndexError, KeyError, UnicodeError) as error:
        raise Bad(f'no certificate: {error!r}') from error


def from_pem(raw):
    """The first certificate of a PEM text, as DER."""
    body = raw.split(b'-----BEGIN CERTIFICATE-----')[1].split(b'-----END')[0]
    return base64.b64decode(b''.join(body.split()), validate=True)


def rfc4514(text):
    """The name that a text means, to be compared with subject()."""
    return _name(only(x509.Name.from_rfc4514_string(text).public_bytes(),
                      SEQUENCE))


# ---- chains -----------------------------------------------------------------------

def check_chain(ders, root_der, now):
    """Leaf first, root left out, to this root; gives the leaf."""
    certs = [certificate(der) for der in ders] + [certificate(root_der)]
    for cert in certs:
        require(cert.valid[0] <= now <= cert.valid[1],
                f'a certificate is not valid at {now}')
        for oid, (critical, _) in cert.extensions.items():
            require(not critical or oid in UNDERSTOOD,
                    f'unknown critical extension {oid}')
    for below, (cert, issuer) in enumerate(zip(certs, certs[1:])):
        require(cert.issuer_der == issuer.subject_der,
                'issuer and subject differ')
        is_ca, most = issuer.is_ca()
        require(is_ca, 'an issuer is no CA')
        require(most is None or most >= below, 'a path is too long')
        require(issuer.may(KEY_CERT_SIGN),
                'an issuer may not sign certificates')
        cert.verify(issuer.key)
    certs[-1].verify(certs[-1].key)
    return certs[0]


def check_end_entity(cert, purpose=None):
    """No CA, may sign; and has the purpose where one is given."""
    require(not cert.is_ca()[0], 'the leaf is a CA')
    require(cert.may(DIGITAL_SIGNATURE), 'the leaf may not sign')
    require(purpose is None or purpose in cert.purposes(),
            'the leaf has not this purpose')


def attestation(cert, cddl):
    """Kind and model."""
    require(ATTESTATION in cert.extensions, 'no attestation extension')
    raw = only(cert.extensions[ATTESTATION][1], OCTETS)
    value = cddl.check('attestation-extension', decode(raw))
    return value[0], value[1]
