%% SPDX-License-Identifier: Apache-2.0
%% What test/c/programs/server.c does for doc/otp.md, on a BEAM.
-module(remote_server).
-behaviour(gen_server).

-export([start/0]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

-spec start() -> {ok, pid()}.
start() -> gen_server:start({local, server}, ?MODULE, [], []).

init([]) -> {ok, none}.

handle_call({echo, Term}, _From, Owner) -> {reply, Term, Owner};
handle_call(self, _From, Owner) -> {reply, self(), Owner};
handle_call(subscribe, {Pid, _}, _Owner) -> {reply, ok, Pid}.

handle_cast(Message, Owner) -> tell({cast, Message}, Owner).

handle_info(Message, Owner) -> tell({info, Message}, Owner).

tell(What, Owner) when is_pid(Owner) ->
    Owner ! What,
    {noreply, Owner};
tell(_What, none) ->
    {noreply, none}.
