%% SPDX-License-Identifier: Apache-2.0
%% A supervisor of the children that it is given.
-module(cluster_supervisor).

-behaviour(supervisor).

-export([init/1]).

-spec init([supervisor:child_spec()]) -> {ok, {supervisor:sup_flags(), [supervisor:child_spec()]}}.
init(Children) -> {ok, {#{strategy => one_for_one}, Children}}.
