#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# clang builds everything without a warning, and the unit tests pass then too.
. test/tools/scratch.sh
copy_project "$scratch/p"
cd "$scratch/p"
make -s CC=clang WERROR=1 all test-unit >"$scratch/log" 2>&1 || { tail -n 40 "$scratch/log"; exit 1; }
