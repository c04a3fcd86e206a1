#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs/behaviours.md names tests that exist.
exec /usr/bin/python3 tests/lint/lint.py behaviours
