# SPDX-License-Identifier: Apache-2.0
# A real issuer with development keys on a free port, for scripts that need no
# more of it than that. Source it behind lib.sh or lib-tap.sh, then:
#
#   issuer_begin      a sentence; the issuer's end comes with the script's
#
# $K has the keys, $K/test.ini is its configuration, $URL its address, $LOG what
# it says, $issuer its process.
# shellcheck shell=sh

K=$WORK/keys
LOG=$WORK/issuer.log
[ -x "$BUILD/cardwrightd" ] || skip_all 'no issuer is built'

issuer_is_ready() {
	grep -q ' ready ' "$LOG"
}

issuer_begin() {
	"$BUILD/cardwright-keys" dev --dir "$K" >/dev/null
	sed 's/^listen.*/listen = 127.0.0.1:0/
		s,^url.*,url = https://localhost:0,' "$K/issuer.ini" >"$K/test.ini"
	"$BUILD/cardwrightd" --config "$K/test.ini" 2>"$LOG" </dev/null &
	issuer=$!
	at_exit 'kill "$issuer" 2>/dev/null; wait "$issuer" 2>/dev/null'
	ok 'the issuer starts' wait_for 10 issuer_is_ready
	URL=$(sed -n 's/.* ready .*url=\([^ ]*\) .*/\1/p' "$LOG")
	[ -n "$URL" ] || finish
	sed -i "s,^url.*,url = $URL," "$K/test.ini"
}
