#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Manifests for browsers: installed, found, led astray, removed; in a home and a
# root of their own.
. "${TOP:-.}/tests/e2e/lib-tap.sh"

case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
. "$TOP/tests/e2e/lib-agent.sh"

HOME=$WORK/home
ROOT=$WORK/root
PCSCLITE_CSOCK_NAME=$WORK/nobody
export PCSCLITE_CSOCK_NAME
unset XDG_CONFIG_HOME
mkdir -p "$HOME" "$ROOT" "$WORK/bin"
M=io.cardwright.agent.json
C=$HOME/.config/chromium/NativeMessagingHosts/$M
F=$HOME/.mozilla/native-messaging-hosts/$M

# check with the browsers of $WORK/bin only; it always misses pcscd here.
check() {
	PATH=$WORK/bin "$AGENT" check --root "$ROOT" --pinentry /no/such "$@"
}
browser() {
	printf '#!/bin/sh\n' >"$WORK/bin/$1"
	chmod +x "$WORK/bin/$1"
}
no_line() {
	check >"$WORK/said" 2>&1
	! grep -q "$1" "$WORK/said"
}

ok 'without --user or --system nothing is installed' \
    says 18 'user or --system' "$AGENT" install
ok 'nor with both' says 18 'user or --system' "$AGENT" install --user --system
ok 'a program by a relative path is refused' says 18 'error 805' \
    "$AGENT" install --user --program cardwright-agent
ok 'a machine without browsers is told so' says 18 'none of those known' check
browser chromium
browser firefox-esr
ok 'a browser without a manifest is named, and what to do' \
    says 18 'install --user' check
ok 'as JSON, too' says 18 '"name":"firefox","error":813' check --json

ok 'install --user' says 0 "ok   firefox    $F" "$AGENT" install --user
cat >"$WORK/look.py" <<'END'
import base64, hashlib, json, os, sys
path, program, firefox, key = sys.argv[1:]
m = json.load(open(path))
assert m['name'] == 'io.cardwright.agent', m
assert m['type'] == 'stdio' and m['path'] == program, m
assert os.stat(path).st_mode & 0o777 == 0o644
if firefox == 'firefox':
    assert m['allowed_extensions'] == ['cardwright@cardwright.io'], m
    assert 'allowed_origins' not in m
else:
    (origin,) = m['allowed_origins']
    assert 'allowed_extensions' not in m
    if os.path.exists(key):
        # The id is what Chromium makes of the key in the extension.
        der = base64.b64decode(json.load(open(key))['key'])
        digits = hashlib.sha256(der).hexdigest()[:32]
        id = ''.join(chr(ord('a') + int(c, 16)) for c in digits)
        assert origin == 'chrome-extension://%s/' % id, (origin, id)
END
looks() {
	/usr/bin/python3 "$WORK/look.py" "$1" "$2" "$3" \
	    "$TOP/agent/extension/manifest.json"
}
REAL=$(realpath "$AGENT")
ok 'Chromium gets a manifest for the extension of that key' \
    looks "$C" "$REAL" chromium
ok 'Firefox gets one of its own kind' looks "$F" "$REAL" firefox
for b in google-chrome microsoft-edge; do
	ok "$b gets one" looks \
	    "$HOME/.config/$b/NativeMessagingHosts/$M" "$REAL" chromium
done
ok 'check finds it' says 18 "ok   chromium   $C leads to" check
ok 'and Firefox'\''s' says 18 "ok   firefox    $F leads to" check
ok 'a second install changes nothing' says 0 'ok   edge' "$AGENT" install --user

sed -i 's,"path":"[^"]*","path":"/no/such",' "$C"
ok 'a manifest that leads elsewhere is told' says 18 'leads to /no/such' check
sed -i 's,edceam,aaaaaa,' "$C"
ok 'one for another extension, too' says 18 'not for our extension' check
echo nonsense >"$C"
ok 'and one that no browser can read' \
    says 18 'The configuration is wrong' check
ok 'install puts it right' says 0 'ok   chromium' "$AGENT" install --user

ok 'uninstall removes them' says 0 "ok   chromium   $C" "$AGENT" uninstall --user
is_clean() {
	find "$HOME" "$ROOT" -name "$M" >"$WORK/left"
	cat "$WORK/left"
	! [ -s "$WORK/left" ]
}
ok 'all of them' is_clean
ok 'and folders that were made for them' \
    sh -c "! [ -e '$HOME/.config/chromium' ]"
mkdir -p "$HOME/.mozilla/firefox"
ok 'uninstalling nothing is no error' "$AGENT" uninstall --user

# As root may have it.
private() {
	umask 077
	"$@"
	umask 022
}
ok 'install --system, into a package' private says 0 \
    "$ROOT/etc/opt/edge/native-messaging-hosts/$M" \
    "$AGENT" install --system --root "$ROOT" --program /usr/bin/cardwright-agent
everybody_reads() {
	find "$ROOT" ! -perm -444 | grep . && return 1
	find "$ROOT" -type d ! -perm -111 | grep . && return 1
	return 0
}
ok 'which everybody can read' everybody_reads
ok 'it names the program of the package' looks \
    "$ROOT/usr/lib/mozilla/native-messaging-hosts/$M" \
    /usr/bin/cardwright-agent firefox
"$AGENT" install --system --root "$ROOT" >/dev/null
ok 'check finds the system'\''s manifests' says 18 \
    "ok   chromium   $ROOT/etc/chromium" check
ok 'uninstall --system' "$AGENT" uninstall --system --root "$ROOT"
ok 'leaves nothing' is_clean

mkdir -p "$ROOT/snap/bin" "$ROOT/var/lib/flatpak/exports/bin"
: >"$ROOT/snap/bin/firefox"
: >"$ROOT/var/lib/flatpak/exports/bin/com.google.Chrome"
ok 'a browser in a snap is told' says 18 'installed as a snap' check
ok 'in a flatpak, too' says 18 '"name":"chrome","error":815' check --json
ok 'a browser that is not there is not mentioned' no_line 'edge'
XDG_CONFIG_HOME=$WORK/config
export XDG_CONFIG_HOME
ok 'XDG_CONFIG_HOME counts for Chromium' says 0 "$WORK/config/chromium" \
    "$AGENT" install --user
HOME=relative
unset XDG_CONFIG_HOME
ok 'without a home it says so' says 18 'error 804' "$AGENT" install --user
finish
