#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Three members by hand, each in a terminal of its own: by make.
. test/tools/terminals.sh
three_members 'make server1' 'make server2' 'make server3'
type_in three 'q().'
ended three
