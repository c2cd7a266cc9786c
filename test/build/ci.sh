#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What CI runs stays below 20 minutes, the installation of what is missing included, and below 20
# more for other releases of OTP, because it ends itself before and has failed then; and it runs the
# commands of the README.
. test/tools/scratch.sh
deadline=$(sed -n 's/^deadline=\([0-9]*\)$/\1/p' .ci/run)
[ -n "$deadline" ] && [ "$deadline" -lt 1200 ] || fail ".ci/run has a deadline of $deadline seconds"
more=$(sed -n 's/^deadline=$((SECONDS + \([0-9]*\)))$/\1/p' .ci/run | head -n 1)
[ -n "$more" ] && [ "$more" -lt 1200 ] || fail ".ci/run gives other releases $more seconds"
for command in 'make deps GOAL=test' 'make -j2 test' 'make -j2 test-otp' 'make --no-print-directory "check-'; do
    grep -qF "within $command" .ci/run || fail ".ci/run does not run $command within its deadline"
done
# The same script with a deadline that has passed: nothing is run, and it has failed.
copy_project "$scratch/tree"
cd "$scratch/tree" || exit 1
sed -i 's/^deadline=.*/deadline=0/; s/^within() .*/within() { [ "$SECONDS" -lt "$deadline" ] || return 124; "$@"; }/' .ci/run
if output=$(bash .ci/run 2>&1); then fail 'a run that took too long has passed'; fi
echo "$output" | tail -n 1 | grep -q '[1-9][0-9]* failed' || fail "the last line is: $(echo "$output" | tail -n 1)"
