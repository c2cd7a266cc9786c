%% SPDX-License-Identifier: Apache-2.0
%% While examples/slow_work.c works it is pinged and answers other calls; what it worked on is
%% answered after that.
-mode(compile).

main(_) ->
    _ = example_program:begin_node(),
    Name = example_program:unique("slow"),
    Port = example_program:start("slow_work", ["--until-stdin-eof", "--sname", Name]),
    {Node, _} = example_program:ready(Port),
    Server = {slow_work, Node},
    pong = net_adm:ping(Node),
    Request = gen_server:send_request(Server, {work, 2000}),
    busy(Server, Node, Request, 0),
    {error, unknown_request} = gen_server:call(Server, what),
    example_program:stop(Port).

busy(Server, Node, Request, Count) ->
    {Time, hello} = timer:tc(fun() -> gen_server:call(Server, {ohai}) end),
    pong = net_adm:ping(Node),
    true = Time < 1000000,
    case gen_server:wait_response(Request, 20) of
        timeout -> busy(Server, Node, Request, Count + 1);
        {reply, {worked, 2000}} when Count > 10 -> ok
    end.
