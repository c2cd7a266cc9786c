%% SPDX-License-Identifier: Apache-2.0
%% The nodes through which a member joins: the union of
%%
%% - the options `seeds' and `seed',
%% - the callbacks seed_nodes/1 and leader_pids/1 (the nodes of these pids),
%% - `-gen_cluster_known Node ...' on the command line of erl, as often as wanted,
%% - the file named by the environment variable GEN_CLUSTER_SEED_CONFIG: terms, one node each,
%% - the key `seeds' in the environment of the application gen_cluster.
%%
%% A bad option keeps a member from starting (gen_cluster_options). What is bad elsewhere is logged
%% with its source and left out: a slip in one place shall not keep a cluster from coming up.
-module(gen_cluster_seeds).

-export([collect/3, parse/1]).

-export_type([seed/0]).

-include_lib("kernel/include/logger.hrl").

-type seed() :: node() | string() | binary().

-define(FILE_VARIABLE, "GEN_CLUSTER_SEED_CONFIG").
%% Limit of the distribution protocol.
-define(MAX_NODE_CHARACTERS, 255).

%% All seeds, given those of the options, without duplicates and this node.
-spec collect(Given :: [node()], module(), State :: term()) -> [node()].
collect(Given, Module, State) ->
    Sources = [
        {{callback, Module, seed_nodes}, callback(Module, seed_nodes, State)},
        {{callback, Module, leader_pids}, leader_nodes(callback(Module, leader_pids, State))},
        {{argument, gen_cluster_known}, argument()},
        {{file, os:getenv(?FILE_VARIABLE, "")}, file(os:getenv(?FILE_VARIABLE))},
        {{application, gen_cluster, seeds}, application:get_env(gen_cluster, seeds, [])}
    ],
    Found = lists:flatmap(fun({Source, Seeds}) -> nodes_of(Source, Seeds) end, Sources),
    lists:delete(node(), lists:uniq(Given ++ Found)).

%% A node's name as atom, string or binary: `name@host'.
-spec parse(term()) -> {ok, node()} | error.
parse(Seed) when is_atom(Seed) ->
    parse(atom_to_list(Seed));
parse(Seed) when is_list(Seed); is_binary(Seed) ->
    try unicode:characters_to_list(Seed) of
        Name when is_list(Name), length(Name) =< ?MAX_NODE_CHARACTERS -> parse_name(Name);
        _ -> error
    catch
        error:_ -> error
    end;
parse(_) ->
    error.

parse_name(Name) ->
    Parts = string:split(Name, "@", all),
    case Parts of
        [[_ | _], [_ | _]] ->
            case lists:any(fun(C) -> C =< $\s end, Name) of
                %% Configuration, not input of a peer: atoms may be made of it.
                false -> {ok, list_to_atom(Name)};
                true -> error
            end;
        _ ->
            error
    end.

callback(Module, Function, State) ->
    case erlang:function_exported(Module, Function, 1) of
        true -> Module:Function(State);
        false -> []
    end.

leader_nodes(Pids) when is_list(Pids) ->
    [
        case is_pid(Pid) of
            true -> node(Pid);
            false -> Pid
        end
     || Pid <- Pids
    ];
leader_nodes(Other) ->
    Other.

argument() ->
    case init:get_argument(gen_cluster_known) of
        {ok, Values} -> lists:append(Values);
        error -> []
    end.

file(Unset) when Unset =:= false; Unset =:= "" ->
    [];
file(Path) ->
    case file:consult(Path) of
        {ok, Terms} ->
            Terms;
        {error, Reason} ->
            ?LOG_WARNING("gen_cluster: no seeds from ~ts, named by ~ts: ~ts", [
                Path, ?FILE_VARIABLE, file:format_error(Reason)
            ]),
            []
    end.

nodes_of(Source, Seeds) when is_list(Seeds) ->
    lists:flatmap(
        fun(Seed) ->
            case parse(Seed) of
                {ok, Node} -> [Node];
                error -> bad(Source, Seed)
            end
        end,
        Seeds
    );
nodes_of(Source, Seeds) ->
    bad(Source, Seeds).

bad(Source, Seed) ->
    ?LOG_WARNING("gen_cluster: ~0tp from ~ts is no seed; a seed is a node's name, name@host", [
        Seed, source(Source)
    ]),
    [].

source({callback, Module, Function}) -> io_lib:format("~ts:~ts/1", [Module, Function]);
source({argument, Flag}) -> io_lib:format("the argument -~ts", [Flag]);
source({file, Path}) -> io_lib:format("the file ~ts", [Path]);
source({application, App, Key}) -> io_lib:format("~ts of the application ~ts", [Key, App]).
