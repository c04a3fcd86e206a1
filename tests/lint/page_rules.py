# SPDX-License-Identifier: Apache-2.0
"""Rules that hold tables and pages to code and tests, and EXAMPLES for each
(lint.py)."""
import os
import re

from tree import files, read


def errors(top):
    """the numbers and names of the error table are unique"""
    path = 'proto/base/errors.def'
    if not os.path.exists(os.path.join(top, path)):
        return
    seen = {}
    text = read(top, path)
    rows = re.findall(r'^CW_ERR\((\d+),\s*(\w+),\s*\w+,\s*"([^"]*)",'
                      r'\s*"([^"]*)"\)', text, re.M)
    if len(rows) != len(re.findall(r'^CW_ERR\(', text, re.M)) or not rows:
        yield '%s: a row that is not CW_ERR(number, NAME, ...)' % path
    for number, name, what, remedy in rows:
        for key in (number, name):
            if key in seen:
                yield '%s: %s is both %s and %s' % (path, key, seen[key], name)
            seen[key] = name
        for sentence in (what, remedy):
            if not re.match(r'[A-Z].*[.?!]$', sentence):
                yield '%s: %s: "%s" is no sentence' % (path, name, sentence)
    page = 'docs/errors.md'
    if os.path.exists(os.path.join(top, page)):
        documented = set(re.findall(r'\b\d{3,}\b', read(top, page)))
        for number, name, _, _ in rows:
            if number not in documented:
                yield '%s: error %s (%s) is missing' % (page, number, name)


def kit_checks(top):
    return set(re.findall(r'^\t\{ "([\w-]+)", "[\d.]+",', '\n'.join(
        read(top, p) for p in files(top, '.c', folders=('tests',))
        if os.path.basename(p).startswith('check_')), re.M))


def wrong_cards(top):
    """each check of the conformance kit has a wrong card that it catches"""
    caught = set(re.findall(r'^WRONG_CARD\("[\w-]+", "([\w-]+)"\)', '\n'.join(
        read(top, p) for p in files(top, '.def', folders=('tests',))), re.M))
    for name in sorted(kit_checks(top) - caught):
        yield 'no wrong card is caught by "%s"' % name


def musts(top):
    """each MUST of docs/protocol.md has its checks in the conformance kit"""
    page, table = 'docs/protocol.md', 'tests/conformance/musts'
    if not os.path.exists(os.path.join(top, page)):
        return
    # Where the word itself is explained, it obliges nobody.
    text = ' '.join(read(top, page).split()).replace('MUST is used', '')
    checks = kit_checks(top)
    tests = {os.path.basename(p)[:-2]
             for p in files(top, '_test.c', folders=('tests',))}
    open_ones = {m.start() for m in re.finditer(r'\bMUST\b', text)}
    rows = read(top, table) if os.path.exists(os.path.join(top, table)) else ''
    for row in rows.splitlines():
        words, _, held = (part.strip() for part in row.partition('|'))
        if not words or words.startswith('#'):
            continue
        if text.count(words) != 1 or words.count('MUST') != 1:
            yield '%s: "%s" is not once in the page' % (table, words)
            continue
        open_ones.discard(text.index(words) + words.index('MUST'))
        names = re.findall(r'\w+_test\b', held) if held.startswith('- ') else \
            held.split()
        known = tests if held.startswith('- ') else checks
        if not names or any(n not in known for n in names):
            yield '%s: "%s": no such check or test: %s' % (table, words, held)
    for at in sorted(open_ones):
        yield '%s: nothing holds "%s"' % (page, text[max(0, at - 30):at + 40])


def programs(top):
    """The tests by name, with their text."""
    return {os.path.basename(p)[:-2]: read(top, p)
            for p in files(top, '_test.c', folders=('tests',))}


def named(cell):
    return re.findall(r'`(\w+): (\w+)`', cell)


def is_run(text, sentence):
    """A test stands in a program: once where it is written, and once where it
    is run."""
    return re.search(r'^%s\(void \*\*state\)$' % sentence, text, re.M) and \
        len(re.findall(r'\b%s\b' % sentence, text)) >= 2


def absent(tests, cell):
    """The tests that a cell names and that are not run."""
    return ['%s: %s' % one for one in named(cell)
            if not is_run(tests.get(one[0], ''), one[1])]


def behaviours(top):
    """docs/behaviours.md has every row, and names tests that exist and run"""
    page = 'docs/behaviours.md'
    if not os.path.exists(os.path.join(top, page)):
        return
    tests = programs(top)
    rows = re.findall(r'^\| (\w+) \| ([^|]+) \| ([^|]+) \|$', read(top, page),
                      re.M)
    wanted = [str(n) for n in range(1, 85) if n != 59] + \
        ['K%d' % n for n in range(1, 32)] + ['H%d' % n for n in range(1, 17)]
    if [row[0] for row in rows] != wanted:
        yield '%s: rows are missing, or not in their order' % page
    for number, _, ours in rows:
        if not named(ours) and not ours.startswith('Not here: '):
            yield '%s: %s has neither a test nor a reason' % (page, number)
        for one in absent(tests, ours):
            yield '%s: %s: there is no %s' % (page, number, one)


def limits(top):
    """docs/limits.md names for each limit tests that exist and run"""
    page = 'docs/limits.md'
    if not os.path.exists(os.path.join(top, page)):
        return
    tests = programs(top)
    table = read(top, page).split('\n## ')[1]
    for what, *_, ours in re.findall(
            r'^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$',
            table, re.M)[1:]:
        scripts = re.findall(r'`([\w/-]+\.sh)`', ours)
        if not named(ours) and not scripts:
            yield '%s: %s has no test' % (page, what)
        for one in absent(tests, ours):
            yield '%s: %s: there is no %s' % (page, what, one)
        for script in scripts:
            if not os.path.exists(os.path.join(top, 'tests', script)):
                yield '%s: %s: there is no tests/%s' % (page, what, script)


BEHAVIOURS = ''.join('| %s | b | `a_test: it_holds` |\n' % n for n in (
    [n for n in range(1, 85) if n != 59] +
    ['K%d' % n for n in range(1, 32)] + ['H%d' % n for n in range(1, 17)]))
A_TEST = 'static void\nit_holds(void **state)\n{\n}\nmain: it_holds\n'


def limit(test):
    """A page with one limit."""
    return '# L\n\n## a\n\n| w | l | s | b | t |\n|---|---|---|---|---|\n' \
        '| w | 1 | [a](a.md) | 2 | %s |\n' % test


# rule: (trees it must find something in, a tree it must accept)
EXAMPLES = {
    errors: ([
        {'proto/base/errors.def': 'CW_ERR(1, A, INPUT, "A.", "B.")\n'
         'CW_ERR(1, B, INPUT, "A.", "B.")\n'},
        {'proto/base/errors.def': 'CW_ERR(1, A, INPUT, "A.", "B.")\n'
         'CW_ERR(2, A, INPUT, "A.", "B.")\n'},
        {'proto/base/errors.def': 'CW_ERR(1, A, INPUT, "A", "B.")\n'},
        {'proto/base/errors.def': 'CW_ERR(x, A, INPUT, "A.", "B.")\n'},
        {'proto/base/errors.def': 'CW_ERR(100, A, INPUT, "A.", "B.")\n',
         'docs/errors.md': '101\n'},
    ], {'proto/base/errors.def': 'CW_ERR(100, A, INPUT, "A.", "B.")\n'
        'CW_ERR(101, B, INPUT, "A.", "B.")\n',
        'docs/errors.md': '| 100 | A |\n| 101 | B |\n'}),
    behaviours: ([
        {'docs/behaviours.md': BEHAVIOURS},
        {'docs/behaviours.md': BEHAVIOURS, 'tests/a_test.c': A_TEST.replace('main: it_holds', '')},
        {'docs/behaviours.md': BEHAVIOURS,
         'tests/a_test.c': A_TEST.replace('it_holds(', 'it_fails(')},
        {'docs/behaviours.md': BEHAVIOURS.replace('| 4 |', '| 59 |'),
         'tests/a_test.c': A_TEST},
        {'docs/behaviours.md': BEHAVIOURS.replace('| 4 | b | `a_test: it_holds`',
                                                  '| 4 | b | soon'),
         'tests/a_test.c': A_TEST},
    ], {'docs/behaviours.md': BEHAVIOURS.replace(
        '| 4 | b | `a_test: it_holds`', '| 4 | b | Not here: no'),
        'tests/a_test.c': A_TEST}),
    limits: ([
        {'docs/limits.md': limit('none')},
        {'docs/limits.md': limit('`a_test: it_holds`')},
        {'docs/limits.md': limit('`e2e/a.sh`')},
    ], {'docs/limits.md': limit('`a_test: it_holds`, `e2e/a.sh`'),
        'tests/a_test.c': A_TEST, 'tests/e2e/a.sh': ''}),
    musts: ([
        {'docs/protocol.md': 'A card MUST sing.\n'},
        {'docs/protocol.md': 'A card MUST sing.\n',
         'tests/conformance/musts': 'card MUST sing | song\n'},
        {'docs/protocol.md': 'A card MUST sing.\n',
         'tests/conformance/musts': 'card MUST sing | - the issuer\n'},
        {'docs/protocol.md': 'A card MUST sing.\n',
         'tests/conformance/musts': 'card MUST dance | song\n',
         'tests/conformance/check_a.c': '\t{ "song", "8", "it sings", f },\n'},
    ], {'docs/protocol.md': 'MUST is used so. A card MUST\nsing, and MUST '
        'NOT be heard.\n',
        'tests/conformance/musts': '# rows\ncard MUST sing | song\n'
        'and MUST NOT be heard | - the agent: ear_test\n',
        'tests/unit/ear_test.c': '\n',
        'tests/conformance/check_a.c': '\t{ "song", "8", "it sings", f },\n'}),
    wrong_cards: ([
        {'tests/conformance/check_a.c': '\t{ "song", "8", "it sings", f },\n'},
        {'tests/conformance/check_a.c': '\t{ "song", "8", "it sings", f },\n',
         'tests/unit/a.def': 'WRONG_CARD("mute", "dance")\n'},
    ], {'tests/conformance/check_a.c': '\t{ "song", "8", "it sings", f },\n',
        'tests/unit/a.def': 'WRONG_CARD("mute", "song")\n'}),
}
