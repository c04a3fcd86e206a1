# SPDX-License-Identifier: Apache-2.0
# A real issuer with development keys. Source it behind lib.sh or lib-tap.sh,
# then:
#
#   issuer_begin [ADDRESS]  a sentence; the issuer's end comes with the script's.
#                           ADDRESS (127.0.0.1:0) is where it listens, with a
#                           port that is free if that is 0
#   issuer_stop [SIGNAL]    0 when it has ended in order
#   issuer_start            again, on the same port if ADDRESS has one
#   free_port               for an issuer that comes again: one that nobody has,
#                           and that the kernel gives to nobody meanwhile
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

free_port() {
	/usr/bin/python3 - <<-'END'
		import random, socket
		while True:
		    port = random.randrange(10240, 32768)
		    try:
		        socket.socket().bind(('127.0.0.1', port))
		        break
		    except OSError:
		        pass
		print(port)
	END
}

issuer_settled() {
	[ "$(grep -c ' ready ' "$LOG")" -gt "$issuer_was" ] ||
	    ! kill -0 "$issuer" 2>/dev/null
}

# Does not wait for it.
issuer_launch() {
	issuer_was=$(cat "$LOG" 2>/dev/null | grep -c ' ready ')
	"$BUILD/cardwrightd" --config "$K/test.ini" 2>>"$LOG" </dev/null &
	issuer=$!
}

issuer_start() {
	issuer_launch
	wait_for issuer_settled && kill -0 "$issuer" && return
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
	[ "${1:-TERM}" = TERM ] || wait_for issuer_is_away
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
