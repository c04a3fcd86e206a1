#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The project's own rules, as TAP: lint.py RULE, from the top of the tree.

A rule is a function that takes the top folder and yields findings. EXAMPLES
has, for every rule, trees that it must refuse and one that it must accept:
a rule that finds nothing anywhere is no rule.
"""
import fnmatch
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDERS = ('proto', 'keys', 'card', 'agent', 'server')
MAY_INCLUDE = {
    'proto/base': ('proto/base',),
    'proto': ('proto/base', 'proto'),
    'keys': ('proto/base', 'proto', 'keys'),
    'card': ('proto/base', 'proto', 'card'),
    'agent': ('proto/base', 'proto', 'agent'),
    'server': ('proto/base', 'proto', 'keys', 'server'),
}
FILE_MAX, FUNCTION_MAX = 500, 60
FORBIDDEN = {
    'strcpy strcat strncat sprintf vsprintf gets': 'knows no size',
    'strncpy stpcpy': 'may leave no NUL or knows no size',
    'rand srand random srandom drand48': 'is not random',
    'system popen': 'goes through a shell',
    'alloca strdupa': 'has no limit',
    'strtok localtime gmtime ctime asctime': 'has hidden shared state',
    'atoi atol atoll atof': 'hears no error',
    'tmpnam tempnam mktemp': 'can be overtaken',
    'cbor_load': 'allocates what a stranger declares',
    'mg_handle_form_request mg_send_file mg_send_mime_file mg_send_file_body':
        'has known overflows',
    'vfork': 'shares the stack',
}
CHECKED_FOR_SPDX = ('.c', '.h', '.py', '.sh', '.js', '.mjs', '.pv', '.cddl')


def files(top, *ends, folders=FOLDERS + ('tests',)):
    for folder in folders:
        for path, dirs, names in os.walk(os.path.join(top, folder)):
            dirs[:] = sorted(d for d in dirs if d not in (
                'node_modules', 'build', '__pycache__', 'dev') and
                not d.startswith('.'))
            for name in sorted(names):
                if name.endswith(ends):
                    yield os.path.relpath(os.path.join(path, name), top)


def read(top, path):
    with open(os.path.join(top, path), errors='replace') as f:
        return f.read()


def code_only(text):
    """Comments and the contents of strings become blanks; lines stay."""
    def blank(m):
        if m.group(0)[0] in '"\'':
            return m.group(0)[0] * 2
        return re.sub(r'[^\n]', ' ', m.group(0))
    return re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
                  blank, text, flags=re.S)


def lines(text):
    return enumerate(text.split('\n'), 1)


def layer_of(path):
    return 'proto/base' if path.startswith('proto/base/') \
        else path.split('/')[0]


def layers(top):
    """card, agent and server never include one another; keys serves server"""
    for path in files(top, '.c', '.h', folders=FOLDERS):
        for n, line in lines(read(top, path)):
            m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if m and (layer_of(m.group(1)) not in MAY_INCLUDE[layer_of(path)]
                      or '/' not in m.group(1) or '..' in m.group(1)):
                yield '%s:%d: may not include "%s"' % (path, n, m.group(1))


def libraries(top):
    """the headers of an outside library are included in its adapter only"""
    with open(os.path.join(HERE, 'libraries')) as f:
        table = [row.split() for row in f if row.split('#')[0].strip()]
    for path in files(top, '.c', '.h', folders=FOLDERS):
        for n, line in lines(read(top, path)):
            m = re.match(r'\s*#\s*include\s+<([^>]+)>', line)
            for header, *globs in table if m else ():
                if re.fullmatch(header, m.group(1)) and not any(
                        fnmatch.fnmatch(path, g) for g in globs):
                    yield '%s:%d: <%s> belongs in %s' % (
                        path, n, m.group(1), ' or '.join(globs))


def file_size(top):
    """no file is longer than 500 lines"""
    for path in files(top, '.c', '.h'):
        n = read(top, path).count('\n')
        if n > FILE_MAX:
            yield '%s: %d lines' % (path, n)


def function_length(top):
    """no function is longer than 60 lines"""
    for path in files(top, '.c', '.h'):
        begin, name, last = 0, '', ''
        for n, line in lines(code_only(read(top, path))):
            if m := re.match(r'(\w+)\(', line):
                name = m.group(1)
            if line.startswith('{'):
                begin = n
            elif line.startswith('}') and begin:
                if n - begin + 1 > FUNCTION_MAX and not last.endswith('='):
                    yield '%s:%d: %s has %d lines' % (
                        path, begin, name, n - begin + 1)
                begin = 0
            last = line.rstrip() or last


def headers(top):
    """every header compiles alone, and twice"""
    include = []
    for name in ('libpcsclite',):
        p = subprocess.run(['pkg-config', '--cflags-only-I', name],
                           capture_output=True, text=True)
        include += p.stdout.split()
    deps = os.path.join(top, '.deps/civetweb/include')
    for path in files(top, '.h'):
        p = subprocess.run(
            ['gcc', '-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror',
             '-fsyntax-only', '-I.', '-isystem', deps, *include, '-xc', '-'],
            input='#include "%s"\n#include "%s"\n' % (path, path), cwd=top,
            capture_output=True, text=True)
        if p.returncode:
            yield '%s: %s' % (path, p.stderr.strip().split('\n')[0])


def calls(top):
    """no function is called that has a better one"""
    why = {name: reason for names, reason in FORBIDDEN.items()
           for name in names.split()}
    call = re.compile(r'(?<![\w.>])(%s)\s*\(' % '|'.join(why))
    for path in files(top, '.c', '.h'):
        for n, line in lines(code_only(read(top, path))):
            for m in call.finditer(line):
                yield '%s:%d: %s %s' % (path, n, m.group(1), why[m.group(1)])


def comments(top):
    """comments are /* */"""
    for path in files(top, '.c', '.h'):
        for n, line in lines(code_only(read(top, path))):
            if '//' in line:
                yield '%s:%d: a // comment' % (path, n)


def macros(top):
    """no macro hides a return or a jump"""
    for path in files(top, '.c', '.h', '.def', folders=FOLDERS):
        text = code_only(read(top, path))
        for m in re.finditer(r'^[ \t]*#[ \t]*define\b(?:.*\\\n)*.*', text,
                             re.M):
            if re.search(r'\b(return|goto)\b', m.group(0)):
                yield '%s:%d: a macro with return or goto' % (
                    path, text[:m.start()].count('\n') + 1)


def spdx(top):
    """every source file names its licence"""
    found = list(files(top, *CHECKED_FOR_SPDX, folders=FOLDERS + (
        'tests', 'scripts', 'mk', 'www', 'docs')))
    for path in files(top, '', folders=('scripts', 'tests', '.ci')):
        if path not in found and '.' not in os.path.basename(path) and \
                read(top, path).startswith('#!'):
            found.append(path)
    for path in found:
        head = '\n'.join(read(top, path).split('\n')[:5])
        if 'SPDX-License-Identifier: Apache-2.0' not in head:
            yield '%s: no SPDX line at its head' % path


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


def shell(top):
    """every shell script can be read by sh"""
    for path in files(top, '', folders=('scripts', 'tests', 'mk', '.ci')):
        text = read(top, path)
        if path.endswith('.sh') or text.startswith('#!/bin/sh'):
            p = subprocess.run(['sh', '-n', os.path.join(top, path)],
                               capture_output=True, text=True)
            if p.returncode:
                yield '%s: %s' % (path, p.stderr.strip())


def layout(top):
    """the C files are as clang-format 14 writes them"""
    p = subprocess.run(
        ['clang-format', '--dry-run', '--Werror', '--style=file'] +
        list(files(top, '.c', '.h')), cwd=top, capture_output=True, text=True)
    first = {}
    for path, line in re.findall(r'^(.+?):(\d+):', p.stderr, re.M):
        first.setdefault(path, line)
    for path, line in first.items():
        yield '%s:%s: "make format FILES=%s" puts it right' % (path, line, path)
    if p.returncode and not first:
        yield 'clang-format ends with %d: %s' % (p.returncode, p.stderr)


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


SPDX = '/* SPDX-License-Identifier: Apache-2.0 */\n'
# rule: (trees it must find something in, a tree it must accept)
def behaviours(top):
    """docs/behaviours.md has every row, and names tests that exist and run"""
    page = 'docs/behaviours.md'
    if not os.path.exists(os.path.join(top, page)):
        return
    tests = {os.path.basename(p)[:-2]: read(top, p)
             for p in files(top, '_test.c', folders=('tests',))}
    rows = re.findall(r'^\| (\w+) \| ([^|]+) \| ([^|]+) \|$', read(top, page),
                      re.M)
    wanted = [str(n) for n in range(1, 85) if n != 59] + \
        ['K%d' % n for n in range(1, 32)] + ['H%d' % n for n in range(1, 17)]
    if [row[0] for row in rows] != wanted:
        yield '%s: rows are missing, or not in their order' % page
    for number, _, ours in rows:
        named = re.findall(r'`(\w+): (\w+)`', ours)
        if not named and not ours.startswith('Not here: '):
            yield '%s: %s has neither a test nor a reason' % (page, number)
        for name, sentence in named:
            if not is_run(tests.get(name, ''), sentence):
                yield '%s: %s: there is no %s: %s' % (
                    page, number, name, sentence)


def is_run(text, sentence):
    """A test stands in a program: once where it is written, and once where it
    is run."""
    return re.search(r'^%s\(void \*\*state\)$' % sentence, text, re.M) and \
        len(re.findall(r'\b%s\b' % sentence, text)) >= 2


def limits(top):
    """docs/limits.md names for each limit tests that exist and run"""
    page = 'docs/limits.md'
    if not os.path.exists(os.path.join(top, page)):
        return
    tests = {os.path.basename(p)[:-2]: read(top, p)
             for p in files(top, '_test.c', folders=('tests',))}
    table = read(top, page).split('\n## ')[1]
    for what, *_, ours in re.findall(
            r'^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$',
            table, re.M)[1:]:
        named = re.findall(r'`(\w+): (\w+)`', ours)
        scripts = re.findall(r'`([\w/-]+\.sh)`', ours)
        if not named and not scripts:
            yield '%s: %s has no test' % (page, what)
        for name, sentence in named:
            if not is_run(tests.get(name, ''), sentence):
                yield '%s: %s: there is no %s: %s' % (
                    page, what, name, sentence)
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


EXAMPLES = {
    limits: ([
        {'docs/limits.md': limit('none')},
        {'docs/limits.md': limit('`a_test: it_holds`')},
        {'docs/limits.md': limit('`e2e/a.sh`')},
    ], {'docs/limits.md': limit('`a_test: it_holds`, `e2e/a.sh`'),
        'tests/a_test.c': A_TEST, 'tests/e2e/a.sh': ''}),
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
    layers: ([
        {'proto/base/a.c': '#include "proto/b.h"\n'},
        {'proto/a.c': '#include "keys/b.h"\n'},
        {'keys/a.h': '#include "server/b.h"\n'},
        {'card/a.c': '#include "keys/b.h"\n'},
        {'agent/a.c': '#  include "card/b.h"\n'},
        {'agent/sub/a.c': '#include "server/b.h"\n'},
        {'server/a.c': '#include "agent/b.h"\n'},
        {'card/a.c': '#include "tests/b.h"\n'},
        {'card/a.c': '#include "b.h"\n'},
        {'card/a.c': '#include "card/../server/b.h"\n'},
    ], {'server/a.c': '#include "keys/b.h"\n#include "proto/base/c.h"\n',
        'tests/a.c': '#include "card/b.h"\n#include "server/b.h"\n'}),
    libraries: ([
        {'proto/cose.c': '#include <cbor.h>\n'},
        {'card/a.c': '#include <openssl/evp.h>\n'},
        {'server/session.c': '#include <sqlite3.h>\n'},
        {'agent/main.c': '#include <winscard.h>\n'},
        {'server/web.h': '#include <civetweb.h>\n'},
    ], {'server/web.c': '#include <civetweb.h>\n#include <stdio.h>\n',
        'tests/a.c': '#include <sqlite3.h>\n'}),
    file_size: ([{'card/a.c': '\n' * 501}], {'card/a.c': '\n' * 500}),
    function_length: ([
        {'card/a.c': 'int\nf(void)\n{\n' + '\tg();\n' * 59 + '}\n'},
        {'card/a.c': 'int a[] = {\n};\nint\nf(int a,\n    int b)\n{\n' +
         '\t/* { */\n' * 59 + '}\n'},
    ], {'card/a.c': 'int\nf(void)\n{\n' + '\tg();\n' * 58 + '}\n' +
        'int a[] = {\n' + '\t1,\n' * 99 + '};\n'}),
    headers: ([
        {'card/a.h': 'uint8_t f(void);\n'},
        {'card/a.h': 'struct a { int b; };\n'},
    ], {'card/a.h': '#ifndef A\n#define A\n#include <stdint.h>\n'
        'struct a { uint8_t b; };\n#endif\n'}),
    calls: ([{'card/a.c': '\t%s(a);\n' % name} for names in FORBIDDEN
             for name in names.split()],
            {'card/a.c': '\tcw_system(a); /* system(a) */ f("rand()");\n'
             '\tops->random(b); arc4random(); gmtime_r(a);\n'}),
    comments: ([{'card/a.c': 'int a; // b\n'}],
               {'card/a.c': 'char a[] = "https://b"; /* // */\n'}),
    macros: ([
        {'card/a.h': '#define TRY(x) if (x) return 1\n'},
        {'card/a.h': '#define TRY(x) do { \\\n if (x) \\\n\tgoto out; \\\n} '
         'while (0)\n'},
    ], {'card/a.h': '#define A "return"\nint f(void) { return 1; }\n'}),
    spdx: ([{'card/a.c': 'int a;\n'}, {'scripts/a': '#!/bin/sh\n'},
            {'tests/a.py': 'a = 1\n'}],
           {'card/a.c': SPDX, 'scripts/a': '#!/bin/sh\n# ' + SPDX,
            'tests/vectors/a': 'data\n'}),
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
    shell: ([{'scripts/a': '#!/bin/sh\nif\n'}, {'tests/a.sh': 'fi\n'}],
            {'scripts/a': '#!/bin/sh\ntrue\n'}),
    layout: ([
        {'card/a.c': 'int a(void) { return 1; }\n'},
        {'card/a.c': 'int\na(void)\n{\n    return 1;\n}\n'},
    ], {'card/a.c': 'int\na(void)\n{\n\treturn 1;\n}\n'}),
}


def on_example(rule, tree):
    top = tempfile.mkdtemp()
    try:
        shutil.copy('.clang-format', top)
        for path, text in tree.items():
            os.makedirs(os.path.dirname(os.path.join(top, path)), exist_ok=True)
            with open(os.path.join(top, path), 'w') as f:
                f.write(text)
        return list(rule(top))
    finally:
        shutil.rmtree(top)


def main():
    rules = {f.__name__: f for f in EXAMPLES}
    names = sys.argv[1:]
    if not names or any(n not in rules for n in names):
        sys.exit('usage: lint.py RULE..., one of ' + ' '.join(rules))
    count = 0

    def result(passed, sentence, notes=()):
        nonlocal count
        count += 1
        print('%s %d - %s' % ('ok' if passed else 'not ok', count, sentence))
        for note in notes:
            print('# ' + note)

    for name in names:
        rule = rules[name]
        bad, good = EXAMPLES[rule]
        missed = [t for t in bad if not on_example(rule, t)]
        result(not missed, '%s refuses the bad examples' % name,
               map(repr, missed))
        wrong = on_example(rule, good)
        result(not wrong, '%s accepts the good example' % name, wrong)
        found = list(rule('.'))
        result(not found, rule.__doc__, found)
    print('1..%d' % count)


if __name__ == '__main__':
    main()
