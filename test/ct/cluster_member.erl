%% SPDX-License-Identifier: Apache-2.0
%% A member for the suites. It tells an observer of each callback of the cluster, in order, and does
%% what the test wants: hooks replace what a callback returns, {do, Fun} runs a function in the
%% member.
-module(cluster_member).

-behaviour(gen_cluster).

-export([start/3, start_with/4]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2, handle_continue/2]).
-export([terminate/2, code_change/3, format_status/1]).
-export([handle_join/3, handle_node_joined/3, handle_leave/4, handle_leader_change/3]).
-export([handle_publish/2, handle_vote/2, seed_nodes/1, leader_pids/1]).

-export_type([hooks/0, state/0]).

%% A hook gets the arguments of the callback and returns what the callback shall return.
-type hooks() :: #{atom() => fun()}.
-type state() :: #{observer := pid(), hooks := hooks(), value := term()}.

-spec start(pid(), [gen_cluster:option()], hooks()) -> gen_server:start_ret().
start(Observer, Options, Hooks) ->
    gen_cluster:start(?MODULE, {Observer, Hooks}, Options).

-spec start_with(atom(), [term()], pid(), hooks()) -> term().
start_with(Function, Args, Observer, Hooks) ->
    apply(gen_cluster, Function, [
        case Arg of
            args -> {Observer, Hooks};
            _ -> Arg
        end
     || Arg <- Args
    ]).

-spec init({pid(), hooks()}) -> term().
init({Observer, Hooks}) ->
    State = #{observer => Observer, hooks => Hooks, value => 0},
    hook(init, [State], {ok, State}).

-spec handle_call(term(), gen_server:from(), state()) -> term().
handle_call({do, Fun}, From, State) -> Fun(From, State);
handle_call({ask, Term}, _From, State) -> {reply, {node(), Term}, State};
handle_call(Request, _From, State) -> {reply, {unknown, Request}, State}.

-spec handle_cast(term(), state()) -> term().
handle_cast({do, Fun}, State) ->
    Fun(State);
handle_cast(Request, State) ->
    tell({handle_cast, Request}, State),
    hook(handle_cast, [Request, State], {noreply, State}).

-spec handle_info(term(), state()) -> term().
handle_info(Message, State) ->
    tell({handle_info, Message}, State),
    hook(handle_info, [Message, State], {noreply, State}).

-spec handle_continue(term(), state()) -> term().
handle_continue(Continue, State) ->
    tell({handle_continue, Continue}, State),
    hook(handle_continue, [Continue, State], {noreply, State}).

-spec terminate(term(), state()) -> term().
terminate(Reason, State) ->
    tell({terminate, Reason}, State).

-spec code_change(term(), state(), term()) -> {ok, state()}.
code_change(OldVsn, State, Extra) ->
    {ok, State#{value := {changed, OldVsn, Extra}}}.

-spec format_status(gen_server:format_status()) -> gen_server:format_status().
format_status(Status) -> maps:map(fun formatted/2, Status).

formatted(state, State) -> {formatted, maps:get(value, State)};
formatted(_, Other) -> Other.

-spec handle_join(pid(), [pid()], state()) -> term().
handle_join(Pid, Pids, State) ->
    tell({handle_join, Pid, Pids}, State),
    hook(handle_join, [Pid, Pids, State], {ok, State}).

-spec handle_node_joined(pid(), [pid()], state()) -> term().
handle_node_joined(Pid, Pids, State) ->
    tell({handle_node_joined, Pid, Pids}, State),
    hook(handle_node_joined, [Pid, Pids, State], {ok, State}).

-spec handle_leave(pid(), [pid()], term(), state()) -> term().
handle_leave(Pid, Pids, Info, State) ->
    tell({handle_leave, Pid, Pids, Info}, State),
    hook(handle_leave, [Pid, Pids, Info, State], {ok, State}).

-spec handle_leader_change(pid() | undefined, [pid()], state()) -> term().
handle_leader_change(Leader, Pids, State) ->
    tell({handle_leader_change, Leader, Pids}, State),
    hook(handle_leader_change, [Leader, Pids, State], {ok, State}).

-spec handle_publish(term(), state()) -> term().
handle_publish({Number, Load}, State) when is_binary(Load) ->
    tell({handle_publish, Number}, State),
    {ok, State};
handle_publish(Term, State) ->
    tell({handle_publish, Term}, State),
    hook(handle_publish, [Term, State], {ok, State}).

-spec handle_vote(term(), state()) -> term().
handle_vote(Term, State) ->
    hook(handle_vote, [Term, State], {reply, 0, State}).

-spec seed_nodes(state()) -> [gen_cluster_seeds:seed()].
seed_nodes(State) -> hook(seed_nodes, [State], []).

-spec leader_pids(state()) -> [pid()].
leader_pids(State) -> hook(leader_pids, [State], []).

tell(Event, #{observer := Observer}) ->
    Observer ! {cluster_member, self(), Event},
    ok;
tell(_Event, _Replaced) ->
    ok.

%% The state is the last of the arguments.
hook(Name, Args, Default) ->
    case lists:last(Args) of
        #{hooks := #{Name := Hook}} -> apply(Hook, Args);
        _ -> Default
    end.
