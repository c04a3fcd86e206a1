#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The layout of the text.
clang-format --version 2>/dev/null | grep -q 'version 14' || {
	echo '1..0 # SKIP clang-format 14 is not installed'
	exit 0
}
exec /usr/bin/python3 tests/lint/lint.py layout
