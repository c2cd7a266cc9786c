%% SPDX-License-Identifier: Apache-2.0
%% Calls of `global', none of which a member makes itself: they take a lock of the whole cluster and
%% wait as long as its slowest node. Each call is made by a helper process whose exit reason is the
%% answer, so there is exactly one, at the latest after ?DEADLINE.
-module(gen_cluster_global).

-export([ask/4, answer/2, is_hidden/0]).
-export([help/4, call/3]).

-export_type([request/0, answer/0]).

-type request() :: register | unregister | whereis.
%% Events of the core, but for the one that it does not wait for.
-type answer() ::
    {registered, yes | no, Holder :: pid() | undefined}
    | {whereis, Holder :: pid() | undefined}
    | unregistered.

-define(DEADLINE, 10000).

%% Starts a helper that begins when the one before has ended. To the calling process comes
%% {Tag, _, process, Helper, Reason}; answer/2 makes an answer of the reason.
-spec ask(request(), Name :: term(), Before :: none | pid(), Tag :: term()) -> pid().
ask(Request, Name, Before, Tag) ->
    {Helper, _} = spawn_opt(?MODULE, help, [Request, Name, Before, self()], [
        {monitor, [{tag, Tag}]}
    ]),
    Helper.

%% One that was killed has found nothing out.
-spec answer(request(), ExitReason :: term()) -> answer().
answer(_Request, {answer, Answer}) -> Answer;
answer(Request, _Reason) -> nothing(Request).

%% A hidden node knows no name but its own ones, so it neither looks for holders nor becomes one.
-spec is_hidden() -> boolean().
is_hidden() ->
    case init:get_argument(hidden) of
        {ok, [[] | _]} -> true;
        {ok, [["true" | _] | _]} -> true;
        _ -> false
    end.

-spec help(request(), term(), none | pid(), pid()) -> no_return().
help(Request, Name, Before, Member) ->
    await_end(Before),
    Answer =
        case is_hidden() of
            true -> nothing(Request);
            false -> within_deadline(Request, Name, Member)
        end,
    exit({answer, Answer}).

await_end(none) ->
    ok;
await_end(Before) ->
    Monitor = monitor(process, Before),
    receive
        {'DOWN', Monitor, _, _, _} -> ok
    end.

within_deadline(Request, Name, Member) ->
    {Caller, Monitor} = spawn_monitor(?MODULE, call, [Request, Name, Member]),
    receive
        {'DOWN', Monitor, process, Caller, Reason} -> answer(Request, Reason)
    after ?DEADLINE ->
        exit(Caller, kill),
        nothing(Request)
    end.

-spec call(request(), term(), pid()) -> no_return().
call(Request, Name, Member) ->
    exit({answer, request(Request, Name, Member)}).

nothing(register) -> {registered, no, undefined};
nothing(whereis) -> {whereis, undefined};
nothing(unregister) -> unregistered.

request(whereis, Name, _Member) ->
    {whereis, global:whereis_name(Name)};
request(register, Name, Member) ->
    Outcome =
        case is_named(Member) of
            false -> global:register_name(Name, Member, fun global:random_notify_name/3);
            true -> register_more(Name, Member)
        end,
    {registered, Outcome, global:whereis_name(Name)};
request(unregister, Name, Member) ->
    case global:whereis_name(Name) of
        Member -> global:unregister_name(Name);
        _ -> ok
    end,
    unregistered.

%% register_name/3 refuses a second name for a pid, and a user may have started the member under
%% {global, Name}; re_register_name/3 does not, but takes names away from others, hence the lock.
register_more(Name, Member) ->
    Outcome = global:trans({Name, self()}, fun() ->
        case global:whereis_name(Name) of
            undefined -> global:re_register_name(Name, Member, fun global:random_notify_name/3);
            _ -> no
        end
    end),
    case Outcome of
        yes -> yes;
        _ -> no
    end.

is_named(Pid) ->
    lists:any(fun(Name) -> global:whereis_name(Name) =:= Pid end, global:registered_names()).
