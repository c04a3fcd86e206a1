# SPDX-License-Identifier: Apache-2.0
"""The tree whose rules are held: its files and their text."""
import os

FOLDERS = ('proto', 'keys', 'card', 'agent', 'server')


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
