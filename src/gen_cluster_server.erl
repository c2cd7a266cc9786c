%% SPDX-License-Identifier: Apache-2.0
%% The gen_server that every member is. Its state is the state of the user's module, so that sys,
%% crash reports and upgrades show and change that; what the member has beside it stands in the
%% process dictionary (gen_cluster_member) and is gone from there when the process reports its end.
%%
%% Messages of the cluster are not seen by the user: a timeout that runs, or hibernation, goes on
%% after them. Callbacks of the cluster are like those of gen_server: what they return replaces the
%% timeout.
-module(gen_cluster_server).

-behaviour(gen_server).

-export([begin_member/3, is_member/0, answer/1]).
-export([init/1, handle_continue/2, handle_call/3, handle_cast/2, handle_info/2]).
-export([terminate/2, code_change/3, format_status/1]).

-include_lib("kernel/include/logger.hrl").

-define(MEMBER, '$gen_cluster').

-type state() :: term().
-type next() :: gen_cluster:next().
%% The user may return anything else; gen_server ends the member then.
-type noreply() ::
    {noreply, state()} | {noreply, state(), next()} | {stop, Reason :: term(), state()}.

%% Makes a member of the calling process, and lets it join. What the user's init goes on with
%% belongs to it: joining comes after.
-spec begin_member(gen_cluster_options:config(), state(), next()) -> {ok, state(), next()}.
begin_member(#{module := Module} = Config, State, Next) ->
    %% As proc_lib would show it, were Module a gen_server.
    _ = put('$initial_call', {Module, init, 1}),
    _ = put(?MEMBER, gen_cluster_member:new(Config)),
    case Next of
        {continue, Continue} ->
            {ok, State, {continue, {?MEMBER, init, Continue}}};
        _ ->
            start_member(State),
            ok = set_idle(Next),
            {ok, State, Next}
    end.

%% Is the calling process a member (and so, inside a callback of one)?
-spec is_member() -> boolean().
is_member() -> get(?MEMBER) =/= undefined.

%% What the calling process, a member, would answer to a question about the cluster.
-spec answer(tuple()) -> term().
answer(Question) ->
    {Reply, [], _Unchanged} = gen_cluster_member:request(Question, get(?MEMBER)),
    Reply.

-spec init({module(), Args :: term(), gen_cluster_options:config()}) ->
    {ok, state()} | {ok, state(), next()} | {stop, term()} | ignore.
init({Module, Args, Config}) ->
    case returned(fun() -> Module:init(Args) end) of
        {ok, State} ->
            begin_member(Config, State, infinity);
        {ok, State, Next} = Result ->
            case is_next(Next) of
                true -> begin_member(Config, State, Next);
                false -> Result
            end;
        Other ->
            Other
    end.

-spec handle_continue(term(), state()) -> noreply().
handle_continue({?MEMBER, init, Continue}, State) ->
    Result = noted(user(handle_continue, [Continue, State])),
    case Result of
        {noreply, State1, {continue, Next}} ->
            {noreply, State1, {continue, {?MEMBER, init, Next}}};
        {noreply, State1} ->
            start_member(State1),
            Result;
        {noreply, State1, _} ->
            start_member(State1),
            Result;
        _ ->
            Result
    end;
handle_continue(Continue, State) ->
    noted(user(handle_continue, [Continue, State])).

-spec handle_call(term(), gen_server:from(), state()) ->
    {reply, term(), state()}
    | {reply, term(), state(), next()}
    | {stop, term(), term(), state()}
    | noreply().
handle_call({?MEMBER, vote, Term}, From, State) ->
    vote(Term, From, State);
handle_call(Request, From, State) when
    is_tuple(Request), tuple_size(Request) > 1, element(1, Request) =:= ?MEMBER
->
    {Reply, Callbacks, M} = gen_cluster_member:request(Request, get(?MEMBER)),
    _ = put(?MEMBER, M),
    gen_server:reply(From, Reply),
    run(Callbacks, State);
handle_call(Request, From, State) ->
    noted(user(handle_call, [Request, From, State])).

-spec handle_cast(term(), state()) -> noreply().
handle_cast({?MEMBER, publish, Term}, State) ->
    member(fun(M) -> gen_cluster_member:publish(Term, M) end, State);
handle_cast(Request, State) ->
    noted(user(handle_cast, [Request, State])).

-spec handle_info(term(), state()) -> noreply().
handle_info(Message, State) ->
    case gen_cluster_member:info(Message, get(?MEMBER)) of
        user ->
            user_info(Message, State);
        {Callbacks, M} ->
            _ = put(?MEMBER, M),
            run(Callbacks, State)
    end.

%% The user's module is still needed to format the state in reports.
-spec terminate(term(), state()) -> term().
terminate(Reason, State) ->
    Module = module(),
    try
        case erlang:function_exported(Module, terminate, 2) of
            true -> Module:terminate(Reason, State);
            false -> ok
        end
    after
        put(?MEMBER, Module)
    end.

-spec code_change(term(), state(), term()) -> {ok, state()} | {error, term()}.
code_change(OldVsn, State, Extra) ->
    case is_exported(code_change, 3) of
        true -> user(code_change, [OldVsn, State, Extra]);
        false -> {ok, State}
    end.

-spec format_status(gen_server:format_status()) -> gen_server:format_status().
format_status(Status) ->
    case is_exported(format_status, 1) of
        true -> user(format_status, [Status]);
        false -> Status
    end.

%% Nothing is due to the user before somebody has answered.
start_member(State) ->
    Seeds = fun(Given) -> gen_cluster_seeds:collect(Given, module(), State) end,
    {[], M} = gen_cluster_member:start(Seeds, get(?MEMBER)),
    _ = put(?MEMBER, M),
    ok.

%% Lets the member work, then runs the callbacks that are due.
member(Fun, State) ->
    {Callbacks, M} = Fun(get(?MEMBER)),
    _ = put(?MEMBER, M),
    run(Callbacks, State).

run([], State) ->
    {noreply, State, resume()};
run([{Function, Args} | Callbacks], State) ->
    case is_wanted(Function, length(Args) + 1) of
        true -> ran(user(Function, Args ++ [State]), Callbacks, State);
        false -> run(Callbacks, State)
    end.

is_wanted(handle_leader_change, Arity) -> is_exported(handle_leader_change, Arity);
is_wanted(handle_publish, Arity) -> is_exported(handle_publish, Arity);
is_wanted(_Required, _Arity) -> true.

ran({ok, State}, Callbacks, _Old) ->
    ran({ok, State, infinity}, Callbacks, State);
ran({ok, State, {continue, Continue}}, Callbacks, _Old) ->
    %% Before the next callback, as it would be before the next message.
    case user(handle_continue, [Continue, State]) of
        {noreply, State1} -> ran({ok, State1}, Callbacks, State1);
        {noreply, State1, Next} -> ran({ok, State1, Next}, Callbacks, State1);
        Other -> ran(Other, Callbacks, State)
    end;
ran({ok, State, Next} = Result, Callbacks, Old) ->
    case is_next(Next) of
        true ->
            ok = set_idle(Next),
            run(Callbacks, State);
        false ->
            {stop, {bad_return_value, Result}, Old}
    end;
ran({stop, _Reason, _State} = Stop, _Callbacks, _Old) ->
    Stop;
ran(Other, _Callbacks, Old) ->
    {stop, {bad_return_value, Other}, Old}.

vote(Term, From, State) ->
    case is_exported(handle_vote, 2) of
        true ->
            voted(user(handle_vote, [Term, State]), From, State);
        false ->
            gen_server:reply(From, {ok, 0}),
            {noreply, State, resume()}
    end.

voted({reply, Weight, State}, From, Old) ->
    voted({reply, Weight, State, infinity}, From, Old);
voted({reply, Weight, State, Next}, From, Old) when is_number(Weight) ->
    gen_server:reply(From, {ok, Weight}),
    ran({ok, State, Next}, [], Old);
voted(Other, _From, Old) ->
    ran(Other, [], Old).

user_info(Message, State) ->
    case is_exported(handle_info, 2) of
        true ->
            noted(user(handle_info, [Message, State]));
        false ->
            ?LOG_WARNING("~ts has no handle_info/2 for this message to ~p: ~tp", [
                module(), self(), Message
            ]),
            {noreply, State, resume()}
    end.

%% Remembers what the user wants when no message comes, for resume/0.
noted({reply, _, _} = Result) -> noted(infinity, Result);
noted({reply, _, _, Next} = Result) -> noted(Next, Result);
noted({noreply, _} = Result) -> noted(infinity, Result);
noted({noreply, _, Next} = Result) -> noted(Next, Result);
noted(Result) -> Result.

noted({continue, _}, Result) ->
    Result;
noted(Next, Result) ->
    ok = set_idle(Next),
    Result.

set_idle(Timeout) when is_integer(Timeout) ->
    set_idle({deadline, erlang:monotonic_time(millisecond) + Timeout});
set_idle(Idle) ->
    M = get(?MEMBER),
    case gen_cluster_member:idle(M) of
        Idle ->
            ok;
        _ ->
            _ = put(?MEMBER, gen_cluster_member:set_idle(Idle, M)),
            ok
    end.

%% What is left of it after a message that the user does not see.
resume() ->
    case gen_cluster_member:idle(get(?MEMBER)) of
        {deadline, At} -> max(0, At - erlang:monotonic_time(millisecond));
        Idle -> Idle
    end.

is_next(infinity) -> true;
is_next(hibernate) -> true;
is_next({continue, _}) -> true;
is_next(Timeout) -> is_integer(Timeout) andalso Timeout >= 0.

user(Function, Args) ->
    Module = module(),
    returned(fun() -> apply(Module, Function, Args) end).

%% What is thrown counts as returned, as in gen_server.
returned(Fun) ->
    try
        Fun()
    catch
        throw:Result -> Result
    end.

is_exported(Function, Arity) -> erlang:function_exported(module(), Function, Arity).

module() ->
    case get(?MEMBER) of
        Module when is_atom(Module) -> Module;
        M -> gen_cluster_member:module(M)
    end.
