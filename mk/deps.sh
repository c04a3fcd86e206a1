#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#   mk/deps.sh [DIR [demo]]
# Installs the packages of mk/packages that are missing, and the driver of the
# browser tests (npm), and unpacks the source of civetweb into DIR/civetweb. With
# "demo", only what make demo needs. With all of it present: needs neither root
# nor network, and changes nothing.
set -eu

deps=${1:-.deps}
for=${2:-test}
here=$(dirname "$0")
want=1.15

missing=
while read -r kind p command; do
	case $kind in
	'' | '#'*) continue ;;
	test | command) [ "$for" = test ] || continue ;;
	esac
	case $kind in
	command) command -v "$command" >/dev/null && continue ;;
	esac
	s=$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null) || s=
	[ "$s" = installed ] || missing="$missing $p"
done <"$here/packages"
missing=${missing# }
if [ -n "$missing" ]; then
	if [ "$(id -u)" != 0 ]; then
		echo "Packages are missing. Install them with:" >&2
		echo "  sudo apt-get install $missing" >&2
		exit 1
	fi
	echo "  APT  $missing"
	export DEBIAN_FRONTEND=noninteractive
	apt-get -qq update
	# shellcheck disable=SC2086
	apt-get -qq -y --no-install-recommends install $missing
fi

# What drives Chromium in the tests: as the lock file names it, byte for byte.
browser=$here/../tests/browser
if [ "$for" = test ] && ! cmp -s "$browser/package-lock.json" "$browser/node_modules/.lock"; then
	echo "  NPM  tests/browser"
	(cd "$browser" && npm ci --silent --omit=dev >/dev/null) || {
		echo "The packages of tests/browser could not be installed." >&2
		exit 1
	}
	cp "$browser/package-lock.json" "$browser/node_modules/.lock"
fi

[ -e "$deps/civetweb/.version" ] &&
    [ "$(cat "$deps/civetweb/.version")" = "$want" ] && exit 0

# Debian's libcivetweb loads OpenSSL 1.1 symbols at run time and crashes with
# OpenSSL 3, so its source is compiled here. A private copy of the system's own
# sources asks for source packages; nothing on the system changes.
echo "  SRC  civetweb $want"
mkdir -p "$deps"
deps=$(cd "$deps" && pwd)
tmp=$(mktemp -d "$deps/apt.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$tmp/parts" "$tmp/lists/partial" "$tmp/cache/archives/partial"
n=0
for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
    /etc/apt/sources.list.d/*.sources; do
	[ -e "$f" ] || continue
	n=$((n + 1))
	case $f in
	*.list) sed -n 's/^[[:space:]]*deb[[:space:]]/deb-src /p' "$f" \
	    >"$tmp/parts/$n.list" ;;
	*) sed 's/^Types:.*/Types: deb-src/' "$f" >"$tmp/parts/$n.sources" ;;
	esac
done
apt() {
	apt-get -q -o Dir::Etc::sourcelist=/dev/null \
	    -o Dir::Etc::sourceparts="$tmp/parts" \
	    -o Dir::State::lists="$tmp/lists" -o Dir::Cache="$tmp/cache" \
	    -o APT::Sandbox::User= "$@"
}
if ! apt update >"$tmp/log" 2>&1 ||
    ! (cd "$tmp" && apt source civetweb) >>"$tmp/log" 2>&1; then
	cat "$tmp/log" >&2
	echo "The source of civetweb could not be fetched." >&2
	exit 1
fi
src=$(find "$tmp" -maxdepth 1 -type d -name 'civetweb-*')
version=$(sed -n 's/^#define CIVETWEB_VERSION "\(.*\)"/\1/p' \
    "$src/include/civetweb.h")
if [ "$version" != "$want" ]; then
	echo "civetweb is $version here, $want was expected." >&2
	exit 1
fi
printf '%s\n' "$version" >"$src/.version"
rm -rf "$deps/civetweb"
mv "$src" "$deps/civetweb"
