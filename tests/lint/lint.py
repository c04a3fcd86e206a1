#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The project's own rules, as TAP: lint.py RULE, from the top of the tree.

A rule is a function that takes the top folder and yields findings. EXAMPLES
has, for every rule, trees that it must refuse and one that it must accept:
a rule that finds nothing anywhere is no rule.
"""
import os
import shutil
import sys
import tempfile

import code_rules
import page_rules

EXAMPLES = {**code_rules.EXAMPLES, **page_rules.EXAMPLES}


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
