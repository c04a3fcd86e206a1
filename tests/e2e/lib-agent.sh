# SPDX-License-Identifier: Apache-2.0
# A person's agent with a home of its own, in $WORK. Source it behind lib.sh or
# lib-tap.sh, then:
#
#   says STATUS PATTERN CMD...  passes if CMD ends so and says that, in
#                               $WORK/said; it has no standard input
#   pinentry_make               makes $WORK/pinentry: a dialog that enters PIN
#                               and PUK, and notes in $WORK/dialog.log what it
#                               was told
#
# $WORK/answers, if it is there, has the dialog's next answers, one a line: a
# PIN, or cancel, timeout, nodialog, hang. PIN and PUK as scripts give them to
# --pin-fd are in $WORK/pins.
# shellcheck shell=sh

AGENT=$BUILD/cardwright-agent
HOME=$WORK
export HOME
unset XDG_STATE_HOME
printf '271828\n31415926\n' >"$WORK/pins"

says() {
	said_status=$1 said_pattern=$2
	shift 2
	"$@" >"$WORK/said" 2>&1 </dev/null
	said_got=$?
	cat "$WORK/said"
	[ $said_got = "$said_status" ] &&
	    grep -q -- "$said_pattern" "$WORK/said"
}

pinentry_make() {
	cat >"$WORK/pinentry" <<-END
		#!/bin/sh
		n=0
		echo OK ready
		while read -r line; do
			echo "\$line" >>"$WORK/dialog.log"
			case \$line in
			'GETINFO flavor') echo 'D gtk2'; echo OK ;;
			'SETPROMPT PUK'*) n=31415926; echo OK ;;
			'SETPROMPT PIN'*) n=271828; echo OK ;;
			GETPIN)
				echo \$\$ >"$WORK/pinentry.pid"
				if [ -s "$WORK/answers" ]; then
					n=\$(head -n 1 "$WORK/answers")
					sed -i 1d "$WORK/answers"
				fi
				case \$n in
				cancel) echo 'ERR 83886179 cancelled' ;;
				timeout) echo 'ERR 83886142 timeout' ;;
				nodialog) echo 'ERR 83918950 no tty' ;;
				hang) exec sleep 60 ;;
				*) echo "D \$n"; echo OK ;;
				esac ;;
			BYE) echo OK; exit ;;
			*) echo OK ;;
			esac
		done
	END
	chmod +x "$WORK/pinentry"
}
