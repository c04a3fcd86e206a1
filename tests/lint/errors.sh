#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The error table.
exec /usr/bin/python3 tests/lint/lint.py errors
