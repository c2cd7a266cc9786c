#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `make demo` without a keyboard: all happens, soon enough, and nothing is left of it. Meanwhile its
# processes are looked at: whom they listen to, and which epmd and which home they have.
. test/tools/scratch.sh
. test/tools/processes.sh
make -s all

# The addresses on which a process listens, as /proc/net/tcp has them: 0100007F is 127.0.0.1, zeros
# with 01000000 at the end are ::1, which epmd always takes as well.
listens_on()
{
    readlink "/proc/$1/fd"/* 2>/dev/null | sed -n 's/^socket:\[\(.*\)\]$/\1/p' >"$scratch/sockets"
    awk 'NR == FNR { mine[$1]; next } $4 == "0A" && $10 in mine { sub(/:.*/, "", $2); print $2 }' \
        "$scratch/sockets" /proc/net/tcp /proc/net/tcp6
}

look()
{
    for pid in $(processes); do
        listens_on "$pid" >>"$scratch/addresses"
        tr '\0' '\n' <"/proc/$pid/environ" | grep -a '^HOME=\|^ERL_EPMD_PORT=' || :
    done 2>/dev/null >>"$scratch/settings"
}

begin=$SECONDS
env "$mark" make demo >"$scratch/transcript" 2>&1 </dev/null &
demo=$!
while kill -0 $demo 2>/dev/null; do
    look
    sleep 0.2
done
status=0
wait $demo || status=$?
cat "$scratch/transcript"
[ $status = 0 ] || fail "status $status"
[ $((SECONDS - begin)) -lt 60 ] || fail 'it took more than a minute'
[ -z "$(processes)" ] || fail "left behind: $(processes)"

[ -s "$scratch/addresses" ] || fail 'nobody listened'
! grep -vx '0100007F\|0*01000000' "$scratch/addresses" || fail 'not the loopback'
port=$(sort -u "$scratch/settings" | sed -n 's/^ERL_EPMD_PORT=//p')
case $port in
'' | 4369) fail "epmd on port '$port'" ;;
esac
home=$(sort -u "$scratch/settings" | sed -n 's/^HOME=//p' | grep -vx "$HOME") ||
    fail 'no home of its own'
[ ! -e "$home" ] || fail "its home $home is left"

# Each callback, by which node; and that a line with a node is one of the three, or their guest.
shows() { grep -q "^$1: $2" "$scratch/transcript" || fail "not in the transcript: $1: $2"; }
for node in one two three; do
    for callback in init handle_call handle_cast handle_info handle_leader_change handle_leave; do
        shows "$node@127.0.0.1" $callback
    done
done
shows one@127.0.0.1 'handle_join three@127.0.0.1'
shows two@127.0.0.1 'handle_node_joined three@127.0.0.1'
shows three@127.0.0.1 'terminate normal'
grep -q '^-- now the node in C is killed' "$scratch/transcript" || fail 'does not say what is killed'
told='^-- \|^\(one\|two\|three\|guest\)@127[.]0[.]0[.]1: \|^  [A-Z]'
! grep -v "$told" "$scratch/transcript" || fail 'lines of nobody'
