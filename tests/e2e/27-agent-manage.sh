#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a card holds already, from the command line: a key renewed, a blocked PIN
# unlocked, keys deleted; with a real reader, a real card and a real issuer.
# RUN: plain-only
. "${TOP:-.}/tests/e2e/lib.sh"

. "$TOP/tests/e2e/lib-issuer.sh"
. "$TOP/tests/e2e/lib-agent.sh"

R=$WORK/reader
S=$WORK/card.state
reader_start "$R" || skip_all "$reader_why"
issuer_begin "127.0.0.1:$(free_port)"
card_new() {
	card_stop "$R" 0
	rm -f "$S"
	"$BUILD/cardwright-card" --state "$S" \
	    --personalise "$K/cards/card-$1.personalisation" >/dev/null
	card_start "$R" 0 "$S"
}
ok 'a card comes in' card_new 1

# run URL [OPTION...]: never on a terminal.
run() {
	setsid -w "$AGENT" enroll "$@" --ca "$K/tls-root.pem" --timeout 60 --yes \
	    --pin-fd 3 3<"$WORK/pins"
}
# serial STATUS: of the newest certificate of that status.
serial() {
	admin list | awk -v s="$1" '$2 == s { print $1; exit }'
}
enrolled() {
	u=$(admin invite --subject 'CN=Ada Lovelace,O=Example' --account ada \
	    --profile "$1" --mode 2) && run "$u"
}
ok 'it gets a key in slot 9A' says 0 'Done: the card holds' enrolled person
ok 'and one outside the slots' says 0 'Done: the card holds' \
    enrolled person-ed25519

# ---- renew ----

public_key() {
	pkcs11-tool --read-object --type cert --id 01 \
	    --output-file "$WORK/cert.der" >/dev/null 2>&1 &&
	    openssl x509 -inform der -in "$WORK/cert.der" -noout -serial \
	    -pubkey
}
public_key >"$WORK/before" 2>/dev/null
person=$(admin list | awk '/ person /{ print $1; exit }')
own=$(admin list | awk '/ person-ed25519 /{ print $1; exit }')
u=$(admin invite --action renew --certificates "$person")
ok 'the key in the slot is renewed' says 0 'Done: the card holds' run "$u"
# named DEED: what the question says of Ada's key in 9A.
named() {
	grep -q "$1: CN=Ada Lovelace,O=Example, in slot 9A" "$WORK/said"
}
ok 'and the question names what is replaced' named 'REPLACE keys'
another_key() {
	public_key >"$WORK/after" && [ -s "$WORK/before" ] &&
	    ! cmp "$WORK/before" "$WORK/after"
}
ok 'the slot holds another key and certificate' another_key
is_revoked() {
	admin list | grep -q "^$1  revoked"
}
ok 'the old certificate is revoked, once the card has confirmed' \
    wait_for is_revoked "$person"
ok 'a used invitation says so' says 11 'error 602' run "$u"
u=$(admin invite --action renew --certificates "$own")
ok 'the key outside the slots is renewed with its PIN' \
    says 0 'Done: the card holds' run "$u"
ok 'and its certificate is revoked, too' wait_for is_revoked "$own"
renewed=$(admin list | awk '/active .* person  /{ print $1; exit }')
proven() {
	admin evidence export "$1" --out "$WORK/evidence" &&
	    "$BUILD/cardwright-admin" evidence verify "$WORK/evidence" \
	    --vendor-root "$K/vendor-root.pem" --issuer "$K/issuer-root.pem" &&
	    /usr/bin/python3 "$TOP/tests/vectors/verify_session.py" --evidence \
		"$WORK/evidence" "$K/vendor-root.pem" "$K/issuer-root.pem"
}
ok 'the evidence says that the old one was replaced' \
    says 0 '^replaced  *object' proven "$renewed"

# ---- unlock ----

pin_tries() {
	opensc-tool --send-apdu 00:A4:04:00:09:A0:00:00:03:08:00:00:10:00 \
	    --send-apdu 00:20:00:80 | grep -q "SW1=0x$1, SW2=0x$2"
}
block() {
	opensc-tool --send-apdu 00:A4:04:00:09:A0:00:00:03:08:00:00:10:00 \
	    --send-apdu 00:20:00:80:08:39:39:39:31:31:31:FF:FF \
	    --send-apdu 00:20:00:80:08:39:39:39:31:31:31:FF:FF \
	    --send-apdu 00:20:00:80:08:39:39:39:31:31:31:FF:FF >/dev/null
	pin_tries 69 83
}
ok 'the PIN gets blocked' block
u=$(admin invite --action unlock --account ada --profile person)
ok 'an invitation unlocks it' says 0 'Done: the card has' run "$u"
ok 'and the question says whose PIN' named 'unlock PINs'
ok 'all tries are there again' pin_tries 63 C3
ok 'once' says 11 'error 602' run "$u"
session=$(admin sessions | awk '{ print $1; exit }')
ok 'the evidence says that it was unlocked' \
    says 0 '^unlocked  *object' proven "$session"

# ---- another issuer's key ----

# An issuer of its own, whose key is in another slot.
other() {
	K2=$WORK/other
	"$BUILD/cardwright-keys" dev --dir "$K2" >/dev/null
	cp "$K2/vendor-root.pem" "$K2/own-vendor.pem"
	cp "$K/vendor-root.pem" "$K2/vendor-root.pem"
	sed "s/^listen.*/listen = 127.0.0.1:0/
		s,^url.*,url = https://localhost:0,
		s/^slot = 9A/slot = 9C/" "$K2/issuer.ini" >"$K2/test.ini"
	"$BUILD/cardwrightd" --config "$K2/test.ini" 2>"$WORK/other.log" \
	    </dev/null &
	second=$!
	at_exit 'kill "$second" 2>/dev/null; wait "$second" 2>/dev/null'
	wait_for grep -q ' ready ' "$WORK/other.log" || return 1
	URL2=$(sed -n 's/.* ready .*url=\([^ ]*\) .*/\1/p' "$WORK/other.log")
	sed -i "s,^url.*,url = $URL2," "$K2/test.ini"
	u=$("$BUILD/cardwright-admin" --config "$K2/test.ini" invite \
	    --subject 'CN=Ada' --profile person --mode 2) &&
	    setsid -w "$AGENT" enroll "$u" --ca "$K2/tls-root.pem" --yes \
	    --timeout 60 --pin-fd 3 3<"$WORK/pins"
}
ok 'another issuer puts a key into another slot' \
    says 0 'Done: the card holds' other
u=$(admin invite --action unlock --account ada --profile person)
ok 'now the card refuses the unlock, and says why' \
    says 12 'error 416' run "$u"
ok 'and nothing is left of the session' says 12 'error 416' run "$u"

# ---- delete ----

u=$(admin invite --action manage --account ada)
ok 'an invitation deletes what the issuer has there' \
    says 0 'Done: the card has' run "$u"
ok 'and the question names what' named 'DELETE keys'
only_theirs() {
	"$AGENT" cards | grep 'slot' | grep -v 9A | grep -q 9C
}
ok 'the other issuer'\''s key stays' only_theirs
all_revoked() {
	! admin list | grep -q ' active '
}
ok 'the certificates are revoked' wait_for all_revoked
session=$(admin sessions | awk '{ print $1; exit }')
ok 'the evidence says that they were deleted' \
    says 0 '^deleted  *object' proven "$session"
u=$(admin invite --action manage --certificates "$renewed")
ok 'what is not there any more is not there' says 12 'error 619' run "$u"
finish
