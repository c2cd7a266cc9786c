#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# gcc builds everything without a warning, the unit tests too.
. test/tools/scratch.sh
copy_project "$scratch/p"
cd "$scratch/p"
make -s CC=gcc WERROR=1 all _build/c/debug/test-unit >"$scratch/log" 2>&1 || { tail -n 40 "$scratch/log"; exit 1; }
