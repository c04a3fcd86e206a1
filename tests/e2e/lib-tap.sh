# SPDX-License-Identifier: Apache-2.0
# TAP for scripts. Source it, then:
#
#   ok SENTENCE CMD...      passes if CMD succeeds; its output is shown if not
#   refused SENTENCE CMD... passes if CMD fails with an exit status of its own
#                           (1-125: not by a signal, not "command not found")
#   skip SENTENCE REASON    one sentence that cannot be tried here
#   skip_all REASON         nothing can be tried here; ends the script
#   note TEXT               a remark in the output
#   finish                  the plan; the last command of the script
#   at_exit CMD             runs CMD when the script ends, the last given first
#   wait_for CMD...         polls CMD until it succeeds; a minute is given up
#                           after: far more than any machine needs
#   is_gone PID             whether the process has ended (a zombie has)
#
# The script ends by "finish" or the runner calls it incomplete. $WORK is an
# empty folder with a short path, removed at the end. $BUILD has the programs.
# shellcheck shell=sh

tap_count=0
tap_exit=
: "${BUILD:=build}"
TOP=${TOP:-$(pwd)}
WORK=$(mktemp -d "${TMPDIR:-/tmp}/w.XXXXXX")
chmod 755 "$WORK"

at_exit() {
	tap_exit="$1
$tap_exit"
}

tap_leave() {
	tap_status=$?
	trap '' HUP INT TERM
	eval "$tap_exit"
	rm -rf "$WORK"
	trap - EXIT
	exit $tap_status
}
trap tap_leave EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

note() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

tap_result() {
	tap_count=$((tap_count + 1))
	printf '%s %d - %s\n' "$1" "$tap_count" "$2"
}

ok() {
	tap_sentence=$1
	shift
	if "$@" >"$WORK/.out" 2>&1; then
		tap_result ok "$tap_sentence"
	else
		tap_code=$?
		tap_result 'not ok' "$tap_sentence"
		note "exit status $tap_code of: $*"
		tail -n 60 "$WORK/.out" | sed 's/^/# /'
		return 0
	fi
}

tap_refuses() {
	"$@"
	tap_code=$?
	[ $tap_code -ge 1 ] && [ $tap_code -le 125 ] && return 0
	echo "exit status $tap_code"
	return 1
}

refused() {
	tap_sentence=$1
	shift
	ok "$tap_sentence" tap_refuses "$@"
}

skip() {
	tap_result ok "$1 # SKIP $2"
}

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

finish() {
	echo "1..$tap_count"
	exit 0
}

wait_for() {
	tap_until=$(($(tap_now) + 60))
	until "$@"; do
		[ "$(tap_now)" -lt "$tap_until" ] || return 1
		sleep 0.05
	done
}

# Seconds of a clock that nobody sets.
tap_now() {
	read -r tap_up _ </proc/uptime && echo "${tap_up%.*}"
}

is_gone() {
	! grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status" \
	    2>/dev/null
}
