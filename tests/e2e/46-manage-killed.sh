#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Renewal, unlock and deletion, with the issuer killed (kill -9) or the card cut
# off behind the list, behind the new key, and behind CLOSE: what is valid and what the
# card holds is before or after, and the same invitation ends well.
# RUN: plain-only TIMEOUT: 420
. "${TOP:-.}/tests/e2e/lib.sh"
. "$TOP/tests/e2e/lib-issuer.sh"
. "$TOP/tests/e2e/lib-agent.sh"

R=$WORK/reader
S=$WORK/card.state
reader_start "$R" || skip_all "$reader_why"
issuer_begin "127.0.0.1:$(free_port)"

run() {
	setsid -w "$AGENT" enroll "$@" --ca "$K/tls-root.pem" --yes --json \
	    --timeout 30 --pin-fd 3 3<"$WORK/pins"
}

# ---- what there is ----

# The serial number of the certificate in slot 9A, if there is one.
card_serial() {
	rm -f "$WORK/cert.der"
	pkcs11-tool --read-object --type cert --id 01 \
	    --output-file "$WORK/cert.der" >/dev/null 2>&1
	[ -s "$WORK/cert.der" ] &&
	    openssl x509 -inform der -in "$WORK/cert.der" -noout -serial |
	    sed 's/.*=//' | tr A-F a-f
}
status() {
	admin list | awk -v s="$1" '$1 == s { print $2 }'
}
# Of the card's holder: a new one for each case.
of_holder() {
	admin list | grep "CN=Holder $n$" | grep -c " $1 "
}
apdu() {
	opensc-tool --send-apdu 00:A4:04:00:09:A0:00:00:03:08:00:00:10:00 "$@"
}
wrong=00:20:00:80:08:39:39:39:31:31:31:FF:FF
block() {
	apdu --send-apdu $wrong --send-apdu $wrong --send-apdu $wrong |
	    grep -q 'SW1=0x69, SW2=0x83'
}
has_tries() {
	apdu --send-apdu 00:20:00:80 | grep -q "SW1=0x$1, SW2=0x$2"
}

# ---- the ends ----

# The agent sends again until the issuer is back; without its card it ends, and only
# then the card comes back. Now and then the virtual reader does not see a card that
# comes behind one that was cut off: then it comes once more.
end_issuer() {
	issuer_stop KILL
	in_between
	issuer_start
}
end_card() {
	card_stop "$R" 0 KILL
}
back_issuer() {
	:
}
back_card() {
	in_between
	looks=0
	card_in && wait_for card_seen
}
card_in() {
	VPCD_PORT=35963 "$TOP/scripts/reader" run "$R" "$CARD_PROGRAM" \
	    --state "$S" --port 35963 </dev/null >>"$R/card.0.log" 2>&1 &
	echo $! >"$R/card.0.pid"
}
card_seen() {
	slot_has "$R" 0 Yes && return
	looks=$((looks + 1))
	[ $((looks % 20)) != 0 ] || { card_stop "$R" 0 KILL && card_in; }
	return 1
}
# At no moment is more valid than one certificate; and less only behind a deletion.
in_between() {
	valid=$(of_holder active)
	[ "$valid" = 1 ] || { [ "$action" = manage ] && [ "$valid" = 0 ]; } ||
	    echo "$valid certificates are active in between" >>"$WORK/bad"
}

# killed WHO STEP: runs the invitation; WHO ends behind the STEPth step.
killed() {
	mkfifo "$WORK/steps"
	run "$u" >"$WORK/steps" 2>"$WORK/agent.err" &
	agent=$!
	seen=0
	while read -r line; do
		case $line in
		*'"event":"step"'*)
			seen=$((seen + 1))
			[ $seen != "$2" ] || "end_$1" || echo "$1" >>"$WORK/bad"
			;;
		esac
	done <"$WORK/steps"
	rm "$WORK/steps"
	wait "$agent"
	agent_status=$?
	[ $seen -ge "$2" ] && "back_$1"
}
# If all was done when the end came, the invitation has been used.
goes_on() {
	[ $agent_status = 0 ] || says 0 '"event":"done"' run "$u" ||
	    grep -q '"error":602' "$WORK/said"
}
right_after_renew() {
	[ "$(of_holder active)" = 1 ] && [ "$(of_holder pending)" = 0 ] &&
	    new=$(card_serial) && [ "$new" != "$old" ] &&
	    [ "$(status "$new")" = active ] && is_revoked "$old"
}
is_revoked() {
	wait_for has_status "$1" revoked
}
has_status() {
	[ "$(status "$1")" = "$2" ]
}
right_after_unlock() {
	[ "$(of_holder active)" = 1 ] && has_status "$old" active &&
	    [ "$(card_serial)" = "$old" ] && has_tries 63 C3
}
right_after_manage() {
	is_revoked "$old" && [ "$(of_holder active)" = 0 ] && ! card_serial
}

begun() {
	card_stop "$R" 0
	rm -f "$S" "$WORK/bad"
	"$BUILD/cardwright-card" --state "$S" \
	    --personalise "$K/cards/card-1.personalisation" >/dev/null
	looks=0
	card_in && wait_for card_seen || return 1
	u=$(admin invite --subject "CN=Holder $n" --profile person --mode 2)
	run "$u" || return 1
	old=$(admin list | awk -v h="$n" '$0 ~ "CN=Holder " h "$" { print $1 }')
	[ "$action" != unlock ] || block || return 1
	u=$(admin invite --action "$action" --subject "CN=Holder $n")
}
# holds WHO STEP: the whole case.
holds() {
	begun || return 1
	killed "$1" "$2" || { cat "$WORK/agent.err"; return 1; }
	goes_on || return 1
	"right_after_$action" || { admin list; return 1; }
	! cat "$WORK/bad" 2>/dev/null
}

n=0
for who in issuer card; do
	for case in renew/6 renew/8 renew/10 unlock/6 unlock/8 manage/6 manage/8; do
		action=${case%/*}
		n=$((n + 1))
		ok "$action: the $who ends behind step ${case#*/} of it, and it goes on" \
		    holds "$who" "${case#*/}"
	done
done
finish
