#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What no source file does, and what each has.
exec /usr/bin/python3 tests/lint/lint.py calls comments macros spdx shell
