# SPDX-License-Identifier: Apache-2.0
"""Tests of the checks: what is tampered with must be noticed.

Three ways: every value of a file with one bit changed; statements signed again
by the right key with one field wrong, which no signature check can notice; and
decrypted commands that a dishonest issuer could have sent. At the end each
check must have been seen failing.
"""
import copy

import session_crypto as crypto
from session_cddl import Bad, decode, encode
from session_checks import Evidence, checks_of
from session_forgeries import (FORGED, FORGED_APPROVAL, FORGED_BASIS, NAMED,
                               REWRITTEN, SIGNATURES, flipped)
from session_record import Session

READABLE = 'the file is readable'
# What no signature covers. In the evidence: policy version; time of
# verification, which is free within the validity of R. And the reply to CLOSE:
# the result is in it, and stands in the file itself. In the session: that time,
# and what the agent says of itself in message 2.
UNSIGNED = ((16,), (17,))
UNSIGNED_SESSION = (('time',), ('messages', '2'))
FLIPPED = 'one changed bit'


def failures(make, change=None):
    """The sentences of the checks that fail.

    One that stops by anything but Bad has a mark: it is refused too, but not
    for a reason that somebody wrote down, and so not by the check itself.
    """
    try:
        thing = make()
    except Exception:  # a file that cannot be read is refused as well
        return {READABLE}
    if change is not None:
        change(thing)
    failed = set()
    for sentence, method in checks_of(thing):
        try:
            method(thing)
        except Bad:
            failed.add(sentence)
        except Exception as error:
            failed.add(f'{sentence} ({error!r})')
    return failed


def leaves(value, path=()):
    """The path of every value of a tree."""
    if isinstance(value, (dict, list)):
        for key, inner in (value.items() if isinstance(value, dict)
                           else enumerate(value)):
            yield from leaves(inner, path + (key,))
    else:
        yield path


def place(tree, path):
    """The map or array that holds the value of a path."""
    for key in path[:-1]:
        tree = tree[key]
    return tree


def flip_json(case, path, at):
    """The same in a JSON tree, where bytes are hex."""
    changed = copy.deepcopy(case)
    holder, key = place(changed, path), path[-1]
    if isinstance(holder[key], str):
        holder[key] = flipped(bytes.fromhex(holder[key]), at).hex()
    else:
        holder[key] = flipped(holder[key], at)
    return changed


class Tests:
    """Generates (sentence, reason of failure or None)."""

    def __init__(self, case, raw):
        self.case, self.evidence = case, decode(raw)
        self.roots = [bytes.fromhex(case[n])
                      for n in ('vendor_root', 'issuer_root')]
        self.keys = {name: crypto.private_key('P-256', bytes.fromhex(
            case['secrets'][name + '_key']))
            for name in ('management', 'authority', 'attestation',
                         'operator_1', 'operator_2')
            if case['secrets'][name + '_key'] is not None}
        self.seen = set()

    def of_session(self, case, change=None):
        """What fails in a changed session."""
        failed = failures(lambda: Session(case), change)
        self.seen |= failed
        return failed

    def of_evidence(self, value, change=None):
        """What fails in a changed evidence file."""
        raw = encode(value)
        failed = failures(lambda: Evidence(raw, *self.roots), change)
        self.seen |= failed
        return failed

    def untouched(self):
        """Nothing fails where nothing was changed."""
        for name, failed in (('session', self.of_session(self.case)),
                             ('evidence', self.of_evidence(self.evidence))):
            yield (f'the {name} as recorded passes every check',
                   '; '.join(sorted(failed)) or None)

    def flips(self):
        """One bit of every value."""
        missed, count = [], 0
        for path in leaves(self.case):
            if (path[-1] in ('description', 'name')
                    or path in UNSIGNED_SESSION):
                continue
            count += 1
            at = count % 3
            if not self.of_session(flip_json(self.case, path, at)):
                missed.append('.'.join(map(str, path)))
        yield (f'{FLIPPED} in each of the {count} values of the session '
               'is noticed', ', '.join(missed) or None)
        missed, count, last = [], 0, len(self.evidence[5]) - 1
        for path in leaves(self.evidence):
            if path in UNSIGNED or path == (5, last):
                continue
            count += 1
            changed = copy.deepcopy(self.evidence)
            holder = place(changed, path)
            holder[path[-1]] = flipped(holder[path[-1]], count % 3)
            if not self.of_evidence(changed):
                missed.append('.'.join(map(str, path)))
        yield (f'{FLIPPED} in each of the {count} values of the evidence '
               'is noticed', ', '.join(missed) or None)

    def named(self):
        """Fields of the session file: the check that must fail, alone."""
        for path, at, sentence in NAMED:
            failed = self.of_session(flip_json(self.case, path, at))
            yield (f'a changed {".".join(map(str, path))} fails '
                   f'"{sentence}" and nothing else',
                   None if failed == {sentence}
                   else '; '.join(sorted(failed)) or 'not noticed')

    def forged(self):
        """Statements with a wrong field under a good signature."""
        for table, alone in ((FORGED, True), (FORGED_BASIS, False),
                             (FORGED_APPROVAL if 18 in self.evidence
                              else (), True)):
            for what, path, signer, edit, sentence in table:
                failed = self.of_evidence(self.forge(path, signer, edit))
                good = failed == {sentence} if alone else (
                    sentence in failed and not failed & SIGNATURES)
                yield (f'{what}, well signed, fails "{sentence}"'
                       + (' and nothing else' if alone else ''),
                       None if good else '; '.join(sorted(failed))
                       or 'not noticed')

    def forge(self, path, signer, edit):
        """The evidence with one object changed and signed again."""
        changed = copy.deepcopy(self.evidence)
        holder, key = place(changed, path), path[-1]
        array = decode(holder[key])
        payload = decode(array[2])
        edit(payload, self.keys)
        holder[key] = crypto.resign(array, self.keys[signer], payload)
        if path[0] == 9:
            self.approve_anew(changed)
        return changed

    def approve_anew(self, evidence):
        """The operators approve the key statement that stands there now."""
        for at, raw in enumerate(evidence.get(18, [])):
            array = decode(raw)
            payload = decode(array[2])
            payload[1] = crypto.H(evidence[9][0])
            evidence[18][at] = crypto.resign(
                array, self.keys[f'operator_{at + 1}'], payload)

    def rewritten(self):
        """Other changes, in what was read."""
        for what, kind, edit, sentence in REWRITTEN:
            failed = (self.of_session(self.case, edit) if kind is Session
                      else self.of_evidence(self.evidence, edit))
            yield (f'{what} fails "{sentence}"',
                   None if sentence in failed
                   else '; '.join(sorted(failed)) or 'not noticed')

    def complete(self):
        """No check that cannot fail."""
        for name, thing in (('session', Session(self.case)),
                            ('evidence', Evidence(encode(self.evidence),
                                                  *self.roots))):
            never = [s for s, _ in checks_of(thing) if s not in self.seen]
            yield (f'each check of a {name} was seen failing',
                   '; '.join(never) or None)


def tests(case, raw):
    """Every test of the checks."""
    suite = Tests(case, raw)
    for part in (suite.untouched, suite.flips, suite.named, suite.forged,
                 suite.rewritten, suite.complete):
        yield from part()
