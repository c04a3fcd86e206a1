#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Headers that stand alone.
exec /usr/bin/python3 tests/lint/lint.py headers
