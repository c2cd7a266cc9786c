#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check_layers.sh [ROOT]
#
# The rooms of c_src and who may include whom:
#
#     tool -> cluster -> server -> node -> net -> wire -> base      node -> core -> wire/term -> base
#
# The machines below core/ (global, membership, pg) know neither each other nor the rest of core;
# wire/term knows nothing of the protocol.
#
# `base`, `wire` and `core` are pure: of the system they include what computes, nothing that reaches
# a socket, a clock, the loop, a thread, the environment, randomness or a crypto library. That also
# holds for the public headers they include. check_symbols.sh looks at the same from the other side:
# what the objects call.
set -u
cd "${1:-.}" || exit 70

find c_src include -name '*.[ch]' 2>/dev/null | sort | xargs awk '
    # core/global and wire/term are rooms of their own, server/global is a part of server.
    function room_of(path, part, n) {
        n = split(path, part, "/")
        return (n > 3 && part[2] ~ /^(core|wire)$/) ? part[2] "/" part[3] : part[2]
    }
    function fail(text) { print from ":" FNR ": " text; wrong++ }
    BEGIN {
        may["base"] = "base/"
        may["wire/term"] = "wire/term/ base/"
        may["wire"] = "wire/ base/"
        may["core"] = "core/ wire/term/ base/"
        may["core/global"] = "core/global/ wire/term/ base/"
        may["core/membership"] = "core/membership/ wire/term/ base/"
        may["core/pg"] = "core/pg/ wire/term/ base/"
        may["net"] = "net/ wire/ base/"
        may["node"] = "node/ core/ net/ wire/ base/"
        may["server"] = "server/ node/ core/ wire/ base/"
        may["cluster"] = "cluster/ server/ node/ net/crypto core/membership/ wire/term/ base/"
        may["tool"] = "tool/ cluster/ server/ node/ wire/term/ base/"
        pure = " base wire wire/term core core/global core/membership core/pg "
        n = split("assert ctype errno float inttypes limits math stdalign stdarg stdbool stddef " \
                  "stdint stdio stdlib string", name, " ")
        for (i = 1; i <= n; i++) computes[name[i] ".h"] = 1
    }
    !/^[ \t]*#[ \t]*include/ { next }
    {
        from = FILENAME
        quoted = /include[ \t]*"/
        header = $0
        sub(/^[^"<]*["<]/, "", header)
        sub(/[">].*/, "", header)
    }
    # A public header stands alone.
    from ~ /^include\// {
        includes[from] = includes[from] " " header
        if (quoted) fail("a public header includes \"" header "\"")
        next
    }
    {
        room = room_of(from)
        if (!(room in may)) { if (room ~ /\//) fail("no such room: " room); next }
        if (quoted) {
            ok = 0
            n = split(may[room], allowed, " ")
            for (i = 1; i <= n; i++) if (index(header, allowed[i]) == 1) ok = 1
            if (room == "core" && header ~ /^core\/[^\/]*\//) ok = 0
            if (!ok) fail(room " may not include \"" header "\" (only " may[room] ")")
        } else if (header ~ /^gen_cluster/) {
            if (index(pure, " " room " ")) check[++checks] = from " " FNR " " header
        } else if (header == "ei.h") {
            if (from !~ /^c_src\/wire\/term\//) fail("ei.h is for c_src/wire/term alone")
        } else if (header ~ /^openssl\//) {
            if (room != "net") fail("OpenSSL is for one file of net/")
            crypto[from] = 1
        } else if (header == "ev.h") {
            # The main() of a member owns the loop that its node runs in.
            if (room != "net" && from != "c_src/cluster/program.c")
                fail("ev.h is for net/ and cluster/program.c alone")
        } else if (index(pure, " " room " ") && !(header in computes)) {
            fail(room " is pure and may not include <" header ">")
        }
    }
    # What a public header brings along, asked once all of them are read.
    function impure(header, depth, n, i, list, found) {
        if (header !~ /^gen_cluster/) return (header in computes) ? "" : header
        if (depth > 8) return ""
        n = split(includes["include/" header], list, " ")
        for (i = 1; i <= n; i++) if ((found = impure(list[i], depth + 1)) != "") return found
        return ""
    }
    END {
        for (c = 1; c <= checks; c++) {
            split(check[c], part, " ")
            if ((found = impure(part[3], 0)) != "") {
                print part[1] ":" part[2] ": <" part[3] "> brings <" found "> into a pure room"
                wrong++
            }
        }
        n = 0
        for (file in crypto) n++
        if (n > 1) { print "OpenSSL is included by more than one file"; wrong++ }
        exit wrong > 0
    }'
