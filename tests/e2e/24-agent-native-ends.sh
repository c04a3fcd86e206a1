#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The native host when something happens: the browser ends it in every way at
# every place, the card is pulled out and put back, another program holds it,
# the person says no. Run again, the session goes on: one certificate a card.
# RUN: plain-only
# TIMEOUT: 400
. "${TOP:-.}/tests/e2e/lib.sh"
. "$TOP/tests/e2e/lib-issuer.sh"

. "$TOP/tests/e2e/lib-agent.sh"

R=$WORK/reader
S=$WORK/card.state

reader_start "$R" || skip_all "$reader_why"

issuer_begin

pinentry_make
CARDWRIGHT_PINENTRY=$WORK/pinentry
export CARDWRIGHT_PINENTRY

client() {
	/usr/bin/python3 "$TOP/tests/e2e/native_client.py" \
	    --ca "$K/tls-root.pem" "$@" "$AGENT" native
}
# host_says STATUS PATTERN [OPTION...]
host_says() {
	status=$1 pattern=$2
	shift 2
	says "$status" "$pattern" client "$@"
}
invite() {
	admin invite --subject "CN=Holder $n" --profile person "$@"
}
n=0
# A fresh card in slot 0, and an invitation.
fresh() {
	n=$((n + 1))
	rm -f "$WORK/answers"
	card_stop "$R" 0
	rm -f "$S"
	"$BUILD/cardwright-card" --state "$S" \
	    --personalise "$K/cards/card-1.personalisation" >/dev/null
	card_start "$R" 0 "$S" || finish
	u=$(invite "$@")
}
not_authenticated() {
	opensc-tool --reader 0 --send-apdu \
	    00:A4:04:00:09:A0:00:00:03:08:00:00:10:00 \
	    --send-apdu 00:20:00:80 | grep -q 'SW1=0x63, SW2=0xC3'
}
# Once more: whatever happened, the end is one certificate, and no agent and no
# dialog is left over.
again() {
	before=$1
	client --invitation "$u" >"$WORK/said" 2>&1
	cat "$WORK/said"
	# What was posted before the end may have been the result.
	grep -q '"type": "done"\|"page": 403' "$WORK/said" &&
	    [ "$(certificates active)" = $((before + 1)) ] &&
	    [ "$(certificates pending)" = 0 ] && not_authenticated
}
# The client has measured how long the host took to go: a moment, where whatever
# it waits for has a minute or more.
in_time() {
	ms=$(sed -n 's/.*"gone_ms": \([0-9]*\).*/\1/p' "$WORK/said")
	echo "gone after $ms ms"
	[ "${ms:-99999}" -lt 20000 ]
}

# ---- the end of the browser, at every place ----

ends() {
	client --invitation "$u" --at "$1" --then "$2" >"$WORK/said" 2>&1
	cat "$WORK/said"
	in_time || [ "$2" = cancel ]
}
for at in consent post:1 progress:opening-session wait:pin \
    progress:creating-keys post:3 progress:installing-certificates post:4; do
	for how in kill eof term cancel; do
		fresh
		count=$(certificates active)
		ok "at $at: $how ends it" ends $at $how
		ok 'and the session goes on to one certificate' again "$count"
	done
done
hang() {
	echo hang >"$WORK/answers"
	ends wait:pin eof || return 1
	wait_for is_gone "$(cat "$WORK/pinentry.pid")"
}
fresh
ok 'a dialog that hangs is closed with the browser' hang

# ---- the person ----

fresh
ok 'the person refuses' host_says 1 '"number": 527' --invitation "$u" \
    --at consent --then refuse
ok 'before any card was touched' sh -c "! grep -q reading-card '$WORK/said'"
echo cancel >"$WORK/answers"
ok 'a PIN that is cancelled is a refusal, to be resumed' host_says 1 \
    '"number": 527.*"resumable": true' --invitation "$u"
echo timeout >"$WORK/answers"
ok 'nobody answers' host_says 1 '"number": 528' --invitation "$u"
echo nodialog >"$WORK/answers"
ok 'no dialog can be shown' host_says 1 '"number": 526' --invitation "$u"
yes 123456 | head -n 20 >"$WORK/answers"
ok 'ten PINs that are too weak are enough' host_says 1 '"number": 524' \
    --invitation "$u"
printf '123456\n123456\n271828\n271828\n' >"$WORK/answers"
ok 'one is asked for again, and why' host_says 0 '"type": "done"' \
    --invitation "$u"
ok 'in the dialog' grep -q 'SETERROR .*too easy' "$WORK/dialog.log"

u=$(invite --mode 1)
printf '999111\n888222\n271828\n' >"$WORK/answers"
ok 'a wrong PIN says how many tries are left' host_says 1 \
    '"tries_left": 1' --invitation "$u"
u=$(invite --mode 1)
printf '999111\n888222\n777333\n' >"$WORK/answers"
ok 'a PIN that is blocked is the end' host_says 1 '"number": 521' \
    --invitation "$u"

# ---- page and issuer ----

fresh
page_says() {
	ok "the page says $1" host_says 1 "\"number\": $2" --invitation "$u" \
	    --at post:2 --then "reply:$1"
}
page_says tab-gone 712
page_says redirect 704
page_says too-large 108
ok 'and the session goes on' again "$(certificates active)"
fresh
ok 'what the network loses is sent again' host_says 0 '"id": 3' \
    --invitation "$u" --at post:1 --then reply:network

# ---- the card ----

card_back() {
	card_start "$R" 0 "$S"
}
# Out at the place, back as soon as the person is asked for it, in the same run.
cat >"$WORK/pull" <<END
kill \$(cat "$R/card.0.pid")
(n=0
until grep -q '"for": "card' "$WORK/said" || [ \$n = 400 ]; do
    n=\$((n + 1))
    sleep 0.05
done
VPCD_PORT=35963 exec "$TOP/scripts/reader" run "$R" \\
    "$CARD_PROGRAM" --state "$S" --port 35963 </dev/null \\
    >>"$R/card.0.log" 2>&1) >/dev/null 2>&1 &
echo \$! >"$WORK/back.pid"
END
pulled() {
	client --invitation "$u" --at "$1" --then "run:sh $WORK/pull" \
	    >"$WORK/said" 2>&1
	got=$?
	cat "$WORK/said"
	cp "$WORK/back.pid" "$R/card.0.pid"
	[ $got = 0 ] && grep -q '"for": "card' "$WORK/said"
}
for at in post:1 wait:pin progress:creating-keys post:3 post:4; do
	fresh
	count=$(certificates active)
	ok "pulled out at $at and put back, the run goes on" pulled $at
	ok 'to one certificate' [ "$(certificates active)" = $((count + 1)) ]
done

no_card() {
	card_stop "$R" 0
	n=$((n + 1))
	u=$(invite)
	rm -f "$S"
	"$BUILD/cardwright-card" --state "$S" \
	    --personalise "$K/cards/card-1.personalisation" >/dev/null
	(wait_for grep -q '"for": "card"' "$WORK/said" && card_back) &
	client --invitation "$u" >"$WORK/said" 2>&1
	got=$?
	wait $!
	cat "$WORK/said"
	[ $got = 0 ]
}
: >"$WORK/said"
ok 'a card that is not there is waited for' no_card
fresh
"$BUILD/cardwright-card" --state "$WORK/second.state" \
    --personalise "$K/cards/card-2.personalisation" >/dev/null
ok 'a second card comes in' card_start "$R" 1 "$WORK/second.state"
ok 'of two cards one must be chosen' host_says 1 '"number": 508' \
    --invitation "$u"
chosen=$("$AGENT" cards --json | sed -n 's/.*"reader":"\([^"]*01\)".*/\1/p')
ok 'in the dialog' host_says 0 '"type": "done"' --invitation "$u" \
    --reader "$chosen"
ok 'and it is that one' sh -c "'$AGENT' cards --reader '$chosen' |
    grep -q 'slot 9A'"
card_stop "$R" 1

# Another program keeps a transaction.
cat >"$WORK/hold.py" <<'END'
import ctypes, os, sys, time
p = ctypes.CDLL('libpcsclite.so.1')
c = ctypes.c_long()
h = ctypes.c_long()
a = ctypes.c_ulong()
assert p.SCardEstablishContext(2, None, None, ctypes.byref(c)) == 0
assert p.SCardConnect(c, sys.argv[1].encode(), 2, 3, ctypes.byref(h),
                      ctypes.byref(a)) == 0
assert p.SCardBeginTransaction(h) == 0
print('held', flush=True)
while not os.path.exists(sys.argv[2]):
    time.sleep(0.05)
END
first=$("$AGENT" cards --json | sed -n 's/.*"reader":"\([^"]*00\)".*/\1/p')
# Until there is a file $WORK/free.
hold() {
	: >"$WORK/held"
	rm -f "$WORK/free"
	/usr/bin/python3 "$WORK/hold.py" "$first" "$WORK/free" >"$WORK/held" &
	holder=$!
	wait_for grep -q held "$WORK/held"
}
fresh
in_use() {
	hold || return 1
	: >"$WORK/said"
	(wait_for grep -q '"for": "card-in-use"' "$WORK/said"
	: >"$WORK/free") &
	client --invitation "$u" --reader "$first" >>"$WORK/said" 2>&1
	got=$?
	wait $! $holder
	cat "$WORK/said"
	[ $got = 0 ] && grep -q '"for": "card-in-use"' "$WORK/said"
}
ok 'a card that another program holds is told, and waited for' in_use
fresh
in_use_cancel() {
	hold || return 1
	client --invitation "$u" --reader "$first" --at wait:card-in-use \
	    --then cancel >"$WORK/said" 2>&1
	kill $holder
	wait $holder 2>/dev/null
	cat "$WORK/said"
	grep -q '"number": 531' "$WORK/said"
}
ok 'and that wait can be cancelled' in_use_cancel
ok 'the session goes on afterwards' again "$(certificates active)"
finish
