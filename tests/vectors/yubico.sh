#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Attestations of real YubiKeys, with their vendor's roots.
top=$(cd "$(dirname "$0")/../.." && pwd)
vectors=$top/../shared/vectors/yubico-piv

if ! test -d "$vectors"; then
	echo '1..0 # SKIP the YubiKey attestations are not on this machine'
	exit 0
fi
cd "$vectors" || exit 1
exec "${BUILD:-$top/build}/tests/run_yubico" roots/*.pem intermediates/*.pem \
    f9/*.pem slot/*.pem
