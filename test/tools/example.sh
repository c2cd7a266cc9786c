# SPDX-License-Identifier: Apache-2.0
# For tests of examples, which read it by `. test/tools/example.sh`: runs the escript that is named
# like the test, with an epmd of its own and the modules of the examples and of their tests.
. test/tools/scratch.sh
erlc -Werror -o "$scratch" test/examples/*.erl
export ERL_FLAGS="-pa $scratch -pa ebin -pa _build/examples"
test/tools/with_epmd.sh escript "${0%.sh}.escript" "$scratch"
