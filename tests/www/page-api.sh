#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The page's module www/cardwright.js, by node's own test runner.
# RUN: plain-only
command -v node >/dev/null || {
	echo '1..0 # SKIP node is not installed'
	exit 0
}
exec node --test-reporter=tap "${TOP:-.}/tests/www/cardwright.check.mjs"
