%% SPDX-License-Identifier: Apache-2.0
%% The pids that a member knows of, itself included, in the order of their keys: so lists, digests,
%% ranks and the pids of one node are runs of one tree. What every step asks for (counts, claims,
%% the next deadline, the digest) is kept up to date by store/2 and delete/2.
-module(gen_cluster_core_peers).

-export([new/1, store/2, delete/2, find/2, fetch/2]).
-export([count/2, count/3, members/1, pids/1, with_state/2, on_node/3, before/2, member_after/2]).
-export([claimant/1, digest/1, next_due/1, due_until/2]).

-export_type([peers/0, state/0]).

-include("gen_cluster_core.hrl").

-type state() :: self | probing | member | suspect.
-type key() :: gen_cluster_pid:key().

-record(peers, {
    tree = gb_trees:empty() :: gb_trees:tree(key(), #peer{}),
    counts = #{} :: #{state() | {node(), state()} => pos_integer()},
    dues = gb_sets:empty() :: gb_sets:set({time(), key()}),
    %% Keys of the members, itself included, that claim to lead.
    claims = [] :: ordsets:ordset(key()),
    digest = none :: binary() | none
}).

-opaque peers() :: #peers{}.

%% A table with the member itself.
-spec new(#peer{}) -> peers().
new(#peer{state = self} = Self) ->
    store(Self, #peers{}).

-spec store(#peer{}, peers()) -> peers().
store(#peer{key = Key} = Peer, #peers{tree = Tree} = Peers) ->
    Old = find(Key, Peers),
    Peers1 = add(Peer, remove(Old, touch(Old, Peer, Peers))),
    Peers1#peers{tree = gb_trees:enter(Key, Peer, Tree)}.

-spec delete(#peer{}, peers()) -> peers().
delete(#peer{key = Key}, #peers{tree = Tree} = Peers) ->
    Old = find(Key, Peers),
    Peers1 = remove(Old, touch(Old, unknown, Peers)),
    Peers1#peers{tree = gb_trees:delete_any(Key, Tree)}.

-spec find(key(), peers()) -> #peer{} | unknown.
find(Key, #peers{tree = Tree}) ->
    case gb_trees:lookup(Key, Tree) of
        {value, Peer} -> Peer;
        none -> unknown
    end.

-spec fetch(key(), peers()) -> #peer{}.
fetch(Key, #peers{tree = Tree}) ->
    gb_trees:get(Key, Tree).

-spec count(state(), peers()) -> non_neg_integer().
count(State, #peers{counts = Counts}) ->
    maps:get(State, Counts, 0).

-spec count(node(), state(), peers()) -> non_neg_integer().
count(Node, State, #peers{counts = Counts}) ->
    maps:get({Node, State}, Counts, 0).

%% The members in order, itself included.
-spec members(peers()) -> [#peer{}].
members(#peers{tree = Tree}) ->
    [Peer || Peer <- gb_trees:values(Tree), is_member(Peer)].

-spec pids(peers()) -> [pid()].
pids(Peers) ->
    [Pid || #peer{pid = Pid} <- members(Peers)].

-spec with_state(state(), peers()) -> [#peer{}].
with_state(State, #peers{tree = Tree} = Peers) ->
    case count(State, Peers) of
        0 -> [];
        _ -> [Peer || #peer{state = S} = Peer <- gb_trees:values(Tree), S =:= State]
    end.

%% In order.
-spec on_node(node(), state(), peers()) -> [#peer{}].
on_node(Node, State, #peers{tree = Tree} = Peers) ->
    case count(Node, State, Peers) of
        0 -> [];
        _ -> on_node_from(gb_trees:next(gb_trees:iterator_from({Node, 0, 0, 0}, Tree)), Node, State)
    end.

on_node_from({{Node, _, _, _}, #peer{state = State} = Peer, Iterator}, Node, State) ->
    [Peer | on_node_from(gb_trees:next(Iterator), Node, State)];
on_node_from({{Node, _, _, _}, _Peer, Iterator}, Node, State) ->
    on_node_from(gb_trees:next(Iterator), Node, State);
on_node_from(_, _Node, _State) ->
    [].

%% The members that come before the member itself.
-spec before(key(), peers()) -> [#peer{}].
before(Self, Peers) ->
    lists:takewhile(fun(#peer{key = Key}) -> Key =/= Self end, members(Peers)).

%% The next other member behind a key, around the end.
-spec member_after(key() | none, peers()) -> #peer{} | none.
member_after(_Cursor, #peers{counts = Counts}) when not is_map_key(member, Counts) ->
    none;
member_after(none, #peers{tree = Tree}) ->
    first_member(none, gb_trees:next(gb_trees:iterator(Tree)));
member_after(Cursor, #peers{tree = Tree} = Peers) ->
    case first_member(Cursor, gb_trees:next(gb_trees:iterator_from(Cursor, Tree))) of
        none -> member_after(none, Peers);
        Peer -> Peer
    end.

first_member(Cursor, {Key, #peer{state = member} = Peer, _}) when Key =/= Cursor -> Peer;
first_member(Cursor, {_, _, Iterator}) -> first_member(Cursor, gb_trees:next(Iterator));
first_member(_Cursor, none) -> none.

%% The first member in order that claims to lead.
-spec claimant(peers()) -> pid() | undefined.
claimant(#peers{claims = []}) -> undefined;
claimant(#peers{claims = [Key | _]} = Peers) -> (fetch(Key, Peers))#peer.pid.

%% Of the list of members; the table returned knows it.
-spec digest(peers()) -> {binary(), peers()}.
digest(#peers{digest = none} = Peers) ->
    Digest = gen_cluster_pid:digest([Key || #peer{key = Key} <- members(Peers)]),
    {Digest, Peers#peers{digest = Digest}};
digest(#peers{digest = Digest} = Peers) ->
    {Digest, Peers}.

-spec next_due(peers()) -> due().
next_due(#peers{dues = Dues}) ->
    case gb_sets:is_empty(Dues) of
        true -> none;
        false -> element(1, gb_sets:smallest(Dues))
    end.

%% The peers whose time has come, in the order of their keys.
-spec due_until(time(), peers()) -> [#peer{}].
due_until(Now, #peers{dues = Dues} = Peers) ->
    [fetch(Key, Peers) || Key <- lists:sort(due_keys(Now, gb_sets:next(gb_sets:iterator(Dues))))].

due_keys(Now, {{Due, Key}, Iterator}) when Due =< Now ->
    [Key | due_keys(Now, gb_sets:next(Iterator))];
due_keys(_Now, _) ->
    [].

%% What is kept up to date

is_member(#peer{state = State}) -> State =:= member orelse State =:= self;
is_member(unknown) -> false.

touch(Old, New, Peers) ->
    case is_member(Old) =:= is_member(New) of
        true -> Peers;
        false -> Peers#peers{digest = none}
    end.

add(#peer{key = {Node, _, _, _} = Key, state = State, due = Due} = Peer, Peers) ->
    #peers{counts = Counts, dues = Dues, claims = Claims} = Peers,
    Peers#peers{
        counts = up({Node, State}, up(State, Counts)),
        dues = if_due(fun gb_sets:add_element/2, Due, Key, Dues),
        claims = if_claiming(fun ordsets:add_element/2, Peer, Claims)
    }.

remove(unknown, Peers) ->
    Peers;
remove(#peer{key = {Node, _, _, _} = Key, state = State, due = Due} = Peer, Peers) ->
    #peers{counts = Counts, dues = Dues, claims = Claims} = Peers,
    Peers#peers{
        counts = down({Node, State}, down(State, Counts)),
        dues = if_due(fun gb_sets:del_element/2, Due, Key, Dues),
        claims = if_claiming(fun ordsets:del_element/2, Peer, Claims)
    }.

up(Key, Counts) -> maps:update_with(Key, fun(N) -> N + 1 end, 1, Counts).

down(Key, Counts) ->
    case Counts of
        #{Key := 1} -> maps:remove(Key, Counts);
        #{Key := N} -> Counts#{Key := N - 1}
    end.

if_due(_Change, none, _Key, Dues) -> Dues;
if_due(Change, Due, Key, Dues) -> Change({Due, Key}, Dues).

if_claiming(Change, #peer{key = Key, info = #info{claim = true}} = Peer, Claims) ->
    case is_member(Peer) of
        true -> Change(Key, Claims);
        false -> Claims
    end;
if_claiming(_Change, _Peer, Claims) ->
    Claims.
