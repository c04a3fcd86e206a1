#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Who may include whom, and which file may use which outside library.
exec /usr/bin/python3 tests/lint/lint.py layers libraries
