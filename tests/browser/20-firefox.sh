#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Enrolment in a real Firefox with the extension, the agent, pcscd, a card and
# the issuer: that it works, what is said when a piece is missing, what cards and
# people do in the middle, what pages may not do.
# RUN: plain-only
# TIMEOUT: 1800
exec "${TOP:-.}/tests/browser/lib-run" main.mjs firefox
