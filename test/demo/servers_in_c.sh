#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Three members by hand, each in a terminal of its own: the third one in C.
. test/tools/terminals.sh
three_members 'make server1' 'make server2' 'LANG=c rake server:start3'
grep -aqF "ready $(node 3)" "$scratch/three" || fail 'LANG=c did not start the member in C'
interrupt three
ended three
