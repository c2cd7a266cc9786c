#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The demo sees that the member in C does nothing.
. test/tools/demo.sh
program 'cat >/dev/null'
demo_fails 'three@127.0.0.1: init' "$scratch/program"
