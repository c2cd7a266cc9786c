# SPDX-License-Identifier: Apache-2.0
# For tests of the demo, which read it by `. test/tools/demo.sh`.
. test/tools/scratch.sh

# demo_fails EVENT [PROGRAM [FOLDER]]: the demo ends with 1 and says that this did not happen.
demo_fails()
{
    event=$1
    shift
    status=0
    priv/demo "$@" >"$scratch/transcript" 2>&1 </dev/null || status=$?
    cat "$scratch/transcript"
    [ $status = 1 ] || fail "status $status"
    grep -q -- "^-- this did not happen: $event" "$scratch/transcript" || fail "$event is not named"
}

# program TEXT: a program that does that, for the member in C.
program()
{
    printf '#!/bin/sh\n%s\n' "$1" >"$scratch/program"
    chmod +x "$scratch/program"
}
