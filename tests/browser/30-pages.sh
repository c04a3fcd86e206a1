#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The holder's pages in real browsers: every state in four languages, light,
# dark and on a phone (pictures in build/screens/), by keyboard, for screen
# readers (axe-core), without JavaScript.
# RUN: plain-only
# TIMEOUT: 1800
exec "${TOP:-.}/tests/browser/lib-run" pages.mjs
