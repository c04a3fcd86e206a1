#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Flips every field of every message of a session, one in each session.

    fields.py PROGRAM [--write]

As TAP: each flip is found by an end of the session, or there is a reason why
not (reasons.py), and docs/fields.md says for each which end that is. Each limit
of the CDDL holds, as docs/limits.md says. --write makes both pages anew.
"""
import os
import queue
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, 'tests', 'vectors'))

import session_cddl                                      # noqa: E402
from session_cddl import decode, encode                  # noqa: E402

import bounds                                            # noqa: E402
import page                                              # noqa: E402
import plan                                              # noqa: E402
import walk                                              # noqa: E402


PROGRAMS = 2  # side by side


class Sessions:
    """The program that plays them."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, bufsize=1)

    def _say(self, *words):
        self.process.stdin.write('\t'.join(map(str, words)) + '\n')
        self.process.stdin.flush()

    def _hear(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(
                f'the program has ended: {self.process.wait()}')
        return line.rstrip('\n').split('\t')

    def list(self, kind):
        """The taps of a kind of session: {name: (rule, bytes)}."""
        taps = {}
        self._say('list', *kind)
        while True:
            words = self._hear()
            if words[0] == 'found':
                if words[1] != 'nobody':
                    raise RuntimeError(f'{kind}: refused by {words[1:]}')
                return taps
            taps[words[1]] = (words[2], bytes.fromhex(words[3]))

    def run(self, kind, tap, path, change):
        """Who finds it, and the number."""
        self._say('run', *kind, tap)
        raw = bytes.fromhex(self._hear()[1])
        self._say(encode(walk.edit(decode(raw), path, change)).hex())
        _, who, number = self._hear()
        return who, int(number)

    def decode(self, rule, raw):
        """What the decoder of a rule says: a number, 0 for yes."""
        self._say('decode', rule)
        self._say(raw.hex())
        return int(self._hear()[2])

    @staticmethod
    def has_decoder(rule):
        """The signer's packets and some others are decoded in sessions only."""
        return not rule.startswith(('signer-', 'delete-key', 'endorsement'))

    def end(self):
        """The exit status, as findings."""
        self.process.stdin.close()
        status = self.process.wait()
        return [f'status {status}'] if status else []


def load_cddl():
    """The session's rules, and behind them the signer's packets."""
    base = session_cddl.load(os.path.join(TOP, 'proto', 'session.cddl'))
    text = ''
    for name in ('proto/session.cddl', 'tests/fields/packets.cddl'):
        with open(os.path.join(TOP, name), encoding='utf-8') as file:
            text += file.read()
    return walk.Walk(text, closed=base.closed, extra=base.extra)


class Table:
    """What was found: rows[tap][field name][change][kind] = who, number."""

    def __init__(self):
        self.rows, self.types, self.flips = {}, {}, 0
        self.seen = set()     # (rule, key) that were walked
        self.invalid = set()  # ((tap, field, change), kind) that the CDDL forbids

    def add(self, tap, field, change, kind, found):
        """One flip."""
        self.flips += 1
        row = self.rows.setdefault(tap, {}).setdefault(field.name, {})
        row.setdefault(change, {})[kind] = found
        if field.where:
            self.types[(tap, field.name)] = walk.words(field.node)


def run_all(program, table, todo):
    """Each flip, by programs that run side by side; added in their order."""
    free, findings = queue.Queue(), []
    for _ in range(PROGRAMS):
        free.put(Sessions(program))

    def run(flip):
        sessions = free.get()
        kind, tap, field, _, function = flip
        found = sessions.run(kind, tap, field.path, function)
        free.put(sessions)
        return found

    with ThreadPoolExecutor(PROGRAMS) as pool:
        for flip, found in zip(todo, pool.map(run, todo)):
            kind, tap, field, change, _ = flip
            table.add(tap, field, change, kind, found)
    while not free.empty():
        findings += free.get().end()
    return findings


def plan_all(sessions, cddl, table, limits):
    """Every field of every tap of the plan, and every limit in it, at once."""
    todo = []
    for kind, wants in plan.KINDS:
        for tap, (rule, raw) in sessions.list(kind).items():
            limits.take(tap, rule, raw)
            limits.take_size(tap, rule, raw)
            flips = walk.Flips(cddl, rule, decode(raw))
            table.seen |= {f.where for f in flips.fields if f.where}
            for field in flips.fields:
                for change, function in flips.of(field):
                    if not wants(tap, field.name, change) or \
                            plan.is_overwritten(tap, field, change):
                        continue
                    if not flips.is_valid(walk.edit(
                            flips.value, field.path, function)):
                        table.invalid.add(((tap, field.name, change), kind))
                    todo.append((kind, tap, field, change, function))
    return todo


def report(number, sentence, findings):
    """One line of TAP."""
    print(f'{"not " if findings else ""}ok {number} - {sentence}')
    for finding in findings:
        print(f'# {finding}')


def main():
    """TAP on standard output."""
    table, cddl = Table(), load_cddl()
    sessions = Sessions(sys.argv[1])
    limits = bounds.Bounds(sessions, cddl)
    todo = plan_all(sessions, cddl, table, limits)
    ended = run_all(sys.argv[1], table, todo)
    text, reasons = page.make(table)
    pages = {page.PATH: text,
             page.LIMITS: page.limits(limits, bounds.EXPLAINED)}
    if '--write' in sys.argv:
        for path, content in pages.items():
            with open(path, 'w', encoding='utf-8') as file:
                file.write(content)
    fields = sum(map(len, table.rows.values()))
    report(1, f'each of {table.flips} flips in {fields} fields is found, or '
           'there is a reason why not', reasons.missing)
    report(2, 'each reason has a flip', reasons.unused())
    report(3, 'each field of the CDDL is flipped, or there is a reason why not',
           list(plan.not_walked(cddl, table.seen)))
    report(4, f'each of {len(limits.rows)} limits holds, in {limits.tries} '
           'tries at, below and above', list(limits.findings()))
    report(5, 'docs/fields.md and docs/limits.md are what this run gives',
           [line for path, content in pages.items()
            for line in page.differences(path, content)])
    report(6, 'the programs that play them end well',
           ended + sessions.end())
    print('1..6')


if __name__ == '__main__':
    main()
