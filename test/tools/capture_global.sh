#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# capture_global.sh NAME RELEASE RELEASE RELEASE RELEASE
#
# Writes what the servers of `global` of four nodes say to each other, each of its release of OTP
# (25, or one that otp_release.sh brings), into test/c/golden/global_NAME.txt. Only needed when other
# lives of meshes are wanted, or another release: tests read what is there.
set -eu
name=$1
shift
work=_build/test/capture
mkdir -p "$work"
erlc -Werror -o "$work" test/tools/gen_cluster_test_proxy.erl test/tools/gen_cluster_test_mesh.erl \
    test/tools/gen_cluster_test_mesh_lives.erl
here=$(erl -noinput -boot no_dot_erlang -eval 'io:put_chars(erlang:system_info(otp_release)), halt().')
erls=
for release; do
    if [ "$release" = "$here" ]; then
        erls="$erls, \"$(command -v erl)\""
    else
        test/tools/otp_release.sh "$release"
        erls="$erls, \"$PWD/_build/otp/$release/bin/erl\""
    fi
done
ERL_CRASH_DUMP=/dev/null test/tools/with_epmd.sh erl -noinput -pa "$work" -eval \
    "gen_cluster_test_mesh:main([\"test/c/golden/global_$name.txt\"$erls]), halt()."
