# SPDX-License-Identifier: Apache-2.0
# For the tools that run tests, which read it by `. test/tools/incomplete.sh`:
# incomplete RESULTS KIND PREFIX STATUS adds to the results that a run ended half way, and how.
incomplete()
{
    incomplete_last=$(grep '^[^|]' "$1" 2>/dev/null | tail -n 1)
    echo "$2 ${3}complete failed" >>"$1"
    case $4 in
    124) incomplete_why=' (out of time)' ;;
    *) incomplete_why= ;;
    esac
    echo "| ended with status $4$incomplete_why, behind: ${incomplete_last:-no test}" >>"$1"
}
