# SPDX-License-Identifier: Apache-2.0
"""Rules about the text of the code itself, and EXAMPLES for each (lint.py)."""
import fnmatch
import os
import re
import subprocess

from tree import FOLDERS, files, read

HERE = os.path.dirname(os.path.abspath(__file__))
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


SPDX = '/* SPDX-License-Identifier: Apache-2.0 */\n'
# rule: (trees it must find something in, a tree it must accept)
EXAMPLES = {
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
    shell: ([{'scripts/a': '#!/bin/sh\nif\n'}, {'tests/a.sh': 'fi\n'}],
            {'scripts/a': '#!/bin/sh\ntrue\n'}),
    layout: ([
        {'card/a.c': 'int a(void) { return 1; }\n'},
        {'card/a.c': 'int\na(void)\n{\n    return 1;\n}\n'},
    ], {'card/a.c': 'int\na(void)\n{\n\treturn 1;\n}\n'}),
}
