#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a page of this project links to is there.
. test/tools/scratch.sh
wrong=0
for page in *.md doc/*.md test/*.md; do
    [ -f "$page" ] || continue
    while read -r target; do
        target=${target%%#*}
        [ -z "$target" ] || [ -e "$(dirname "$page")/$target" ] || { echo "$page: $target"; wrong=1; }
    done < <(grep -o '](\([^)]*\))' "$page" | sed 's/^](//; s/)$//' | grep -v '^[a-z]*:')
done
exit $wrong
