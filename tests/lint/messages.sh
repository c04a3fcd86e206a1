#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The message catalogue: every language says everything, and every key that the
# programs ask for exists.
. "${TOP:-.}/tests/e2e/lib-tap.sh"

tree() {
	rm -rf "$WORK/tree"
	mkdir -p "$WORK/tree/proto/base"
	cp -r "$TOP/messages" "$WORK/tree/"
	cp "$TOP/proto/base/errors.def" "$WORK/tree/proto/base/"
}
check() {
	MESSAGES_TOP=${1:-$TOP} "$TOP/scripts/messages" check
}
# changed FILE SED-EXPRESSION: what the check says to a changed copy; the
# change must have changed something.
changed() {
	tree
	sed -i "$2" "$WORK/tree/$1"
	! cmp -s "$WORK/tree/$1" "$TOP/$1" || return 0
	check "$WORK/tree"
}
forms() {
	tree
	sed -i 's/^"label_issuer": .*/"label_issuer": {"message":  "Issuer"},/' \
	    "$WORK/tree/messages/en.json"
	! check "$WORK/tree" || return 1
	MESSAGES_TOP="$WORK/tree" "$TOP/scripts/messages" format
	check "$WORK/tree"
}
# In C: cw_message(language, "key"; in pages: {{t:key}}.
keys_used() {
	{
		grep -rhoE --include='*.c' \
		    'cw_message(_put|_values)?\([^;"]*"[A-Za-z0-9_]+"' \
		    proto card agent keys server | sed 's/.*"\(.*\)"/\1/'
		grep -rhoE '\{\{t:[A-Za-z0-9_]+\}\}' www 2>/dev/null |
		    sed 's/{{t:\(.*\)}}/\1/'
	} | sort -u
}
keys_exist() {
	keys_used | while read -r key; do
		grep -q "^\"$key\":" messages/en.json ||
		    echo "$key is in no catalogue"
	done >"$WORK/missing"
	[ ! -s "$WORK/missing" ] || { cat "$WORK/missing"; return 1; }
}

ok 'the four languages have the same keys and placeholders, and all errors' \
	check
refused 'a missing key is found' \
	changed messages/de.json '/^"label_issuer":/d'
refused 'a key that English lacks is found' \
	changed messages/en.json '/^"label_issuer":/d'
refused 'another placeholder is found' \
	changed messages/fr.json '/^"key_plain"/s/\$ALGORITHM\$/$KEY$/'
refused 'a text without its placeholder is found' \
	changed messages/es.json '/^"key_plain"/s/\$ALGORITHM\$//'
refused 'a lone dollar is found' \
	changed messages/es.json '/^"label_issuer"/s/Emisor/Emi$or/'
refused 'an error without a translation is found' \
	changed messages/es.json '/^"error_506":/d'
refused 'an error that no table has is found' \
	changed messages/de.json 's/^"error_506"/"error_998"/'
refused 'an English error text that the table does not say is found' \
	changed messages/en.json '/^"error_506"/s/early/late/'
refused 'an error that is new in the table is found' \
	changed proto/base/errors.def \
	'$aCW_ERR(999, NEW, INTERNAL, "New.", "Do.")'
refused 'a sentence without its end is found' \
	changed messages/de.json '/^"error_506"/s/\."/"/'
refused 'markup is found' \
	changed messages/de.json '/^"label_issuer"/s/Aussteller/<b>A/'
refused 'a key that stands twice is found' \
	changed messages/de.json '/^"label_issuer"/p'
refused 'an empty text is found' \
	changed messages/de.json '/^"label_issuer"/s/Aussteller//'
refused 'a file that is not JSON is found' \
	changed messages/de.json '$d'
ok 'scripts/messages format puts a file into its form' forms
ok 'every key that the programs and pages ask for exists' keys_exist
finish
