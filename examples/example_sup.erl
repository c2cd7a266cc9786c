%% SPDX-License-Identifier: Apache-2.0
%% A supervisor of two members: the one in Erlang on this node, and the one in C, a node of its own
%% that runs as a program of the operating system and ends with this supervisor.
-module(example_sup).

-behaviour(supervisor).

-export([start/1, start_link/1]).
-export([init/1, start_program/1]).

%% For `erl -eval': the process that evaluates ends, the supervisor stays.
-spec start(gen_cluster_cnode:options()) -> supervisor:startlink_ret().
start(Options) ->
    {ok, Pid} = start_link(Options),
    true = unlink(Pid),
    {ok, Pid}.

-spec start_link(gen_cluster_cnode:options()) -> supervisor:startlink_ret().
start_link(Options) ->
    supervisor:start_link({local, ?MODULE}, ?MODULE, Options).

-spec init(gen_cluster_cnode:options()) ->
    {ok, {supervisor:sup_flags(), [supervisor:child_spec()]}}.
init(Options) ->
    Program = gen_cluster_cnode:child_spec(Options),
    {ok,
        {#{strategy => one_for_one}, [
            example_cluster_srv:child_spec([]),
            Program#{start := {?MODULE, start_program, [Options]}}
        ]}}.

%% As gen_cluster_cnode:start_link/1, with a line to read.
-spec start_program(gen_cluster_cnode:options()) -> gen_server:start_ret().
start_program(Options) ->
    case gen_cluster_cnode:start_link(Options) of
        {ok, Pid} ->
            #{node := Node, os_pid := OsPid} = gen_cluster_cnode:info(Pid),
            io:format("~ts: supervisor started ~ts, process ~b~n", [node(), Node, OsPid]),
            {ok, Pid};
        {error, Reason} ->
            io:format("~ts: supervisor could not start it: ~0tp~n", [node(), Reason]),
            {error, Reason}
    end.
