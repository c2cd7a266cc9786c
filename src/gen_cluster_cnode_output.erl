%% SPDX-License-Identifier: Apache-2.0
%% What a program prints, a line at a time, as log events of the process that runs it. A line of the
%% library's own log begins with its level, as in `warning node_down: ...'; a complaint of a program
%% begins with its name, as in `my_member: --port: ...', and counts as an error.
-module(gen_cluster_cnode_output).

-export([log/3]).

-include_lib("kernel/include/logger.hrl").

%% Whatever a program may print is worth a line, in UTF-8 or not. The label stands in front of it.
-spec log(Label :: string(), Program :: file:filename_all(), Line :: binary()) ->
    {logger:level(), string()}.
log(Label, Program, Line) ->
    Text =
        case unicode:characters_to_list(Line) of
            Characters when is_list(Characters) -> Characters;
            _ -> binary_to_list(Line)
        end,
    Level =
        case string:prefix(Text, [filename:basename(Program), ": "]) of
            nomatch -> level(string:take(Text, " :", true));
            _ -> error
        end,
    ?LOG(Level, "~ts: ~ts", [Label, Text]),
    {Level, Text}.

%% Of the word in front. What has no level is output of the program's own.
level({"error", [_ | _]}) -> error;
level({"warning", [_ | _]}) -> warning;
level({"info", [_ | _]}) -> info;
level({"debug", [_ | _]}) -> debug;
level(_) -> notice.
