#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The rooms include only whom they may, and the check sees each kind of wrong arrow.
. test/tools/scratch.sh
test/tools/check_layers.sh

# refuses FILE LINE
refuses()
{
    rm -rf "$scratch/tree"
    mkdir -p "$scratch/tree/$(dirname "$1")" "$scratch/tree/include/gen_cluster"
    echo '#include <ev.h>' >"$scratch/tree/include/gen_cluster/loop.h"
    echo "$2" >"$scratch/tree/$1"
    if test/tools/check_layers.sh "$scratch/tree" >/dev/null; then fail "accepted: $1: $2"; fi
}
refuses c_src/base/a.c '#include "wire/frame.h"'
refuses c_src/core/a.c '#include "wire/frame.h"'
refuses c_src/core/a.c '#include "net/loop.h"'
refuses c_src/core/global/a.c '#include "core/link.h"'
refuses c_src/core/pg/a.c '#include "core/global/gns.h"'
refuses c_src/core/other/a.c '#include "base/list.h"'
refuses c_src/core/a.c '#include "core/pg/pg.h"'
refuses c_src/core/membership/a.c '#include <time.h>'
refuses c_src/net/a.c '#include "core/link.h"'
refuses c_src/node/a.c '#include "server/server.h"'
refuses c_src/server/a.c '#include "net/loop.h"'
refuses c_src/server/a.c '#include "cluster/seeds.h"'
refuses c_src/node/a.c '#include "cluster/seeds.h"'
refuses c_src/wire/term/a.c '#include "wire/frame.h"'
refuses c_src/wire/a.c '#include <time.h>'
refuses c_src/wire/a.h '#include <gen_cluster/loop.h>'
refuses c_src/wire/frame.c '#include <ei.h>'
refuses c_src/node/a.c '#include <ev.h>'
refuses c_src/cluster/a.c '#include <ev.h>'
refuses c_src/node/a.c '#include <openssl/evp.h>'
refuses include/gen_cluster/a.h '#include "base/buffer.h"'
