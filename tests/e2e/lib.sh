# SPDX-License-Identifier: Apache-2.0
# A private reader and the reference card, for scripts that need them:
#
#   . "${TOP:-.}/tests/e2e/lib.sh"
#   reader_start "$WORK/reader" || skip_all "$reader_why"
#   card_start "$WORK/reader" 0 "$WORK/card.state" [options]
#   ... PCSCLITE_CSOCK_NAME is exported: host programs find the reader ...
#   card_stop "$WORK/reader" 0            the end as a pulled card: TERM
#   card_stop "$WORK/reader" 0 KILL       the end as a cut of power
#   reader_stop "$WORK/reader"
#   finish
#
# SLOT is 0 or 1. Everything waits for conditions with a deadline, ends only
# what it has started, and is cleaned up when the script ends. A card program
# is started as  $CARD_PROGRAM --state STATEFILE --port PORT [options].
# shellcheck shell=sh

# shellcheck source=tests/e2e/lib-tap.sh
. "${TOP:-.}/tests/e2e/lib-tap.sh"

: "${CARD_PROGRAM:=$BUILD/cardwright-card}"
reader_why=

# reader_start DIR: 0 if both slots listen; otherwise $reader_why says why not.
# Only a machine that allows no namespaces is a reason to skip (status 2).
reader_start() {
	at_exit "reader_stop '$1'"
	"$TOP/scripts/reader" start "$1" 2>"$WORK/.reader" && {
		PCSCLITE_CSOCK_NAME=$1/pcscd.comm
		export PCSCLITE_CSOCK_NAME
		return 0
	}
	reader_status=$?
	reader_why=$(tail -n 1 "$WORK/.reader")
	if [ $reader_status != 2 ]; then
		tap_result 'not ok' 'the private reader starts'
		sed 's/^/# /' "$WORK/.reader"
		finish
	fi
	return 2
}

reader_stop() {
	card_stop "$1" 0
	card_stop "$1" 1
	"$TOP/scripts/reader" stop "$1"
}

# slot_has DIR SLOT Yes|No: what a host program sees in the slot.
slot_has() {
	PCSCLITE_CSOCK_NAME=$1/pcscd.comm opensc-tool --list-readers 2>/dev/null |
	    awk -v s="Virtual PCD 00 0$2" -v w="$3" \
	    '$0 ~ s "$" && $2 == w { f = 1 } END { exit !f }'
}

# card_run DIR SLOT CMD...: any program as the card in the slot; it is given
# the slot's port in $VPCD_PORT. Its output goes to DIR/card.SLOT.log.
card_run() {
	card_dir=$1 card_slot=$2
	shift 2
	VPCD_PORT=$((35963 + card_slot)) "$TOP/scripts/reader" run \
	    "$card_dir" "$@" </dev/null >>"$card_dir/card.$card_slot.log" 2>&1 &
	echo $! >"$card_dir/card.$card_slot.pid"
	if ! wait_for card_settled "$card_dir" "$card_slot" ||
	    ! slot_has "$card_dir" "$card_slot" Yes; then
		note "no card appears in slot $card_slot:"
		tail -n 20 "$card_dir/card.$card_slot.log" | sed 's/^/# /'
		return 1
	fi
}

# There is a card, or there is nothing left to wait for.
card_settled() {
	slot_has "$1" "$2" Yes || ! card_alive "$1" "$2"
}

# card_start DIR SLOT STATEFILE [options]: 0 when the reader sees the card.
card_start() {
	card_dir=$1 card_slot=$2 card_state=$3
	shift 3
	card_run "$card_dir" "$card_slot" "$CARD_PROGRAM" \
	    --state "$card_state" --port $((35963 + card_slot)) "$@"
}

card_pid() {
	cat "$1/card.$2.pid" 2>/dev/null
}

card_alive() {
	card_process=$(card_pid "$1" "$2") && kill -0 "$card_process" 2>/dev/null
}

# card_stop DIR SLOT [SIGNAL]: 0 when the program has ended and the reader sees
# the slot empty. $card_status is the program's exit status.
card_stop() {
	card_status=0
	card_process=$(card_pid "$1" "$2") || return 0
	rm -f "$1/card.$2.pid"
	kill -s "${3:-TERM}" "$card_process" 2>/dev/null || :
	# A card that does not hear TERM within half a minute is cut off.
	(
		n=0
		while kill -0 "$card_process" 2>/dev/null; do
			n=$((n + 1))
			[ $n -lt 600 ] || kill -9 "$card_process"
			sleep 0.05
		done
	) 2>/dev/null &
	card_watch=$!
	wait "$card_process" 2>/dev/null
	card_status=$?
	kill "$card_watch" 2>/dev/null
	wait "$card_watch" 2>/dev/null
	wait_for slot_has "$1" "$2" No
}
