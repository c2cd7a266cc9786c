#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# summary.sh RESULTS_FOLDER SKIPS FAILED KIND...
#
# Reads lines `kind name passed|failed|skipped` and says what failed, ending with
# `N passed, N failed, N skipped`. Lines `| ...` behind one that failed say why, and are repeated.
# Also a failure: a kind that passed nothing, and a test that was skipped, unless SKIPS lists it with
# a reason; and a line of SKIPS that nothing needs any more.
#
# SKIPS holds lines `kind:name reason` for a skipped test and `kind reason` for a kind without
# tests. FAILED is the number of things that are known to be wrong already (0 or 1);
# whatever is wrong counts as failed.
set -u
results=$1 skips=$2 wrong=$3
shift 3

cat "$results"/*.txt /dev/null 2>/dev/null | awk -v wrong="$wrong" -v skips="$skips" -v kinds="$*" '
    function fail(text) { print "  " text; wrong++ }
    BEGIN {
        while ((getline line < skips) > 0) {
            if (line ~ /^ *(#.*)?$/) continue
            split(line, word, " ")
            excuse[word[1]] = 1
            if (word[2] == "") fail("test/skips: no reason for " word[1])
        }
    }
    /^\|/ { if (is_failed) print "    " $0; next }
    {
        is_failed = $3 == "failed"
        count[$3]++
        by_kind[$1, $3]++
        test = $1 ":" $2
        if ($3 == "failed")
            fail("failed: " test)
        else if ($3 == "skipped" && !(test in excuse))
            fail("skipped without a reason in test/skips: " test)
        else if ($3 == "skipped")
            used[test] = 1
        else if ($3 != "passed")
            fail("not a result: " $0)
    }
    END {
        n = split(kinds, kind, " ")
        for (i = 1; i <= n; i++) {
            k = kind[i]
            printf "%-10s %5d passed %5d failed %5d skipped\n", k, by_kind[k, "passed"],
                   by_kind[k, "failed"], by_kind[k, "skipped"]
            if (!by_kind[k, "passed"] && !(k in excuse))
                fail("no test of this kind passed: " k)
            else if (!by_kind[k, "passed"])
                used[k] = 1
        }
        for (e in excuse) {
            split(e, part, ":")
            if (!(e in used) && index(" " kinds " ", " " part[1] " "))
                fail("test/skips: not needed any more: " e)
        }
        printf "%d passed, %d failed, %d skipped\n", count["passed"], wrong, count["skipped"]
        exit wrong > 0
    }'
