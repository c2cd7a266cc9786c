#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What makes `make test` fail, and its last line.
. test/tools/scratch.sh
results=$scratch/results
mkdir "$results"

# sum EXPECTED_STATUS LAST_LINE RESULTS SKIPS
sum()
{
    printf "$3" >"$results/a.txt"
    printf "$4" >"$scratch/skips"
    status=0
    test/tools/summary.sh "$results" "$scratch/skips" 0 unit sim >"$scratch/out" || status=$?
    last=$(tail -n 1 "$scratch/out")
    [ "$status $last" = "$1 $2" ] || { cat "$scratch/out"; fail "expected $1 $2, got $status $last"; }
}
sum 0 '2 passed, 0 failed, 0 skipped' 'unit a/b passed\nsim c/d passed\n' ''
sum 1 '1 passed, 1 failed, 0 skipped' 'unit a/b failed\nsim c/d passed\n' 'unit reason\n'
sum 1 '1 passed, 1 failed, 0 skipped' 'unit a/b passed\n' ''
sum 0 '1 passed, 0 failed, 0 skipped' 'unit a/b passed\n' '# comment\nsim not there yet\n'
sum 1 '1 passed, 1 failed, 0 skipped' 'unit a/b passed\n' 'sim\n'
sum 1 '2 passed, 1 failed, 1 skipped' 'unit a/b passed\nsim c/d passed\nsim c/e skipped\n' ''
sum 0 '2 passed, 0 failed, 1 skipped' 'unit a/b passed\nsim c/d passed\nsim c/e skipped\n' 'sim:c/e why\n'
sum 1 '2 passed, 1 failed, 0 skipped' 'unit a/b passed\nsim c/d passed\n' 'sim:c/e why\n'
sum 1 '2 passed, 1 failed, 0 skipped' 'unit a/b passed\nsim c/d passed\n' 'sim not there yet\n'
sum 1 '2 passed, 1 failed, 0 skipped' 'unit a/b passed\nsim c/d passed\nsim c/e odd\n' ''

# Why a test has failed stands at the end, and is no result itself.
sum 1 '1 passed, 1 failed, 0 skipped' 'unit a/b failed\n| c d failed\nsim c/d passed\n| x\n' 'unit reason\n'
[ "$(head -n 2 "$scratch/out")" = "  failed: unit:a/b
    | c d failed" ] || fail "$(cat "$scratch/out")"
! grep -q '| x' "$scratch/out" || fail 'a reason for a test that passed'

# claims EXPECTED_STATUS LAST_LINE RESULTS CLAIMS
claims()
{
    printf "$3" >"$results/a.txt"
    printf "$4" >"$scratch/claims"
    status=0
    test/tools/claims.sh "$scratch/claims" "$results" 'unit sim' otp >"$scratch/out" || status=$?
    last=$(tail -n 1 "$scratch/out")
    [ "$status $last" = "$1 $2" ] || { cat "$scratch/out"; fail "expected $1 $2, got $status $last"; }
}
claims 0 '2 claims, 1 without a test' 'unit a/b passed\n' 'one :: unit:a/b\n# x\ntwo ::\n'
claims 1 '1 claims, 0 without a test' 'unit a/b passed\n' 'one :: unit:a/b, unit:a/c\n'
claims 1 '1 claims, 0 without a test' 'unit a/b skipped\n' 'one :: unit:a/b\n'
claims 1 '1 claims, 0 without a test' 'unit a/b passed\nunit a/b failed\n' 'one :: unit:a/b\n'
claims 1 '1 claims, 0 without a test' 'unit a/b passed\n' 'one without colons\n'
claims 0 '1 claims, 0 without a test' 'unit a/b passed\n' 'shown once :: once 2026-11-24: here\n'
claims 1 '1 claims, 0 without a test' 'unit a/b passed\n' 'one :: once 2026-11-24: here\n'
claims 1 '1 claims, 0 without a test' 'unit a/b passed\n' 'one :: unti:a/b\n'
claims 0 '1 claims, 0 without a test' 'unit a/b passed\n' 'one :: unit:a/b, otp:27/a/b\n'
claims 0 '1 claims, 0 without a test' 'unit a skipped\n' 'one :: unit:a/b\n'
claims 1 '1 claims, 0 without a test' 'unit a skipped\n' 'one :: unit:ab/b\n'

# A test program that dies half way, one that fails, a script that hangs.
cat >"$scratch/dies" <<'END'
#!/bin/sh
for arg; do case $arg in --tap=*) printf '1..2\nok - a::b (0.00s)\n' >"${arg#--tap=}" ;; esac; done
END
chmod +x "$scratch/dies"
if test/tools/criterion.sh unit '' "$scratch/dies" "$scratch/r.txt"; then fail 'half a run passed'; fi
[ "$(cat "$scratch/r.txt")" = "unit a/b passed
unit complete failed
| ended with status 0, behind: unit a/b passed" ] || fail "$(cat "$scratch/r.txt")"

# One whose tests have all passed, and of which a sanitizer has something to say: the report counts.
sed 's/1\.\.2/1..1/' "$scratch/dies" >"$scratch/leaks"
echo 'exit 86' >>"$scratch/leaks"
chmod +x "$scratch/leaks"
GCL_REPORT_STATUS=86 test/tools/criterion.sh sanitizer '' "$scratch/leaks" "$scratch/r.txt" ||
    fail "$(cat "$scratch/r.txt")"
if test/tools/criterion.sh sanitizer '' "$scratch/leaks" "$scratch/r.txt"; then
    fail 'a status of its own passed'
fi
grep -q '^| ended with status 86, ' "$scratch/r.txt" || fail "$(cat "$scratch/r.txt")"
if GCL_REPORT_STATUS=86 test/tools/criterion.sh sanitizer '' "$scratch/dies" "$scratch/r.txt"; then
    fail 'half a run under a sanitizer passed'
fi

printf '#!/bin/sh\nsleep 60\n' >"$scratch/hangs.sh"
printf '#!/bin/sh\nexit 77\n' >"$scratch/skips.sh"
chmod +x "$scratch"/*.sh
if GCL_TEST_TIMEOUT=1 test/tools/scripts.sh demo "$scratch/r.txt" "$scratch/hangs.sh" \
    "$scratch/skips.sh" >/dev/null; then fail 'a script that hangs passed'; fi
[ "$(cat "$scratch/r.txt")" = "demo hangs failed
| (out of time)
demo skips skipped" ] || fail "$(cat "$scratch/r.txt")"

# A report of a sanitizer.
mkdir "$scratch/reports"
test/tools/sanitizer_logs.sh no_report "$scratch/reports" "$scratch/r.txt"
echo '==9==Unable to get registers from thread 8.' >"$scratch/reports/asan.2"
test/tools/sanitizer_logs.sh no_report "$scratch/reports" "$scratch/r.txt"
echo 'heap-use-after-free' >"$scratch/reports/asan.1"
if test/tools/sanitizer_logs.sh no_report "$scratch/reports" "$scratch/r.txt" >/dev/null; then
    fail 'a report passed'
fi
