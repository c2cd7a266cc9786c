%% SPDX-License-Identifier: Apache-2.0
%% The function of examples/rpc.c is called as one of Erlang, and it calls one of this node.
-mode(compile).

main(_) ->
    Node = example_program:begin_node(),
    Name = example_program:unique("rpc"),
    Port = example_program:start(
        "rpc", ["--until-stdin-eof", "--sname", Name, "--node", atom_to_list(Node)]
    ),
    {C, _} = example_program:ready(Port),
    ["sorted: [b,c,{a,1}]"] = example_program:line(Port, "^(sorted.*)$"),
    [_] = example_program:line(Port, "^raised: {error,(function_clause|badarg),\\["),
    "MCMLXXXIX" = erpc:call(C, roman, numeral, [1989]),
    "MMMDCCCLXXXVIII" = rpc:call(C, roman, numeral, [3888]),
    {badarg, [{roman, numeral, [0], []}]} =
        try
            erpc:call(C, roman, numeral, [0])
        catch
            error:{exception, Reason, Stack} -> {Reason, Stack}
        end,
    {badrpc, {'EXIT', {undef, _}}} = rpc:call(C, roman, numeral, []),
    example_program:stop(Port).
