%% SPDX-License-Identifier: Apache-2.0
%% The state of the membership machine, shared by the modules gen_cluster_core_* and by nobody else.

%% Milliseconds of any clock that never goes back.
-type time() :: integer().
-type due() :: time() | none.
-type tag() :: pos_integer().
-type phase() :: out | joining | settled.

%% What a member says of itself.
-record(info, {
    v = 0 :: non_neg_integer(),
    phase = joining :: joining | settled,
    claim = false :: boolean(),
    hidden = false :: boolean(),
    type = undefined :: atom(),
    meta = #{} :: map(),
    children = [] :: [{Type :: atom(), pid()}]
}).

%% A message that was checked; what was not in it is `none` or false.
-record(message, {
    kind :: gen_cluster_core_message:kind(),
    from :: pid(),
    stay :: pos_integer(),
    info = none :: #info{} | none,
    nonce = none :: pos_integer() | none,
    echo = none :: pos_integer() | none,
    want = false :: boolean(),
    contact = false :: boolean(),
    digest = none :: binary() | none,
    holder = none :: pid() | none,
    pids = [] :: [pid()]
}).

-record(peer, {
    key :: gen_cluster_pid:key(),
    pid :: pid(),
    state :: self | probing | member | suspect,
    %% Of the open monitor; also the nonce of our hellos.
    tag = none :: tag() | none,
    %% Its last nonce that was answered under this tag.
    echoed = none :: pos_integer() | none,
    %% Of a probing one: when the next hello is due, and how many there were.
    due = none :: due(),
    tries = 0 :: non_neg_integer(),
    %% When it was lost first.
    since = none :: due(),
    %% It once was a member.
    was = false :: boolean(),
    %% Our hello had `want`.
    ask = false :: boolean(),
    %% The highest stay that it named.
    stay = 0 :: non_neg_integer(),
    info = none :: #info{} | none
}).

-record(seed, {
    node :: node(),
    tag = none :: tag() | none,
    %% Of the last hello.
    nonce = none :: tag() | none,
    tries = 0 :: non_neg_integer(),
    due = none :: due(),
    %% It has answered or failed once.
    ok = false :: boolean()
}).

%% A node that has suspects, or probings that were lost.
-record(lost, {
    node :: node(),
    tries = 0 :: non_neg_integer(),
    due :: time()
}).

-record(core, {
    self :: pid(),
    key :: gen_cluster_pid:key(),
    cluster :: atom(),
    quorum :: pos_integer(),
    limits :: gen_cluster_core:limits(),

    phase = out :: phase(),
    stay = 0 :: non_neg_integer(),
    counter = 0 :: non_neg_integer(),
    %% An answer about the global name, the local name is due.
    asking = false :: boolean(),
    naming = false :: boolean(),
    %% It has met nobody yet, and may still choose a contact.
    fresh = false :: boolean(),
    contact = none :: none | spent | pid(),
    %% As reported last.
    leader = undefined :: pid() | undefined,

    settle_due = none :: due(),
    sync_due = none :: due(),
    take_due = none :: due(),
    take_tries = 0 :: non_neg_integer(),
    %% Until then a leader that renounced stays reported.
    hold_due = none :: due(),
    wake = none :: due(),
    %% When a sync was last brought forward, and who got the last one.
    hurried = none :: due(),
    cursor = none :: gen_cluster_pid:key() | none,

    %% The member itself is among the peers.
    peers :: gen_cluster_core_peers:peers(),
    seeds = [] :: [#seed{}],
    lost = [] :: [#lost{}],

    %% Of the current step; the effects in reverse.
    now = 0 :: time(),
    random = 500 :: 0..1000,
    effects = [] :: [gen_cluster_core:effect()]
}).
