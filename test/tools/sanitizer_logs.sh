#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sanitizer_logs.sh NAME FOLDER RESULTS
#
# Adds the test NAME to the results: it fails when a sanitizer wrote a report into FOLDER. Needed
# because neither Criterion nor Common Test looks at what a child process reports when it ends.
set -u
name=$1 folder=$2 results=$3

# Criterion's runner leaks a block now and then (2.4.1): no function of ours is in such a report.
is_of_criterion()
{
    grep -q 'ERROR: LeakSanitizer' "$1" && ! grep -E '^ *#[0-9]+ ' "$1" |
        grep -vqE 'in __interceptor_[a-z]+ |libcriterion\.so|in __libc_start_|in _start '
}

# LeakSanitizer looks at a process that is being killed, and says that it cannot: no report.
is_remark()
{
    [ -s "$1" ] && ! grep -qv 'Unable to get registers from thread [0-9]*\.$' "$1"
}

for report in "$folder"/*; do
    [ -f "$report" ] || continue
    if is_of_criterion "$report" || is_remark "$report"; then rm "$report"; fi
done
if [ -n "$(ls -A "$folder" 2>/dev/null)" ]; then
    echo "sanitizer $name failed" >>"$results"
    head -n 60 "$folder"/*
    exit 1
fi
echo "sanitizer $name passed" >>"$results"
