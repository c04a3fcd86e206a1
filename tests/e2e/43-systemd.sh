#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What systemd does for a service, done by hand: a socket that listens already,
# and a datagram when the issuer is ready; and that systemd reads the units.
. "${TOP:-.}/tests/e2e/lib-tap.sh"

[ -x "$BUILD/cardwrightd" ] || skip_all 'no issuer is built'
command -v curl >/dev/null || skip_all 'curl is not installed'
K=$WORK/keys
"$BUILD/cardwright-keys" dev --dir "$K" >/dev/null

# The part of systemd: activate SOCKETS TYPE CONFIG; says the port and what it
# is told, ends the issuer by TERM when it gets TERM.
cat >"$WORK/activate" <<'END'
import os, signal, socket, sys
n, kind, program, config, out = (int(sys.argv[1]), *sys.argv[2:])
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(out + '.notify')
sockets = []
for i in range(n):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == 'dgram'
                      else socket.SOCK_STREAM)
    s.bind(('127.0.0.1', 0))
    if kind == 'listening':
        s.listen(64)
    sockets.append(s)
with open(out + '.port', 'w') as f:
    f.write(str(sockets[0].getsockname()[1]))
pid = os.fork()
if pid == 0:
    for i, s in enumerate(sockets):
        os.dup2(s.fileno(), 100 + i)
    for i in range(n):
        os.dup2(100 + i, 3 + i)
        os.close(100 + i)
    os.environ.update(LISTEN_FDS=str(n), NOTIFY_SOCKET=out + '.notify',
                      LISTEN_PID=str(os.getpid()))
    os.execv(program, [program, '--config', config])
signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
notify.settimeout(0.1)
done = None
while done is None:
    try:
        with open(out + '.told', 'a') as f:
            f.write(notify.recv(100).decode() + '\n')
    except TimeoutError:
        pass
    waited, status = os.waitpid(pid, os.WNOHANG)
    done = os.waitstatus_to_exitcode(status) if waited else None
sys.exit(done)
END

# activate SOCKETS KIND: in the background, until it answers or has ended.
activate() {
	rm -f "$WORK"/out.*
	: >"$WORK/log"
	/usr/bin/python3 "$WORK/activate" "$1" "$2" "$BUILD/cardwrightd" \
	    "$K/test.ini" "$WORK/out" 2>"$WORK/log" </dev/null &
	systemd=$!
	settled() {
		grep -q ' ready ' "$WORK/log" || ! kill -0 "$systemd" 2>/dev/null
	}
	wait_for settled
	cat "$WORK/log"
	grep -q ' ready ' "$WORK/log"
}
stop() {
	[ -z "${systemd:-}" ] || kill "$systemd" 2>/dev/null
	[ -z "${systemd:-}" ] || wait "$systemd" 2>/dev/null
	systemd=
}
at_exit stop
told() {
	grep -q "^$1$" "$WORK/out.told"
}

# The port of the configuration must not count: nobody may have it.
sed -e 's/^listen.*/listen = 127.0.0.1:1/' -e 's,^url.*,url = https://localhost,' \
    "$K/issuer.ini" >"$K/test.ini"
ok 'an issuer takes the socket that it is given' activate 1 listening
ok 'and says when it is ready' wait_for told READY=1
answers() {
	curl --silent --fail --max-time 60 --cacert "$K/tls-root.pem" \
	    "https://localhost:$(cat "$WORK/out.port")/healthz"
}
ok 'it answers there' answers

# Without the web process the socket still listens: nobody is turned away.
web_of() {
	parent=$(pgrep -P "$systemd")
	for p in $(pgrep -P "$parent"); do
		grep -q '^Threads:.1$' "/proc/$p/status" || echo "$p"
	done
}
ok 'there is one web process' test "$(web_of | wc -l)" = 1
kill -9 "$(web_of)"
ok 'a request that comes while it is dead waits for the next' answers
systemd_was=$systemd
kill "$systemd"
wait "$systemd_was"
ok 'its end is orderly' test $? = 0
systemd=
ok 'and was announced' told STOPPING=1

turned_away() {
	! activate "$@" && grep -q 'listen error=804' "$WORK/log"
}
ok 'two sockets are refused' turned_away 2 listening
stop
ok 'a socket that does not listen is refused' turned_away 1 stream
stop
ok 'datagrams are refused' turned_away 1 dgram
stop
finish
