#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The shape of the public headers: configs begin with their size and have an _init, handles are
# opaque, objects come first and `void *user` last, and every function has its contract in front.
. test/tools/scratch.sh
headers=$(ls include/*.h include/gen_cluster/*.h)

# shellcheck disable=SC2086
awk '
    function wrong(text) { printf "%s:%d: %s\n", FILENAME, FNR, text; failed = 1 }
    FNR == 1 { is_documented = 0; struct_name = "" }

    # A doc comment stands right in front of a declaration, or of the macro that stands for it.
    /\*\// { is_documented = FNR }
    /^#define [a-z]/ && is_documented == FNR - 1 { in_macro = 1 }
    in_macro { is_documented = FNR; if ($0 !~ /\\$/) in_macro = 0 }
    /^GCL_API/ && is_documented != FNR - 1 { wrong("no contract in front of: " $0) }
    # One comment may serve a run of declarations.
    /^GCL_API/ { in_function = 1 }
    in_function { is_documented = FNR; if ($0 ~ /;/) in_function = 0 }

    # Configs, and tables of handlers.
    /^typedef struct gcl_[a-z_]*(_config|_handlers|_options) \{/ {
        struct_name = $3; wants_size = FNR + 1
    }
    struct_name != "" && FNR == wants_size && $0 !~ /^    size_t size;/ {
        wrong(struct_name " does not begin with its size")
    }
    /^\} gcl_[a-z_]*_config;/ { configs[substr($2, 1, length($2) - 1)] = 1; struct_name = "" }
    { for (name in configs) if (index($0, name "_init(")) inits[name] = 1 }

    # Handles: the struct itself is nowhere in a header.
    /^typedef struct (gcl_[a-z_]+) gcl_[a-z_]+;/ { handles[$3] = FILENAME }
    /^struct gcl_[a-z_]+ \{/ { defined[$2] = 1 }

    # The last parameter of what the library calls.
    /^typedef (void|int|bool|gcl_result) gcl_[a-z_]+_function\(/ { callback = $0; reading = 1 }
    reading && $0 !~ /^typedef/ { callback = callback $0 }
    reading && /;/ {
        if (callback !~ /void \*user\);/) wrong("void *user is not last: " callback)
        reading = 0
    }
    END {
        for (name in configs) if (!(name in inits)) { print name " has no _init"; failed = 1 }
        for (name in handles)
            if (name in defined) { print handles[name] ": " name " is not opaque"; failed = 1 }
        exit failed
    }
' $headers || fail 'the public headers are not of one shape'
