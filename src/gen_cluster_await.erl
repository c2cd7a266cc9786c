%% SPDX-License-Identifier: Apache-2.0
%% Waits until the members of a cluster are as wished. A process of its own subscribes and looks, so that
%% nothing is left behind, neither with the member nor in the caller's mailbox, when time is up.
-module(gen_cluster_await).

-export([await/3]).

-type predicate() :: fun(([gen_cluster:member()]) -> boolean()).

%% The predicate runs in another process than the caller's; when it crashes, that is the error.
-spec await(gen_server:server_ref(), predicate(), timeout()) ->
    {ok, [gen_cluster:member()]} | {error, timeout | term()}.
await(Server, Predicate, Timeout) ->
    Caller = self(),
    {Watcher, Monitor} = spawn_monitor(fun() -> exit({seen, watch(Server, Predicate, Caller)}) end),
    receive
        {'DOWN', Monitor, process, Watcher, {seen, Members}} -> {ok, Members};
        {'DOWN', Monitor, process, Watcher, Reason} -> {error, Reason}
    after Timeout ->
        exit(Watcher, kill),
        true = demonitor(Monitor, [flush]),
        {error, timeout}
    end.

watch(Server, Predicate, Caller) ->
    CallerGone = monitor(process, Caller),
    ServerGone = monitor(process, target(Server)),
    {ok, Reference, Members} = gen_server:call(
        Server, {'$gen_cluster', subscribe, self()}, infinity
    ),
    look(Members, Server, Predicate, {Reference, ServerGone, CallerGone}).

look(Members, Server, Predicate, {Reference, ServerGone, CallerGone} = References) ->
    case Predicate(Members) of
        true ->
            Members;
        false ->
            receive
                {gen_cluster, Reference, _Event} ->
                    Now = gen_server:call(Server, {'$gen_cluster', members}, infinity),
                    look(Now, Server, Predicate, References);
                {'DOWN', ServerGone, process, _, Reason} ->
                    exit(Reason);
                {'DOWN', CallerGone, process, _, _} ->
                    exit(normal)
            end
    end.

%% What monitor/2 takes for a reference to a server.
target({global, Name}) -> found(global:whereis_name(Name));
target({via, Module, Name}) -> found(Module:whereis_name(Name));
target(Server) -> Server.

found(Pid) when is_pid(Pid) -> Pid;
found(undefined) -> exit(noproc).
