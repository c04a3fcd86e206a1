#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything the libraries export is called cw_.
. "${TOP:-.}/tests/e2e/lib-tap.sh"

foreign() {
	nm --defined-only --extern-only "$@" 2>/dev/null |
	    awk 'NF == 3 && $2 ~ /^[A-Z]$/ && $3 !~ /^(__|_)?cw_/ &&
		$3 !~ /^__(asan|ubsan|odr|gcov|llvm|start|stop)/ { print $3 }'
}
only_ours() {
	test -z "$(foreign "$@")" || { foreign "$@"; return 1; }
}

printf 'int cw_a(void);int cw_a(void){return 1;}\n' >"$WORK/good.c"
printf 'int a(void);int a(void){return 1;}\n' >"$WORK/bad.c"
gcc -c -o "$WORK/good.o" "$WORK/good.c"
gcc -c -o "$WORK/bad.o" "$WORK/bad.c"
ok 'a symbol with the prefix is accepted' only_ours "$WORK/good.o"
refused 'a symbol without it is refused' only_ours "$WORK/bad.o"
for l in proto keys card agent server; do
	[ ! -e "$BUILD/lib$l.a" ] ||
	    ok "lib$l exports only cw_ names" only_ours "$BUILD/lib$l.a"
done
finish
