#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The conformance kit over PC/SC: the reference card passes; the report, its
# exit statuses, and what it refuses to begin with.
# RUN: plain-only
. "${TOP:-.}/tests/e2e/lib.sh"

KIT=$BUILD/cardwright-conformance
R=$WORK/reader
S=$WORK/card.state
K=$WORK/keys
READER='Virtual PCD 00 00'

reader_start "$R" || skip_all "$reader_why"
"$BUILD/cardwright-keys" dev --dir "$K" >/dev/null
"$BUILD/cardwright-card" --state "$S" \
    --personalise "$K/cards/card-1.personalisation" >/dev/null
ok 'a card comes in' card_start "$R" 0 "$S"

kit() {
	"$KIT" --reader "$READER" --vendor-root "$K/vendor-root.pem" "$@"
}
passes() {
	kit --erase --json "$WORK/report.json" >"$WORK/report" &&
	    tail -n 1 "$WORK/report" | grep -q ' 0 failed, '
}
ok 'the reference card passes over PC/SC' passes
note "$(tail -n 1 "$WORK/report")"
agrees() {
	[ "$(grep -c '"verdict": "passed"' "$WORK/report.json")" = \
	    "$(tail -n 1 "$WORK/report" | cut -d ' ' -f 1)" ] &&
	    /usr/bin/python3 -m json.tool "$WORK/report.json" >/dev/null
}
ok 'the report in JSON says the same' agrees
cannot_cut() {
	grep -A 1 ' cut-close-before ' "$WORK/report" |
	    grep -q 'power cannot be cut here'
}
ok 'what cannot be tried is reported as not supported' cannot_cut
lists() {
	"$KIT" --list | grep -q '^5.3 *R-signature '
}
ok 'the checks are listed with their clauses' lists

status_is() {
	want=$1
	shift
	"$@" >"$WORK/out" 2>&1
	[ $? = "$want" ]
}
ok 'nothing is erased unless told' status_is 2 kit --only caps
"$BUILD/cardwright-keys" dev --dir "$WORK/other" >/dev/null
ok 'a card of another vendor fails' status_is 1 "$KIT" --erase \
    --reader "$READER" --vendor-root "$WORK/other/vendor-root.pem" \
    --only chain-mode-2
says() {
	grep -q "$1" "$WORK/out"
}
ok 'and the report says why' says UNTRUSTED_CHAIN
ok 'a reader that is not there is told' status_is 2 "$KIT" --erase \
    --reader nobody --vendor-root "$K/vendor-root.pem"
ok 'by its name' says 'reader'
finish
