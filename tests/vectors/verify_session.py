#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An independent check of sessions and evidence (docs/protocol.md), as TAP.

    verify_session.py --session FILE.json
        a recorded session with its secrets: every value computed again
    verify_session.py --evidence FILE VENDOR-ROOT.pem ISSUER-ROOT.pem
        an evidence file, offline
    verify_session.py --self-test FILE.json EVIDENCE
        that each check fails when it should
    verify_session.py --cddl
        that proto/session.cddl is complete and means what it says
    verify_session.py --decode FILE [--rule NAME]
        a message (binary, or hex in text; - is the standard input) in
        diagnostic notation; held against a rule of proto/session.cddl

The first four may be given together and more than once. Nothing of the C code
is used. Exit status: 0 all well, 1 a check failed, 2 wrong arguments.
"""
import argparse
import json
import sys

import session_cddl_tests
import session_tamper
import session_x509
from session_cddl import Bad, decode, diagnostic
from session_checks import CDDL, Evidence, checks_of
from session_record import Session


class Tap:
    """One line per check; the plan at the end."""

    def __init__(self):
        self.count = self.failed = 0

    def say(self, sentence, reason=None):
        """A check that passed, or failed for this reason."""
        self.count += 1
        if reason is None:
            print(f'ok {self.count} - {sentence}')
        else:
            self.failed += 1
            print(f'not ok {self.count} - {sentence}')
            print(f'# {reason}'.replace('\n', '\n# '))

    def run(self, sentence, function):
        """Call it; an exception is a failure. Gives what it returns."""
        try:
            value = function()
        except Exception as error:  # whatever stops a check fails it
            self.say(sentence, str(error) if isinstance(error, Bad)
                     else repr(error))
            return None
        self.say(sentence)
        return value

    def finish(self):
        """The plan; the exit status."""
        print(f'1..{self.count}')
        return 1 if self.failed else 0


def read(path):
    """The bytes of a file."""
    if path == '-':
        return sys.stdin.buffer.read()
    with open(path, 'rb') as file:
        return file.read()


def read_pem(path):
    """The one certificate of a PEM file."""
    return session_x509.from_pem(read(path))


def verify(tap, name, make):
    """Every check of a session or an evidence file."""
    thing = tap.run(f'{name}: the file is readable', make)
    if thing is not None:
        for sentence, method in checks_of(thing):
            tap.run(f'{name}: {sentence}', lambda m=method: m(thing))


def self_test(tap, path, evidence):
    """Every tampering is noticed, by the right check."""
    case = json.loads(read(path))
    for sentence, reason in session_tamper.tests(case, read(evidence)):
        tap.say(f'{path}: {sentence}', reason)


def show(path, rule):
    """--decode."""
    raw = read(path)
    try:
        raw = bytes.fromhex(raw.decode('ascii'))
    except ValueError:
        pass
    try:
        value = decode(raw)
        print(diagnostic(value))
        if rule:
            CDDL.check(rule, value)
    except Bad as error:
        print(f'{path}: {error}', file=sys.stderr)
        return 1
    return 0


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--session', action='append', default=[],
                        metavar='FILE')
    parser.add_argument('--evidence', action='append', default=[], nargs=3,
                        metavar=('FILE', 'VENDOR', 'ISSUER'))
    parser.add_argument('--self-test', action='append', default=[], nargs=2,
                        metavar=('FILE', 'EVIDENCE'))
    parser.add_argument('--cddl', action='store_true')
    parser.add_argument('--decode', metavar='FILE')
    parser.add_argument('--rule', choices=sorted(CDDL.rules), metavar='NAME')
    given = parser.parse_args()
    if not (given.session or given.evidence or given.self_test
            or given.cddl or given.decode):
        parser.error('nothing to do')
    return given


def main():
    """The program."""
    given = arguments()
    if given.decode:
        return show(given.decode, given.rule)
    tap = Tap()
    if given.cddl:
        for sentence, reason in session_cddl_tests.cddl_tests():
            tap.say(sentence, reason)
    for path in given.session:
        verify(tap, path, lambda p=path: Session(json.loads(read(p))))
    for path, vendor, issuer in given.evidence:
        verify(tap, path, lambda p=path, v=vendor, i=issuer: Evidence(
            read(p), read_pem(v), read_pem(i)))
    for path, evidence in given.self_test:
        self_test(tap, path, evidence)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
