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
. "$TOP/tests/e2e/lib-issuer.sh"
ip link set lo up && ip addr add $ADDRESS/32 dev lo

issuer_begin $ADDRESS:0
port=$(sed -n 's/.* ready .*url=[^ ]*:\([0-9]*\) .*/\1/p' "$LOG")
ok 'beside 64 idle connections of a network one more is served' \
    /usr/bin/python3 "$TOP/tests/e2e/crowd.py" $ADDRESS "$port" 64
ok 'and the log says that the network is crowded' grep -q 'gate.full' "$LOG"
finish
