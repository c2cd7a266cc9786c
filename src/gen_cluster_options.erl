%% SPDX-License-Identifier: Apache-2.0
%% The options with which a member is started: checked, told apart from those of gen_server, and
%% completed with defaults.
-module(gen_cluster_options).

-export([parse/2]).

-export_type([config/0]).

-type config() :: #{
    module := module(),
    cluster := atom(),
    seeds := [node()],
    type := atom(),
    meta := map(),
    quorum := pos_integer()
}.

%% What fits into a message about a member; the others would treat more as empty.
-define(MAX_META_BYTES, 4096).

%% Of an option that is given twice the first counts, as in gen_server; seeds add up.
-spec parse(module(), [gen_cluster:option()]) ->
    {ok, config(), [gen_server:start_opt()]} | {error, {bad_option, term()}}.
parse(Module, Options) when is_list(Options) ->
    Defaults = #{
        module => Module,
        cluster => Module,
        seeds => [],
        type => Module,
        meta => #{},
        quorum => 1
    },
    parse(lists:reverse(Options), Defaults, []);
parse(_Module, Options) ->
    {error, {bad_option, Options}}.

parse([], Config, ServerOptions) ->
    {ok, Config, ServerOptions};
parse([{Key, _} = Option | Options], Config, ServerOptions) when
    Key =:= timeout; Key =:= debug; Key =:= spawn_opt; Key =:= hibernate_after
->
    parse(Options, Config, [Option | ServerOptions]);
parse([Option | Options], Config, ServerOptions) ->
    case option(Option, Config) of
        {ok, Config1} -> parse(Options, Config1, ServerOptions);
        error -> {error, {bad_option, Option}}
    end.

option({cluster, Cluster}, Config) when is_atom(Cluster), Cluster =/= undefined ->
    {ok, Config#{cluster := Cluster}};
option({type, Type}, Config) when is_atom(Type) ->
    {ok, Config#{type := Type}};
option({quorum, Quorum}, Config) when is_integer(Quorum), Quorum > 0 ->
    {ok, Config#{quorum := Quorum}};
option({meta, Meta}, Config) when is_map(Meta) ->
    case erlang:external_size(Meta) =< ?MAX_META_BYTES of
        true -> {ok, Config#{meta := Meta}};
        false -> error
    end;
option({seeds, Seeds}, Config) ->
    seeds(Seeds, Config);
option({seed, Seed}, Config) ->
    case gen_cluster_seeds:parse(Seed) of
        {ok, Node} -> seeds([Node], Config);
        error -> seeds(Seed, Config)
    end;
option(_, _Config) ->
    error.

seeds([], Config) ->
    {ok, Config};
seeds([Seed | Seeds], Config) ->
    case {gen_cluster_seeds:parse(Seed), seeds(Seeds, Config)} of
        {{ok, Node}, {ok, #{seeds := Nodes} = Config1}} -> {ok, Config1#{seeds := [Node | Nodes]}};
        _ -> error
    end;
seeds(_, _Config) ->
    error.
