#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Requests that are not what they should be, by a client that is not ours: each
# gets its numbered error, also when its body is far too large, and never a
# connection that just ends.
. "${TOP:-.}/tests/e2e/lib-tap.sh"
. "$TOP/tests/e2e/lib-issuer.sh"

command -v curl >/dev/null || skip_all 'curl is not installed'

issuer_begin

dd if=/dev/zero of="$WORK/mebibyte" bs=1024 count=1024 2>/dev/null
dd if=/dev/zero of="$WORK/just-too-much" bs=65537 count=1 2>/dev/null
dd if=/dev/zero of="$WORK/just-enough" bs=65536 count=1 2>/dev/null
printf x >"$WORK/one"
CBOR=application/cardwright+cbor

# post PATH FILE [curl's options...]: as the agent does it.
post() {
	path=$1 file=$2
	shift 2
	curl --silent --show-error --max-time 60 --cacert "$K/tls-root.pem" \
	    --output "$WORK/answer" --write-out '%{http_code} %{content_type}' \
	    --header 'Expect:' --data-binary "@$file" "$@" "$URL$path"
}
# is_answered STATUS NUMBER ARGUMENTS OF post...: an error as RFC 9290 has it.
is_answered() {
	status=$1 number=$2
	shift 2
	got=$(post "$@") || {
		echo "curl ends with $?, after: $got"
		return 1
	}
	found=$(/usr/bin/python3 -c '
import cbor2, sys
p = cbor2.loads(open(sys.argv[1], "rb").read())
print(p["tag:cardwright,2026:error"][0]
      if isinstance(p["tag:cardwright,2026:error"], list)
      else p["tag:cardwright,2026:error"])' "$WORK/answer" 2>&1) || {
		echo "no problem in the answer ($got): $found"
		return 1
	}
	echo "$got, error $found"
	[ "$got" = "$status application/concise-problem-details+cbor" ] &&
	    [ "$found" = "$number" ]
}
good() {
	want=$1 number=$2 path=$3 file=$4
	shift 4
	is_answered "$want" "$number" "$path" "$file" --header "Origin: $URL" \
	    --header "Content-Type: $CBOR" "$@"
}
# Twenty times: whether the answer or the end of the connection comes first at
# the client is a race.
always() {
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		"$@" || return 1
	done
}

nobody=/session/AAAAAAAAAAAAAAAAAAAAAA
for path in /session $nobody; do
	ok "a mebibyte to $path is told to be too large" \
	    always good 413 108 "$path" "$WORK/mebibyte"
	ok "a byte too many to $path is told to be too large" \
	    always good 413 108 "$path" "$WORK/just-too-much"
	ok "a client that asks first sends no mebibyte to $path" \
	    good 413 108 "$path" "$WORK/mebibyte" --header 'Expect: 100-continue'
	ok "a mebibyte to $path in chunks is refused for the chunks" \
	    always good 411 716 "$path" "$WORK/mebibyte" \
	    --header 'Transfer-Encoding: chunked'
	ok "chunks and a length at once to $path are malformed" \
	    always good 400 717 "$path" "$WORK/one" --http1.1 \
	    --header 'Transfer-Encoding: chunked' --header 'Content-Length: 1'
done
ok 'the largest body there may be is looked at' \
    good 404 308 $nobody "$WORK/just-enough"
ok 'without a cookie there is no session' good 403 707 /session "$WORK/one"
ok 'with a cookie of nobody neither' good 403 707 /session "$WORK/one" \
    --header 'Cookie: __Host-cardwright=AAAA'
ok 'another media type is refused' is_answered 415 703 /session "$WORK/one" \
    --header "Origin: $URL" --header 'Content-Type: application/cbor'
ok 'no media type is refused' is_answered 415 703 /session "$WORK/one" \
    --header "Origin: $URL" --header 'Content-Type:'
ok 'another origin is refused' is_answered 403 706 /session "$WORK/one" \
    --header 'Origin: https://evil.example' --header "Content-Type: $CBOR"
ok 'no origin is refused' is_answered 403 706 /session "$WORK/one" \
    --header "Content-Type: $CBOR"
ok 'the issuer is well after all that' \
    curl -sf --cacert "$K/tls-root.pem" "$URL/healthz"
no_fault() {
	! grep -E 'child.died|Sanitizer|INTERNAL' "$LOG"
}
ok 'and none of its processes has died' no_fault

# Behind a proxy, by a Unix socket: it is plain HTTP, and the proxy says whose
# requests they are.
issuer_stop
sed -i -e "s,^listen.*,listen = unix:$WORK/socket," \
    -e 's/^plain.*//; s/^tls_.*//; s/^holder_.*//' \
    -e 's/^\[issuer\]/&\nplain = yes\nforwarded_header = X-Forwarded-For/' \
    "$K/test.ini"
ok 'behind a proxy it starts on a Unix socket' issuer_start
# proxied ARGUMENTS OF curl...: the status of each answer, and how many had it.
proxied() {
	curl --silent --max-time 60 --unix-socket "$WORK/socket" \
	    --output /dev/null --write-out '%{http_code}\n' "$@" | sort | uniq -c
}
# flood WHO N: so many posts at once, of which somebody is told to wait, or
# nobody. 1000 come faster than ten a second on any machine.
flood() {
	proxied -H "Origin: $URL" -H "Content-Type: $CBOR" \
	    -H "X-Forwarded-For: $1" -d x "http://x$nobody?[1-$2]" >"$WORK/got"
	cat "$WORK/got"
}
is_limited() {
	flood "$1" 1000
	grep -q ' 404$' "$WORK/got" && grep -q ' 503$' "$WORK/got"
}
is_not_limited() {
	flood "$1" 300
	grep -q ' 300 404$' "$WORK/got"
}
ok 'it serves there' eval 'proxied http://x/healthz | grep -q " 1 200$"'
ok 'one network gets no more than its share' is_limited 192.0.2.7
ok 'the machine itself is not meant' is_not_limited 127.0.0.1
ok 'and none of its processes has died' no_fault
end_and_look() {
	issuer_stop
	[ ! -e "$WORK/socket" ]
}
ok 'the socket is gone with it' end_and_look
finish
