%% SPDX-License-Identifier: Apache-2.0
%% Votes: who of the members offers most to do something? The caller asks, not the member that it
%% names, so that members stay free to answer. A member that asked would wait for its own answer; it
%% gets {error, calling_self} instead.
-module(gen_cluster_vote).

-export([call_vote/2, ballot_run/2, run/2, ballot_cast/2, cast_run/2]).

-type server_ref() :: gen_server:server_ref().
-type no_vote() :: {error, no_winner | calling_self}.

-define(DEADLINE, 5000).

-spec call_vote(server_ref(), term()) -> {ok, pid(), number()} | no_vote().
call_vote(Server, Term) ->
    unless_member(fun() -> winner(offers(pids(Server), Term)) end).

-spec ballot_run(server_ref(), term()) -> {ok, pid(), Reply :: term()} | no_vote().
ballot_run(Server, Request) ->
    case call_vote(Server, Request) of
        {ok, Pid, _Weight} -> {ok, Pid, gen_server:call(Pid, Request)};
        {error, _} = Error -> Error
    end.

-spec run(server_ref(), term()) -> {ok, pid(), Reply :: term()} | no_vote().
run(Server, Request) ->
    case winner_or_any(Server, Request) of
        {ok, Pid} -> {ok, Pid, gen_server:call(Pid, Request)};
        {error, _} = Error -> Error
    end.

-spec ballot_cast(server_ref(), term()) -> {ok, pid()} | no_vote().
ballot_cast(Server, Request) ->
    case call_vote(Server, Request) of
        {ok, Pid, _Weight} -> cast(Pid, Request);
        {error, _} = Error -> Error
    end.

-spec cast_run(server_ref(), term()) -> {ok, pid()} | no_vote().
cast_run(Server, Request) ->
    case winner_or_any(Server, Request) of
        {ok, Pid} -> cast(Pid, Request);
        {error, _} = Error -> Error
    end.

winner_or_any(Server, Request) ->
    unless_member(fun() ->
        Pids = pids(Server),
        case winner(offers(Pids, Request)) of
            {ok, Pid, _Weight} -> {ok, Pid};
            {error, no_winner} when Pids =:= [] -> {error, no_winner};
            {error, no_winner} -> {ok, lists:nth(rand:uniform(length(Pids)), Pids)}
        end
    end).

unless_member(Vote) ->
    case gen_cluster_server:is_member() of
        true -> {error, calling_self};
        false -> Vote()
    end.

cast(Pid, Request) ->
    ok = gen_server:cast(Pid, Request),
    {ok, Pid}.

%% In the order of the list.
pids(Server) ->
    [Pid || #{pid := Pid} <- gen_server:call(Server, {'$gen_cluster', members})].

offers(Pids, Term) ->
    Requests = lists:foldl(
        fun(Pid, Acc) -> gen_server:send_request(Pid, {'$gen_cluster', vote, Term}, Pid, Acc) end,
        gen_server:reqids_new(),
        Pids
    ),
    Deadline = erlang:monotonic_time(millisecond) + ?DEADLINE,
    Offers = collect(Requests, Deadline, #{}),
    [{Pid, maps:get(Pid, Offers)} || Pid <- Pids, is_map_key(Pid, Offers)].

collect(Requests, Deadline, Offers) ->
    case gen_server:receive_response(Requests, {abs, Deadline}, true) of
        {{reply, {ok, Weight}}, Pid, Rest} when is_number(Weight), Weight > 0 ->
            collect(Rest, Deadline, Offers#{Pid => Weight});
        {_Abstained, _Pid, Rest} ->
            collect(Rest, Deadline, Offers);
        no_request ->
            Offers;
        timeout ->
            Offers
    end.

winner([]) ->
    {error, no_winner};
winner([First | Offers]) ->
    {Pid, Weight} = lists:foldl(
        fun
            ({_, Weight} = Offer, {_, Best}) when Weight > Best -> Offer;
            (_, Best) -> Best
        end,
        First,
        Offers
    ),
    {ok, Pid, Weight}.
