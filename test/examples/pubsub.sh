#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What doc/pg.md shows of the example stands in it to the letter.
awk '
    NR == FNR { whole = whole "\n" $0; next }
    /^```c$/ { inside = 1; block = ""; next }
    /^```/ && inside { blocks++; inside = 0; if (!index(whole "\n", block "\n")) { print "not in the example:" block; wrong = 1 } }
    inside { block = block "\n" $0 }
    END { exit wrong || blocks == 0 }
' examples/pubsub.c doc/pg.md || exit 1
. test/tools/example.sh
