#!/usr/bin/env escript
%% SPDX-License-Identifier: Apache-2.0
%% xref.escript FOLDER...: calls of functions that do not exist or are deprecated, and locals that
%% nobody calls.
main(Folders) ->
    {ok, _} = xref:start(?MODULE),
    ok = xref:set_default(?MODULE, [{warnings, false}]),
    ok = xref:set_library_path(?MODULE, code_path),
    [{ok, _} = xref:add_directory(?MODULE, Folder) || Folder <- Folders],
    Found = lists:append([found(Check) || Check <- [
        undefined_function_calls, deprecated_function_calls, locals_not_used
    ]]),
    [io:format("~s: ~p~n", [Check, What]) || {Check, What} <- Found],
    halt(min(1, length(Found))).

found(Check) ->
    {ok, List} = xref:analyze(?MODULE, Check),
    [{Check, What} || What <- List].
