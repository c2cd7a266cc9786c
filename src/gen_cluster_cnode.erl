%% SPDX-License-Identifier: Apache-2.0
%% Runs a C member as a program of the operating system, under a supervisor of Erlang or Elixir.
%%
%% A start succeeds when the program has said `ready NODE PORT' on its output; the other lines,
%% those on stderr too, go to the logger (gen_cluster_cnode_output). When the program ends, so does this process: with `normal'
%% for exit status 0, {exit_status, Status} or {signal, Signal} (as a shell does, an exit status
%% above 128 is taken for a signal). When this process ends, in whatever way, the program's input is
%% closed; when that does not end it, SIGTERM and then SIGKILL do (gen_cluster_program).
-module(gen_cluster_cnode).

-behaviour(gen_server).

-export([child_spec/1, start_link/1, info/1]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2, terminate/2]).

-export_type([options/0, info/0]).

-type text() :: unicode:chardata() | atom().
-type options() :: #{
    %% Absolute, or in the folder priv/ of the application, by default gen_cluster.
    program := file:name_all(),
    app => atom(),
    %% Short name of the node, N or N@H, or its long name.
    sname => text(),
    name => text(),
    %% Nodes to join through, by default this one.
    seeds => [gen_cluster_seeds:seed()],
    hidden => boolean(),
    port => inet:port_number(),
    net_ticktime => pos_integer(),
    %% Seconds that it may stand still before its node leaves the cluster; 0: for ever.
    watchdog => non_neg_integer(),
    %% What of its log the program prints: error, warning, notice (its default), info or debug.
    log_level => error | warning | notice | info | debug,
    %% By default this node's, handed over in the environment; never on the command line. One that
    %% stands here is shown in reports of the supervisor; a file is not.
    cookie => text(),
    cookie_file => file:name_all(),
    %% More arguments and environment for the program; `false' takes a variable away.
    args => [text()],
    env => [{text(), text() | false}],
    %% Milliseconds: until the program is ready; after the end of its input; after SIGTERM.
    ready_timeout => pos_integer(),
    eof_timeout => pos_integer(),
    term_timeout => pos_integer(),
    %% For child_spec/1.
    id => term(),
    restart => permanent | transient | temporary
}.
-type info() :: #{node := node(), port := inet:port_number(), os_pid := non_neg_integer()}.

-record(state, {
    port :: port(),
    guard :: gen_cluster_program:guard(),
    path :: file:filename_all(),
    %% Stands in front of each line: the name that was asked for, then that of the node.
    label :: string(),
    %% When the program is ready.
    info :: info() | undefined
}).

-define(MAX_LINE, 4096).

%% Raises {bad_option, _} when the options are wrong.
-spec child_spec(options()) -> supervisor:child_spec().
child_spec(Options) ->
    case gen_cluster_cnode_options:parse(Options) of
        {ok, #{eof_timeout := Eof, term_timeout := Term}} ->
            #{
                id => maps:get(id, Options, maps:get(program, Options)),
                start => {?MODULE, start_link, [maps:without([id, restart], Options)]},
                restart => maps:get(restart, Options, permanent),
                shutdown => Eof + Term + gen_cluster_program:kill_timeout() + 1000,
                type => worker,
                modules => [?MODULE]
            };
        {error, Reason} ->
            error(Reason, [Options])
    end.

%% {error, Reason}: {bad_option, _}, {not_started, Path, Posix}, {not_ready, timeout, Said}, or what
%% the program ended with: {not_ready, {exit_status, _} | {signal, _} | normal, Said}. Said is the
%% last warning or error that it has printed, a string, or "".
-spec start_link(options()) -> gen_server:start_ret().
start_link(Options) ->
    case gen_cluster_cnode_options:parse(Options) of
        {ok, Parsed} -> gen_server:start_link(?MODULE, Parsed, []);
        {error, _} = Error -> Error
    end.

%% What the program has said about itself.
-spec info(gen_server:server_ref()) -> info().
info(Server) -> gen_server:call(Server, info).

-spec init(gen_cluster_cnode_options:parsed()) -> {ok, #state{}} | {stop, term()}.
init(#{path := Path, args := Args, env := Env, label := Label} = Options) ->
    _ = process_flag(trap_exit, true),
    logger:set_process_metadata(#{program => Label}),
    case gen_cluster_program:open(Path, Args, Env, ?MAX_LINE) of
        {ok, Port, OsPid} ->
            #{eof_timeout := Eof, term_timeout := Term, ready_timeout := Timeout} = Options,
            Guard = gen_cluster_program:guard(OsPid, Eof, Term),
            Timer = erlang:start_timer(Timeout, self(), ready),
            State = #state{port = Port, guard = Guard, path = Path, label = Label},
            ready(await_ready(Timer, "", State), OsPid, Timer, State);
        {error, Reason} ->
            {stop, {not_started, Path, Reason}}
    end.

ready({ok, Node, Number}, OsPid, Timer, State) ->
    _ = erlang:cancel_timer(Timer),
    Label = atom_to_list(Node),
    logger:update_process_metadata(#{program => Label}),
    Info = #{node => Node, port => Number, os_pid => OsPid},
    {ok, State#state{info = Info, label = Label}};
ready({ended, Reason}, _OsPid, _Timer, #state{guard = Guard}) ->
    gen_cluster_program:ended(Guard),
    {stop, Reason};
ready({stop, Reason}, _OsPid, _Timer, #state{port = Port, guard = Guard}) ->
    gen_cluster_program:stop(Port, Guard),
    {stop, Reason}.

%% Said is the last warning or error until now.
await_ready(Timer, Said, #state{port = Port} = State) ->
    receive
        {Port, {data, {_, Line}}} ->
            case ready_line(Line) of
                {ok, Node, Number} -> {ok, Node, Number};
                error -> await_ready(Timer, said(log(Line, State), Said), State)
            end;
        {Port, {exit_status, Status}} ->
            {ended, {not_ready, gen_cluster_program:reason(Status), Said}};
        {timeout, Timer, ready} ->
            {stop, {not_ready, timeout, Said}};
        {'EXIT', Linked, Reason} when is_pid(Linked) ->
            {stop, Reason}
    end.

said({Level, Text}, _Said) when Level =:= error; Level =:= warning -> Text;
said(_Logged, Said) -> Said.

ready_line(Line) ->
    case string:lexemes(Line, " ") of
        [<<"ready">>, Name, Digits] ->
            case {gen_cluster_seeds:parse(Name), string:to_integer(Digits)} of
                {{ok, Node}, {Port, <<>>}} when Port > 0, Port < 65536 -> {ok, Node, Port};
                _ -> error
            end;
        _ ->
            error
    end.

-spec handle_call(term(), gen_server:from(), #state{}) -> {reply, term(), #state{}}.
handle_call(info, _From, #state{info = Info} = State) ->
    {reply, Info, State};
handle_call(_Request, _From, State) ->
    {reply, {error, unknown_request}, State}.

-spec handle_cast(term(), #state{}) -> {noreply, #state{}}.
handle_cast(_Request, State) ->
    {noreply, State}.

-spec handle_info(term(), #state{}) -> {noreply, #state{}} | {stop, term(), #state{}}.
handle_info({Port, {data, {_, Line}}}, #state{port = Port} = State) ->
    _ = log(Line, State),
    {noreply, State};
handle_info({Port, {exit_status, Status}}, #state{port = Port, guard = Guard} = State) ->
    gen_cluster_program:ended(Guard),
    {stop, gen_cluster_program:reason(Status), State};
handle_info({'EXIT', Linked, Reason}, State) when is_pid(Linked) ->
    {stop, Reason, State};
handle_info(_Message, State) ->
    {noreply, State}.

%% Nothing is left to do after the program's own end.
-spec terminate(term(), #state{}) -> ok.
terminate(_Reason, #state{port = Port, guard = Guard}) ->
    gen_cluster_program:stop(Port, Guard).

log(Line, #state{path = Path, label = Label}) ->
    gen_cluster_cnode_output:log(Label, Path, Line).
