%% SPDX-License-Identifier: Apache-2.0
%% Transitions of the membership machine about the global name of the leader. The name is a lock
%% and no more: who has it claims to lead, and the others go by the claims.
-module(gen_cluster_core_name).

-export([registered/3, whereis/2, conflict/1]).

-include("gen_cluster_core.hrl").

-import(gen_cluster_core_lib, [effect/2, greet/2, own_info/1]).

-type core() :: gen_cluster_core:core().

%% The answer to register_global.
-spec registered(yes | no, pid() | undefined, core()) -> core().
registered(YesOrNo, Holder, C) ->
    answered(YesOrNo =:= yes orelse Holder =:= C#core.self, Holder, C#core{asking = false}).

answered(true, _Holder, C) ->
    take_name(C);
answered(false, _Holder, #core{phase = out} = C) ->
    C;
answered(false, Holder, #core{take_tries = Tries, limits = #{take_retry := Retry}} = C) ->
    Due = gen_cluster_core_lib:backoff(Retry, 8 * Retry, Tries, C),
    greet(Holder, C#core{take_due = Due, take_tries = Tries + 1}).

take_name(C) ->
    case C#core.phase =/= out andalso gen_cluster_core_lib:has_quorum(C) of
        true -> claim(C#core{take_due = none, take_tries = 0});
        false -> effect(unregister_global, C)
    end.

claim(C) ->
    case own_info(C) of
        #info{claim = true} -> C;
        _ -> gen_cluster_core_lib:set_claim(true, none, C)
    end.

%% The answer to whereis_global.
-spec whereis(pid() | undefined, core()) -> core().
whereis(Holder, C) ->
    found(Holder, C#core{asking = false}).

found(Self, #core{self = Self, phase = out} = C) ->
    effect(unregister_global, C);
found(_Holder, #core{phase = out} = C) ->
    C;
found(Holder, C) ->
    found(Holder, (own_info(C))#info.claim, C).

found(Self, false, #core{self = Self} = C) ->
    take_name(C);
found(undefined, true, C) ->
    effect(register_global, C#core{asking = true});
found(Holder, true, #core{self = Self} = C) when Holder =/= Self ->
    greet(Holder, gen_cluster_core_lib:set_claim(false, Holder, C));
found(Holder, _Claim, C) ->
    greet(Holder, C).

%% Who has the name now is not said: the answer tells.
-spec conflict(core()) -> core().
conflict(#core{phase = out} = C) -> C;
conflict(C) -> gen_cluster_core_lib:whereis_global(C).
