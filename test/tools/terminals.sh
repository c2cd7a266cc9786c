# SPDX-License-Identifier: Apache-2.0
# For tests of programs that people type into, which read it by `. test/tools/terminals.sh`: an
# epmd of their own, and terminals (pty).
[ -n "${GCL_OWN_EPMD:-}" ] || GCL_OWN_EPMD=1 exec test/tools/with_epmd.sh "$0"
. test/tools/scratch.sh
export TERM=xterm

declare -A keyboard pid

# terminal NAME COMMAND: what it shows comes to $scratch/NAME.
terminal()
{
    mkfifo "$scratch/$1.keys"
    script -qefc "$2" /dev/null <"$scratch/$1.keys" >"$scratch/$1" 2>&1 &
    pid[$1]=$!
    exec {fd}>"$scratch/$1.keys"
    keyboard[$1]=$fd
}

type_in() { printf '%s\r' "$2" >&"${keyboard[$1]}"; }
interrupt() { printf '\003' >&"${keyboard[$1]}"; }
end_input() { printf '\004' >&"${keyboard[$1]}"; }

# sees NAME TEXT
sees()
{
    for _ in {1..200}; do
        ! grep -aqF "$2" "$scratch/$1" || return 0
        sleep 0.1
    done
    for log in "${!pid[@]}"; do
        echo "== $log"
        cat -v "$scratch/$log"
    done
    fail "$1 does not show: $2"
}

# A process and what it has started, which goes on when only a terminal is lost.
family()
{
    echo "$1"
    for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
        family "$child"
    done
}

put_away()
{
    for name in "${!pid[@]}"; do
        # shellcheck disable=SC2046
        ! kill -0 "${pid[$name]}" 2>/dev/null || kill -KILL $(family "${pid[$name]}") || :
    done
}
trap 'put_away; rm -rf "$scratch"' EXIT

ended()
{
    for _ in {1..200}; do
        kill -0 "${pid[$1]}" 2>/dev/null || return 0
        sleep 0.1
    done
    fail "$1 does not end"
}

# The member NUMBER.
node() { echo "server$1@127.0.0.1"; }

# three_members COMMAND COMMAND COMMAND: the terminals one, two and three, the first two in Erlang.
# The others join through the first, which is then ended in its shell.
three_members()
{
    terminal one "$1"
    sees one "$(node 1): handle_leader_change $(node 1), members $(node 1)"
    terminal two "$2"
    sees one "$(node 1): handle_join $(node 2)"
    terminal three "$3"
    sees one "$(node 1): handle_join $(node 3)"
    sees two "$(node 2): handle_node_joined $(node 3)"
    type_in two 'init:get_argument(gen_cluster_known).'
    sees two '{ok,[["server1@127.0.0.1"]]}'
    type_in one 'q().'
    sees two "$(node 2): handle_leave $(node 1)"
    sees three "$(node 3): handle_leave $(node 1)"
    ended one
    type_in two 'q().'
    ended two
    sees three "$(node 3): handle_leave $(node 2)"
}
