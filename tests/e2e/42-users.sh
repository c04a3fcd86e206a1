#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The issuer's processes as users: two of them, or none; what is refused; and
# that the web process's user cannot read what the signer's is for.
. "${TOP:-.}/tests/e2e/lib-tap.sh"

[ -x "$BUILD/cardwrightd" ] || skip_all 'no issuer is built'
K=$WORK/keys
"$BUILD/cardwright-keys" dev --dir "$K" >/dev/null

# configure WEB SIGNER LINE: issuer.ini for a free port; "" names no user.
configure() {
	sed -e '/^one_user/d' -e 's/^listen.*/listen = 127.0.0.1:0/' \
	    -e 's,^url.*,url = https://localhost:0,' \
	    -e "s/^state.*/&\\n${1:+user = $1\\n}$3/" \
	    -e "s/^log = .*/&\\n${2:+user = $2}/" "$K/issuer.ini" >"$K/test.ini"
}

# start [AS...]: 0 when it answers; otherwise its exit status.
start() {
	: >"$WORK/log"
	"$@" "$BUILD/cardwrightd" --config "$K/test.ini" >"$WORK/log" 2>&1 \
	    </dev/null &
	issuer=$!
	settled() {
		grep -q ' ready ' "$WORK/log" || ! kill -0 "$issuer" 2>/dev/null
	}
	wait_for settled
	grep -q ' ready ' "$WORK/log" || {
		cat "$WORK/log"
		stop
		return 1
	}
}
stop() {
	[ -z "${issuer:-}" ] || kill "$issuer" 2>/dev/null
	[ -z "${issuer:-}" ] || wait "$issuer" 2>/dev/null
	issuer=
}
at_exit stop

# is_refused NAME [AS...]: it does not start, and the log says 816.
is_refused() {
	sentence=$1
	shift
	got() {
		! start "$@" && grep -q 'separation error=816' "$WORK/log"
	}
	ok "$sentence" got "$@"
	stop
}
# says TEXT: in the line about separation.
says() {
	cat "$WORK/log"
	grep " separation " "$WORK/log" | grep -q -- "$1"
}

configure '' '' 'one_user = yes'
ok 'a configuration that says one user will do is started' start
ok 'and what is left in between is said' says 'by=\(landlock\|nothing\)'
stop

if [ "$(id -u)" != 0 ]; then
	configure '' '' ''
	if start >"$WORK/said"; then
		ok 'an ordinary user without a word has Landlock' says by=landlock
	else
		ok 'an ordinary user without Landlock is refused' says error=816
	fi
	finish
fi

configure '' '' ''
is_refused 'root without users is refused'
configure nobody nobody ''
is_refused 'root with one user for both is refused'
configure '' daemon ''
is_refused 'a web process that stays root is refused'
configure nobody daemon ''
chown nobody "$K/issuing-ca.key"
is_refused 'a web process that owns a key is refused'
chown root "$K/issuing-ca.key"

chmod 711 "$K"
chown nobody "$K/tls.key"
chown -R daemon "$K/signer"
ok 'two users are started' start
ok 'and it is said that they are' says "by=users web=$(id -u nobody) signer=$(id -u daemon)"
# The user of the process with this name.
user_of() {
	for p in /proc/[0-9]*; do
		[ "$(awk '/^PPid:/ { print $2 }' "$p/status" 2>/dev/null)" = \
		    "$issuer" ] || continue
		case $1 in
		web) grep -q '^Threads:.1$' "$p/status" && continue ;;
		*) grep -q '^Threads:.1$' "$p/status" || continue ;;
		esac
		awk '/^Uid:/ { print $2, $3, $4, $5 }' "$p/status"
	done
}
w=$(id -u nobody) s=$(id -u daemon)
are_two() {
	test "$(user_of web)" = "$w $w $w $w" &&
	    test "$(user_of signer)" = "$s $s $s $s"
}
ok 'the web process is the one, the signer the other' are_two
stop
# Now the state folder is the web's.
ok 'they start again' start
ok 'and are the same two' are_two
for f in issuing-ca.key management.key tag.key authority.key \
    signer/signer.log signer/signer.log.head; do
	ok "the web process's user cannot read $f" sh -c '! setpriv \
	    --reuid=nobody --clear-groups cat "$1" 2>/dev/null' sh "$K/$f"
done
children=$(pgrep -P "$issuer")
kill -9 "$issuer"
none_left() {
	for p in $children; do
		is_gone "$p" || return 1
	done
}
ok 'a killed parent takes both with it' wait_for none_left
stop

# As somebody who is not root, without a word: Landlock, or nothing.
chown -R nobody "$K"
configure '' '' ''
as='setpriv --reuid=nobody --regid=nogroup --clear-groups'
# shellcheck disable=SC2086
if start $as >"$WORK/said"; then
	ok 'an ordinary user without a word has Landlock' says by=landlock
else
	ok 'an ordinary user without Landlock is refused' says error=816
fi
stop
finish
