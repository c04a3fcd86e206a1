#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The private reader: two empty slots, a card that comes and goes, an ordinary
# user, and nothing left of it on the system.
# RUN: plain-only
. "${TOP:-.}/tests/e2e/lib.sh"

R=$WORK/reader
reader_start "$R" || skip_all "$reader_why"

chip() {
	card_run "$R" "$1" /usr/bin/python3 "$TOP/tests/e2e/chip.py"
}
port_is_closed() {
	! grep -qi ':8C7[BC] ' /proc/net/tcp /proc/net/tcp6
}

ok 'slot 0 is empty at first' slot_has "$R" 0 No
ok 'slot 1 is empty at first' slot_has "$R" 1 No
ok 'the ports are not open outside the namespace' port_is_closed
ok 'a card comes into slot 1' chip 1
ok 'slot 0 stays empty meanwhile' slot_has "$R" 0 No
ok 'a second card comes into slot 0' chip 0
ok 'its answer to reset is read' sh -c \
    'opensc-tool --reader 0 --atr | grep -q 3b:80:80:01:01'
ok 'the card in slot 1 is pulled' card_stop "$R" 1
ok 'the card in slot 0 is cut off' card_stop "$R" 0 KILL
ok 'slot 0 is empty again' slot_has "$R" 0 No
refused 'a second reader in the same folder is refused' \
    "$TOP/scripts/reader" start "$R"

pid=$(cat "$R/reader.pid")
ok 'the reader stops' reader_stop "$R"
ok 'its process is gone' wait_for is_gone "$pid"
refused 'a card cannot start without a reader' \
    "$TOP/scripts/reader" run "$R" true

# The same as somebody who is not root.
U=$WORK/user
if [ "$(id -u)" = 0 ]; then
	as='setpriv --reuid=65534 --regid=65534 --clear-groups'
	install -d -o 65534 "$U"
	cp scripts/reader "$WORK/start"
else
	as=
	mkdir "$U"
	cp scripts/reader "$WORK/start"
fi
if ! $as unshare -U -r -m -n true 2>/dev/null; then
	skip 'an ordinary user has a reader' 'no user namespaces here'
else
	at_exit "$as '$WORK/start' stop '$U'"
	ok 'an ordinary user has a reader' $as "$WORK/start" start "$U"
	ok 'and sees its slots' slot_has "$U" 1 No
	# the tree may lie where that user may not go
	ok 'and runs programs beside it' $as sh -c 'cd / && exec "$@"' sh \
	    "$WORK/start" run "$U" \
	    grep -q :8C7B /proc/net/tcp /proc/net/tcp6
	ok 'and stops it' $as "$WORK/start" stop "$U"
fi
finish
