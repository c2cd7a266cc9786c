#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# doc/limits.md is true: each limit of gcl_node_config is in it, with the default that it has, an
# error or another outcome, a log event that the library knows, and a test that there is.
. test/tools/scratch.sh
doc=doc/limits.md

# The rows, as `names|defaults|outcome|events|tests` without spaces around.
sed -n 's/^| \(.*\) |$/\1/p' "$doc" | grep -v -e '^limit |' -e '^---' | sed 's/ *| */|/g' >"$scratch/rows"
[ -s "$scratch/rows" ] || fail "$doc has no table"

# Fields that bound something, and what gcl_node_config_init() sets them to.
fields=$(sed -n '/^typedef struct gcl_node_config {/,/^} gcl_node_config;/p' include/gen_cluster/node.h |
    sed -n 's/^    \(size_t\|uint32_t\|unsigned\) \([a-z_]*\);.*/\2/p' | grep -v '^size$')
{
    printf '#include <gen_cluster/node.h>\n#include <stdio.h>\nint main(void)\n{\n'
    printf 'gcl_node_config c;\ngcl_node_config_init(&c);\n'
    for field in $fields; do printf 'printf("%s %%llu\\n", (unsigned long long)c.%s);\n' "$field" "$field"; done
    printf 'return 0;\n}\n'
} >"$scratch/defaults.c"
make -s all >/dev/null || fail 'the library is not built'
ei=$(make -s ei-root)
# shellcheck disable=SC2046
${CC:-gcc} -std=c11 -Iinclude -o "$scratch/defaults" "$scratch/defaults.c" _build/c/release/libgen_cluster.a \
    -L"$ei/lib" -lei -lev $(pkg-config --libs libcrypto) -pthread -lm || fail 'does not link'
"$scratch/defaults" >"$scratch/defaults.txt"

awk -F'|' '
    function number(text,   parts) {
        split(text, parts, " ")
        return parts[2] == "MiB" ? parts[1] * 1048576 : parts[2] == "KiB" ? parts[1] * 1024 : parts[1] + 0
    }
    NR == FNR { split($0, pair, " "); default_of[pair[1]] = pair[2]; next }
    {
        count = split($1, names, ","); split($2, defaults, ",")
        for (i = 1; i <= count; i++) {
            if (!match(names[i], /`[a-z_]+`/)) continue
            name = substr(names[i], RSTART + 1, RLENGTH - 2)
            if (!(name in default_of)) continue
            seen[name] = 1
            sub(/^ */, "", defaults[i])
            if (number(defaults[i]) != default_of[name]) {
                printf "%s: %s is said, %s is set\n", name, defaults[i], default_of[name]; failed = 1
            }
        }
        if ($3 == "") { print $1 ": no outcome"; failed = 1 }
        if ($5 == "") { print $1 ": no test"; failed = 1 }
    }
    END {
        for (name in default_of) if (!(name in seen)) { print name " is missing"; failed = 1 }
        exit failed
    }
' "$scratch/defaults.txt" "$scratch/rows" || fail "$doc says what is not so"

cut -d'|' -f3 "$scratch/rows" | grep -o 'GCL_E[A-Z]*' | sort -u | while read -r error; do
    grep -q "X($error," include/gen_cluster/error.h || fail "$doc: there is no error $error"
done || exit 1
cut -d'|' -f4 "$scratch/rows" | grep -o '`[a-z_]*`' | tr -d '`' | sort -u | while read -r event; do
    grep -rq "\"$event\"" c_src || fail "$doc: nothing logs $event"
done || exit 1
# `kind:suite/test`, or `kind:suite` for all of one.
cut -d'|' -f5 "$scratch/rows" | grep -o '`[a-z]*:[A-Za-z_]*\(/[a-z_0-9]*\)\?`' | tr -d '`' | sort -u |
    while IFS=: read -r kind name; do
        suite=${name%%/*} case=${name#*/}
        [ "$case" != "$name" ] || case=
        case $kind in
        ct) grep -q "^$case(" "test/ct/$suite.erl" ;;
        fuzz) [ -f "test/c/fuzz/$suite.c" ] ;;
        *) grep -rqE "^Test\($suite, ${case:-[a-z]}" "test/c/$kind" ;;
        esac || fail "$doc: there is no test $kind:$name"
    done || exit 1
