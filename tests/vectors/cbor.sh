#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Items of RFC 8949 Appendix A (github.com/cbor/test-vectors).
top=$(cd "$(dirname "$0")/../.." && pwd)
vectors=$top/../shared/vectors/cbor-appendix-a

if ! test -f "$vectors/appendix_a.json"; then
	echo '1..0 # SKIP the published CBOR items are not on this machine'
	exit 0
fi
exec "${BUILD:-$top/build}/tests/run_cbor" "$vectors/appendix_a.json"
