%% SPDX-License-Identifier: Apache-2.0
%% The options of gen_cluster_cnode, checked and turned into a path, a command line and an
%% environment.
-module(gen_cluster_cnode_options).

-export([parse/1]).

-export_type([parsed/0]).

-type parsed() :: #{
    path := file:filename_all(),
    args := [string()],
    env := [{string(), string() | false}],
    label := string(),
    ready_timeout := pos_integer(),
    eof_timeout := pos_integer(),
    term_timeout := pos_integer()
}.

-define(COOKIE_VARIABLE, "GCL_COOKIE").

-spec parse(gen_cluster_cnode:options()) -> {ok, parsed()} | {error, {bad_option, term()}}.
parse(Options) when is_map(Options) ->
    try
        ok = maps:foreach(fun known/2, Options),
        {ok, #{
            path => path(Options),
            args => args(Options),
            env => cookie(Options) ++ env(Options),
            label => label(Options),
            ready_timeout => maps:get(ready_timeout, Options, 10000),
            eof_timeout => maps:get(eof_timeout, Options, 2000),
            term_timeout => maps:get(term_timeout, Options, 2000)
        }}
    catch
        throw:{bad_option, _} = Reason -> {error, Reason}
    end;
parse(Options) ->
    {error, {bad_option, Options}}.

known(Key, Value) ->
    is_valid(Key, Value) orelse throw({bad_option, {Key, Value}}).

is_valid(program, Program) -> is_text(Program);
is_valid(app, App) -> is_atom(App);
is_valid(sname, Name) -> is_text(Name);
is_valid(name, Name) -> is_text(Name);
is_valid(seeds, Seeds) -> is_list(Seeds) andalso lists:all(fun is_seed/1, Seeds);
is_valid(hidden, Hidden) -> is_boolean(Hidden);
is_valid(port, Port) -> is_integer(Port) andalso Port > 0 andalso Port < 65536;
is_valid(net_ticktime, Seconds) -> is_integer(Seconds) andalso Seconds > 0;
is_valid(watchdog, Seconds) -> is_integer(Seconds) andalso Seconds >= 0;
is_valid(log_level, Level) -> lists:member(Level, [error, warning, notice, info, debug]);
is_valid(cookie, Cookie) -> is_text(Cookie);
is_valid(cookie_file, Path) -> is_text(Path);
is_valid(args, Args) -> is_list(Args) andalso lists:all(fun is_text/1, Args);
is_valid(env, Env) -> is_list(Env) andalso lists:all(fun is_variable/1, Env);
is_valid(ready_timeout, Milliseconds) -> is_timeout(Milliseconds);
is_valid(eof_timeout, Milliseconds) -> is_timeout(Milliseconds);
is_valid(term_timeout, Milliseconds) -> is_timeout(Milliseconds);
is_valid(restart, Restart) -> lists:member(Restart, [permanent, transient, temporary]);
is_valid(id, _) -> true;
is_valid(_, _) -> false.

is_seed(Seed) -> gen_cluster_seeds:parse(Seed) =/= error.

is_timeout(Milliseconds) -> is_integer(Milliseconds) andalso Milliseconds > 0.

is_variable({Name, Value}) -> is_text(Name) andalso is_text(Value);
is_variable(_) -> false.

is_text(Atom) when is_atom(Atom) ->
    true;
is_text(Text) when is_list(Text); is_binary(Text) ->
    try
        is_list(unicode:characters_to_list(Text))
    catch
        error:_ -> false
    end;
is_text(_) ->
    false.

text(Atom) when is_atom(Atom) -> atom_to_list(Atom);
text(Text) -> unicode:characters_to_list(Text).

path(#{program := Program} = Options) ->
    Path = text(Program),
    case filename:pathtype(Path) of
        absolute -> Path;
        _ -> filename:join(priv_dir(maps:get(app, Options, gen_cluster)), Path)
    end;
path(Options) ->
    throw({bad_option, {program, Options}}).

priv_dir(App) ->
    case code:priv_dir(App) of
        {error, bad_name} -> priv_dir_beside(App);
        Folder -> Folder
    end.

%% In a checkout the folder is not named like the application.
priv_dir_beside(App) ->
    case code:where_is_file(atom_to_list(App) ++ ".app") of
        non_existing -> throw({bad_option, {app, App}});
        File -> filename:join(filename:dirname(filename:dirname(filename:absname(File))), "priv")
    end.

args(Options) ->
    lists:append([
        option("--sname", sname, Options),
        option("--name", name, Options),
        option("--cookie-file", cookie_file, Options),
        lists:append([["--seed", text(Seed)] || Seed <- seeds(Options)]),
        case Options of
            #{hidden := true} -> ["--hidden"];
            #{hidden := false} -> ["--visible"];
            _ -> []
        end,
        number("--port", port, Options),
        number("--net-ticktime", net_ticktime, Options),
        number("--watchdog", watchdog, Options),
        option("--log-level", log_level, Options),
        [text(Arg) || Arg <- maps:get(args, Options, [])],
        ["--until-stdin-eof"]
    ]).

option(Flag, Key, Options) ->
    case Options of
        #{Key := Value} -> [Flag, text(Value)];
        _ -> []
    end.

number(Flag, Key, Options) ->
    case Options of
        #{Key := Value} -> [Flag, integer_to_list(Value)];
        _ -> []
    end.

seeds(#{seeds := Seeds}) ->
    Seeds;
seeds(_Options) ->
    [node() || is_alive()].

%% A file is named on the command line; a cookie goes through the environment, which other users do
%% not see.
cookie(#{cookie_file := _}) ->
    [{?COOKIE_VARIABLE, false}];
cookie(#{cookie := Cookie}) ->
    [{?COOKIE_VARIABLE, text(Cookie)}];
cookie(_Options) ->
    case erlang:get_cookie() of
        nocookie -> [];
        Cookie -> [{?COOKIE_VARIABLE, text(Cookie)}]
    end.

env(Options) ->
    [
        case Value of
            false -> {text(Name), false};
            _ -> {text(Name), text(Value)}
        end
     || {Name, Value} <- maps:get(env, Options, [])
    ].

label(#{name := Name}) -> text(Name);
label(#{sname := Name}) -> text(Name);
label(#{program := Program}) -> filename:basename(text(Program)).
