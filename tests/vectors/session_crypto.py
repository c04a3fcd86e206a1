# SPDX-License-Identifier: Apache-2.0
"""Keys, signatures, key schedule and channel of the session protocol.

Made from docs/protocol.md, proto/session.cddl and the RFCs they name.
"""
import hashlib
import hmac

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature, encode_dss_signature)
from cryptography.hazmat.primitives.ciphers.aead import (
    AESCCM, ChaCha20Poly1305)
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from session_cddl import Bad, decode, encode, require

CURVES = {1: ec.SECP256R1(), 2: ec.SECP384R1()}


def H(raw):  # pylint: disable=invalid-name
    """SHA-256, called H in the protocol."""
    return hashlib.sha256(raw).digest()


# ---- keys ---------------------------------------------------------------------

def public_key(cose):
    """A COSE_Key as a key of the library; refuses points off the curve."""
    try:
        if cose[1] == 2:
            return ec.EllipticCurvePublicNumbers(
                int.from_bytes(cose[-2], 'big'),
                int.from_bytes(cose[-3], 'big'), CURVES[cose[-1]]).public_key()
        if cose[1] == 1:
            kind = {4: x25519.X25519PublicKey,
                    6: ed25519.Ed25519PublicKey}[cose[-1]]
            return kind.from_public_bytes(cose[-2])
        return rsa.RSAPublicNumbers(int.from_bytes(cose[-2], 'big'),
                                    int.from_bytes(cose[-1], 'big')
                                    ).public_key()
    except ValueError as error:
        raise Bad(f'no valid key: {error}') from error


def cose_key(key):
    """The COSE_Key of a public key of the library."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        curve = {'secp256r1': 1, 'secp384r1': 2}[key.curve.name]
        size, numbers = (0, 32, 48)[curve], key.public_numbers()
        return {1: 2, -1: curve, -2: numbers.x.to_bytes(size, 'big'),
                -3: numbers.y.to_bytes(size, 'big')}
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        n, e = (v.to_bytes((v.bit_length() + 7) // 8, 'big')
                for v in (numbers.n, numbers.e))
        return {1: 3, -1: n, -2: e}
    curve = {x25519.X25519PublicKey: 4, ed25519.Ed25519PublicKey: 6}
    raw = key.public_bytes(serialization.Encoding.Raw,
                           serialization.PublicFormat.Raw)
    return {1: 1, -1: next(c for kind, c in curve.items()
                           if isinstance(key, kind)), -2: raw}


def key_type(cose):
    """The key-type number that a COSE_Key is of."""
    if cose[1] == 2:
        return cose[-1]
    if cose[1] == 1:
        return {6: 5, 4: 6}[cose[-1]]
    return {2048: 3, 3072: 4}[int.from_bytes(cose[-1], 'big').bit_length()]


def private_key(suite_or_type, raw):
    """A private key from its raw bytes: 'P-256', 'Ed25519', 'X25519'."""
    if suite_or_type == 'P-256':
        return ec.derive_private_key(int.from_bytes(raw, 'big'), CURVES[1])
    return {'Ed25519': ed25519.Ed25519PrivateKey,
            'X25519': x25519.X25519PrivateKey}[
                suite_or_type].from_private_bytes(raw)


# ---- COSE_Sign1 ------------------------------------------------------------------

def to_be_signed(sign1):
    """Sig_structure of RFC 9052 4.4, external_aad empty."""
    return encode(['Signature1', sign1[0], b'', sign1[2]])


def verify_sign1(sign1, key):
    """The signature of a decoded COSE_Sign1 under a key of the library."""
    alg, message, signature = decode(sign1[0])[1], to_be_signed(sign1), sign1[3]
    try:
        if alg == -19:
            require(isinstance(key, ed25519.Ed25519PublicKey),
                    'alg is Ed25519, the key is not')
            key.verify(signature, message)
            return
        curve, digest, size = {-9: ('secp256r1', hashes.SHA256(), 32),
                               -51: ('secp384r1', hashes.SHA384(), 48)}[alg]
        require(isinstance(key, ec.EllipticCurvePublicKey)
                and key.curve.name == curve, f'alg {alg} is not the key\'s')
        require(len(signature) == 2 * size, 'a signature of wrong length')
        r, s = (int.from_bytes(part, 'big')
                for part in (signature[:size], signature[size:]))
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(digest))
    except InvalidSignature as error:
        raise Bad('the signature does not verify') from error


def resign(sign1, key, payload):
    """Another payload under the same headers: only for forgeries in tests."""
    changed = [sign1[0], {}, encode(payload), b'']
    message = to_be_signed(changed)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        changed[3] = key.sign(message)
    else:
        r, s = decode_dss_signature(
            key.sign(message, ec.ECDSA(hashes.SHA256())))
        changed[3] = r.to_bytes(32, 'big') + s.to_bytes(32, 'big')
    return encode(changed)


# ---- key schedule and channel -------------------------------------------------------

def agree(suite, private, public):
    """Z of the two ephemeral keys."""
    if suite == 1:
        return private.exchange(ec.ECDH(), public)
    z = private.exchange(public)
    require(any(z), 'Z is all zeros')
    return z


def expand(prk, label, suite, length):
    """HKDF-Expand with a key-label as info."""
    return HKDFExpand(hashes.SHA256(), length,
                      encode([label, suite])).derive(prk)


def schedule(suite, th, z):
    """Every key of a session by its name in the vector file."""
    size = {1: 13, 2: 12}[suite]
    prk = hmac.new(th, z, hashlib.sha256).digest()
    return {'prk': prk,
            'down_key': expand(prk, 'CW1 down key', suite, 32),
            'down_iv': expand(prk, 'CW1 down iv', suite, size),
            'up_key': expand(prk, 'CW1 up key', suite, 32),
            'up_iv': expand(prk, 'CW1 up iv', suite, size)}


def nonce(iv, i):
    """nonce_i = IV xor i."""
    return bytes(a ^ b for a, b in zip(iv, i.to_bytes(len(iv), 'big')))


def open_encrypt0(suite, encrypt0, key, nonce_i, aad):
    """The plaintext of a decoded COSE_Encrypt0."""
    require(decode(encrypt0[0]) == {1: {1: 31, 2: 24}[suite]},
            'alg is not the suite\'s')
    aead = AESCCM(key, 16) if suite == 1 else ChaCha20Poly1305(key)
    structure = encode(['Encrypt0', encrypt0[0], aad])
    try:
        return aead.decrypt(nonce_i, encrypt0[2], structure)
    except InvalidTag as error:
        raise Bad('does not decrypt') from error
