#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The agent as a real process over a real reader, killed (kill -9) behind each of
# the eight steps and run again: one certificate for each card, whatever
# happened.
# RUN: plain-only
. "${TOP:-.}/tests/e2e/lib.sh"
. "$TOP/tests/e2e/lib-issuer.sh"

. "$TOP/tests/e2e/lib-agent.sh"

R=$WORK/reader

reader_start "$R" || skip_all "$reader_why"

issuer_begin

enroll() {
	exec setsid -w "$AGENT" enroll "$u" --ca "$K/tls-root.pem" --yes --json \
	    --timeout 60 --pin-fd 3 3<"$WORK/pins"
}
# Kills the agent as soon as it has said that it is behind the step.
killed_behind() {
	mkfifo "$WORK/said"
	"$AGENT" enroll "$u" --ca "$K/tls-root.pem" --yes --json --timeout 60 \
	    --pin-fd 3 3<"$WORK/pins" >"$WORK/said" 2>"$WORK/agent.err" &
	agent=$!
	while read -r line; do
		case $line in
		*'"step":'"$1",*)
			kill -9 "$agent"
			break
			;;
		esac
	done <"$WORK/said"
	rm "$WORK/said"
	wait "$agent" 2>/dev/null
	status=$?
	# It may have been faster, and then it is done.
	[ "$status" = 137 ] || [ "$status" = 0 ]
}
# What it says does not matter: if it was killed when all was done, then that
# the invitation has been used.
goes_on() {
	[ "$status" = 0 ] || (enroll) || :
	[ "$(certificates active)" = "$1" ] &&
	    [ "$(certificates pending)" = 0 ]
}

for step in 1 2 3 4 5 6 7 8; do
	S=$WORK/card.$step
	"$BUILD/cardwright-card" --state "$S" \
	    --personalise "$K/cards/card-1.personalisation" >/dev/null
	card_start "$R" 0 "$S" || finish
	u=$("$BUILD/cardwright-admin" --config "$K/test.ini" invite \
	    --subject "CN=Holder $step" --profile person)
	ok "the agent is killed behind step $step" killed_behind "$step"
	ok "run again, it ends with one certificate" goes_on "$step"
	card_stop "$R" 0
done
finish
