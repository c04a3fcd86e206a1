# SPDX-License-Identifier: Apache-2.0
"""Why some flips are found by nobody, and why some fields are not flipped.

Each reason is for what its patterns match whole: "TAP FIELD CHANGE", with a "!"
behind it where the CDDL forbids what came of the change.
"""
import re

NOBODY = [
    ('An unknown key below zero is ignored, so that messages can grow '
     '(protocol.md 2).',
     [r'.* negative']),
    ('People read it, and it decides nothing: what may be done is in the '
     'scope, which R repeats and the card enforces; what is certified is in '
     'the grant.',
     [r'web/intent [1-4] other', r'web/intent 9.* (other|missing)']),
    ('Another value that is as good: a later end, or a version that the agent '
     'passes over.',
     [r'web/intent 8 other', r'web/intent 0 more']),
    ('The grant authority may grant just that.',
     [r'authority/grant payload\.(id|subject|account|action|uses|not-after|'
      r'binding(\.\d)?) (other|added|missing)']),
    ('The operator says when it was approved.',
     [r'operator/approval payload\.unix-time other']),
    ('The agent speaks of itself: authenticated by nothing, decides nothing.',
     [r'network/capabilities 3\..*']),
    ('The phase is a word for the dialog.',
     [r'network/batch \(.\) 0 other']),
    ('The issuer may ask for just that: another order, as good as the one '
     'that was given.',
     [r'issuer/command .* (other|added|missing)',
      r'web/signer-sign fields\.command-limit other',
      r'issuer( and agent)?/session-request payload\.'
      r'(time|lifetime|command-limit) other',
      r'issuer/endorsement payload\.(3|unix-time) other']),
    ('The agent checks it, and here the agent lies as well. The card keeps '
     'the address, to say where the session goes on.',
     [r'issuer and agent/session-request payload\.(uri|intent-hash) other']),
    ('The host lies to the person in front of it, or types another PIN: it is '
     'trusted with both (protocol.md 1). What the card allows stays as it is.',
     [r'host/pin-info .*', r'host/set-pin [23] other']),
    ('Only told to the person, as what has changed on the card. A run does '
     'not end for it.',
     [r'host/list-public .*', r'host/list-public .*!']),
    ('For a program that waits; the agent sends the whole batch again in any '
     'case.',
     [r'host/status 3 other']),
    ('A tag that does not fit, or a token that was not asked for, costs the '
     'whole check instead, or nothing.',
     [r'web/signer-(token|certify) proof\.tag other',
      r'web/signer-certify token other']),
    ('The web process draws the number.',
     [r'web/signer-certify serial other']),
    ('Whoever holds an attestation key is believed about what nobody else can '
     'know of this card.',
     [r'card/card-info [1-4] (other|missing)',
      r'card/signed-result payload\.counter other',
      r'card/reply \(list\) .*',
      r'card/signed-offline payload\.attributes\.\d .*']),
    ('Covered by no signature (protocol.md 11 "Evidence").',
     [r'file/evidence 1[67] other']),
    ('The holder may ask for just that; the host speaks for the holder.',
     [r'host/(read-key|use-key|read-extension|write-property|delete-key|'
      r'change-key-pin|unblock-key|attest-offline) .* (other|added|missing)']),
    ('The host tells a program on the same computer about a key. What others '
     'rely on is signed.',
     [r'host/held-key .*']),
    ('The vendor may make such a card.',
     [r'host/personalisation .*']),
]

NOT_WALKED = {
    r'.*-(input|aad) .*|key-label .*|th-input .*':
        'Never sent: both ends make it from what was sent, which is flipped '
        'above, and a seal or signature fails if they differ.',
    r'attestation-extension .*':
        'Inside a certificate, which is flipped as a whole; by field in '
        '`tests/unit/proto/x509_test.c`.',
    r'reply (error|null)':
        'An error reply ends the session: `tests/unit/server/'
        'session_refusal_test.c`.',
    r'listed-key shown-text':
        'The types of extensions: the list is added as a whole.',
}


def why_not_walked(name):
    """The reason for a field of the CDDL, or None."""
    for pattern, reason in NOT_WALKED.items():
        if re.fullmatch(pattern, name):
            return reason
    return None


class Reasons:
    """Gives each flip that nobody finds its reason's number."""

    def __init__(self):
        self.missing, self.used = [], set()

    def number(self, tap, field, change, is_valid):
        """1, 2, …; 0 and a finding if there is none."""
        what = f'{tap} {field} {change}'.replace('  ', ' ') + (
            '' if is_valid else '!')
        for number, (_, patterns) in enumerate(NOBODY, 1):
            for pattern in patterns:
                if is_valid != pattern.endswith('!') and re.fullmatch(
                        pattern, what):
                    self.used.add(pattern)
                    return number
        self.missing.append(f'{what}: nobody finds it')
        return 0

    def unused(self):
        """Patterns that no flip needs."""
        return [f'no flip needs {pattern}' for _, patterns in NOBODY
                for pattern in patterns if pattern not in self.used]
