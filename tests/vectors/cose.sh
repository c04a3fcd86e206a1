#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Examples of the COSE working group (github.com/cose-wg/Examples).
top=$(cd "$(dirname "$0")/../.." && pwd)
vectors=$top/../shared/vectors/cose-wg-examples

if ! test -d "$vectors"; then
	echo '1..0 # SKIP the COSE examples are not on this machine'
	exit 0
fi
cd "$vectors" || exit 1
# The names hold no spaces.
# shellcheck disable=SC2046
exec "${BUILD:-$top/build}/tests/run_cose" \
    $(find . -name '*.json' | LC_ALL=C sort)
