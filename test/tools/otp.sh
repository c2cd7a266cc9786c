#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# otp.sh RESULTS_FOLDER RUN...
#
# Runs the suites on other releases of OTP, which otp_release.sh brings. A RUN is a release, on which
# Common Test itself and every BEAM it starts are of it (27); or several with `+` between them, for
# meshes of BEAMs of all of these (25+27+29), started by the Common Test of this machine. Names of
# tests begin with the run. A run that has no release of it is skipped, and says which.
#
# GCL_BIN is the folder of the C programs, SUITES those to run, else all that make sense there.
set -u
results=$1
shift
root=$PWD
here=$(erl -noinput -boot no_dot_erlang -eval '
    io:format("~s erts ~s", [erlang:system_info(K) || K <- [otp_release, version]]), halt().')
other=$(command -v erl)
mkdir -p "$results"

# The application needs OTP 25, and what term_SUITE compares with is what OTP 25 writes.
suites_on()
{
    case $1 in
    23) echo bad_input_SUITE flags_SUITE global_SUITE global_api_SUITE global_group_SUITE \
            global_lock_SUITE global_methods_SUITE kernel_SUITE libei_SUITE no_beam_waits_SUITE \
            node_SUITE pg_SUITE remote_SUITE rpc_SUITE rpc_client_SUITE rpc_functions_SUITE \
            rpc_limits_SUITE server_SUITE watchdog_SUITE ;;
    *) basename -s .erl test/ct/*_SUITE.erl | grep -v '^mesh_' ;;
    esac
}

# As a user of that release has it: the beams of another one may not load.
compile_application()
{
    library=$root/_build/test/otp/$run/gen_cluster
    rm -rf "$library"
    mkdir -p "$library/ebin"
    ln -s "$root/priv" "$library/priv"
    cp ebin/gen_cluster.app "$library/ebin/"
    # Behaviours first.
    # shellcheck disable=SC2046,SC2010
    "$tree/bin/erlc" -I include -I src -pa "$library/ebin" -o "$library/ebin" \
        src/gen_cluster.erl $(ls src/*.erl | grep -v '/gen_cluster\.erl$')
}

on_release()
{
    tree=$root/_build/otp/$run
    [ "$run" = 23 ] || compile_application || return
    # shellcheck disable=SC2046,SC2086
    PATH=$tree/bin:$PATH ERL=$tree/bin/erl ERLC=$tree/bin/erlc GCL_OTHER_ERL=$other \
        GCL_QUICK=1 GCL_TEST_TIMEOUT=900 \
        GCL_EBIN=$root/_build/test/otp/$run/gen_cluster/ebin \
        test/tools/ct.sh otp "$run/" "$results/$run.txt" ${SUITES:-$(suites_on "$run")}
}

in_mesh()
{
    GCL_MESH=$releases test/tools/ct.sh otp "$run/" "$results/$run.txt" mesh_SUITE
}

count() { grep -c "^otp .* $1\$" "$results/$run.txt"; }

# Where each release is, or what is missing; one after the other, as they share what they fetch.
find_releases()
{
    missing= versions=
    for release in $releases; do
        if [ "$release" = "${here%% *}" ]; then
            versions="$versions, ${here#* }"
        elif version=$(test/tools/otp_release.sh "$release"); then
            versions="$versions, ${version#* }"
        else
            missing="OTP $release (${version##*
})"
        fi
    done
}

# In the background: what it has to say is for $run.out.
run_one()
{
    local began=$SECONDS
    case $run in
    *+*) in_mesh ;;
    *) on_release ;;
    esac >"$results/$run.log" 2>&1 || : >"$results/$run.failed"
    [ -e "$results/$run.txt" ] || echo "otp $run/complete failed" >"$results/$run.txt"
    echo "OTP $run: ${versions#, }, $(count passed) passed, $(count failed) failed," \
        "$((SECONDS - began)) s"
    # As the nodes said themselves.
    grep -E '^(Common Test runs on|nodes started by it are|peer:) OTP' "$results/$run.log" |
        sort | uniq -c | sed 's/^ *1 \([^p]\)/  \1/; s/^ *\([0-9]*\) peer/  \1 x peer/'
}

# Two at a time: they wait more than they work.
for run; do
    releases=$(echo "$run" | tr + ' ')
    find_releases
    if [ -n "$missing" ]; then
        echo "skipped: $missing" >"$results/$run.out"
        echo "otp $run skipped" >"$results/$run.txt"
        continue
    fi
    [ "$(jobs -r | wc -l)" -lt 2 ] || wait -n
    run_one >"$results/$run.out" 2>&1 &
done
wait
for run; do
    cat "$results/$run.out"
done
! ls "$results"/*.failed >/dev/null 2>&1
