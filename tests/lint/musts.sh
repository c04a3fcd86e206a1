#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every MUST of docs/protocol.md is held by a check of the conformance kit, or
# is said to be somebody else's; and each check catches a wrong card.
exec /usr/bin/python3 tests/lint/lint.py musts wrong_cards
