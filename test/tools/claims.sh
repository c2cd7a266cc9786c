#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# claims.sh CLAIMS RESULTS_FOLDER KINDS [OTHER_KINDS]
#
# CLAIMS holds lines `claim :: kind:name, kind:name`, with nothing behind `::` when there is no test
# yet. Fails when a named test did not run in this run, or did not pass. A claim that says of itself
# that it was shown once has `once DATE: how` instead.
#
# Tests of OTHER_KINDS have runs of their own, in which they are looked for. What was skipped as a
# whole, `otp:29`, has none of the tests below it: test/skips answers for that.
set -u
claims=$1 results=$2 kinds=$3 others=${4:-}

cat "$results"/*.txt /dev/null 2>/dev/null | awk -v claims="$claims" -v kinds=" $kinds " \
    -v others=" $others " '
    function fail(text) { print "  test/claims:" number ": " text; wrong++ }
    function below(test) { return substr(test, 1, index(test "/", "/") - 1) }
    /^\|/ { next }
    {
        test = $1 ":" $2
        if (!(test in result) || result[test] == "passed") result[test] = $3
    }
    END {
        while ((getline line < claims) > 0) {
            number++
            if (line ~ /^ *(#.*)?$/) continue
            total++
            at = index(line, " ::")
            if (!at) { fail("no \"::\": " line); continue }
            n = split(substr(line, at + 3), name, ",")
            if (substr(line, at + 3) ~ /^ *$/) { without++; continue }
            if (line ~ /once.* :: once [0-9]+-[0-9]+-[0-9]+: ./) continue
            for (i = 1; i <= n; i++) {
                gsub(/^ +| +$/, "", name[i])
                kind = " " substr(name[i], 1, index(name[i], ":") - 1) " "
                if (index(others, kind) || result[below(name[i])] == "skipped") continue
                if (!index(kinds, kind)) fail("no such kind: " name[i])
                else if (!(name[i] in result)) fail("no such test in this run: " name[i])
                else if (result[name[i]] != "passed") fail(result[name[i]] ": " name[i])
            }
        }
        printf "%d claims, %d without a test\n", total, without
        exit wrong > 0
    }'
