#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Project Wycheproof's edge cases (github.com/C2SP/wycheproof).
top=$(cd "$(dirname "$0")/../.." && pwd)
vectors=$top/../shared/vectors/wycheproof

if ! test -d "$vectors"; then
	echo '1..0 # SKIP the Wycheproof cases are not on this machine'
	exit 0
fi
exec "${BUILD:-$top/build}/tests/run_wycheproof" "$vectors"/*_test.json
