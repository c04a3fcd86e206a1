#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Files and functions that fit in the mind.
exec /usr/bin/python3 tests/lint/lint.py file_size function_length
