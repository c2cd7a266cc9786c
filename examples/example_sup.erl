%% SPDX-License-Identifier: Apache-2.0
%% A supervisor of two members: the one in Erlang on this node, and, once it is added, the one in C:
%% a node of its own, which runs as a program of the operating system and ends with this supervisor.
-module(example_sup).

-behaviour(supervisor).

-export([start/0, start_link/0, add_program/1]).
-export([init/1, start_program/1]).

%% For `erl -s example_sup': the process that calls it ends, the supervisor stays.
-spec start() -> {ok, pid()}.
start() ->
    {ok, Pid} = start_link(),
    true = unlink(Pid),
    {ok, Pid}.

-spec start_link() -> supervisor:startlink_ret().
start_link() ->
    supervisor:start_link({local, ?MODULE}, ?MODULE, []).

-spec init([]) -> {ok, {supervisor:sup_flags(), [supervisor:child_spec()]}}.
init([]) ->
    {ok, {#{strategy => one_for_one}, [example_cluster_srv:child_spec([])]}}.

-spec add_program(gen_cluster_cnode:options()) -> supervisor:startchild_ret().
add_program(Options) ->
    Spec = gen_cluster_cnode:child_spec(Options),
    supervisor:start_child(?MODULE, Spec#{start := {?MODULE, start_program, [Options]}}).

%% As gen_cluster_cnode:start_link/1, with a line to read.
-spec start_program(gen_cluster_cnode:options()) -> gen_server:start_ret().
start_program(Options) ->
    Started = gen_cluster_cnode:start_link(maps:without([id, restart], Options)),
    case Started of
        {ok, Pid} ->
            #{node := Node, os_pid := OsPid} = gen_cluster_cnode:info(Pid),
            io:format("~ts: supervisor started ~ts, process ~b~n", [node(), Node, OsPid]);
        {error, Reason} ->
            io:format("~ts: supervisor could not start it: ~0tp~n", [node(), Reason])
    end,
    Started.
