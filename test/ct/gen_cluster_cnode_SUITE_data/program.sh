#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A program that keeps, or breaks, the contract of gen_cluster_cnode without being a node: what it
# does is the word in BEHAVIOUR.
echo "arguments: $*"
echo "cookie: ${GCL_COOKIE-none}"
echo 'on stderr' >&2
ready='ready program@127.0.0.1 4711'
case $BEHAVIOUR in
obedient) # ends with its input
    echo "$ready"
    cat >/dev/null
    exit 0
    ;;
deaf) # ends by SIGTERM only
    echo "$ready"
    exec sleep 1000
    ;;
stubborn) # ends by SIGKILL only
    trap '' TERM
    echo "$ready"
    exec sleep 1000
    ;;
silent) # is never ready
    exec cat
    ;;
talkative)
    echo "$ready"
    while read -r line; do
        case $line in
        '= '*) echo "${line#= }" ;;
        *) echo "read $line" ;;
        esac
    done
    printf 'latin1 \351\n'
    ;;
complaining)
    echo 'error name_taken: somebody has it'
    echo 'program.sh: the name is in use' >&2
    echo 'notice that: this is the end'
    exit 69
    ;;
waiting)
    echo 'warning epmd_down: nobody listens there' >&2
    echo 'notice that: it waits'
    exec cat
    ;;
garbled)
    echo 'ready program@127.0.0.1 99999'
    echo 'ready program 4711'
    echo 'ready'
    exec cat
    ;;
exit*)
    exit "${BEHAVIOUR#exit }"
    ;;
ready*)
    echo "$ready"
    exit "${BEHAVIOUR#ready }"
    ;;
esac
