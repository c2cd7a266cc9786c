#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check_symbols.sh SHARED_LIBRARY OBJECT_FOLDER [HEADER_FOLDER]
#
# What the linker sees: the shared library exports gcl_* and nothing else (nothing of libei either),
# each function that the headers declare with GCL_API,
# no object has a writable global or static, what is visible between objects is called gcl_*, and
# the rooms call only what they may: memory through base/alloc, terms through libei's codec in
# wire/term, libev and OpenSSL in net.
set -u
library=$1 objects=$2 headers=${3:-include}
wrong=0

report()
{
    [ -z "$2" ] && return
    echo "$1:"
    echo "$2" | sed 's/^/  /'
    wrong=1
}

report 'exported without the prefix gcl_' \
    "$(nm -D --defined-only "$library" | awk '$3 !~ /^gcl_/ { print $3 }')"

# The name stands behind GCL_API, perhaps in the next line.
exported=$(nm -D --defined-only "$library" | awk '{ print $3 }')
report 'declared with GCL_API and not exported' "$(find "$headers" -name '*.h' | sort | xargs cat |
    awk -v exported="$exported" '
        BEGIN { n = split(exported, name, "\n"); for (i = 1; i <= n; i++) has[name[i]] = 1 }
        /^GCL_API / { is_open = 1 }
        is_open && match($0, /gcl_[a-z0-9_]*\(/) {
            is_open = 0
            function_name = substr($0, RSTART, RLENGTH - 1)
            if (!(function_name in has)) print function_name
        }')"

list=$(find "$objects" -name '*.o' | sort)
[ -n "$list" ] || { echo "no objects in $objects"; exit 1; }

# shellcheck disable=SC2086
report 'writable data' "$(objdump -t $list | awk '
    /:     file format/ { file = $1 }
    # .data.rel.ro is written by the dynamic linker only.
    match($0, / (\.data|\.bss|\.tdata|\.tbss|\*COM\*)[^ \t]*\t/) {
        section = substr($0, RSTART + 1, RLENGTH - 2)
        if (section !~ /^\.data\.rel\.ro/ && $NF != section) print file " " $NF " (" section ")"
    }')"

# shellcheck disable=SC2086
report 'global without the prefix gcl_' "$(nm -A --defined-only --extern-only $list |
    awk '$NF !~ /^gcl_/ { print }')"

# shellcheck disable=SC2086
report 'called from the wrong room' "$(nm -A --undefined-only $list | awk '
    function call(who) { print file " calls " name ": " who }
    {
        file = $1
        sub(/:$/, "", file)
        sub(/^.*c_src\//, "", file)
        name = $NF
        room = file
        sub(/\/.*/, "", room)
        shared = 0
        pure = room == "base" || room == "wire" || room == "core"
    }
    # The allocator of a node belongs to its loop thread; what threads share, and what may outlive
    # the node, comes from malloc().
    file ~ /^(base\/alloc|node\/(post|work|watchdog)|net\/resolver)\.o$/ { shared = 1 }
    name ~ /^(malloc|calloc|realloc|reallocarray|free|strdup|strndup|asprintf|vasprintf)$/ &&
        !shared { call("memory comes from the allocator of the node") }
    name ~ /^ei_/ && file !~ /^wire\/term\// { call("only wire/term uses libei") }
    name ~ /^ei_(connect|accept|receive|x?receive|send|reg_send|rpc|publish|listen|x_)/ {
        call("no connections and no memory of libei")
    }
    # The main() of a member owns the loop that its node runs in.
    name ~ /^ev_/ && room != "net" && file != "cluster/program.o" { call("only net/ uses libev") }
    name ~ /^(EVP|MD5|RAND|CRYPTO|OPENSSL|SSL)_/ && room != "net" { call("only net/ uses OpenSSL") }
    pure && name ~ /^(secure_)?getenv$|^(s?rand|s?random|rand_r|drand48|arc4random|getrandom)/ {
        call("a pure room is told its settings and its randomness")
    }
    pure && name ~ /^(time|clock|clock_gettime|gettimeofday|nanosleep|usleep|sleep)$/ {
        call("a pure room is told the time")
    }
    pure && name ~ /^(socket|connect|accept4?|bind|listen|send|recv|read|write|open|close|poll)$/ {
        call("a pure room does no I/O")
    }
    pure && name ~ /^(pthread_|mtx_|thrd_)/ { call("a pure room has no threads") }')"

exit $wrong
