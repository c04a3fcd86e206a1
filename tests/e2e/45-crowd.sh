#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Many people behind one address: when their network has all the connections it
# may have, one that is idle makes way for the next.
. "${TOP:-.}/tests/e2e/lib-tap.sh"

# Loopback has no limit, so the issuer gets another address, in a network of its
# own that nothing else is in.
if [ -z "${CROWD_INSIDE:-}" ]; then
	unshare -rn true 2>/dev/null || skip_all 'no network namespace to be had'
	rm -rf "$WORK"
	CROWD_INSIDE=1 TOP=$TOP exec unshare -rn sh "$0"
fi
ADDRESS=192.0.2.1
K=$WORK/keys
LOG=$WORK/issuer.log
ip link set lo up && ip addr add $ADDRESS/32 dev lo

"$BUILD/cardwright-keys" dev --dir "$K" >/dev/null
sed "s/^listen.*/listen = $ADDRESS:0/; s,^url.*,url = https://localhost:0," \
    "$K/issuer.ini" >"$K/test.ini"
"$BUILD/cardwrightd" --config "$K/test.ini" 2>"$LOG" </dev/null &
issuer=$!
at_exit 'kill "$issuer" 2>/dev/null; wait "$issuer" 2>/dev/null'
is_ready() {
	grep -q ' ready ' "$LOG"
}
ok 'the issuer starts' wait_for 10 is_ready
port=$(sed -n 's/.* ready .*url=[^ ]*:\([0-9]*\) .*/\1/p' "$LOG")
ok 'beside 64 idle connections of a network one more is served' \
    /usr/bin/python3 "$TOP/tests/e2e/crowd.py" $ADDRESS "$port" 64
ok 'and the log says that the network is crowded' grep -q 'gate.full' "$LOG"
finish
