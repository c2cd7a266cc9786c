#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sanitizer_logs.sh NAME FOLDER RESULTS
#
# Adds the test NAME to the results: it fails when a sanitizer wrote a report into FOLDER. Needed
# because neither Criterion nor Common Test looks at what a child process reports when it ends.
set -u
name=$1 folder=$2 results=$3
if [ -n "$(ls -A "$folder" 2>/dev/null)" ]; then
    echo "sanitizer $name failed" >>"$results"
    head -n 60 "$folder"/*
    exit 1
fi
echo "sanitizer $name passed" >>"$results"
