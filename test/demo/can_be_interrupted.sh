#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Ctrl-C in its terminal, or SIGTERM, ends the demo with all that it has started.
. test/tools/terminals.sh
. test/tools/processes.sh

nothing_is_left()
{
    for _ in {1..100}; do
        [ -n "$(processes)" ] || return 0
        sleep 0.1
    done
    ps -f -p "$(processes | paste -s -d ,)" || :
    fail 'processes are left behind'
}

terminal demo "env $mark make demo"
sees demo 'one@127.0.0.1: handle_join three@127.0.0.1'
[ -n "$(processes)" ] || fail 'no processes are seen'
interrupt demo
ended demo
nothing_is_left

env "$mark" priv/demo >"$scratch/transcript" &
pid[demo]=$!
for _ in {1..200}; do
    ! grep -q 'handle_join three' "$scratch/transcript" || break
    sleep 0.1
done
kill -TERM "${pid[demo]}"
ended demo
nothing_is_left
