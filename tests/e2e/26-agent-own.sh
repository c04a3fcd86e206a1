#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The holder's own use of keys outside the PIV slots, over real PC/SC. What the
# card makes is verified by openssl, and what openssl makes is opened here.
# RUN: plain-only
. "${TOP:-.}/tests/e2e/lib.sh"

. "$TOP/tests/e2e/lib-agent.sh"

R=$WORK/reader
S=$WORK/card.state
SECRET=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
cd "$WORK" || exit 1

# Without a terminal of its own, as a script is.
agent() {
	setsid -w "$AGENT" "$@"
}
works() {
	"$@" </dev/null
}
# pins 'LINE…' CMD...: these PINs and PUKs, in the order in which they are asked.
pins() {
	# shellcheck disable=SC2086 # one line each
	printf '%s\n' $1 >"$WORK/pins"
	shift
	"$@" --pin-fd 3 3<"$WORK/pins"
}
printf 'what is to be signed\0\377' >message

reader_start "$R" || skip_all "$reader_why"
ok 'without a card, keys says so' says 13 'error 503 NO_CARD' agent keys
"$BUILD/tests/e2e/card_held" "$S" || note 'no card with keys'
ok 'a card with keys outside the slots comes in' card_start "$R" 0 "$S"

ok 'its keys are listed with names and uses' \
    says 0 'P-256, to sign' agent keys
lists_all() {
	says 0 'Sign P-256' agent keys && grep -q 'PIN, tries left: 3' said &&
	    grep -q 'PUK, tries left: 3' said && grep -q 'ChaCha20/Poly1305' said &&
	    grep -q 'secret, to keep; imported; may leave the card' said &&
	    grep -q 'PIN that cannot be changed' said
}
ok 'with PINs, algorithms, and what may leave' lists_all
json_lists() {
	agent keys --json >list && /usr/bin/python3 - list <<'END'
import json, sys
keys = [json.loads(line) for line in open(sys.argv[1])]
assert len(keys) == 16, len(keys)
k = keys[0]
assert k['name'] == 'Sign P-256' and k['usage'] == ['sign'], k
assert k['slot'] is None and k['pin_tries_left'] == 3 and k['pin_modifiable'], k
aes = [k for k in keys if k['name'] == 'AES'][0]
assert aes['algorithms'] == ['AES-CCM-16-128-256'] and aes['imported'], aes
assert aes['pin_tries_left'] is None and not aes['certificate'], aes
END
}
ok 'as JSON, too' json_lists

# ---- signatures ----
public() {
	agent public-key "$1" --out public.pem &&
	    openssl pkey -pubin -in public.pem -noout
}
signs() {
	public "$1" && agent sign "$1" --der --in message --out signature &&
	    openssl dgst -"$2" -verify public.pem -signature signature message
}
same_key() {
	agent certificate 'Sign P-384' >chain.pem && public 'Sign P-384' &&
	    openssl x509 -in chain.pem -noout -pubkey | cmp - public.pem &&
	    agent public-key 'Sign P-384' --der |
	    openssl pkey -pubin -inform DER | cmp - public.pem
}
ok 'certificate and public key belong together' same_key
ok 'openssl verifies a signature by P-384' signs 'Sign P-384' sha384
ok 'and one by RSA' signs 'Sign RSA' sha256
pss() {
	public 'Sign RSA' && agent sign 'Sign RSA' --algorithm PS512 \
	    <message >signature && openssl dgst -sha512 -verify public.pem \
	    -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest \
	    -signature signature message
}
ok 'with PSS, from standard input to standard output' pss
ed25519() {
	public 'Sign Ed25519' && agent sign 'Sign Ed25519' --in message \
	    --out signature && openssl pkeyutl -verify -pubin \
	    -inkey public.pem -rawin -in message -sigfile signature
}
ok 'and one by Ed25519' ed25519
ok 'a key with a PIN is not used without it' says 18 'error 526 NO_PIN_ENTRY' \
    agent sign 'Sign P-256' --in message --out x --pinentry /no/such
p256() {
	public 'Sign P-256' && pins 4711 agent sign 'Sign P-256' --der \
	    --in message --out signature && openssl dgst -sha256 \
	    -verify public.pem -signature signature message
}
ok 'with it, openssl verifies its signature by P-256' p256
raw() {
	pins 4711 agent sign 'Sign P-256' --json <message >said &&
	    grep -q '"event":"signed".*"algorithm":"ESP256","bytes":64' said
}
ok 'r and s are 64 bytes, in JSON as hex' raw

# ---- decryption, agreement, MAC, encryption ----
rsa() {
	public 'Decrypt RSA' && openssl pkeyutl -encrypt -pubin \
	    -inkey public.pem -in message -out sealed \
	    -pkeyopt rsa_padding_mode:oaep -pkeyopt "rsa_oaep_md:$1" \
	    -pkeyopt "rsa_mgf1_md:$1" &&
	    agent decrypt 'Decrypt RSA' --algorithm "$2" --in sealed \
	    --out opened && cmp opened message
}
ok 'what openssl encrypted is decrypted' rsa sha256 RSA-OAEP-256
ok 'with SHA-1, too' rsa sha1 rsa-oaep
ok 'what it did not encrypt is refused' says 10 'error 430 NOT_DECRYPTED' \
    sh -c 'head -c 256 /dev/zero | setsid -w "$0" decrypt "Decrypt RSA" \
        --out x' "$AGENT"
ok 'a file that comes out is private' sh -c '[ "$(stat -c %a opened)" = 600 ]'
agrees() {
	public "$1" && openssl genpkey "$2" "$3" ${4:+"$4" "$5"} \
	    -out peer.key && openssl pkey -in peer.key -pubout -out peer.pem &&
	    openssl pkey -in peer.key -pubout -outform DER -out peer.der &&
	    openssl pkeyutl -derive -inkey peer.key -peerkey public.pem \
	    -out theirs && agent agree "$1" --in peer.pem --out ours &&
	    cmp ours theirs && agent agree "$1" --in peer.der --out ours &&
	    cmp ours theirs && tail -c "$6" peer.der >peer.point &&
	    agent agree "$1" <peer.point | cmp - theirs
}
ok 'openssl agrees with P-256 on the same secret' agrees 'Agree P-256' \
    -algorithm EC -pkeyopt ec_paramgen_curve:P-256 65
ok 'with P-384, too' agrees 'Agree P-384' \
    -algorithm EC -pkeyopt ec_paramgen_curve:P-384 97
ok 'and with X25519' agrees 'Agree X25519' -algorithm X25519 '' '' 32
ok "another curve's key is refused" says 10 'error 431 BAD_PEER' \
    agent agree 'Agree P-256' --in peer.pem --out x
hmac() {
	agent mac Mac --in message --out ours && openssl dgst -sha256 -mac HMAC \
	    -macopt "hexkey:$SECRET" -binary message | cmp - ours
}
ok 'openssl makes the same HMAC' hmac
# openssl's command line has no CCM: its library does, by python3.
aead() {
	agent encrypt "$1" --in message --out sealed &&
	    agent decrypt "$1" --in sealed --out opened &&
	    cmp opened message && /usr/bin/python3 - "$2" "$SECRET" <<'END'
import os, sys
from cryptography.hazmat.primitives.ciphers import aead
key = bytes.fromhex(sys.argv[2])
if sys.argv[1] == 'CCM':
    box, n = aead.AESCCM(key, tag_length=16), 13
else:
    box, n = aead.ChaCha20Poly1305(key), 12
sealed, plain = open('sealed', 'rb').read(), open('message', 'rb').read()
assert box.decrypt(sealed[:n], sealed[n:], b'') == plain
nonce = os.urandom(n)
open('sealed', 'wb').write(nonce + box.encrypt(nonce, plain, b''))
END
}
other_way() {
	aead "$1" "$2" && agent decrypt "$1" <sealed | cmp - message
}
if /usr/bin/python3 -c 'import cryptography' 2>/dev/null; then
	ok 'AES-CCM is what openssl makes, both ways' other_way AES CCM
	ok 'ChaCha20/Poly1305, too' other_way ChaCha ChaCha
else
	skip 'AES-CCM is what openssl makes' 'no python3-cryptography'
	skip 'ChaCha20/Poly1305, too' 'no python3-cryptography'
fi

# ---- refusals ----
ok 'a key that is not there is told' says 10 'error 423 NO_SUCH_KEY' \
    agent sign Nobody --in message --out x
ok 'two of one name are told' says 10 'error 424 KEY_NAME_TWICE' \
    agent sign Twin --in message --out x
ok 'each has a number' says 0 '"event":"signed","reader":".*","number":16' \
    agent sign 16 --in message --json
ok 'a key does nothing else' says 12 'error 426 WRONG_USE' \
    agent sign Mac --in message --out x
ok 'nor with another algorithm' says 12 'error 426 WRONG_USE' \
    agent encrypt AES --algorithm ChaCha20/Poly1305 --in message --out x
ok 'an algorithm that nobody has is told' says 10 'UNKNOWN_ALGORITHM' \
    agent sign 'Sign RSA' --algorithm DES --in message --out x
ok 'what cannot leave does not' says 12 'error 425 NOT_EXPORTABLE' \
    agent export Mac --out x
ok 'more than fits is told' says 10 'error 108 TOO_LARGE' \
    sh -c 'head -c 32769 /dev/zero | setsid -w "$0" mac Mac --out x' "$AGENT"
ok 'the most that fits is taken' works \
    sh -c 'head -c 32768 /dev/zero | setsid -w "$0" mac Mac --out x' "$AGENT"
ok 'a file that is not there is told' says 18 'error 800 NO_FILE' \
    agent mac Mac --in /no/such --out x
ok 'a folder that is not there is told' says 18 'error 801 IO' \
    agent mac Mac --in message --out /no/such/x
ok 'an option of another command is refused' \
    says 18 'not an option of this command' agent mac Mac --subject CN=x
ok 'a command that takes a key wants one' says 18 'it takes KEY' agent sign
ok 'bytes do not go to a terminal' says 18 'give --out' \
    script -qec "'$AGENT' mac Mac --in message" /dev/null

# ---- copies ----
copied() {
	agent export Copy --out copy.key && openssl pkey -inform DER \
	    -in copy.key -pubout -out copied.pem && public Copy &&
	    cmp copied.pem public.pem && [ "$(stat -c %a copy.key)" = 600 ]
}
ok 'a key that may leave comes out as PKCS#8' copied
ok 'and is marked' says 0 'a copy has left it' agent keys
kept() {
	pins 4711 agent export Keep --json >said &&
	    grep -q "\"data\":\"$SECRET\"" said
}
ok 'a kept secret comes out with its PIN' kept

# ---- the PIN of keys ----
ok 'a wrong PIN is told with the tries left' says 14 'Tries left: 2' \
    pins 9999 agent sign 'Sign P-256' --in message --out x
ok 'in JSON, too' says 14 '"tries_left":1' \
    pins 9999 agent sign 'Sign P-256' --in message --json
ok 'the right one gives them back' works \
    pins 4711 agent sign 'Sign P-256' --in message --out x
ok 'and is changed' says 0 'The PIN has been changed' \
    pins '4711 8305' agent change-pin 'Sign P-256'
ok 'a weak one is not taken' says 14 'error 524 PIN_WEAK' \
    pins '8305 1234' agent change-pin 'Sign P-256'
ok 'the new one holds for the keys that share it' works \
    pins 8305 agent export Keep --out x
ok 'a fixed PIN is not changed' says 12 'error 428 PIN_FIXED' \
    pins '2486 8305' agent change-pin Fixed
ok 'a key without a PIN has none to change' says 12 'error 429 NO_SUCH_PIN' \
    pins '2486 8305' agent change-pin Mac
for n in 2 1; do
	pins 9999 agent sign 'Sign P-256' --in message --out x 2>/dev/null
done
ok 'the last wrong one blocks' says 13 'error 521 PIN_BLOCKED' \
    pins 9999 agent sign 'Sign P-256' --in message --out x
ok 'and the right one is not asked for' says 13 'Tries left: 0' \
    agent sign 'Sign P-256' --in message --out x
ok 'a wrong PUK is told' says 14 'error 529 PUK_WRONG' \
    pins '11112222 6042' agent unblock 'Sign P-256'
ok 'the PUK unblocks, with a new PIN' says 0 'The PIN is unblocked' \
    pins '83920174 6042' agent unblock 'Sign P-256'
ok 'which holds' works \
    pins 6042 agent sign 'Sign P-256' --in message --out x
ok 'or with the old one' says 0 'The PIN is unblocked' \
    pins 83920174 agent unblock 'Sign P-256' --keep-pin
block_puk() {
	for n in 1 2; do
		pins '11112222 6042' agent unblock 'Sign P-256'
	done
	says 13 'error 533 KEY_PUK_BLOCKED' \
	    pins '11112222 6042' agent unblock 'Sign P-256'
}
ok 'a PUK blocks as well' block_puk

# ---- deletion ----
ok 'without a terminal or --yes nothing is deleted' says 14 'error 527 REFUSED' \
    agent delete Copy
ok "what is the issuer's to delete stays" says 12 'error 427 ISSUER_DELETES' \
    agent delete Mac --yes
ok 'a key is deleted' says 0 'The key has been deleted' agent delete Copy --yes
ok 'and gone' says 10 'NO_SUCH_KEY' agent delete Copy --yes
ok 'one with a PIN needs it' says 0 'The key has been deleted' \
    pins 6042 agent delete 'Sign P-256' --yes

# ---- by a dialog ----
pinentry_make
dialog() {
	printf '%s\n' 1111 2486 >answers
	says 0 '"event":"signed"' agent sign Fixed --in message --json \
	    --pinentry "$WORK/pinentry" &&
	    grep -q 'Key: Fixed' dialog.log && grep -q 'Tries left: 3' dialog.log &&
	    grep -q 'Tries left: 2' dialog.log
}
ok 'a dialog says whose PIN it asks for, and asks again' dialog

# The card goes while the person types.
pulled() {
	cat >pull <<-END
		#!/bin/sh
		kill $(card_pid "$R" 0)
		while [ -n "\$(ls /proc/$(card_pid "$R" 0)/fd 2>&-)" ]; do
			sleep 0.05
		done
	END
	sed "s|GETPIN)|GETPIN) '$WORK/pull'|" pinentry >puller
	chmod +x pull puller
	says 13 'error 506 CARD_REMOVED' agent sign Fixed --in message \
	    --out x --pinentry "$WORK/puller"
}
rm -f x
ok 'a card that is pulled meanwhile is told' pulled
ok 'and nothing comes out' sh -c '[ ! -e x ]'
card_stop "$R" 0
ok 'the card is put back' card_start "$R" 0 "$S"
ok 'and no try is lost' says 0 '"name":"Fixed".*"pin_tries_left":3' \
    agent keys --json

# ---- a statement; the card's own PIN ----
ok 'without a PIN on the card it states nothing' says 12 'NO_SUCH_PIN' \
    agent attest 'Sign RSA' --subject CN=Erika --in message --out x
ok 'a card without a PIN has none to change' says 12 'NO_SUCH_PIN' \
    agent change-pin
card_stop "$R" 0
"$BUILD/tests/e2e/card_provision" "$S" P-256:9A || note 'no PIN'
ok 'the card comes back with a key in a slot, and a PIN' \
    card_start "$R" 0 "$S"
ok 'its keys are listed after the PIN only' says 0 'P-256 in PIV slot 9A' \
    pins 831942 agent keys
ok 'a wrong PIN is told' says 14 'Tries left: 2' pins 271828 agent keys
ok 'a key in a slot is not used here' says 12 'error 426 WRONG_USE' \
    pins 831942 agent sign 17 --in message --out x
attests() {
	pins 831942 agent attest 'Sign RSA' --subject 'CN=Erika' \
	    --in message --out attested &&
	    /usr/bin/python3 "$TOP/tests/vectors/verify_session.py" \
	    --decode attested --rule attested
}
ok 'the card states whose key it is' attests
ok 'as one of its batch, too' says 0 '"event":"attested"' pins 831942 \
    agent attest 'Sign RSA' --subject CN=Erika --in message --batch --json
ok 'not of a secret' says 12 'error 426 WRONG_USE' pins 831942 \
    agent attest Mac --subject CN=Erika --in message --out x
ok 'nor without a subject' says 18 'subject wants' \
    agent attest 'Sign RSA' --in message --out x
ok 'the PIN is changed' says 0 'The PIN has been changed' \
    pins '831942 602214' agent change-pin
ok 'the PUK, too' says 0 'The PUK has been changed' \
    pins '58203147 66260701' agent change-puk
ok 'an easy one is not taken' says 14 'PIN_WEAK' \
    pins '602214 123456' agent change-pin
for n in 1 2; do
	pins 271828 agent keys >/dev/null 2>&1
done
ok 'three wrong PINs block' says 13 'error 521 PIN_BLOCKED' \
    pins 271828 agent keys
ok 'a blocked card is unblocked before it is reset' says 13 'PIN_BLOCKED' \
    agent reset --yes
ok 'the PUK unblocks' says 0 'The PIN is unblocked' \
    pins '66260701 314159' agent unblock
ok 'reset asks first' says 14 'error 527 REFUSED' agent reset
typed() {
	/usr/bin/python3 - "$AGENT" 3<"$WORK/pins" <<'END'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], 'reset'])
seen = b''
answers = [(b'[y/N] ', b'n\n')]
while True:
    try:
        data = os.read(fd, 1000)
    except OSError:
        break
    if not data:
        break
    seen += data
    if answers and seen.endswith(answers[0][0]):
        os.write(fd, answers.pop(0)[1])
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.buffer.write(seen)
sys.exit(status)
END
}
ok 'and a no is a no' says 14 'erases all keys' typed
ok 'with the PIN it erases all' says 0 'The card is empty' \
    pins 314159 agent reset --yes
ok 'nothing is left' says 0 'a Cardwright card without keys' agent keys
export LC_ALL=de_DE.UTF-8
ok 'in the language of the person' says 0 'Cardwright-Karte ohne Schl' agent keys
finish
