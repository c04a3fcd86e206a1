#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The holder's page: curl proves by the card itself, over OpenSC and openssl's
# engine, who asks; and everybody else is told why not.
# RUN: plain-only
. "${TOP:-.}/tests/e2e/lib.sh"
. "$TOP/tests/e2e/lib-issuer.sh"
. "$TOP/tests/e2e/lib-agent.sh"

R=$WORK/reader
S=$WORK/card.state
command -v curl >/dev/null || skip_all 'curl is not installed'
reader_start "$R" || skip_all "$reader_why"

issuer_begin
ME=$(sed -n 's/.* ready .*holder=\([^ ]*\)$/\1/p' "$LOG")
[ -n "$ME" ] || finish

"$BUILD/cardwright-card" --state "$S" \
    --personalise "$K/cards/card-1.personalisation" >/dev/null
ok 'a card comes in' card_start "$R" 0 "$S"
enroll() {
	u=$(admin invite --subject 'CN=Test holder' --profile person) &&
	    setsid -w "$AGENT" enroll "$u" --yes --timeout 60 \
		--ca "$K/tls-root.pem" --pin-fd 3 3<"$WORK/pins"
}
ok 'it gets a certificate' enroll

# is_answered STATUS TEXT [curl's options...]
is_answered() {
	status=$1 text=$2
	shift 2
	got=$(curl --silent --show-error --max-time 60 \
	    --cacert "$K/tls-root.pem" --output "$WORK/page" \
	    --write-out '%{http_code}' "$@" "$ME/me") || return 1
	echo "$got"
	sed 's/^/page: /' "$WORK/page"
	[ "$got" = "$status" ] && grep -q "$text" "$WORK/page"
}
is_asked_again() {
	openssl s_client -connect "${ME#https://}" -CAfile "$K/tls-root.pem" \
	    -ign_eof >"$WORK/tls" 2>&1 <<-END
		GET /me HTTP/1.1
		Host: ${ME#https://}
		Connection: keep-alive

	END
	grep -q 'Error 720<' "$WORK/tls" && ! grep -q 'TLS session ticket' "$WORK/tls"
}
ok 'and is asked anew the next time: the connection ends, nothing is resumed' \
    is_asked_again
by_card() {
	is_answered "$@" --engine pkcs11 --cert-type ENG --key-type ENG \
	    --cert 'pkcs11:id=%01;type=cert' \
	    --key 'pkcs11:id=%01;type=private;pin-value=271828'
}
ok 'who shows nothing is told so' is_answered 403 'Error 720<'
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 \
    -subj '/CN=Test holder' -keyout "$WORK/other.key" -out "$WORK/other.pem" \
    2>/dev/null
ok "another's certificate of the same name is foreign" is_answered 403 \
    'Error 721<' --cert "$WORK/other.pem" --key "$WORK/other.key"
ok 'the card shows whose it is' by_card 200 'Test holder'
state_is() {
	grep -q "<dd>$1<" "$WORK/page"
}
ok 'and that its certificate is active' state_is Active
in_german() {
	by_card 200 'Meine Zertifikate' --header 'Accept-Language: de'
}
ok 'in the language that the browser asks for' in_german

# Proof, not possession of bytes: TLS itself refuses who has not the key.
"$AGENT" cards >/dev/null
pkcs15-tool --read-certificate 01 >"$WORK/own.pem" 2>/dev/null
without_the_key() {
	! is_answered 200 '' --cert "$WORK/own.pem" --key "$WORK/other.key"
}
ok 'the certificate without its key is no proof' without_the_key

asks_by_name() {
	openssl s_client -connect "${ME#https://}" -CAfile "$K/tls-root.pem" \
	    </dev/null 2>/dev/null >"$WORK/tls"
	sed -n '/Acceptable client/,/^[A-Z].*:$/p' "$WORK/tls"
	grep -A 1 'Acceptable client certificate CA names' "$WORK/tls" |
	    grep -q 'CN *='
}
ok "browsers are told whose certificates to offer" asks_by_name
asks_nobody() {
	openssl s_client -connect "${URL#https://}" -CAfile "$K/tls-root.pem" \
	    </dev/null 2>/dev/null | grep -q 'No client certificate CA names sent'
}
ok 'where people enrol nobody is asked' asks_nobody
leads() {
	[ "$(curl -s --cacert "$K/tls-root.pem" -o /dev/null \
	    -w '%{http_code} %{redirect_url}' "$URL/me")" = "303 $ME/me" ]
}
ok 'but the page leads to where one is' leads

revoke() {
	serial=$(sed -n 's/.*class="mono">\([0-9a-f]*\)<.*/\1/p' "$WORK/page" |
	    head -n 1)
	echo "serial $serial"
	admin revoke "$serial"
}
by_card 200 'Test holder' >/dev/null
ok 'the certificate is revoked' revoke
ok 'and shown to be' by_card 403 'Error 724<'
no_fault() {
	! grep -E 'child.died|Sanitizer|INTERNAL' "$LOG"
}
ok 'nothing has died' no_fault
finish
