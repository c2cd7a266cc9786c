#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `make help` names the targets that people type.
. test/tools/scratch.sh
help=$(make -s help)
for target in all demo test test-fast check install deps clean; do
    echo "$help" | grep -q "^  make $target " || fail "not listed: $target"
done
