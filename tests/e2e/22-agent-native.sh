#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The native host over pipes, as a browser starts it: real reader, card and
# issuer, a pinentry with a script. The end of the browser at every place.
# RUN: plain-only
. "${TOP:-.}/tests/e2e/lib.sh"
. "$TOP/tests/e2e/lib-issuer.sh"

. "$TOP/tests/e2e/lib-agent.sh"

R=$WORK/reader
ID=edceamngaogbiecbdhocffodbdaieojc

reader_start "$R" || skip_all "$reader_why"

issuer_begin

pinentry_make
CARDWRIGHT_PINENTRY=$WORK/pinentry
export CARDWRIGHT_PINENTRY

# Becomes the client: in the background, or in a shell of its own.
client_exec() {
	exec /usr/bin/python3 "$TOP/tests/e2e/native_client.py" \
	    --ca "$K/tls-root.pem" "$@" "$AGENT" "chrome-extension://$ID/"
}
client() {
	(client_exec "$@")
}
# host_says STATUS PATTERN [OPTION...]
host_says() {
	status=$1 pattern=$2
	shift 2
	says "$status" "$pattern" client "$@"
}
invite() {
	admin invite --subject 'CN=Test holder' --profile person "$@"
}
# A fresh card in slot 0.
card_new() {
	card_stop "$R" 0
	rm -f "$WORK/card.state"
	"$BUILD/cardwright-card" --state "$WORK/card.state" \
	    --personalise "$K/cards/card-1.personalisation" >/dev/null
	card_start "$R" 0 "$WORK/card.state"
}

# The service and cards come and go while the dialog looks on.
shows() {
	wait_for sh -c "tail -n 1 '$WORK/watched' | grep -q '$1'"
}
real=$PCSCLITE_CSOCK_NAME
PCSCLITE_CSOCK_NAME=$WORK/late
client_exec --watch >"$WORK/watched" 2>&1 &
watcher=$!
PCSCLITE_CSOCK_NAME=$real
ok 'without the service the status says so' shows '"pcscd": false.*500'
ln -s "$real" "$WORK/late"
ok 'and when it has come, that it is there' shows '"pcscd": true'
card_new || finish
ok 'a card that comes is told' shows '"card": "cardwright"'
card_stop "$R" 0
ok 'and when it goes' shows '"none".*"none"'
"$TOP/scripts/reader" stop "$R"
ok 'a service that ends is told' shows '"pcscd": false'
reader_start "$R" || finish
ok 'and when it has come again' shows '"pcscd": true'
kill $watcher
wait $watcher 2>/dev/null

ok 'another extension is refused' says 1 'UNKNOWN_EXTENSION' \
    /usr/bin/python3 "$TOP/tests/e2e/native_client.py" "$AGENT" \
    chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/
ok 'Firefox starts it with other arguments' says 0 '"pcscd": true' \
    /usr/bin/python3 "$TOP/tests/e2e/native_client.py" "$AGENT" \
    /usr/lib/mozilla/native-messaging-hosts/io.cardwright.agent.json \
    cardwright@cardwright.io
ok 'the status names readers and that they are empty' \
    host_says 0 '"card": "none"'
card_new || finish
ok 'and a Cardwright card, without a word to it' \
    host_says 0 '"card": "cardwright"'
ok 'a length that is too large ends it' host_says 1 'TOO_LARGE' \
    --raw ffffff7f
ok 'what is not JSON ends it' host_says 1 'MALFORMED' --raw 040000006e6f2121
ok 'an Intent of another origin is refused' host_says 1 'BAD_ORIGIN' \
    --invitation "$(invite)" --origin https://evil.test
ok 'an origin without TLS is refused' host_says 1 'ORIGIN_NOT_ALLOWED' \
    --invitation "$(invite)" --origin http://evil.test

u=$(invite)
ok 'a key and its certificate are installed' host_says 0 '"type": "done"' \
    --invitation "$u"
told() {
	grep '"type": "done"' "$WORK/said" | grep -q '"what": "created", "slot":'\
' "9A", "algorithm": "P-256", "subject": "CN=Test holder", "issuer": "CN='
}
ok 'and told by the card'\''s own list' told
holds() {
	"$AGENT" cards | grep -q 'slot 9A .* with certificate'
}
ok 'the card holds them' holds
no_pin_anywhere() {
	! grep -rq '271828\|31415926' "$WORK/said" "$WORK/dialog.log" \
	    "$LOG"
}
ok 'no PIN is in any message or log' no_pin_anywhere
finish
