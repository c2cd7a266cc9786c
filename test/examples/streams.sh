#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A C member in a terminal ends by Ctrl-D; and one whose output nobody reads any more goes on.
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
