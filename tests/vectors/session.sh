#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Recorded sessions and evidence, and a session of today's code, checked by an
# implementation in another language that has only the specification.
top=$(cd "$(dirname "$0")/../.." && pwd)
here=$top/tests/vectors
build=${BUILD:-$top/build}

/usr/bin/python3 -c 'import cbor2, cryptography' 2>/dev/null || {
	echo '1..0 # SKIP python3-cbor2 or python3-cryptography is not installed'
	exit 0
}
work=$(mktemp -d "${TMPDIR:-/tmp}/w.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# $1: folder of the files, $2: folder of the roots
arguments() {
	for n in 1 2; do
		printf '%s\n' --session "$1/session-suite$n.json" \
		    --evidence "$1/evidence-suite$n.cbor" \
		    "$2/vendor-root.pem" "$2/issuer-root.pem" \
		    --self-test "$1/session-suite$n.json" \
		    "$1/evidence-suite$n.cbor"
	done
}

# What cannot be played here is missing below, and fails for that.
play() {
	"$build/cardwright-keys" dev --dir "$work/tree" --cards 2 \
	    --url https://issuer.test:8443 || return
	"$build/tests/make_session" "$work/tree" "$work"
}
play >"$work/log" 2>&1 || sed 's/^/# /' "$work/log"

cd "$here" || exit 1
# The names hold no spaces.
# shellcheck disable=SC2046
./verify_session.py --cddl $(arguments . .) \
    $(arguments "$work" "$work/tree" | sed '/--self-test/,+2d') |
    sed "s|$work/|fresh |g"
