#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The extension without a browser: who may ask, codes, and how it is built.
# RUN: plain-only
. "${TOP:-.}/tests/e2e/lib-tap.sh"

command -v node >/dev/null || skip_all 'node is not installed'

X=$WORK/out
build() {
	"$TOP/scripts/extension" "$@"
}
same_bytes() {
	build "$X/a" && build "$X/b" &&
	    cmp "$X/a"/cardwright-*.zip "$X/b"/cardwright-*.zip &&
	    cmp "$X/a"/cardwright-*.zip "$X/a"/cardwright-*.xpi
}
ok 'it is built to the same bytes each time' same_bytes
narrowed() {
	build "$X/n" https://issuer.example:8443 'https://*.example.org' &&
	    grep -q '"https://issuer.example/\*"' "$X/n/unpacked/manifest.json" &&
	    ! grep -q '"https://\*/\*"' "$X/n/unpacked/manifest.json" &&
	    grep -q 'ORIGINS = \["https://issuer.example:8443", ' \
	        "$X/n/unpacked/settings.js"
}
ok 'a build may be for some sites only' narrowed
refused 'but not for one without TLS' build "$X/r" http://issuer.example
refused 'nor for what is no origin' build "$X/r" https://issuer.example/path
id_is_fixed() {
	/usr/bin/python3 - "$X/a/unpacked/manifest.json" <<-'END'
		import base64, hashlib, json, sys
		key = json.load(open(sys.argv[1]))['key']
		h = hashlib.sha256(base64.b64decode(key)).hexdigest()[:32]
		sys.exit(''.join(chr(97 + int(c, 16)) for c in h) !=
		         'edceamngaogbiecbdhocffodbdaieojc')
	END
}
ok 'its id in Chromium stays' id_is_fixed
no_remote_code() {
	! grep -rnE 'eval\(|new Function|innerHTML|insertAdjacentHTML|document\.write|import\(' \
	    "$X/a/unpacked" --include='*.js' --include='*.html' &&
	    ! grep -rnE '(src|href)="(https?:)?//' "$X/a/unpacked" --include='*.html'
}
ok 'it makes no code and no markup from text' no_remote_code
all_texts() {
	/usr/bin/python3 - "$X/a/unpacked" <<-'END'
		import json, os, re, sys
		top = sys.argv[1]
		used, starts = set(), set()
		for path, _, names in os.walk(top):
		    for n in names:
		        if n.endswith(('.js', '.html')) or n == 'manifest.json':
		            s = open(os.path.join(path, n)).read()
		            used |= set(re.findall(r"""['"](ext_\w*[a-zA-Z0-9])['"]""", s))
		            used |= set(re.findall(r'__MSG_(\w+?)__', s))
		for lang in ('en', 'de', 'fr', 'es'):
		    have = json.load(open(top + '/_locales/%s/messages.json' % lang))
		    missing = used - have.keys()
		    if missing or len(used) < 30:
		        sys.exit('%s: %s' % (lang, sorted(missing)))
	END
}
ok 'every text it names is in every language' all_texts
# An older node knows a module by this alone.
echo '{ "type": "module" }' >"$X/package.json"
ok 'who asks is judged by the origin alone' \
    node "$TOP/tests/browser/lib/identity.check.mjs" "$X/a/unpacked"
ok 'a page that begins again is not given what an earlier run fetched' \
    node "$TOP/tests/browser/lib/run.check.mjs" "$X/a/unpacked"
codes_known() {
	node "$TOP/tests/browser/lib/codes.check.mjs" "$X/a/unpacked" \
	    "$TOP/proto/base/errors.def"
}
ok 'every error of the agent has a code with texts' codes_known
finish
