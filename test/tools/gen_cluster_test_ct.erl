%% SPDX-License-Identifier: Apache-2.0
%% Runs the Common Test suites and writes one line `Kind Prefix<suite>/<case> passed|failed|skipped`
%% per case, as a Common Test hook, and lines `| ...` behind one that failed, which say why. A case
%% that another one's failure kept from running has failed.
-module(gen_cluster_test_ct).

-export([main/1]).
-export([init/2, post_end_per_testcase/5, on_tc_fail/4, on_tc_skip/4]).

%% Of the reason of one that failed.
-define(REASON_LINES, 16).
-define(REASON_WIDTH, 116).

-record(state, {
    file :: file:io_device(),
    kind :: string(),
    prefix :: string()
}).

%% Called by `erl -run`: kind, prefix of the names, results file, folder of the suites, log folder.
-spec main([string()]) -> no_return().
main([Kind, Prefix, Results, Suites, Logs | Only]) ->
    io:format("Common Test runs on ~ts~n", [release()]),
    io:format("nodes started by it are ~ts~n", [release_of_others()]),
    Chosen =
        case Only of
            [] -> [];
            _ -> [{suite, [list_to_atom(S) || S <- Only]}]
        end,
    Outcome = ct:run_test([
        {dir, Suites},
        {logdir, Logs},
        {ct_hooks, [{?MODULE, {Kind, Prefix, Results}}]},
        {multiply_timetraps, multiply()},
        {abort_if_missing_suites, true}
        | Chosen
    ]),
    case Outcome of
        {_Passed, 0, {_User, 0}} ->
            halt(0);
        {_Passed, _Failed, _Skipped} ->
            halt(1);
        {error, Reason} ->
            io:format("~tp~n", [Reason]),
            ok = file:write_file(Results, [Kind, " ", Prefix, "complete failed\n"], [append]),
            halt(1)
    end.

-spec init(term(), {string(), string(), file:filename()}) -> {ok, #state{}}.
init(_Id, {Kind, Prefix, Results}) ->
    ok = filelib:ensure_dir(Results),
    {ok, File} = file:open(Results, [write, {encoding, utf8}]),
    {ok, #state{file = File, kind = Kind, prefix = Prefix}}.

%% Cases that end by {fail, _} or by a crash are reported by on_tc_fail/4 as well.
-spec post_end_per_testcase(module(), atom(), term(), term(), #state{}) -> {term(), #state{}}.
post_end_per_testcase(Suite, Case, _Config, Return, State) ->
    case Return of
        {skip, _} -> ok;
        {skipped, _} -> ok;
        {failed, _} -> ok;
        {error, _} -> ok;
        {'EXIT', _} -> ok;
        {timetrap_timeout, _} -> ok;
        _ -> write(Suite, Case, passed, State)
    end,
    {Return, State}.

-spec on_tc_fail(module(), term(), term(), #state{}) -> #state{}.
on_tc_fail(Suite, Case, Reason, State) ->
    io:format(user, "failed: ~ts/~ts~n  ~tP~n", [Suite, name(Case), Reason, 30]),
    write_failed(Suite, Case, Reason, State),
    State.

-spec on_tc_skip(module(), term(), {tc_auto_skip | tc_user_skip, term()}, #state{}) -> #state{}.
on_tc_skip(Suite, Case, {tc_user_skip, _Reason}, State) ->
    write(Suite, Case, skipped, State),
    State;
on_tc_skip(Suite, Case, {tc_auto_skip, Reason}, State) ->
    io:format(user, "not run: ~ts/~ts~n  ~tP~n", [Suite, name(Case), Reason, 20]),
    write_failed(Suite, Case, Reason, State),
    State.

write(Suite, Case, Result, #state{file = File, kind = Kind, prefix = Prefix}) ->
    io:format(File, "~ts ~ts~ts/~ts ~ts~n", [Kind, Prefix, Suite, name(Case), Result]).

write_failed(Suite, Case, Reason, #state{file = File} = State) ->
    write(Suite, Case, failed, State),
    Text = io_lib:format("~*tP", [?REASON_WIDTH, Reason, 60]),
    Lines = string:split(Text, "\n", all),
    [io:format(File, "| ~ts~n", [Line]) || Line <- lists:sublist(Lines, ?REASON_LINES)],
    length(Lines) =< ?REASON_LINES orelse io:format(File, "| and so on~n", []),
    ok.

name({Case, _Group}) -> Case;
name(Case) -> Case.

release() -> ["OTP ", erlang:system_info(otp_release), ", erts ", erlang:system_info(version)].

%% As the suites start them.
release_of_others() ->
    {ok, Peer, _} = peer:start(#{connection => standard_io}),
    [Release, Version] = [
        peer:call(Peer, erlang, system_info, [Item])
     || Item <- [otp_release, version]
    ],
    ok = peer:stop(Peer),
    ["OTP ", Release, ", erts ", Version].

%% Sanitizers and loaded machines take longer.
multiply() ->
    list_to_integer(os:getenv("GCL_TIMETRAP", "1")).
