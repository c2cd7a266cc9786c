%% SPDX-License-Identifier: Apache-2.0
%% A member with none of the optional callbacks.
-module(cluster_minimal).

-behaviour(gen_cluster).

-export([init/1, handle_call/3, handle_cast/2]).
-export([handle_join/3, handle_node_joined/3, handle_leave/4]).

-spec init(term()) -> {ok, term()}.
init(State) -> {ok, State}.

-spec handle_call(term(), gen_server:from(), term()) -> {reply, term(), term()}.
handle_call(Request, _From, State) -> {reply, {State, Request}, State}.

-spec handle_cast(term(), term()) -> {noreply, term()}.
handle_cast(_Request, State) -> {noreply, State}.

-spec handle_join(pid(), [pid()], term()) -> {ok, term()}.
handle_join(_Pid, _Pids, State) -> {ok, State}.

-spec handle_node_joined(pid(), [pid()], term()) -> {ok, term()}.
handle_node_joined(_Pid, _Pids, State) -> {ok, State}.

-spec handle_leave(pid(), [pid()], term(), term()) -> {ok, term()}.
handle_leave(_Pid, _Pids, _Info, State) -> {ok, State}.
