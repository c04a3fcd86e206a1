#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# After the enrolment both browsers open the holder's own page with the new key,
# through OpenSC's PKCS#11 module and their own question for the PIN; and what
# the page says without card or certificate. A policy names who may ask.
# RUN: plain-only
# TIMEOUT: 900
for command in Xvfb xdotool modutil; do
	command -v "$command" >/dev/null || {
		echo "1..0 # SKIP no $command (make deps)"
		exit 0
	}
done
exec "${TOP:-.}/tests/browser/lib-run" me.mjs
