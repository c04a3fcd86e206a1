#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The agent over real PC/SC: what it says of service, readers and cards, how it
# waits for a card, and how it ends.
# RUN: plain-only
. "${TOP:-.}/tests/e2e/lib.sh"

. "$TOP/tests/e2e/lib-agent.sh"

R=$WORK/reader
S=$WORK/card.state

agent() {
	setsid -w "$AGENT" "$@"
}

PCSCLITE_CSOCK_NAME=$WORK/nobody
export PCSCLITE_CSOCK_NAME
ok 'without pcscd, cards says so' says 18 'error 500 NO_PCSC' agent cards
ok 'without pcscd, check says so and what to do' \
    says 18 'systemctl start pcscd' agent check --pinentry /no/such
ok 'an unknown option is refused' says 18 'no such option' agent cards --what
ok 'an option of another command is refused' \
    says 18 'not an option of this command' agent cards --yes
ok 'plain http to another machine is refused' \
    says 10 'error 710 BAD_URL' agent enroll http://issuer.test/i/x

reader_start "$R" || skip_all "$reader_why"
ok 'empty readers are listed' says 0 'There is no card' agent cards
ok 'check lists the readers and finds the memory' \
    says 18 '0 issuers in' agent check --pinentry /no/such
ok 'a reader that is not there is an error' \
    says 13 'error 502 NO_READER' agent cards --reader nothing
ok 'enroll says that there is no card' says 13 'error 503 NO_CARD' \
    agent enroll https://localhost:1/i/x --yes --wait 0

# A chip that knows no command of ours.
card_run "$R" 1 /usr/bin/python3 "$TOP/tests/e2e/chip.py" || note 'no foreign chip'
ok 'a foreign card is named as such' says 0 'not a Cardwright card' agent cards
ok 'enroll refuses a foreign card' says 13 'error 504 WRONG_CARD' \
    agent enroll https://localhost:1/i/x --yes --wait 0

"$BUILD/tests/e2e/card_provision" "$S" P-256:9A RSA-2048:9D ||
    note 'no provisioned card'
ok 'a Cardwright card comes in' card_start "$R" 0 "$S"
ok 'its keys are listed' says 0 'slot 9A  P-256     with certificate' \
    agent cards
ok 'all of them' says 0 'slot 9D  RSA-2048  with certificate' agent cards
ok 'as JSON, too' says 0 \
    '"slots":\[{"slot":"9A","type":"P-256","certificate":true}' \
    agent cards --json
ok 'of two cards, the Cardwright card is chosen' \
    says 15 'error 700 NO_CONNECTION' \
    agent enroll https://localhost:1/i/x --yes --wait 0
ok 'the ATR announces extended length and check shows it' \
    says 18 'card, ATR' agent check --pinentry /no/such

# ends_soon SIGNAL STATUS: an agent that waits for a card is told to end.
ends_soon() {
	card_stop "$R" 0
	card_stop "$R" 1
	: >"$WORK/said"
	agent enroll https://localhost:1/i/x --yes --wait 600 >"$WORK/said" 2>&1 &
	waiting=$!
	wait_for grep -q 'Waiting for a card' "$WORK/said" || return 1
	pid=$(pgrep -P $waiting -x cardwright-agen || echo $waiting)
	start=$(date +%s%N)
	kill -s "$1" "$pid"
	wait $waiting
	got=$?
	took=$((($(date +%s%N) - start) / 1000000))
	echo "status $got after $took ms"
	[ $got = "$2" ] && [ $took -lt 20000 ]
}
ok 'SIGTERM ends a waiting agent' ends_soon TERM 143
ok 'SIGINT does, too' ends_soon INT 130

forget() {
	mkdir -p "$WORK/.local/state/cardwright"
	h=$(printf '%064d' 1)
	printf 'https://issuer.test %s 1 - -\n' "$h" \
	    >"$WORK/.local/state/cardwright/issuers"
	chmod 600 "$WORK/.local/state/cardwright/issuers"
	agent forget https://Issuer.test:443/
}
ok 'a remembered issuer is forgotten' forget
ok 'only once' says 18 'nothing is remembered' agent forget https://issuer.test
finish
