#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# otp_release.sh RELEASE
#
# Brings Erlang/OTP of a release to _build/otp/RELEASE: from the suite of Debian that has it, as a
# plain user and beside everything that is installed. Writes `RELEASE erts VERSION`, as that Erlang
# says itself; _build/otp/RELEASE/bin/erl starts it. What is there already is kept.
#
# GCL_DEBIAN_MIRROR is where it comes from; else the mirror of this machine.
#
# Exit: 0 it is there, 69 it cannot be had, and the last line says why.
set -u
release=$1

# The suites that have it, or once had: a suite goes on to other releases.
case $release in
23) suites=bullseye ;;
25) suites=bookworm ;;
27) suites=trixie ;;
29) suites='sid forky' ;;
*) echo "no suite is known to have OTP $release"; exit 64 ;;
esac

# What Common Test and the suites need of it. Unpacked anew when there is more of it than before.
tools='erlang-common-test erlang-dev erlang-mnesia erlang-observer erlang-runtime-tools erlang-syntax-tools
    erlang-tools erlang-xmerl'

keys=/usr/share/keyrings/debian-archive-keyring.gpg
tree=$PWD/_build/otp/$release
log=$PWD/_build/otp/$release.log

# Asked of the Erlang itself, without distribution.
version()
{
    timeout 30 "$tree/bin/erl" -noinput -boot no_dot_erlang -eval '
        io:format("~s erts ~s", [erlang:system_info(K) || K <- [otp_release, version]]), halt().' \
        2>>"$log"
}

give_up()
{
    echo "$*"
    exit 69
}

mirror()
{
    here=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' \
        'Origin: Debian' 2>/dev/null | grep '/debian/$' | head -n 1)
    echo "${GCL_DEBIAN_MIRROR:-${here:-http://deb.debian.org/debian/}}"
}

# apt in a folder of its own, where nothing is installed. It compares what it fetches with the
# signed list. The lists of releases that nobody changes any more have run out: that is no matter.
apt()
{
    program=$1
    shift
    timeout 300 "$program" -q -o Dir::Etc::SourceList="$apt/sources.list" \
        -o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::Preferences=/dev/null \
        -o Dir::Etc::PreferencesParts=/dev/null -o Dir::State="$apt" \
        -o Dir::State::Lists="$apt/lists" -o Dir::State::Status="$apt/status" \
        -o Dir::Cache="$apt/cache" -o Debug::NoLocking=true -o APT::Sandbox::User= \
        -o APT::Install-Recommends=false -o Acquire::Languages=none -o Acquire::Retries=3 \
        -o Acquire::Check-Valid-Until=false -o Acquire::Check-Date=false "$@"
}

open_suite()
{
    apt=$tree.part/apt
    rm -rf "$tree.part"
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    : >"$apt/status"
    echo "deb [signed-by=$keys] $(mirror) $1 main" >"$apt/sources.list"
    apt apt-get -o APT::Update::Error-Mode=any update >>"$log" 2>&1
}

has_release()
{
    apt apt-cache show erlang-base 2>>"$log" | grep -q "^Version: [0-9]*:$release\."
}

# The libraries that Erlang needs come along. Of what Common Test would bring, only what it uses here.
unpack()
{
    root=$tree.part/root
    packages=$(apt apt-get install -s erlang-base erlang-crypto 2>>"$log" |
        sed -n 's/^Inst \(\(lib\|zlib\|erlang-\)[^ ]*\) .*/\1/p')
    mkdir -p "$root"
    # shellcheck disable=SC2086
    [ -n "$packages" ] &&
        (cd "$apt" && apt apt-get download $packages $tools) >>"$log" 2>&1 || return
    for package in "$apt"/*.deb; do
        dpkg-deb -x "$package" "$root" || return
    done
    # Nobody looks at the pages in these scripts, but Common Test does not start without them.
    for script in "$root"/usr/lib/erlang/lib/common_test-*/priv/*.js; do
        [ -e "$script" ] || { rm -f "$script" && : >"$script"; }
    done
}

# The programs get the dynamic linker and the libraries of their suite, by absolute names: starting
# them by that linker would not do, because erl_child_setup starts others.
link_programs()
{
    libraries= linker=
    for folder in usr/lib/x86_64-linux-gnu lib/x86_64-linux-gnu usr/lib/aarch64-linux-gnu \
        lib/aarch64-linux-gnu; do
        [ ! -d "$root/$folder" ] || libraries=$libraries:$tree/$folder
    done
    for name in usr/lib64/ld-linux-x86-64.so.2 lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 \
        usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 lib/x86_64-linux-gnu/ld-2.*.so \
        usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1 lib/aarch64-linux-gnu/ld-2.*.so; do
        for found in "$root"/$name; do
            [ ! -f "$found" ] || linker=$tree${found#"$root"}
        done
    done
    [ -n "$linker" ] || return
    for program in "$root"/usr/lib/erlang/erts-*/bin/* "$root"/usr/lib/erlang/lib/*/priv/bin/*; do
        [ ! -L "$program" ] && patchelf --print-interpreter "$program" >/dev/null 2>&1 || continue
        patchelf --set-interpreter "$linker" --force-rpath --set-rpath "${libraries#:}" \
            "$program" 2>>"$log" || return
    done
}

# In place of those that name /usr/lib/erlang.
write_starters()
{
    erts=$(basename "$root"/usr/lib/erlang/erts-*)
    mkdir -p "$root/bin"
    for name in erl erlc; do
        cat >"$root/bin/$name" <<-EOF
	#!/bin/sh
	ROOTDIR='$tree/usr/lib/erlang' BINDIR="\$ROOTDIR/$erts/bin" EMU=beam PROGNAME="\${0##*/}"
	export ROOTDIR BINDIR EMU PROGNAME
	EOF
    done
    echo 'exec "$BINDIR/erlexec" "$@"' >>"$root/bin/erl"
    echo "ERLC_EMULATOR='$tree/bin/erl' exec \"\$BINDIR/erlc\" \"\$@\"" >>"$root/bin/erlc"
    chmod +x "$root/bin/erl" "$root/bin/erlc"
    # What runs finds its own folders first.
    ln -sf "$tree/bin/erl" "$root/usr/lib/erlang/bin/erl"
    ln -sf "$tree/bin/erl" "$root/usr/lib/erlang/$erts/bin/erl"
}

# OTP 23 has no module `peer` yet: that of the installed one, compiled by it.
add_peer()
{
    stdlib=$(echo "$tree"/usr/lib/erlang/lib/stdlib-*/ebin)
    [ ! -e "$stdlib/peer.beam" ] || return 0
    beam=$(erl -noinput -boot no_dot_erlang -eval '
        io:put_chars(code:where_is_file("peer.beam")), halt().') || return
    timeout 60 "$tree/bin/erl" -noinput -boot no_dot_erlang -eval "
        {ok, {_, [{_, {_, Forms}}]}} = beam_lib:chunks(\"$beam\", [abstract_code]),
        {ok, peer, Beam} = compile:forms(Forms, [debug_info]),
        ok = file:write_file(\"$stdlib/peer.beam\", Beam), halt()." >>"$log" 2>&1
}

# The file is written last: without it a tree is not complete.
if [ "$(cat "$tree/tools" 2>/dev/null)" = "$tools" ] && [ -e "$tree/version" ] && now=$(version) &&
    [ "$now" = "$(cat "$tree/version")" ]; then
    echo "$now"
    exit 0
fi

mkdir -p "$(dirname "$tree")"
: >"$log"
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || give_up 'apt-get and dpkg-deb are missing'
command -v patchelf >/dev/null || give_up 'patchelf is missing'
[ -e "$keys" ] || give_up 'debian-archive-keyring is missing'
trap 'rm -rf "$tree.part"' EXIT

why=
for suite in $suites; do
    if ! open_suite "$suite"; then
        why="$why; $suite cannot be read from $(mirror), see $log"
    elif ! has_release; then
        why="$why; $suite has another release"
    elif ! unpack; then
        why="$why; $suite has it, but it cannot be fetched, see $log"
    elif link_programs && write_starters; then
        rm -rf "$tree"
        mv "$root" "$tree" || exit 69
        add_peer && now=$(version) || give_up "it does not run, see $log"
        case $now in "$release "*) ;; *) give_up "it calls itself $now" ;; esac
        echo "$tools" >"$tree/tools"
        echo "$now" >"$tree/version"
        echo "$now"
        exit 0
    else
        why="$why; that of $suite cannot be linked, see $log"
    fi
done
give_up "${why#; }"
