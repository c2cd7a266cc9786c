#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Three members by hand, each in a terminal of its own: by rake.
. test/tools/terminals.sh
three_members 'rake server:start1' 'rake server:start2' 'rake server:start3'
type_in three 'q().'
ended three
