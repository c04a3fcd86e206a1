#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The provisioned card in the hands of host software: OpenSC's own test, NSS
# (what browsers use), openssl's engine, ssh's agent, gpgsm.
# RUN: plain-only
. "${TOP:-.}/tests/e2e/lib.sh"

R=$WORK/reader
S=$WORK/card.state
PIN=831942
MODULE=$(ls /usr/lib/*/opensc-pkcs11.so)

reader_start "$R" || skip_all "$reader_why"
cd "$WORK" || exit 1
echo 'signed by a card' >data
ok 'a card is provisioned with five keys in five sessions' \
    "$BUILD/tests/e2e/card_provision" "$S" \
    P-256:9A P-384:9C RSA-2048:9D P-256:9E P-256:82
ok 'the reader sees the card' card_start "$R" 0 "$S"
openssl x509 -inform DER -in "$S.9A.der" -pubkey -noout >9A.pub

own_test() {
	pkcs11-tool --module "$MODULE" --test --login --pin $PIN >own 2>&1 &&
	    tail -n 1 own | grep -qx 'No errors'
}
ok 'pkcs11-tool --test --login passes without an error' own_test
random() {
	pkcs11-tool --module "$MODULE" --generate-random 32 --output-file "$1"
}
random_differs() {
	random one && random two && [ "$(wc -c <one)" = 32 ] && ! cmp -s one two
}
ok "the card's random numbers differ" random_differs

echo >enter
echo $PIN >pin
mkdir nss
nss_adds() {
	certutil -N -d sql:nss --empty-password &&
	    modutil -dbdir sql:nss -add OpenSC -libfile "$MODULE" -force <enter
}
ok 'NSS takes the module' nss_adds
nss_lists() {
	certutil -L -d sql:nss -h all -f pin |
	    grep -q 'Certificate for PIV Authentication .*u,u,u'
}
ok 'NSS lists the certificate with its key' nss_lists
engine_signs() {
	openssl dgst -engine pkcs11 -keyform engine -sha256 \
	    -sign 'pkcs11:id=%01;type=private' -passin file:pin -out sig data &&
	    openssl dgst -sha256 -verify 9A.pub -signature sig data
}
ok "openssl's engine signs with the key in 9A" engine_signs

cat >askpass <<END
#!/bin/sh
echo $PIN
END
chmod +x askpass
ssh_signs() {
	ssh-add -L | grep 'PIV AUTH' >id.pub && [ -s id.pub ] &&
	    rm -f data.sig && ssh-keygen -Y sign -f id.pub -n file data &&
	    ssh-keygen -Y check-novalidate -n file -s data.sig <data
}
ssh_agent() {
	SSH_ASKPASS=$WORK/askpass SSH_ASKPASS_REQUIRE=force
	export SSH_ASKPASS SSH_ASKPASS_REQUIRE
	eval "$(ssh-agent -P '/usr/lib/*')" && at_exit "kill $SSH_AGENT_PID" &&
	    ssh-add -s "$MODULE"
}
ok "ssh's agent takes the card" ssh_agent
if id -un >/dev/null 2>&1; then
	ok "ssh's agent signs with the key in 9A" ssh_signs
else
	skip "ssh's agent signs with the key in 9A" \
	    'ssh serves nobody without a name'
fi

# scdaemon of GnuPG 2.2 knows no PIV; gnupg-pkcs11-scd brings gpgsm to it.
GNUPGHOME=$WORK/gnupg
export GNUPGHOME
mkdir -m 700 gnupg
echo 'scdaemon-program /usr/bin/gnupg-pkcs11-scd' >gnupg/gpg-agent.conf
printf 'providers opensc\nprovider-opensc-library %s\n' "$MODULE" \
    >gnupg/gnupg-pkcs11-scd.conf
at_exit 'gpgconf --kill gpg-agent'
gpgsm_learns() {
	gpgsm --batch --learn-card
	gpgsm --list-keys | grep -q 'Subject: /CN=Test holder'
}
ok "gpgsm learns the card's RSA key" gpgsm_learns
finish
