#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A C member in a terminal ends by Ctrl-D; one whose output nobody reads any more goes on; and so does
# one whose log nobody reads, which says how many lines are missing when somebody does.
. test/tools/terminals.sh
program=$PWD/priv/bin/example_cluster_srv

terminal member "$program --sname streams$$@localhost --until-stdin-eof"
sees member "ready streams$$@localhost"
type_in member 'what is typed means nothing'
end_input member
ended member

mkfifo "$scratch/output"
"$program" --sname "unread$$@localhost" >"$scratch/output" &
pid[unread]=$!
{
    read -r line
    read -r line
} <"$scratch/output"
[[ $line = "ready unread$$@localhost "* ]] || fail "not ready: $line"
erl -noinput -sname "caller$$@localhost" -eval "
    [hello = gen_server:call({example_cluster_srv, 'unread$$@localhost'}, {ohai}) || _ <- \"123\"],
    halt()."
kill -TERM "${pid[unread]}"
wait "${pid[unread]}" || fail "it ended with status $?"

mkfifo "$scratch/errors"
sleep 1000 <"$scratch/errors" &
pid[holder]=$!
"$program" --sname "mute$$@localhost" >"$scratch/ready" 2>"$scratch/errors" &
pid[mute]=$!
until grep -q '^ready' "$scratch/ready"; do sleep 0.1; done
port=$(sed -n 's/^ready .* //p' "$scratch/ready")
stranger()
{
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf '\0\5hello' >&3
    read -r -t 5 <&3 || : # until it is refused
    exec 3>&-
}
# A line for each of them, 64 KiB in all.
for ((i = 0; i < 1200; i++)); do stranger; done
cat "$scratch/errors" >"$scratch/log" &
pid[reader]=$!
until [ -s "$scratch/log" ]; do sleep 0.1; done
until grep -q log_lost "$scratch/log"; do stranger; done
kill -TERM "${pid[mute]}"
wait "${pid[mute]}" || fail "it ended with status $?"
