#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The demo sees that the member in C does nothing, or ends at once.
. test/tools/demo.sh
program 'cat >/dev/null'
demo_fails 'two@127.0.0.1: supervisor started three@127.0.0.1' "$scratch/program"
demo_fails '' /bin/true
