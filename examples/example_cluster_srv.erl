%% SPDX-License-Identifier: Apache-2.0
%% The smallest member that shows everything: each callback prints one line, with its node.
%% example_cluster_srv.c beside it is the same server in C.
-module(example_cluster_srv).

-behaviour(gen_cluster).

-export([start/0, start_link/0, child_spec/1]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2, terminate/2, code_change/3]).
-export([handle_join/3, handle_node_joined/3, handle_leave/4, handle_leader_change/3]).

-type state() :: #{joined := non_neg_integer(), left := non_neg_integer()}.

%% For `erl -s example_cluster_srv'.
-spec start() -> {ok, pid()} | {error, term()}.
start() ->
    gen_cluster:start({local, ?MODULE}, ?MODULE, [], []).

-spec start_link() -> {ok, pid()} | {error, term()}.
start_link() ->
    gen_cluster:start_link({local, ?MODULE}, ?MODULE, [], []).

-spec child_spec(term()) -> supervisor:child_spec().
child_spec(_) ->
    #{id => ?MODULE, start => {?MODULE, start_link, []}}.

-spec init([]) -> {ok, state()}.
init([]) ->
    print("init", []),
    {ok, #{joined => 0, left => 0}}.

-spec handle_call(term(), gen_server:from(), state()) -> {reply, term(), state()}.
handle_call(Request, {Caller, _Tag}, State) ->
    print("handle_call ~0tp from ~ts", [Request, node(Caller)]),
    {reply, answer(Request, State), State}.

answer({ohai}, _State) -> hello;
answer({echo, Term}, _State) -> Term;
answer({state}, State) -> {ok, State};
answer(_Request, _State) -> {error, unknown_request}.

-spec handle_cast(term(), state()) -> {noreply, state()} | {stop, normal, state()}.
handle_cast(Message, State) ->
    print("handle_cast ~0tp", [Message]),
    case Message of
        stop -> {stop, normal, State};
        _ -> {noreply, State}
    end.

-spec handle_info(term(), state()) -> {noreply, state()}.
handle_info(Message, State) ->
    print("handle_info ~0tp", [Message]),
    {noreply, State}.

%% Pid came into the cluster through this member.
-spec handle_join(pid(), [pid()], state()) -> {ok, state()}.
handle_join(Pid, Pids, #{joined := Joined} = State) ->
    print("handle_join ~ts, members ~ts", [node(Pid), nodes_of(Pids)]),
    {ok, State#{joined := Joined + 1}}.

%% Pid came into the cluster through another member, or back when a split healed.
-spec handle_node_joined(pid(), [pid()], state()) -> {ok, state()}.
handle_node_joined(Pid, Pids, #{joined := Joined} = State) ->
    print("handle_node_joined ~ts, members ~ts", [node(Pid), nodes_of(Pids)]),
    {ok, State#{joined := Joined + 1}}.

-spec handle_leave(pid(), [pid()], term(), state()) -> {ok, state()}.
handle_leave(Pid, Pids, Info, #{left := Left} = State) ->
    print("handle_leave ~ts because of ~0tp, members ~ts", [node(Pid), Info, nodes_of(Pids)]),
    {ok, State#{left := Left + 1}}.

-spec handle_leader_change(pid() | undefined, [pid()], state()) -> {ok, state()}.
handle_leader_change(undefined, Pids, State) ->
    print("handle_leader_change nobody, members ~ts", [nodes_of(Pids)]),
    {ok, State};
handle_leader_change(Leader, Pids, State) ->
    print("handle_leader_change ~ts, members ~ts", [node(Leader), nodes_of(Pids)]),
    {ok, State}.

-spec terminate(term(), state()) -> ok.
terminate(Reason, _State) ->
    print("terminate ~0tp", [Reason]).

-spec code_change(term(), state(), term()) -> {ok, state()}.
code_change(_OldVsn, State, _Extra) ->
    print("code_change", []),
    {ok, State}.

print(Format, Args) ->
    io:format("~ts: " ++ Format ++ "~n", [node() | Args]).

nodes_of(Pids) -> lists:join(" ", [atom_to_list(node(Pid)) || Pid <- Pids]).
