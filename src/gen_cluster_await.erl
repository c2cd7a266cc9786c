%% SPDX-License-Identifier: Apache-2.0
%% Waits until the members of a cluster are as wished. A process of its own subscribes and looks, so
%% that nothing is left behind, neither with the member nor in the caller's mailbox, when time is
%% up.
-module(gen_cluster_await).

-export([await/3]).
-export([watch/3]).

-type predicate() :: fun(([gen_cluster:member()]) -> boolean()).

%% The predicate runs in another process than the caller's; when it crashes, that is the error.
-spec await(gen_server:server_ref(), predicate(), timeout()) ->
    {ok, [gen_cluster:member()]} | {error, timeout | term()}.
await(Server, Predicate, Timeout) ->
    {Watcher, Monitor} = spawn_monitor(?MODULE, watch, [Server, Predicate, self()]),
    receive
        {'DOWN', Monitor, process, Watcher, {seen, Members}} -> {ok, Members};
        {'DOWN', Monitor, process, Watcher, Reason} -> {error, Reason}
    after Timeout ->
        exit(Watcher, kill),
        true = demonitor(Monitor, [flush]),
        {error, timeout}
    end.

-spec watch(gen_server:server_ref(), predicate(), Caller :: pid()) -> no_return().
watch(Server, Predicate, Caller) ->
    CallerGone = monitor(process, Caller),
    ServerGone = monitor(process, target(Server)),
    {ok, Reference, Members} = call(Server, {'$gen_cluster', subscribe, self()}),
    look(Members, Server, Predicate, {Reference, ServerGone, CallerGone}).

look(Members, Server, Predicate, {Reference, ServerGone, CallerGone} = References) ->
    case holds(Predicate, Members) of
        true ->
            exit({seen, Members});
        false ->
            receive
                {gen_cluster, Reference, _Event} ->
                    look(call(Server, {'$gen_cluster', members}), Server, Predicate, References);
                {'DOWN', ServerGone, process, _, Reason} ->
                    exit(Reason);
                {'DOWN', CallerGone, process, _, _} ->
                    exit(normal)
            end
    end.

%% The error goes to the caller, not to the log.
holds(Predicate, Members) ->
    try
        Predicate(Members)
    catch
        error:Reason:Stacktrace -> exit({Reason, Stacktrace})
    end.

%% The caller's deadline holds for all of it.
call(Server, Request) ->
    try
        gen_server:call(Server, Request, infinity)
    catch
        exit:{Reason, {gen_server, call, _}} -> exit(Reason)
    end.

%% What monitor/2 takes for a reference to a server.
target({global, Name}) -> found(global:whereis_name(Name));
target({via, Module, Name}) -> found(Module:whereis_name(Name));
target(Server) -> Server.

found(Pid) when is_pid(Pid) -> Pid;
found(undefined) -> exit(noproc).
