#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a newcomer looks for in the README is there: commands, a picture, a whole C member on one
# screen, how to join, what to expect.
. test/tools/scratch.sh

# block START: the first block that begins so, without its fences.
block() { awk -v start="\`\`\`$1" 'index($0, start) == 1 && !n { n = 1; next } /^```/ && n == 1 { n = 2 } n == 1' README.md; }

block 'c ' >"$scratch/member.c"
grep -q '^int main(' "$scratch/member.c" || fail 'no C member with main()'
lines=$(wc -l <"$scratch/member.c")
[ "$lines" -le 60 ] || fail "the C member has $lines lines"
block text | grep -q 'C node' || fail 'no picture with a C node'
for command in 'make demo' 'make test'; do
    block sh | grep -qx "$command" || fail "no $command"
done
for heading in 'Try it' 'Join an existing cluster' 'What to expect' 'Licence'; do
    grep -qx "## $heading" README.md || fail "no heading: $heading"
done
for option in --cookie-file --name --sname --seed --port --net-ticktime; do
    grep -q -- "\`$option" README.md || fail "$option is not explained"
done
grep -q '45 to 75 seconds' README.md || fail 'the README does not say how soon a loss is seen'
