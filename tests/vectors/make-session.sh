#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes session-*.json, evidence-*.cbor and the two roots anew, with new keys:
# build first, run this, run session.sh, commit what changed.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
here=$top/tests/vectors
build=${BUILD:-$top/build}
work=$(mktemp -d "${TMPDIR:-/tmp}/w.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

"$build/cardwright-keys" dev --dir "$work/tree" --cards 2 \
    --url https://issuer.test:8443
"$build/tests/make_session" "$work/tree" "$work"
cp "$work"/session-suite[12].json "$work"/evidence-suite[12].cbor \
    "$work/tree/vendor-root.pem" "$work/tree/issuer-root.pem" "$here/"
