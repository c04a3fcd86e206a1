# SPDX-License-Identifier: Apache-2.0
"""docs/fields.md and the second part of docs/limits.md, made of what was found."""
import difflib
import os

from reasons import NOBODY, NOT_WALKED, Reasons

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
PATH = os.path.join(TOP, 'docs', 'fields.md')
LIMITS = os.path.join(TOP, 'docs', 'limits.md')
MARK = '## Of each field\n'

HEAD = '''# Every field, flipped

Made by `tests/fields/fields.py --write` from whole sessions of the agent's core,
the reference card, the issuer's engine and its signer; `tests/fields/fields.sh`
plays them again and fails if this page says anything else. In each session one
field of one message is wrong: {flips} flips of {fields} fields. The table says
which end finds it first, and the number ([errors.md](errors.md); of the card, as
the host sees it, the status word).

Who lies stands in the heading. The **network** and the **host** have no keys. Who
has some signs and seals what it changed as if nothing were: the **card** with its
attestation key, the **issuer** with the channel's keys and the management key, the
**web** process towards the **signer**, the grant **authority**, an **operator**.
Where "issuer and agent" lie, the agent shows one R and gives the card another.
An **auditor** has the evidence file.

Fields are named by the rule's labels and keys in
[session.cddl](../proto/session.cddl) (the signer's packets:
`tests/fields/packets.cddl`); `[0]` is the first of several. Columns: another value
of the same type (for lists and maps that is in the rows below them), a value of
another type, taken away, one too many (an optional field added, an unknown key of
0 or more, one more element), an unknown key below 0. Modes 1, 2 and 3 with suites
1, 2 and 1; m1, m2, m3 stand where they differ.
'''

COLUMNS = (('other',), ('type',), ('missing',), ('added', 'unknown', 'more'),
           ('negative',))
TITLES = ('field', 'type', 'other value', 'other type', 'missing', 'too much',
          'below 0')


def _outcome(found, reasons, what):
    who, number = found
    if who == 'nobody':
        return f'nobody, {reasons.number(*what)}'
    if who == 'card, status':
        return f'card {number:04X}'
    return f'{who} {number}' if number else who


def _cell(table, changes, reasons, tap, field):
    texts = []
    for change in changes:
        kinds = table.rows[tap][field].get(change, {})
        by_text = {}
        for kind, found in kinds.items():
            what = (tap, field, change)
            text = _outcome(found, reasons,
                            what + ((what, kind) not in table.invalid,))
            by_text.setdefault(text, []).append(kind)
        if len(by_text) == 1:
            texts += by_text
        else:
            texts += [f'{text} ({_names(of, kinds)})'
                      for text, of in by_text.items()]
    return '; '.join(texts)


def _names(kinds, all_of_them):
    """Modes, and where modes do not tell them apart what else does."""
    modes = [k[2] for k in all_of_them]
    if len(set(modes)) == len(modes):
        return ', '.join(f'm{k[2]}' for k in kinds)
    return ', '.join(k[0] if k[0] != 'enrol' else f'm{k[2]}' for k in kinds)


def _line(cells):
    return '| ' + ' | '.join(cells) + ' |'


def _escape(text):
    return text.replace('|', '\\|')


def _section(table, tap, rows, reasons):
    who, what = tap.split('/', 1)
    yield f'\n### {who}: {what}\n'
    yield _line(TITLES)
    yield '|' + '---|' * len(TITLES)
    for name in rows:
        cells = [_cell(table, changes, reasons, tap, name)
                 for changes in COLUMNS]
        kind = table.types.get((tap, name), '')
        yield _line([f'`{name}`' if name else '(all of it)',
                     _escape(kind)] + cells)


def make(table):
    """The page's text, and the reasons that it used."""
    reasons = Reasons()
    lines = [HEAD.format(flips=table.flips,
                         fields=sum(map(len, table.rows.values())))]
    body = []
    for tap, rows in table.rows.items():
        body += _section(table, tap, rows, reasons)
    lines.append('## Why nobody finds some\n')
    lines += [f'{n}. {why}' for n, (why, _) in enumerate(NOBODY, 1)]
    lines.append('\n## What is not flipped by itself\n')
    lines += [f'- {why}' for why in dict.fromkeys(NOT_WALKED.values())]
    lines.append('\n## The table')
    return '\n'.join(lines + body) + '\n', reasons


UNITS = {'number': '', 'bytes': ' bytes', 'text': ' bytes of UTF-8',
         'elements': ' elements'}


def _answer(number):
    return '' if number is None else str(number) if number else 'taken'


def limits(bounds, explained):
    """docs/limits.md: what stands there, and the table of the CDDL's limits."""
    lines = [MARK, f'{len(bounds.rows)} limits of [session.cddl]'
             '(../proto/session.cddl) and of protocol.md 2, each tried in a '
             'message by its\ndecoder: the number with which it refuses.\n',
             _line(('rule and key', 'limit', 'one below', 'least', 'most',
                    'one above', '')),
             '|' + '---|' * 7]
    for where, row in sorted(bounds.rows.items(), key=lambda item: (
            item[0][0], str(item[0][1]))):
        kind, least, most, answers, _ = row
        size = str(least) if least == most else f'{least}..{most}'
        if str(where[1]).startswith('bytes'):
            size = f'{most}'
            answers = {('below' if k == 'least' else k): v
                       for k, v in answers.items()}
        lines.append(_line(
            [f'`{where[0]}` {where[1]}', size + UNITS[kind]] +
            [_answer(answers.get(which))
             for which in ('below', 'least', 'most', 'above')] +
            [explained.get(where, '')]))
    with open(LIMITS, encoding='utf-8') as file:
        return file.read().split(MARK)[0] + '\n'.join(lines) + '\n'


def differences(path, text):
    """Lines in which the page is not this text."""
    try:
        with open(path, encoding='utf-8') as file:
            old = file.read()
    except FileNotFoundError:
        return ['there is no such page: fields.py --write makes it']
    return [line.rstrip('\n') for line in difflib.unified_diff(
        old.splitlines(True), text.splitlines(True), os.path.basename(path),
        'this run', n=0)][:60]
