# SPDX-License-Identifier: Apache-2.0
"""Which sessions are played, and what is flipped in each."""
import re

import reasons


def everything(tap, name, change):
    """All of it; but what the signer's packets only carry in a byte string is
    flipped to another value, and not taken apart again."""
    if tap.startswith('host/status'):
        return False  # below, where a session is taken up
    return change == 'other' or not re.fullmatch(
        r'web/.* (proof\.)?(request|grant|token|key-statement)\..*',
        f'{tap} {name}')


def other(tap, name, change):
    """To another value only: the forms do not depend on suite and mode."""
    return change in ('other', 'added') and not tap.startswith('host/status')


def taps(*patterns):
    """Of these "tap field" only."""
    def wants(tap, name, change):
        return any(re.fullmatch(p, f'{tap} {name}') for p in patterns)
    return wants


# Kind, suite, mode; what is flipped there. A later kind has only what the first
# ones have not: it is played by tests/fields/enrol.c, command.c.
KINDS = [
    (('enrol', 1, 1), everything),
    (('enrol', 2, 2), other),
    (('enrol', 1, 3), other),
    (('outside', 2, 2), taps('issuer/command 2 .*', 'issuer/command 3 .*',
                             r'card/reply \(empty\) .*', 'host/set-pin .*',
                             r'host/pin-info \(key\) .*',
                             'card/signed-(key|result) .*')),
    (('approved', 1, 2), taps('operator/.*', '.*certify approvals.*',
                              'file/evidence 1[89].*')),
    (('resumed', 1, 2), taps('host/status.*')),
    (('replaced', 1, 2), taps('issuer/endorsement .*', 'host/list-public .*',
                              '.*/session-request .*endorsements.*')),
] + [((f'command-{n}', 1, 2), taps(f'issuer/command {n} .*'))
     for n in range(1, 13) if n != 4] + [
    (('command-7-bag', 1, 2), taps('issuer/command 7 .*')),
    (('command-7-logo', 1, 2), taps('issuer/command 7 .*')),
    (('personalise', 1, 2), taps('.*')),
    (('rsa', 1, 2), taps(r'card/signed-key payload.cose-key\..*')),
] + [((name, 1, 2), taps(
        r'(web|network)/intent (9.*|3)', r'issuer/command (8|9|10|11) .*',
        r'card/reply \(list\) .*', r'card/signed-result payload\.5.*'))
     for name in ('renewed', 'moved', 'deleted', 'unlocked')] + [
    (('bound', 1, 1), taps('.*/(grant|signer-.*) .*binding.*')),
] + [
    ((f'holder-{name}', 1, 2), taps(f'host/{name} .*', 'host/held-key .*',
                                    'host/attested .*',
                                    'card/signed-offline .*'))
    for name in ('read-key', 'use-key', 'read-extension', 'write-property',
                 'export-key', 'change-key-pin', 'unblock-key', 'delete-key',
                 'attest-offline')]

SIGNED = ('session-request', 'endorsement', 'grant', 'approval',
          'signed-token', 'signed-key', 'signed-result', 'signed-offline')


def is_overwritten(tap, field, change):
    """A signature that whoever has the key makes anew."""
    who, what = tap.split('/', 1)
    if who == 'web' and field.name == 'id':
        return True  # the packet's number: the answer's, and nothing else
    return (field.path == (3,) and what in SIGNED and change == 'other'
            and who not in ('network', 'host', 'web', 'file'))


def not_walked(cddl, seen):
    """Fields of the CDDL that no flip has reached, without a reason."""
    left = sorted(f'{rule} {key}' for rule, key in set(cddl.all_fields()) -
                  seen)
    for name in left:
        if reasons.why_not_walked(name) is None:
            yield f'{name}: nothing flips it'
    for pattern in reasons.NOT_WALKED:
        if not any(re.fullmatch(pattern, name) for name in left):
            yield f'the reason for "{pattern}" has no field'
