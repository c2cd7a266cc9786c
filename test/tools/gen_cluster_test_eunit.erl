%% SPDX-License-Identifier: Apache-2.0
%% Runs EUnit modules and writes one line `Kind <module>/<function> passed|failed|skipped` per test.
-module(gen_cluster_test_eunit).
-behaviour(eunit_listener).

-export([main/1]).
-export([start/1, init/1, handle_begin/3, handle_end/3, handle_cancel/3, terminate/2]).

-record(state, {
    kind :: string(),
    file :: file:io_device()
}).

%% Called by `erl -run`: kind, results file, modules.
-spec main([string()]) -> no_return().
main([Kind, Results | Modules]) ->
    Tests = [list_to_atom(M) || M <- Modules],
    case eunit:test(Tests, [{report, {?MODULE, [{kind, Kind}, {results, Results}]}}]) of
        ok ->
            halt(0);
        Error ->
            io:format("~tp~n", [Error]),
            halt(1)
    end.

-spec start(list()) -> pid().
start(Options) ->
    eunit_listener:start(?MODULE, Options).

-spec init(list()) -> #state{}.
init(Options) ->
    Results = proplists:get_value(results, Options),
    ok = filelib:ensure_dir(Results),
    {ok, File} = file:open(Results, [write]),
    receive
        {start, _Reference} -> ok
    end,
    #state{kind = proplists:get_value(kind, Options), file = File}.

-spec handle_begin(group | test, list(), #state{}) -> #state{}.
handle_begin(_What, _Data, State) ->
    State.

-spec handle_end(group | test, list(), #state{}) -> #state{}.
handle_end(group, _Data, State) ->
    State;
handle_end(test, Data, State) ->
    case proplists:get_value(status, Data) of
        ok -> write(Data, passed, State);
        {skipped, _} -> write(Data, skipped, State);
        {error, _} -> write(Data, failed, State)
    end,
    State.

-spec handle_cancel(group | test, list(), #state{}) -> #state{}.
handle_cancel(_What, Data, State) ->
    case proplists:get_value(reason, Data) of
        undefined -> ok;
        _ -> write(Data, failed, State)
    end,
    State.

-spec terminate(term(), #state{}) -> ok.
terminate({ok, _Data}, #state{file = File}) ->
    ok = file:close(File);
terminate({error, _Reason}, #state{file = File, kind = Kind}) ->
    io:format(File, "~ts complete failed~n", [Kind]).

write(Data, Result, #state{kind = Kind, file = File}) ->
    io:format(File, "~ts ~ts ~ts~n", [Kind, name(Data), Result]).

%% A group that was cancelled has no source.
name(Data) ->
    case proplists:get_value(source, Data) of
        {Module, Function, _Arity} -> [atom_to_list(Module), $/, function(atom_to_list(Function))];
        undefined -> "complete"
    end.

%% The tests of a generator are funs ("-some_test_/0-fun-1-") and share its name.
function("-" ++ Fun) -> hd(string:lexemes(Fun, "/"));
function(Function) -> Function.
