%% SPDX-License-Identifier: Apache-2.0
%% A gen_server that is a member of a cluster of processes: the behaviour and its verbs.
%%
%% A module with this behaviour has the callbacks of gen_server, with all that they may return, and
%% those below. They run in the member, one at a time, between its other messages:
%%
%% handle_join/3         on the one member through which Pid came in
%% handle_node_joined/3  on every other member, also when a split heals
%% handle_leave/4        on every member, when Pid has ended, its node is lost or it has left; Info
%%                       is its exit reason, `noconnection' or `left'
%% handle_leader_change/3, handle_publish/2, handle_vote/2  optional
%%
%% The list of pids that they get is sorted, has the member itself in it, and is the same
%% everywhere. A callback that crashes ends the member with that reason, as in gen_server; so does a
%% value that is none of those allowed, with {bad_return_value, Value}.
-module(gen_cluster).

%% Starting members
-export([start/3, start/4, start_link/3, start_link/4, start_monitor/3, start_monitor/4]).
-export([child_spec/1, enter_loop/3, enter_loop/4, enter_loop/5]).
%% Talking to one member
-export([call/2, call/3, cast/2, reply/2, abcast/2, abcast/3]).
-export([multi_call/2, multi_call/3, multi_call/4]).
%% The cluster
-export([plist/1, mod_plist/2, members/1, leader/1, join/2, leave/1, add_child/3]).
-export([publish/2, subscribe/1, unsubscribe/2, await/3]).
-export([call_vote/2, ballot_run/2, run/2, ballot_cast/2, cast_run/2]).

-export_type([option/0, member/0, event/0, next/0, result/0, child_spec_options/0]).

-type server_ref() :: gen_server:server_ref().
-type name() :: {local, atom()} | {global, term()} | {via, module(), term()}.

-type option() ::
    %% Name of the cluster; by default the module.
    {cluster, atom()}
    %% Nodes to join through, beside the other sources: see gen_cluster_seeds.
    | {seeds, [gen_cluster_seeds:seed()]}
    | {seed, gen_cluster_seeds:seed() | [gen_cluster_seeds:seed()]}
    %% What the others show this member as; by default the module.
    | {type, atom()}
    %% Metadata that the others show, at most 4 KiB.
    | {meta, map()}
    %% Below so many members there is no leader.
    | {quorum, pos_integer()}
    %% timeout, debug, spawn_opt, hibernate_after: as in gen_server.
    | gen_server:start_opt().

-type member() :: #{
    pid := pid(),
    type := atom(),
    meta := map(),
    node := node(),
    children := [{Type :: atom(), pid()}]
}.

-type event() ::
    {joined, pid()} | {left, pid(), Info :: term()} | {leader, pid() | undefined}.

-type next() :: timeout() | hibernate | {continue, term()}.
-type result() :: {ok, State :: term()} | {ok, State :: term(), next()} | stop().
-type stop() :: {stop, Reason :: term(), State :: term()}.

-type child_spec_options() :: #{
    module := module(),
    args => term(),
    name => name(),
    options => [option()],
    id => term(),
    restart => permanent | transient | temporary,
    shutdown => timeout() | brutal_kill
}.

-callback init(Args :: term()) ->
    {ok, State :: term()} | {ok, State :: term(), next()} | {stop, Reason :: term()} | ignore.
-callback handle_call(Request :: term(), gen_server:from(), State :: term()) ->
    {reply, Reply :: term(), State :: term()}
    | {reply, Reply :: term(), State :: term(), next()}
    | {noreply, State :: term()}
    | {noreply, State :: term(), next()}
    | {stop, Reason :: term(), Reply :: term(), State :: term()}
    | stop().
-callback handle_cast(Request :: term(), State :: term()) ->
    {noreply, State :: term()} | {noreply, State :: term(), next()} | stop().
-callback handle_info(Info :: term(), State :: term()) ->
    {noreply, State :: term()} | {noreply, State :: term(), next()} | stop().
-callback handle_continue(Continue :: term(), State :: term()) ->
    {noreply, State :: term()} | {noreply, State :: term(), next()} | stop().
-callback terminate(Reason :: term(), State :: term()) -> term().
-callback code_change(OldVsn :: term(), State :: term(), Extra :: term()) ->
    {ok, State :: term()} | {error, Reason :: term()}.
-callback format_status(gen_server:format_status()) -> gen_server:format_status().

-callback handle_join(Pid :: pid(), Pids :: [pid()], State :: term()) -> result().
-callback handle_node_joined(Pid :: pid(), Pids :: [pid()], State :: term()) -> result().
-callback handle_leave(Pid :: pid(), Pids :: [pid()], Info :: term(), State :: term()) -> result().
-callback handle_leader_change(Leader :: pid() | undefined, Pids :: [pid()], State :: term()) ->
    result().
-callback handle_publish(Term :: term(), State :: term()) -> result().
%% The weight of this member's offer; 0 abstains. Without this callback a member abstains.
-callback handle_vote(Term :: term(), State :: term()) ->
    {reply, Weight :: number(), State :: term()}
    | {reply, Weight :: number(), State :: term(), next()}
    | stop().
%% More seeds, asked for once, after init.
-callback seed_nodes(State :: term()) -> [gen_cluster_seeds:seed()].
%% Pids whose nodes are seeds as well.
-callback leader_pids(State :: term()) -> [pid()].

-optional_callbacks([
    handle_info/2, handle_continue/2, terminate/2, code_change/3, format_status/1
]).
-optional_callbacks([
    handle_leader_change/3, handle_publish/2, handle_vote/2, seed_nodes/1, leader_pids/1
]).

-define(SERVER, gen_cluster_server).

%% As in gen_server. An option that is unknown or has a value of the wrong kind is answered by
%% {error, {bad_option, Option}}.
-spec start(module(), Args :: term(), [option()]) -> gen_server:start_ret() | ignore.
start(Module, Args, Options) ->
    with_options(Module, Options, fun(Config, ServerOptions) ->
        gen_server:start(?SERVER, {Module, Args, Config}, ServerOptions)
    end).

-spec start(name(), module(), Args :: term(), [option()]) -> gen_server:start_ret() | ignore.
start(Name, Module, Args, Options) ->
    with_options(Module, Options, fun(Config, ServerOptions) ->
        gen_server:start(Name, ?SERVER, {Module, Args, Config}, ServerOptions)
    end).

-spec start_link(module(), Args :: term(), [option()]) -> gen_server:start_ret() | ignore.
start_link(Module, Args, Options) ->
    with_options(Module, Options, fun(Config, ServerOptions) ->
        gen_server:start_link(?SERVER, {Module, Args, Config}, ServerOptions)
    end).

-spec start_link(name(), module(), Args :: term(), [option()]) -> gen_server:start_ret() | ignore.
start_link(Name, Module, Args, Options) ->
    with_options(Module, Options, fun(Config, ServerOptions) ->
        gen_server:start_link(Name, ?SERVER, {Module, Args, Config}, ServerOptions)
    end).

-spec start_monitor(module(), Args :: term(), [option()]) -> gen_server:start_mon_ret() | ignore.
start_monitor(Module, Args, Options) ->
    with_options(Module, Options, fun(Config, ServerOptions) ->
        gen_server:start_monitor(?SERVER, {Module, Args, Config}, ServerOptions)
    end).

-spec start_monitor(name(), module(), Args :: term(), [option()]) ->
    gen_server:start_mon_ret() | ignore.
start_monitor(Name, Module, Args, Options) ->
    with_options(Module, Options, fun(Config, ServerOptions) ->
        gen_server:start_monitor(Name, ?SERVER, {Module, Args, Config}, ServerOptions)
    end).

%% A child of a supervisor, Erlang's or Elixir's.
-spec child_spec(child_spec_options()) -> supervisor:child_spec().
child_spec(#{module := Module} = Spec) ->
    Args = [Module, maps:get(args, Spec, []), maps:get(options, Spec, [])],
    Named =
        case Spec of
            #{name := Name} -> [Name | Args];
            _ -> Args
        end,
    #{
        id => maps:get(id, Spec, Module),
        start => {?MODULE, start_link, Named},
        restart => maps:get(restart, Spec, permanent),
        shutdown => maps:get(shutdown, Spec, 5000),
        type => worker,
        modules => [Module]
    }.

%% Makes a member of a process that was started by proc_lib; as in gen_server.
-spec enter_loop(module(), [option()], State :: term()) -> no_return().
enter_loop(Module, Options, State) ->
    enter_loop(Module, Options, State, self(), infinity).

-spec enter_loop(module(), [option()], State :: term(), name() | pid() | next()) -> no_return().
enter_loop(Module, Options, State, {Kind, _} = Name) when Kind =:= local; Kind =:= global ->
    enter_loop(Module, Options, State, Name, infinity);
enter_loop(Module, Options, State, {via, _, _} = Name) ->
    enter_loop(Module, Options, State, Name, infinity);
enter_loop(Module, Options, State, Self) when is_pid(Self) ->
    enter_loop(Module, Options, State, Self, infinity);
enter_loop(Module, Options, State, Next) ->
    enter_loop(Module, Options, State, self(), Next).

-spec enter_loop(module(), [option()], State :: term(), name() | pid(), next()) -> no_return().
enter_loop(Module, Options, State, Name, Next) ->
    case gen_cluster_options:parse(Module, Options) of
        {ok, Config, ServerOptions} ->
            {module, Module} = code:ensure_loaded(Module),
            {ok, State, Begin} = ?SERVER:begin_member(Config, State, Next),
            gen_server:enter_loop(?SERVER, ServerOptions, State, Name, Begin);
        {error, Reason} ->
            error(Reason)
    end.

-spec call(server_ref(), term()) -> term().
call(Server, Request) -> gen_server:call(Server, Request).

-spec call(server_ref(), term(), timeout()) -> term().
call(Server, Request, Timeout) -> gen_server:call(Server, Request, Timeout).

-spec cast(server_ref(), term()) -> ok.
cast(Server, Request) -> gen_server:cast(Server, Request).

-spec reply(gen_server:from(), term()) -> ok.
reply(From, Reply) -> gen_server:reply(From, Reply).

-spec abcast(atom(), term()) -> abcast.
abcast(Name, Request) -> gen_server:abcast(Name, Request).

-spec abcast([node()], atom(), term()) -> abcast.
abcast(Nodes, Name, Request) -> gen_server:abcast(Nodes, Name, Request).

-spec multi_call(atom(), term()) -> {[{node(), Reply :: term()}], Bad :: [node()]}.
multi_call(Name, Request) -> gen_server:multi_call(Name, Request).

-spec multi_call([node()], atom(), term()) -> {[{node(), Reply :: term()}], Bad :: [node()]}.
multi_call(Nodes, Name, Request) -> gen_server:multi_call(Nodes, Name, Request).

-spec multi_call([node()], atom(), term(), timeout()) ->
    {[{node(), Reply :: term()}], Bad :: [node()]}.
multi_call(Nodes, Name, Request, Timeout) ->
    gen_server:multi_call(Nodes, Name, Request, Timeout).

%% All members and their children, by type. This and the next three may be asked of self() in a
%% callback.
-spec plist(server_ref()) -> {ok, [{Type :: atom(), [pid()]}]}.
plist(Server) -> ask(Server, {'$gen_cluster', plist}).

-spec mod_plist(server_ref(), Type :: atom()) -> {ok, [pid()]}.
mod_plist(Server, Type) -> ask(Server, {'$gen_cluster', mod_plist, Type}).

-spec members(server_ref()) -> [member()].
members(Server) -> ask(Server, {'$gen_cluster', members}).

%% Who leads. A convenience, no lock: each side of a split has a leader.
-spec leader(server_ref()) -> pid() | undefined.
leader(Server) -> ask(Server, {'$gen_cluster', leader}).

%% Joins through one more seed, now; ends what leave/1 began.
-spec join(server_ref(), gen_cluster_seeds:seed()) -> ok | {error, {bad_seed, term()}}.
join(Server, Seed) ->
    case gen_cluster_seeds:parse(Seed) of
        {ok, Node} -> gen_server:call(Server, {'$gen_cluster', join, Node});
        error -> {error, {bad_seed, Seed}}
    end.

%% Leaves the cluster: the others see `left', the process lives on, and is no member, with nobody in
%% its list, until join/2.
-spec leave(server_ref()) -> ok.
leave(Server) -> gen_server:call(Server, {'$gen_cluster', leave}).

%% Lists a plain process under a type for as long as it and Server live and are members.
-spec add_child(server_ref(), Type :: atom(), pid()) -> ok | {error, too_many_children}.
add_child(Server, Type, Pid) when is_atom(Type), is_pid(Pid) ->
    gen_server:call(Server, {'$gen_cluster', add_child, Type, Pid}).

%% Runs handle_publish/2 on every member, Server included: at most once each, in the order in which
%% Server published. A member whose node reads too slowly loses what is published when 64 MiB wait
%% for it.
-spec publish(server_ref(), term()) -> ok.
publish(Server, Term) -> gen_server:cast(Server, {'$gen_cluster', publish, Term}).

%% The members now, and a reference. What changes comes as {gen_cluster, Reference, event()}, until
%% unsubscribe/2 or the end of Server.
-spec subscribe(server_ref()) -> {ok, reference(), [member()]}.
subscribe(Server) -> gen_server:call(Server, {'$gen_cluster', subscribe, self()}).

%% Afterwards no event with this reference is or comes in the mailbox.
-spec unsubscribe(server_ref(), reference()) -> ok.
unsubscribe(Server, Reference) ->
    ok = gen_server:call(Server, {'$gen_cluster', unsubscribe, Reference}),
    flush(Reference).

%% Waits until the predicate holds for the members; {error, Reason} when Server ends meanwhile. The
%% predicate runs in another process than the caller's. A member cannot wait for itself.
-spec await(server_ref(), fun(([member()]) -> boolean()), timeout()) ->
    {ok, [member()]} | {error, timeout | calling_self | term()}.
await(Server, Predicate, Timeout) when is_function(Predicate, 1) ->
    case is_self(Server) of
        true -> {error, calling_self};
        false -> gen_cluster_await:await(Server, Predicate, Timeout)
    end.

%% Asks all members at once what they offer for Term; the highest offer wins, the first in the order
%% of the list among equal ones. Who has not answered after 5 s has abstained.
-spec call_vote(server_ref(), term()) ->
    {ok, pid(), Weight :: number()} | {error, no_winner | calling_self}.
call_vote(Server, Term) -> gen_cluster_vote:call_vote(Server, Term).

%% Votes on Request, then calls the winner with it.
-spec ballot_run(server_ref(), Request :: term()) ->
    {ok, pid(), Reply :: term()} | {error, no_winner | calling_self}.
ballot_run(Server, Request) -> gen_cluster_vote:ballot_run(Server, Request).

%% Like ballot_run/2; when nobody wins, any member is called. Only one that has left has none.
-spec run(server_ref(), Request :: term()) ->
    {ok, pid(), Reply :: term()} | {error, no_winner | calling_self}.
run(Server, Request) -> gen_cluster_vote:run(Server, Request).

%% Votes on Request, then casts it to the winner.
-spec ballot_cast(server_ref(), Request :: term()) ->
    {ok, pid()} | {error, no_winner | calling_self}.
ballot_cast(Server, Request) -> gen_cluster_vote:ballot_cast(Server, Request).

%% Like ballot_cast/2; when nobody wins, any member gets it.
-spec cast_run(server_ref(), Request :: term()) ->
    {ok, pid()} | {error, no_winner | calling_self}.
cast_run(Server, Request) -> gen_cluster_vote:cast_run(Server, Request).

with_options(Module, Options, Start) ->
    case gen_cluster_options:parse(Module, Options) of
        {ok, Config, ServerOptions} -> Start(Config, ServerOptions);
        {error, _} = Error -> Error
    end.

ask(Server, Question) ->
    case is_self(Server) of
        true -> ?SERVER:answer(Question);
        false -> gen_server:call(Server, Question)
    end.

%% A member that asks itself, in a callback, would wait for itself.
is_self(Server) -> Server =:= self() andalso ?SERVER:is_member().

flush(Reference) ->
    receive
        {gen_cluster, Reference, _} -> flush(Reference)
    after 0 -> ok
    end.
