#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# RUN: plain-only
# A session that the issuer has ended for good: the card gets rid of it, and the
# next invitation works.
. "${TOP:-.}/tests/e2e/lib.sh"
. "$TOP/tests/e2e/lib-issuer.sh"
. "$TOP/tests/e2e/lib-agent.sh"

R=$WORK/reader
reader_start "$R" || skip_all "$reader_why"

issuer_begin
personalise() { # N AS
	"$BUILD/cardwright-card" --state "$WORK/card-$1" \
		--personalise "$K/cards/card-$2.personalisation" >/dev/null
}
personalise 1 1
personalise 2 2
personalise 3 2

invite() {
	admin invite --subject 'CN=Test holder' --profile "$1"
}

enroll() {
	setsid -w "$AGENT" enroll "$1" --yes --pin-fd 3 --ca "$K/tls-root.pem" \
		--timeout 60 3<"$WORK/pins"
}

ends() { # STATUS COMMAND...: it ends with this exit status
	wanted=$1
	shift
	"$@" >"$WORK/said" 2>&1
	status=$?
	[ "$status" = "$wanted" ] || {
		echo "exit status $status, not $wanted:"
		cat "$WORK/said"
		return 1
	}
}

put_in() { # N: card N, instead of another
	[ -z "${in:-}" ] || card_stop "$R" 0
	card_start "$R" 0 "$WORK/card-$1"
	in=$1
}

# Who still waits for operators: one that was rejected is listed until the issuer
# has ended it.
waiting() {
	admin approvals | grep -v ', rejected' | cut -d' ' -f1
}

approve_all() {
	for session in $(waiting); do
		for o in 1 2; do
			admin approve "$session" \
				--operator-key "$K/operator-$o.key" \
				--subject "CN=Test holder" >/dev/null || return 1
		done
	done
}

ok 'card 1 is in the reader' put_in 1
url=$(invite approved)
ok 'it waits for operators' ends 16 enroll "$url"
ok 'so does card 2, with the same invitation' put_in 2
ok 'as it says' ends 16 enroll "$url"
session=$(waiting | head -1)
ok 'nobody approves for another person than he thinks' ends 14 admin approve \
	"$session" --operator-key "$K/operator-1.key" --subject 'CN=Other'
ok 'nor unasked' ends 18 setsid -w "$BUILD/cardwright-admin" --config \
	"$K/test.ini" approve "$session" --operator-key "$K/operator-1.key"
ok 'both are approved' approve_all
ok 'card 1 is back' put_in 1
ok 'and gets the one certificate that there is' ends 0 enroll "$url"
ok 'card 2 is back' put_in 2
ok 'and is refused: its session has ended' ends 11 enroll "$url"
new=$(invite person)
ok 'but it takes a new invitation' ends 0 enroll "$new"

# What the holder can do without the issuer.
url=$(invite approved)
ok 'card 3 is in the reader' put_in 3
ok 'it waits, too' ends 16 enroll "$url"
session=$(waiting)
ok 'the holder aborts that' ends 0 "$AGENT" abort "$URL"
ok 'once' ends 12 "$AGENT" abort "$URL"
new=$(invite person)
ok 'and a new session begins' ends 0 enroll "$new"
ok 'an operator rejects the old one' admin reject "$session" \
	--operator-key "$K/operator-1.key" --subject "CN=Test holder"

personalise 4 1
ok 'card 4 is in the reader' put_in 4
url=$(invite approved)
ok 'it waits as well' ends 16 enroll "$url"
session=$(waiting | head -1)
ok 'until the invitation is withdrawn' admin withdraw "$url"
nothing() {
	! admin approvals | grep "$session"
}
ok 'nobody is asked any more' nothing
ok 'and nobody can approve' ends 11 admin approve "$session" \
	--operator-key "$K/operator-1.key" --subject "CN=Test holder"
# The issuer looks for such sessions now and then, and ends them.
has_expired() {
	admin sessions | grep -q "^$session  expired"
}
ok 'and the session ends' wait_for has_expired
ok 'and still nobody can approve, for the same reason' ends 11 admin approve \
	"$session" --operator-key "$K/operator-1.key" --subject "CN=Test holder"
# The issuer may know the invitation as it was for a second.
ok 'the session has ended' wait_for ends 11 enroll "$url"
new=$(invite person)
ok 'the card takes another invitation' ends 0 enroll "$new"
finish
