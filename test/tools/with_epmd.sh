#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# with_epmd.sh COMMAND [ARG...]
#
# Runs a command with an epmd of its own: a free port, loopback only, and a home folder with a
# throw-away cookie, so that tests meet no other node of this machine and leave nothing behind.
# Sets ERL_EPMD_PORT, ERL_EPMD_ADDRESS and HOME. Ends the epmd by its pid; the exit status is the
# command's.
set -u
[ $# -ge 1 ] || { sed -n '3p' "$0" >&2; exit 64; }

home=$(mktemp -d "${TMPDIR:-/tmp}/gen_cluster.XXXXXX") || exit 70
epmd_pid= command_pid=

finish()
{
    [ -z "$command_pid" ] || kill "$command_pid" 2>/dev/null
    [ -z "$epmd_pid" ] || kill "$epmd_pid" 2>/dev/null
    rm -rf "$home"
}
trap finish EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

exec 3<&0 # a command in the background would read nothing

random() { od -An -N4 -tu4 /dev/urandom | tr -d ' '; }

od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$home/.erlang.cookie"
chmod 400 "$home/.erlang.cookie"

epmd=$(dirname "$(readlink -f "$(command -v erl)")")/epmd
[ -x "$epmd" ] || epmd=epmd
export ERL_EPMD_ADDRESS=127.0.0.1

# A port that is taken makes epmd end at once; below 32768 the kernel gives none away meanwhile.
for _ in 1 2 3 4 5 6 7 8 9 10; do
    ERL_EPMD_PORT=$((10000 + $(random) % 20000))
    export ERL_EPMD_PORT
    "$epmd" -relaxed_command_check >/dev/null 2>&1 </dev/null &
    epmd_pid=$!
    tries=0
    while kill -0 $epmd_pid 2>/dev/null && [ $tries -lt 100 ]; do
        "$epmd" -names >/dev/null 2>&1 && break 2
        tries=$((tries + 1))
        sleep 0.05
    done
    kill $epmd_pid 2>/dev/null
    epmd_pid=
done
[ -n "$epmd_pid" ] || { echo 'with_epmd: no epmd could be started' >&2; exit 69; }

HOME=$home "$@" <&3 3<&- &
command_pid=$!
wait $command_pid
status=$?
command_pid=
exit $status
