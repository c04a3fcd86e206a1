#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The card in a reader, used by software that is not ours: OpenSC sees its keys
# and certificates, checks the PIN, signs, decrypts and agrees; openssl checks.
# RUN: plain-only
. "${TOP:-.}/tests/e2e/lib.sh"

PROVISION=$BUILD/tests/e2e/card_provision
R=$WORK/reader
S=$WORK/card.state
PIN=831942 PUK=58203147

reader_start "$R" || skip_all "$reader_why"
cd "$WORK" || exit 1
echo 'signed by a card' >data

ok 'a card is provisioned with five keys in five sessions' "$PROVISION" \
    "$S" P-256:9A P-384:9C RSA-2048:9D P-256:9E P-256:82
for slot in 9A 9C 9D 9E 82; do
	openssl x509 -inform DER -in "$S.$slot.der" -pubkey -noout >"$slot.pub"
done
ok 'the reader sees the card' card_start "$R" 0 "$S"

pkcs11() {
	pkcs11-tool --module opensc-pkcs11.so "$@"
}
# sign ID MECHANISM [options]
sign() {
	key=$1 mechanism=$2
	shift 2
	rm -f sig
	pkcs11 --login --pin $PIN --sign --id "$key" --mechanism "$mechanism" \
	    --input-file data --output-file sig "$@"
}
# verified SLOT HASH [options]
verified() {
	slot=$1 hash=$2
	shift 2
	openssl dgst "-$hash" -verify "$slot.pub" -signature sig "$@" data
}
name_is() {
	opensc-tool --name | grep -qx "$1"
}
ok 'OpenSC takes it for a PIV card' \
    name_is 'Personal Identity Verification Card'
shows() {
	pkcs15-tool --dump | grep -q "$1"
}
ok 'OpenSC shows the key in 9A' shows 'PIV AUTH key'
ok 'OpenSC shows the key in 9C' shows 'SIGN key'
ok 'OpenSC shows the key in 9D' shows 'KEY MAN key'
ok 'OpenSC shows the key in 9E' shows 'CARD AUTH key'
ok 'OpenSC shows the key in the first retired slot' shows 'Retired KEY MAN 1'
same_certificate() {
	pkcs15-tool --read-certificate 01 | openssl x509 -outform DER |
	    cmp - "$S.9A.der"
}
ok 'the certificate read by OpenSC is the one that was issued' \
    same_certificate

sign_9a() {
	sign 01 ECDSA-SHA256 --signature-format openssl && verified 9A sha256
}
sign_9c() {
	sign 02 ECDSA-SHA384 --signature-format openssl && verified 9C sha384
}
sign_9e() {
	sign 04 ECDSA-SHA256 --signature-format openssl && verified 9E sha256
}
sign_rsa() {
	sign 03 SHA256-RSA-PKCS && verified 9D sha256
}
sign_pss() {
	sign 03 SHA256-RSA-PKCS-PSS &&
	    verified 9D sha256 -sigopt rsa_padding_mode:pss
}
ok 'a P-256 signature by 9A verifies' sign_9a
ok 'a P-384 signature by 9C, whose PIN is asked for each, verifies' sign_9c
ok 'a P-256 signature by 9E verifies' sign_9e
ok 'an RSA signature (PKCS #1 v1.5) by 9D verifies' sign_rsa
ok 'an RSA signature (PSS) by 9D verifies' sign_pss

decrypts() {
	openssl pkeyutl -encrypt -pubin -inkey 9D.pub -in data -out secret &&
	    pkcs11 --login --pin $PIN --decrypt --mechanism RSA-PKCS --id 03 \
	    --input-file secret --output-file plain && cmp plain data
}
ok 'what openssl encrypts to 9D is decrypted' decrypts
agrees() {
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
	    -out peer.key &&
	    openssl pkey -in peer.key -pubout -outform DER -out peer.der &&
	    pkcs11 --login --pin $PIN --derive --mechanism ECDH1-DERIVE \
	    --id 05 --input-file peer.der --output-file z &&
	    openssl pkeyutl -derive -inkey peer.key -peerkey 82.pub | cmp - z
}
ok 'the card and openssl agree on a secret (ECDH)' agrees
lists_ssh() {
	ssh-keygen -D "$(ls /usr/lib/*/opensc-pkcs11.so)" |
	    grep -q '^ecdsa-sha2-nistp256 '
}
if id -un >/dev/null 2>&1; then
	ok 'ssh-keygen lists the key' lists_ssh
else
	skip 'ssh-keygen lists the key' 'ssh serves nobody without a name'
fi

# OpenSC's own words, because its exit status is always 255.
verify_says() {
	pkcs15-tool --verify-pin --pin "$1" 2>&1 | grep -q "$2"
}
ok 'a wrong PIN is refused' verify_says 404040 'PIN code or key incorrect'
ok 'the right PIN is accepted' pkcs15-tool --verify-pin --pin $PIN
ok 'the PIN can be changed' pkcs15-tool --auth-id 01 --change-pin \
    --pin $PIN --new-pin 749205
ok 'the old PIN is refused' verify_says $PIN 'PIN code or key incorrect'
ok 'the PUK sets the PIN' pkcs15-tool --auth-id 01 --unblock-pin \
    --puk $PUK --new-pin $PIN
ok 'the PIN that the PUK has set is accepted' \
    pkcs15-tool --verify-pin --pin $PIN

guid() {
	pkcs15-tool --list-info 2>/dev/null | grep Serial
}
before=$(guid)
second_is_refused() {
	"$CARD_PROGRAM" --state "$S" --port 1 2>&1 | grep -q 'Another process'
}
ok 'a second card on the same state file is refused' second_is_refused
ok 'the card ends cleanly on TERM' card_stop "$R" 0
ok 'TERM is exit status 0' [ "$card_status" = 0 ]
card_start "$R" 0 "$S" || :
same_guid() {
	[ -n "$before" ] && [ "$before" = "$(guid)" ]
}
ok 'the card is the same after a restart' same_guid
ok 'it signs after a restart' sign_9a
ok 'the card is cut off' card_stop "$R" 0 KILL
card_start "$R" 0 "$S" || :
ok 'it signs after a kill' sign_9a

ok 'a card without a session is there, and empty' sh -c \
    "'$PROVISION' '$WORK/empty' && ! ls '$WORK'/empty.*.der"
card_stop "$R" 0
ok 'the reader sees the empty card' card_start "$R" 0 "$WORK/empty"
has_no_key() {
	pkcs15-tool --dump >dump && ! grep -q 'Private' dump
}
ok 'OpenSC sees no key on it' has_no_key
ok 'and no PIN opens it' verify_says $PIN 'Data object not found'
finish
