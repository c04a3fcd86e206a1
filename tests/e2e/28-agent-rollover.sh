#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A new management key: a card that was set up under the old one, an issuer that
# rolls over, an agent and a card that take the new key by its endorsement, and
# refuse the old one from then on.
# RUN: plain-only
. "${TOP:-.}/tests/e2e/lib.sh"

. "$TOP/tests/e2e/lib-issuer.sh"
. "$TOP/tests/e2e/lib-agent.sh"

R=$WORK/reader
S=$WORK/card.state
reader_start "$R" || skip_all "$reader_why"
issuer_begin "127.0.0.1:$(free_port)"
"$BUILD/cardwright-card" --state "$S" \
    --personalise "$K/cards/card-1.personalisation" >/dev/null
ok 'a card comes in' card_start "$R" 0 "$S"

run() {
	setsid -w "$AGENT" enroll "$@" --ca "$K/tls-root.pem" --timeout 60 --yes \
	    --pin-fd 3 3<"$WORK/pins"
}
serial() {
	admin list | awk '$2 == "active" { print $1; exit }'
}
# configure NAME=VALUE...: these lines of [signer]; restart: the issuer with them.
configure() {
	for line; do
		sed -i "/^${line%%=*} *=/d" "$K/test.ini"
		[ -z "${line#*=}" ] ||
		    sed -i "s,^\[signer\],&\n${line%%=*} = ${line#*=}," \
			"$K/test.ini"
	done
}
restart() {
	issuer_stop
	configure "$@"
	issuer_start
}

u=$(admin invite --subject 'CN=Ada Lovelace' --profile person --mode 2)
ok 'it is set up under the first management key' \
    says 0 'Done: the card holds' run "$u"
first=$(serial)

ceremony() {
	"$BUILD/cardwright-keys" management-key --ca-key "$K/issuer-root.key" \
	    --ca-cert "$K/issuer-root.pem" --subject 'CN=Management 2' \
	    --out "$K/management-2" --unencrypted &&
	    "$BUILD/cardwright-keys" endorsement --ca-key "$K/management.key" \
		--ca-cert "$K/management.pem" --epoch 1 --days 730 \
		--new-cert "$K/management-2.pem" --out "$K/1-to-2.endorsement"
}
ok 'a ceremony makes a second one, which the first endorses' ceremony

new_key() {
	restart management_key=management-2.key \
	    management_chain=management-2.pem "$@"
}
ok 'the issuer starts with the second key alone' new_key
renew() {
	admin invite --action renew --certificates "$1"
}
u=$(renew "$first")
ok 'the agent refuses a key that nobody endorses, loudly' \
    says 11 'error 307 MANAGEMENT_KEY_CHANGED' run "$u"

wrong_chain() {
	issuer_stop
	configure management_key=management.key \
	    management_chain=management.pem endorsements=1-to-2.endorsement
	issuer_launch
	wait_for grep -q 'BAD_ENDORSEMENT.*1-to-2' "$LOG" && ! issuer_settled
}
ok 'a chain to another key keeps the issuer from starting' wrong_chain
issuer_stop KILL

ok 'the issuer starts with the second key and its endorsement' \
    new_key endorsements=1-to-2.endorsement
u=$(renew "$first")
ok 'agent and card take the new key, and the old one'\''s object is renewed' \
    says 0 'Done: the card holds' run "$u"
second=$(serial)
revoked() {
	[ "$first" != "$second" ] && admin list | grep -q "^$first  revoked"
}
ok 'the old certificate is revoked' wait_for revoked
proven() {
	admin evidence export "$1" --out "$WORK/evidence" &&
	    "$BUILD/cardwright-admin" evidence verify "$WORK/evidence" \
	    --vendor-root "$K/vendor-root.pem" --issuer "$K/issuer-root.pem"
}
ok 'the evidence of the new one holds' \
    says 0 '^replaced  *object' proven "$second"
u=$(renew "$second")
ok 'the card, which is the new key'\''s now, is renewed once more' \
    says 0 'Done: the card holds' run "$u"
third=$(serial)

old_key() {
	restart management_key=management.key management_chain=management.pem \
	    endorsements=
}
ok 'somebody comes back with the old key' old_key
u=$(renew "$third")
ok 'the agent refuses it' says 11 'error 307 MANAGEMENT_KEY_CHANGED' run "$u"
ok 'and when it has forgotten the issuer' "$AGENT" forget "$URL"
ok 'the card refuses it' says 11 'error 200' run "$u"
ok 'the new key goes on' new_key endorsements=1-to-2.endorsement
u=$(admin invite --action manage --certificates "$third")
ok 'for an agent that meets it for the first time, too' "$AGENT" forget "$URL"
ok 'and what it made can be deleted' says 0 'Done: the card has' run "$u"
finish
