%% SPDX-License-Identifier: Apache-2.0
%% A world of nodes, connections and members with a virtual clock, for the simulator.

-record(node, {
    name :: node(),
    up = false :: boolean(),
    hidden = false :: boolean(),
    creation = 0 :: non_neg_integer(),
    %% How many pids were made under this creation.
    last_id = 0 :: non_neg_integer(),
    %% Who has the cluster's local name here.
    local = none :: pid() | none,
    %% What `global` believes here about the holder of the leader's name.
    global = none :: pid() | none
}).

-record(proc, {
    pid :: pid(),
    node :: node(),
    config :: gen_cluster_core:config(),
    core :: gen_cluster_core:core(),
    %% Nodes where it looks for members.
    seeds = [] :: [node()],
    alive = true :: boolean(),
    %% Why it is not alive.
    reason = none :: atom(),
    %% It does nothing until then.
    paused = 0 :: integer(),
    wake = none :: integer() | none,
    %% Its steps, the last one first; `off` when nobody wants to know.
    trace = off :: off | [tuple()],
    %% What its user was told: the members, and the leader.
    told = [] :: [pid()],
    leader = undefined :: pid() | undefined
}).

-record(world, {
    seed :: integer(),
    options :: map(),
    rng :: rand:state(),
    now = 0 :: integer(),
    %% Of queue entries, so that what is due at the same time stays in order.
    sequence = 0 :: non_neg_integer(),
    queue = gb_trees:empty() :: gb_trees:tree({integer(), integer()}, tuple()),
    nodes = #{} :: #{node() => #node{}},
    procs = #{} :: #{pid() => #proc{}},
    %% What each end believes: the number of the connection to the other node.
    views = #{} :: #{{node(), node()} => pos_integer()},
    %% The connections that carry anything.
    live = #{} :: #{pos_integer() => []},
    last_connection = 0 :: non_neg_integer(),
    %% When the last signal of a connection arrives at an end: signals do not overtake.
    arrivals = #{} :: #{{pos_integer(), node()} => integer()},
    %% Pairs of nodes between which nothing goes.
    cuts = #{} :: #{{node(), node()} => []},
    %% Open monitors by owner and tag, with the connection or `local`.
    monitors = #{} :: #{{pid(), pos_integer()} => {term(), node(), pos_integer() | local}},
    %% Who is told when a process dies.
    watchers = #{} :: #{pid() => [{pid(), pos_integer(), term(), pos_integer() | local}]},
    %% Percentages of messages.
    loss = 0 :: 0..100,
    repeat = 0 :: 0..100,
    delay = 20 :: pos_integer(),
    %% Pairs of nodes that ever lost a connection.
    broken = #{} :: #{{node(), node()} => []},
    %% For each newcomer and stay: to whom it said `contact`, and who ran handle_join.
    contacts = #{} :: #{{pid(), pos_integer()} => pid() | overtaken},
    joined = #{} :: #{{pid(), pos_integer()} => [pid()]},
    %% Who has ever left, and who was lost with the connection to it.
    left = #{} :: #{pid() => []},
    lost = #{} :: #{{Owner :: pid(), pid()} => []},
    %% Whom each followed when a long split was healed, and how often that has changed since.
    followed = #{} :: #{pid() => pid() | undefined},
    changes = #{} :: #{pid() => pos_integer()},
    faults = [] :: [term()],
    steps = 0 :: non_neg_integer(),
    %% How often which message was sent, and what went wrong how often.
    counts = #{} :: #{atom() => pos_integer()}
}).
