%% SPDX-License-Identifier: Apache-2.0
%% A program of the operating system that shall not outlive the process that runs it. A guard
%% watches that process; when it ends, by whatever reason, its port is closed and with it the
%% program's input. A program that goes on is ended by SIGTERM, and by SIGKILL if need be.
-module(gen_cluster_program).

-export([open/4, guard/3, ended/1, stop/2, reason/1, kill_timeout/0]).
-export([init_guard/4]).

-export_type([guard/0, reason/0]).

-type guard() :: pid().
-type os_pid() :: non_neg_integer().
-type reason() ::
    normal | {exit_status, 1..128} | {signal, Signal :: atom() | pos_integer()}.

%% A process that SIGKILL does not end within this time hangs in the kernel.
-define(KILL_TIMEOUT, 1000).
%% How often to look whether a process is still there.
-define(MIN_LOOK, 10).
-define(MAX_LOOK, 100).

%% Its output, stderr included, comes as lines from the port to the calling process.
-spec open(file:filename_all(), [string()], [{string(), string() | false}], MaxLine) ->
    {ok, port(), os_pid()} | {error, Reason :: term()}
when
    MaxLine :: pos_integer().
open(Path, Args, Env, MaxLine) ->
    try
        Port = open_port({spawn_executable, Path}, [
            {args, Args},
            {env, Env},
            {line, MaxLine},
            binary,
            exit_status,
            stderr_to_stdout,
            use_stdio
        ]),
        opened(Port)
    catch
        error:Reason -> {error, Reason}
    end.

%% A program that has ended already has no pid any more, but its exit status is on the way.
opened(Port) ->
    case erlang:port_info(Port, os_pid) of
        {os_pid, OsPid} -> {ok, Port, OsPid};
        undefined -> {ok, Port, 0}
    end.

%% Guards the program of the calling process; the timeouts are for the end of input and for SIGTERM.
-spec guard(os_pid(), pos_integer(), pos_integer()) -> guard().
guard(OsPid, EofTimeout, TermTimeout) ->
    spawn(?MODULE, init_guard, [self(), OsPid, EofTimeout, TermTimeout]).

%% The program has ended by itself: its pid may soon be another's.
-spec ended(guard()) -> ok.
ended(Guard) ->
    Guard ! {ended, self()},
    ok.

%% Ends the program if it still runs, and returns when it has ended.
-spec stop(port(), guard()) -> ok.
stop(Port, Guard) ->
    Monitor = monitor(process, Guard),
    Guard ! {stop, self()},
    close(Port),
    receive
        {'DOWN', Monitor, process, Guard, _} -> ok
    end.

%% What a port's exit status means.
-spec reason(non_neg_integer()) -> reason().
reason(0) -> normal;
reason(Status) when Status =< 128 -> {exit_status, Status};
reason(Status) -> {signal, signal_name(Status - 128)}.

-spec kill_timeout() -> pos_integer().
kill_timeout() -> ?KILL_TIMEOUT.

-spec init_guard(pid(), os_pid(), pos_integer(), pos_integer()) -> ok.
init_guard(Owner, OsPid, EofTimeout, TermTimeout) ->
    Monitor = monitor(process, Owner),
    receive
        {ended, Owner} -> ok;
        {stop, Owner} -> finish(OsPid, EofTimeout, TermTimeout);
        {'DOWN', Monitor, process, Owner, _} -> finish(OsPid, EofTimeout, TermTimeout)
    end.

finish(0, _EofTimeout, _TermTimeout) ->
    ok;
finish(OsPid, EofTimeout, TermTimeout) ->
    Steps = [
        fun() -> has_ended(OsPid, EofTimeout) end,
        fun() -> not signal("TERM", OsPid) orelse has_ended(OsPid, TermTimeout) end,
        fun() -> not signal("KILL", OsPid) orelse has_ended(OsPid, ?KILL_TIMEOUT) end
    ],
    _ = lists:any(fun(Step) -> Step() end, Steps),
    ok.

has_ended(OsPid, Timeout) ->
    has_ended(OsPid, erlang:monotonic_time(millisecond) + Timeout, ?MIN_LOOK).

has_ended(OsPid, Deadline, Wait) ->
    Left = Deadline - erlang:monotonic_time(millisecond),
    case signal("0", OsPid) of
        false ->
            true;
        true when Left =< 0 ->
            false;
        true ->
            receive
            after min(Wait, Left) -> has_ended(OsPid, Deadline, min(2 * Wait, ?MAX_LOOK))
            end
    end.

%% False when there is no such process. The shell's own kill needs no other program.
signal(Signal, OsPid) ->
    Port = open_port({spawn_executable, "/bin/sh"}, [
        {args, ["-c", "kill -s \"$0\" \"$1\" 2>/dev/null", Signal, integer_to_list(OsPid)]},
        exit_status
    ]),
    receive
        {Port, {exit_status, Status}} -> Status =:= 0
    end.

close(Port) ->
    try
        port_close(Port)
    catch
        %% Closed already: the program has closed its output, or ended.
        error:badarg -> true
    end.

signal_name(1) -> sighup;
signal_name(2) -> sigint;
signal_name(3) -> sigquit;
signal_name(4) -> sigill;
signal_name(6) -> sigabrt;
signal_name(7) -> sigbus;
signal_name(8) -> sigfpe;
signal_name(9) -> sigkill;
signal_name(11) -> sigsegv;
signal_name(13) -> sigpipe;
signal_name(14) -> sigalrm;
signal_name(15) -> sigterm;
signal_name(Number) -> Number.
