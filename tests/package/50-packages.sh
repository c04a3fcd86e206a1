#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The Debian packages in a Debian of their own: built, checked, installed, run,
# removed without a trace. Needs root, debootstrap, the machine's own package
# sources, and two minutes, so only `make test` and `make test-packages` run it.
# RUN: plain-only
# TIMEOUT: 1800
. "${TOP:-.}/tests/e2e/lib-tap.sh"

[ "${CW_TEST_PACKAGES:-}" = 1 ] || skip_all 'make test runs this'
[ "$(id -u)" = 0 ] || skip_all 'a Debian of its own needs root'
for tool in debootstrap lintian dpkg-deb; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
done
unshare -m -p -f true 2>/dev/null || skip_all 'no namespaces here'
ok 'the packages are built' make BUILD="$BUILD" deb
[ -e "$(echo "$BUILD"/deb/cardwright-agent_*.deb)" ] || finish

# --- before they are installed ---------------------------------------------------

ok 'lintian finds no error' lintian --fail-on error --allow-root \
    "$BUILD"/deb/*.changes

has_file() {
	dpkg-deb -c "$BUILD"/deb/"$1"_*.deb | grep -q " \\.$2\$"
}
for f in /etc/chromium/native-messaging-hosts/io.cardwright.agent.json \
    /etc/opt/chrome/native-messaging-hosts/io.cardwright.agent.json \
    /etc/opt/edge/native-messaging-hosts/io.cardwright.agent.json \
    /usr/lib/mozilla/native-messaging-hosts/io.cardwright.agent.json \
    /usr/share/cardwright/extension/manifest.json \
    /usr/share/man/man1/cardwright-agent.1.gz; do
	ok "the agent has $f" has_file cardwright-agent $f
done

# Debian's own browsers look into the folders of the package, and a card is
# enrolled by what they find there.
in_browsers() {
	dpkg-deb -x "$BUILD"/deb/cardwright-agent_*.deb "$WORK/tree" &&
	    "$TOP/tests/browser/lib-run" installed.mjs "$WORK/tree" \
	        >"$WORK/browsers" || return 1
	cat "$WORK/browsers"
	! grep -q '^not ok' "$WORK/browsers" && grep -q '^1\.\.' "$WORK/browsers"
}
in_browsers_sentence='Chromium and Firefox find extension and agent in it'
if [ -d "$TOP/tests/browser/node_modules" ]; then
	ok "$in_browsers_sentence" in_browsers
else
	skip "$in_browsers_sentence" 'no node packages (make deps)'
fi

# --- a Debian ------------------------------------------------------------------------

suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(sed -n 's/^URIs: *//p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' \
    /etc/apt/sources.list /etc/apt/sources.list.d/*.sources \
    /etc/apt/sources.list.d/*.list 2>/dev/null | head -n 1)
base=$BUILD/bootstrap/$suite.tar
root=$WORK/root
bootstrap() {
	mkdir -p "$BUILD/bootstrap" "$WORK/base"
	debootstrap --variant=minbase "$suite" "$WORK/base" "$mirror" &&
	    tar -C "$WORK/base" -cf "$base.new" . && mv "$base.new" "$base"
	rm -rf "$WORK/base"
}
if [ ! -e "$base" ]; then
	ok "debootstrap makes a Debian $suite (kept for the next time)" bootstrap
	[ -e "$base" ] || finish
fi
mkdir "$root"
tar -C "$root" -xf "$base"
rm -f "$root/etc/apt/sources.list"
cp -R /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d \
    "$root/etc/apt/" 2>/dev/null
rm -f "$root"/etc/apt/apt.conf.d/*packagekit* "$root"/etc/apt/apt.conf.d/*appstream*
cp /etc/resolv.conf "$root/etc/resolv.conf"
mkdir "$root/packages"
cp "$BUILD"/deb/*.deb "$root/packages/"

# inside CMD...: in it, with processes and mounts of its own that end with it.
cat >"$WORK/inside" <<'END'
root=$1
shift
mount --make-rprivate / && mount -t proc proc "$root/proc" &&
    mount -t tmpfs -o mode=755 tmpfs "$root/dev" || exit 99
for d in null zero full random urandom tty; do
	touch "$root/dev/$d" && mount --bind "/dev/$d" "$root/dev/$d" || exit 99
done
export HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive
unset TMPDIR
exec chroot "$root" "$@"
END
inside() {
	unshare -m -p -f --kill-child sh "$WORK/inside" "$root" "$@"
}

# What is on the disk, but for what apt and dpkg remember of any package.
files() {
	(cd "$root" && find . -xdev \( -path ./var/cache -o -path ./var/lib/apt \
	    -o -path ./var/lib/dpkg -o -path ./var/log -o -path ./packages \
	    -o -path ./etc/ld.so.cache -o -path './etc/*-' -o -path ./run \
	    -o -path ./etc/opt -empty \) -prune -o -print | sort
	cat etc/passwd etc/group etc/shadow etc/gshadow
	ls var/lib/dpkg/info | sort)
}

ok 'apt has its lists' inside apt-get -qq update
files >"$WORK/before"

ok 'both packages are installed' \
    inside sh -c 'apt-get -qq -y --no-install-recommends install /packages/*.deb'

# --- they run ----------------------------------------------------------------------------

for p in cardwright-agent cardwright-keys cardwright-admin cardwrightd; do
	ok "$p runs" inside $p --help
done
manifest_is_right() {
	grep -q '"path": *"/usr/bin/cardwright-agent"' \
	    "$root/usr/lib/mozilla/native-messaging-hosts/io.cardwright.agent.json"
}
ok 'a manifest leads to the program' manifest_is_right
ok 'the extension is where Chromium loads it from' \
    test -e "$root/usr/share/chromium/extensions/cardwright/manifest.json"
ok 'and where Firefox does' test -e "$root/usr/share/mozilla/extensions/{ec8030f7-c20a-464f-9b0e-13a3a9e97384}/cardwright@cardwright.io/manifest.json"

# As an operator does it, with keys from the development tree.
cat >"$root/setup" <<'END'
set -e
cardwright-keys dev --dir /srv/dev --url https://localhost:8443 >/dev/null
cd /srv/dev
install -m 600 management.key issuing-ca.key tag.key /etc/cardwright/
install -m 600 -o cardwright-web tls.key /etc/cardwright/
install -m 644 management.pem issuing-ca.pem authority.pem tls.pem /etc/cardwright/
install -m 644 vendor-root.pem /etc/cardwright/vendor-roots.pem
sed -i -e 's,^url.*,url = https://localhost:0,' -e 's/^listen.*/listen = 127.0.0.1:0/' \
    /etc/cardwright/issuer.ini
END
ok 'the configuration takes keys' inside sh /setup
# With no more than the service has.
caps=$(sed -n 's/^CapabilityBoundingSet=//p' \
    "$root/lib/systemd/system/cardwrightd.service" | tr ' ' '\n' |
    sed 's/^CAP_/+/' | tr 'A-Z\n' 'a-z,')
inside setpriv --bounding-set "-all,${caps%,}" --no-new-privs cardwrightd \
    --config /etc/cardwright/issuer.ini >"$WORK/log" 2>&1 </dev/null &
issuer=$!
at_exit 'pkill -KILL -P "$issuer" unshare 2>/dev/null'
is_ready() {
	grep -q ' ready ' "$WORK/log"
}
ok 'the issuer starts with the capabilities of its service' wait_for is_ready
sed 's/^/# /' "$WORK/log"
ok 'as two users' grep -q 'separation by=users' "$WORK/log"
url=$(sed -n 's/.* ready .*url=\([^ ]*\) .*/\1/p' "$WORK/log")
ok 'and answers' curl --silent --fail --max-time 60 \
    --cacert "$root/srv/dev/tls-root.pem" "$url/healthz"
# unshare passes no signal on; the issuer is its child.
stop_issuer() {
	pkill -TERM -P "$(pgrep -P "$issuer" unshare)" && wait "$issuer"
}
ok 'it ends in order' stop_issuer

# Without systemd itself in there only the lines can be judged.
reads_units() {
	systemd-analyze --root="$root" verify --man=no cardwrightd.service \
	    cardwrightd.socket >"$WORK/units" 2>&1
	! grep -E 'cardwrightd\.(service|socket):[0-9]+:' "$WORK/units"
}
ok 'systemd reads its units' reads_units
ok 'and finds little to expose' systemd-analyze security --offline=yes \
    --threshold=30 --root="$root" cardwrightd.service

# --- they go -----------------------------------------------------------------------------

rm -rf "$root/srv/dev" "$root/setup"
ok 'removing keeps keys and state' inside apt-get -qq -y remove \
    cardwright-agent cardwright-server
ok 'here they are' test -e "$root/etc/cardwright/management.key" -a \
    -e "$root/var/lib/cardwright/signer/signer.log"
ok 'purging is done' inside apt-get -qq -y --purge autoremove \
    cardwright-agent cardwright-server
ok 'of the configuration, too' inside dpkg --purge cardwright-agent \
    cardwright-server
no_trace() {
	files >"$WORK/after"
	diff "$WORK/before" "$WORK/after"
}
ok 'no trace is left' no_trace
finish
