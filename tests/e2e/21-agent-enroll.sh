#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The agent between a real reader and a real issuer: PINs from a descriptor and
# from a dialog, what it remembers, what it refuses, how it goes on.
# RUN: plain-only
. "${TOP:-.}/tests/e2e/lib.sh"

. "$TOP/tests/e2e/lib-issuer.sh"
. "$TOP/tests/e2e/lib-agent.sh"

R=$WORK/reader
S=$WORK/card.state
reader_start "$R" || skip_all "$reader_why"

issuer_begin "127.0.0.1:$(free_port)"
"$BUILD/cardwright-card" --state "$S" \
    --personalise "$K/cards/card-1.personalisation" >/dev/null
ok 'a card comes in' card_start "$R" 0 "$S"

invite() {
	admin invite --subject 'CN=Test holder' --profile person "$@"
}
printf '123456\n31415926\n' >"$WORK/weak"
printf '999111\n' >"$WORK/wrong"

# enroll URL [OPTION...]: never on a terminal.
enroll() {
	setsid -w "$AGENT" enroll "$@" --ca "$K/tls-root.pem" --timeout 60
}
u=$(invite)
ok 'without its root, the issuer is not trusted' says 15 'error 701' \
    setsid -w "$AGENT" enroll "$u" --yes
ok 'without a terminal and --yes, nobody accepts' says 14 'error 527' \
    enroll "$u"
weak() {
	enroll "$u" --yes --pin-fd 3 3<"$WORK/weak"
}
ok 'a weak PIN from a script is refused' says 14 'error 524' weak
good() {
	enroll "$u" --yes --pin-fd 3 3<"$WORK/pins"
}
ok 'and the same session goes on with a better one' \
    says 0 'an earlier session' good
holds() {
	"$AGENT" cards | grep -q 'slot 9A .* with certificate'
}
ok 'the card holds key and certificate' holds
ok 'a used invitation says so' says 11 'error 60[02]' good
remembered() {
	f=$WORK/.local/state/cardwright/issuers
	[ "$(stat -c %a "$f")" = 600 ] && grep -q "^$URL .* finished\$" "$f"
}
ok 'the issuer is remembered, for us alone' remembered

u=$(invite --mode 1)
wrong() {
	enroll "$u" --yes --pin-fd 3 3<"$WORK/wrong"
}
ok 'in identified mode a wrong PIN says so' says 14 'error 520' wrong
right() {
	enroll "$u" --yes --json --pin-fd 3 3<"$WORK/pins"
}
ok 'an occupied slot comes back as the card'\''s own error' \
    says 12 '"name":"SLOT_OCCUPIED"' right
not_authenticated() {
	opensc-tool --reader 0 --send-apdu \
	    00:A4:04:00:09:A0:00:00:03:08:00:00:10:00 \
	    --send-apdu 00:20:00:80 | grep -q 'SW1=0x63, SW2=0xC3'
}
ok 'and the card is left without a verified PIN' not_authenticated

other_key() {
	f=$WORK/.local/state/cardwright/issuers
	sed -i "s/^\(https[^ ]*\) [0-9a-f]*/\1 $(printf '%064d' 7)/" "$f"
	u=$(invite)
	says 11 'error 307 MANAGEMENT_KEY_CHANGED' good
}
ok 'a changed management key is a loud refusal' other_key
ok 'until the issuer is forgotten' "$AGENT" forget "$URL"

# A fresh card, and a dialog that notes what it was told.
card_stop "$R" 0
rm -f "$S"
"$BUILD/cardwright-card" --state "$S" \
    --personalise "$K/cards/card-2.personalisation" >/dev/null
ok 'another card comes in' card_start "$R" 0 "$S"
pinentry_make
u=$(invite)
dialog() {
	enroll "$u" --yes --pinentry "$WORK/pinentry"
}
echo cancel >"$WORK/answers"
ok 'a dialog that is cancelled refuses' says 14 'error 527' dialog
issuer_stop KILL
ok 'the issuer, killed meanwhile, starts again' issuer_start
ok 'and the session goes on with PIN and PUK from the dialog' \
    says 0 'an earlier session' dialog
ok 'the dialog was told who asks, and the rules' \
    grep -q "SETDESC .*6 to 8 digits.*$URL" "$WORK/dialog.log"
no_pin_in_log() {
	! grep -q '271828\|31415926' "$WORK/dialog.log" "$LOG"
}
ok 'no PIN is in any log' no_pin_in_log
ok 'the new card holds its key' holds

# The real pinentry on a terminal of its own: each line is typed when a dialog
# has come and stands there as far as its last button.
card_stop "$R" 0
rm -f "$S"
"$BUILD/cardwright-card" --state "$S" \
    --personalise "$K/cards/card-3.personalisation" >/dev/null
ok 'a third card comes in' card_start "$R" 0 "$S"
cat >"$WORK/typist.py" <<'END'
import os, pty, sys
at = sys.argv.index('--')
lines, command = sys.argv[1:at], sys.argv[at + 1:]
pid, fd = pty.fork()
if pid == 0:
    os.environ['TERM'] = 'xterm'
    os.execvp(command[0], command)
DIALOG = b'\x1b[?1049h'
seen = b''
typed = 0
while True:
    try:
        data = os.read(fd, 4096)
    except OSError:
        break
    if not data:
        break
    seen += data
    if (typed < len(lines) and seen.count(DIALOG) > typed
            and b'<Cancel>' in seen.rpartition(DIALOG)[2]):
        os.write(fd, lines[typed].encode() + b'\r')
        typed += 1
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.buffer.write(seen)
sys.exit(status)
END
u=$(invite --profile person-ed25519)
own_pin() {
	enroll "$u" --yes --pin-fd 3 3<"$WORK/pins"
}
ok 'a key outside the PIV slots gets a PIN of its own' \
    says 0 'Done: the card holds' own_pin
own_use() {
	printf 'a letter' >"$WORK/letter"
	setsid -w "$AGENT" sign 1 --in "$WORK/letter" --out "$WORK/letter.sig" \
	    --pin-fd 3 3<"$WORK/pins" &&
	    setsid -w "$AGENT" certificate 1 |
	    openssl x509 -noout -pubkey >"$WORK/letter.pub" &&
	    openssl pkeyutl -verify -pubin -inkey "$WORK/letter.pub" -rawin \
	    -in "$WORK/letter" -sigfile "$WORK/letter.sig"
}
ok 'and signs for its holder by its certificate' own_use

u=$(invite)
curses() {
	/usr/bin/python3 "$WORK/typist.py" 271828 271828 31415926 31415926 -- \
	    "$AGENT" enroll "$u" --yes --pinentry pinentry-curses \
	    --ca "$K/tls-root.pem" --timeout 60
}
if command -v pinentry-curses >/dev/null; then
	ok 'PIN and PUK are typed into the real pinentry' \
	    says 0 'Done: the card holds' curses
	ok 'which shows neither' sh -c "! grep -q '271828' '$WORK/said'"
	ok 'the third card holds its key' holds
else
	skip 'PIN and PUK are typed into the real pinentry' 'no pinentry-curses'
fi

issuer_stop
u=$URL/i/nobody
ok 'an issuer that is away says so' says 15 'error 700' good
german() {
	LC_ALL=de_DE.UTF-8 enroll "$u" --yes "$@"
}
ok 'and in the language of the person' \
    says 15 'Fehler 700 NO_CONNECTION: Der Aussteller ist nicht erreichbar' \
    german
ok 'but scripts read English everywhere' \
    says 15 'The issuer cannot be reached' german --json
finish
