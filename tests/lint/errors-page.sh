#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs/errors.md is what the table gives today.
echo 1..1
if scripts/errors-page | diff docs/errors.md - >&2; then
	echo 'ok 1 - docs/errors.md is made from the error table'
else
	echo 'not ok 1 - docs/errors.md is made from the error table'
	exit 1
fi
