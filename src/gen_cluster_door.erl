%% SPDX-License-Identifier: Apache-2.0
%% A member's door: a process that holds the local name of the cluster, where newcomers knock, and
%% hands all that comes in to the member. It also listens to which nodes come up, lest the member's
%% own subscriptions to node events and those of its user mix. It ends with the member, for its
%% reason.
-module(gen_cluster_door).

-export([open/1]).
-export([init/1, loop/2]).

%% Opens a door to the calling process, which monitors it by a tag.
-spec open(Tag :: term()) -> {pid(), reference()}.
open(Tag) ->
    spawn_opt(?MODULE, init, [self()], [{monitor, [{tag, Tag}]}]).

-spec init(pid()) -> no_return().
init(Member) ->
    Monitor = monitor(process, Member),
    %% Hidden nodes count. Without distribution there is nothing to listen to.
    _ = net_kernel:monitor_nodes(true, [{node_type, all}]),
    loop(Member, Monitor).

-spec loop(pid(), reference()) -> no_return().
loop(Member, Monitor) ->
    receive
        {'DOWN', Monitor, process, Member, Reason} ->
            exit(Reason);
        {nodeup, Node, _} ->
            Member ! {'$gen_cluster', nodeup, Node};
        {nodedown, _, _} ->
            ok;
        Message ->
            Member ! Message
    end,
    ?MODULE:loop(Member, Monitor).
