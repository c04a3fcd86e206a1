#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A browser with windows on a screen in memory, and PIN and PUK typed into the
# real pinentry.
# RUN: plain-only
# TIMEOUT: 600
for command in Xvfb xdotool pinentry-gtk-2; do
	command -v "$command" >/dev/null || {
		echo "1..0 # SKIP no $command (make deps)"
		exit 0
	}
done
exec "${TOP:-.}/tests/browser/lib-run" pinentry.mjs
