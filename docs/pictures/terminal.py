#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A picture of a terminal from what a program printed (needs python3-rich):

  make demo >/tmp/demo 2>&1; docs/pictures/terminal.py TITLE FROM TO \
      </tmp/demo >docs/pictures/NAME.svg

takes the lines from the first that holds FROM up to the one before the first
after it that holds TO.
"""
import io
import re
import sys

from rich.console import Console
from rich.text import Text

title, start, end = sys.argv[1:]
lines = sys.stdin.read().splitlines()
first = next(i for i, line in enumerate(lines) if start in line)
last = next((i for i, line in enumerate(lines) if i > first and end in line),
            len(lines))
console = Console(record=True, width=92, file=io.StringIO())
for line in lines[first:last]:
    line = line if len(line) <= 92 else line[:89] + '...'
    bare = line.lstrip()
    line = '\u00a0' * (len(line) - len(bare)) + bare
    style = 'bold cyan' if line.startswith('==') else ''
    console.print(Text(line, style=style), soft_wrap=True, highlight=False)
svg = console.export_svg(title=title)
# No fonts from elsewhere.
print(re.sub(r'@font-face \{.*?\}\s*', '', svg, flags=re.S))
