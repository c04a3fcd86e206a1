#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs/behaviours.md and docs/limits.md name tests that exist.
exec /usr/bin/python3 tests/lint/lint.py behaviours limits
