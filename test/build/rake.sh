#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The tasks of rake are those of make, with the environment that chooses the language.
. test/tools/scratch.sh
mkdir "$scratch/bin"
printf '#!/bin/sh\necho "$* LANG=$LANG"\n' >"$scratch/bin/make"
chmod +x "$scratch/bin/make"
for number in 1 2 3; do
    said=$(LANG=c PATH=$scratch/bin:$PATH rake server:start$number)
    [ "$said" = "--no-print-directory server$number LANG=c" ] || fail "$said"
    make -n server$number | grep -q "priv/server $number" || fail "make server$number"
done
