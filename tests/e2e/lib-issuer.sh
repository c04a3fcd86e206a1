# SPDX-License-Identifier: Apache-2.0
# A real issuer with development keys. Source it behind lib.sh or lib-tap.sh,
# then:
#
#   issuer_begin [ADDRESS]  a sentence; the issuer's end comes with the script's.
#                           ADDRESS (127.0.0.1:0) is where it listens, with a
#                           port that is free if that is 0
#   issuer_stop [SIGNAL]    0 when it has ended in order
#   issuer_start            again, on the same port if ADDRESS has one
#   admin ARGUMENT...       cardwright-admin
#   certificates STATUS     how many there are
#
# $K has the keys, $K/test.ini is its configuration, $URL its address, $LOG what
# it says, $issuer its process.
# shellcheck shell=sh

K=$WORK/keys
LOG=$WORK/issuer.log
issuer=
[ -x "$BUILD/cardwrightd" ] || skip_all 'no issuer is built'

issuer_settled() {
	[ "$(grep -c ' ready ' "$LOG")" -gt "$issuer_was" ] ||
	    ! kill -0 "$issuer" 2>/dev/null
}

issuer_start() {
	issuer_was=$(cat "$LOG" 2>/dev/null | grep -c ' ready ')
	"$BUILD/cardwrightd" --config "$K/test.ini" 2>>"$LOG" </dev/null &
	issuer=$!
	wait_for 10 issuer_settled && kill -0 "$issuer" && return
	cat "$LOG"
	return 1
}

issuer_is_away() {
	! curl --silent --cacert "$K/tls-root.pem" "$URL/healthz"
}

issuer_stop() {
	[ -n "$issuer" ] || return 0
	kill -s "${1:-TERM}" "$issuer" 2>/dev/null
	wait "$issuer" 2>/dev/null
	issuer_status=$?
	issuer=
	# Its children end by themselves when it was killed.
	[ "${1:-TERM}" = TERM ] || wait_for 10 issuer_is_away
	return $issuer_status
}

issuer_begin() {
	issuer_at=${1:-127.0.0.1:0}
	"$BUILD/cardwright-keys" dev --dir "$K" >/dev/null
	sed "s/^listen.*/listen = $issuer_at/
		s,^url.*,url = https://localhost:${issuer_at##*:}," \
	    "$K/issuer.ini" >"$K/test.ini"
	at_exit issuer_stop
	ok 'the issuer starts' issuer_start
	URL=$(sed -n 's/.* ready .*url=\([^ ]*\) .*/\1/p' "$LOG")
	[ -n "$URL" ] || finish
	sed -i "s,^url.*,url = $URL," "$K/test.ini"
}

admin() {
	"$BUILD/cardwright-admin" --config "$K/test.ini" "$@"
}

certificates() {
	admin list | grep -c " $1 "
}
