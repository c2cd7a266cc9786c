%% SPDX-License-Identifier: Apache-2.0
%% Random terms, from `rand` of the calling process.
-module(term_generator).

-export([any/1, plain/1, printable/1, permuted/1, varied/1, reference/1]).

-define(OTHER, 'other@127.0.0.1').

%% Any term that external terms can describe; Size bounds how much is in it.
-spec any(non_neg_integer()) -> term().
any(Size) ->
    Ids = [pid, reference, port],
    term(Size, [integer, float, atom, binary, bits, string, function, export | Ids]).

%% A term that can be written down and read back.
-spec plain(non_neg_integer()) -> term().
plain(Size) ->
    term(Size, [integer, float, atom, binary, bits, string, wide_string, export]).

%% A term whose text does not depend on the node that prints it.
-spec printable(non_neg_integer()) -> term().
printable(Size) ->
    term(Size, [integer, float, atom, binary, bits, string, wide_string, local, function, export]).

term(Size, Leaves) ->
    case rand:uniform(10) of
        N when N =< 4; Size =< 0 -> leaf(lists:nth(rand:uniform(length(Leaves)), Leaves));
        N when N =< 6 -> list_to_tuple(terms(Size, Leaves));
        N when N =< 8 -> terms(Size, Leaves);
        9 -> lists:foldl(fun(T, Acc) -> [T | Acc] end, leaf(atom), terms(Size, Leaves));
        10 -> map(terms(Size, Leaves), Size, Leaves)
    end.

%% Up to 32 keys: what comes later has no order that a text and bytes have in common.
map(Keys, Size, Leaves) ->
    maps:from_list([{Key, term(Size div 4, Leaves)} || Key <- Keys]).

terms(Size, Leaves) ->
    Count = rand:uniform(min(Size, 8) + 1) - 1,
    [term((Size - Count) div max(Count, 1), Leaves) || _ <- lists:seq(1, Count)].

leaf(integer) ->
    Bits = lists:nth(rand:uniform(9), [3, 8, 9, 27, 28, 32, 63, 64, 600]),
    Number = rand:uniform(1 bsl Bits) - 1,
    Edge = rand:uniform(3) - 2 + (1 bsl Bits),
    pick([Number, -Number, Edge, -Edge]);
leaf(float) ->
    Places = rand:uniform(30) - 15,
    pick([rand:uniform(), rand:uniform(100) * 1.0, -rand:uniform() * math:pow(10, Places), 0.0]
         ++ random_float());
leaf(atom) ->
    pick([a, ok, 'end', 'when', '', 'A', a@b, 'hello world', '_', undefined,
          list_to_atom(string(rand:uniform(20), 255)),
          list_to_atom(string(rand:uniform(255), 16#2FF))
          %% A reserved word from OTP 27 on, which is printed in quotes there.
          | ['maybe' || io_lib:write_atom('maybe') =:= "maybe"]]);
leaf(binary) ->
    pick([<<>>, rand:bytes(rand:uniform(40)), list_to_binary(text(rand:uniform(40)))]);
leaf(bits) ->
    Bits = rand:uniform(70),
    <<(rand:uniform(1 bsl Bits) - 1):Bits>>;
leaf(string) ->
    pick([text(rand:uniform(40)), string(rand:uniform(10), 255)]);
leaf(wide_string) ->
    string(rand:uniform(10), 16#10FFFF);
leaf(pid) ->
    pick([self(), pid(?OTHER)]);
leaf(reference) ->
    pick([make_ref(), reference(rand:uniform(5))]);
leaf(port) ->
    pick(erlang:ports());
leaf(local) ->
    pick([self(), make_ref(), leaf(port)]);
leaf(function) ->
    Size = rand:uniform(3),
    pick([fun() -> Size end, fun(X) -> X + Size end]);
leaf(export) ->
    pick([fun lists:map/2, fun erlang:'+'/2, fun 'A b':c/255]).

%% Mostly latin1 characters that are shown as they are, and those with escapes.
text(Count) ->
    [pick([rand:uniform(95) + 31, rand:uniform(95) + 31, rand:uniform(96) + 159,
           pick("\n\t\r\b\f\v\e\"\\'")])
     || _ <- lists:seq(1, Count)].

string(Count, Most) ->
    [character(Most) || _ <- lists:seq(1, Count)].

character(Most) ->
    case rand:uniform(Most) of
        C when C >= 16#D800, C =< 16#DFFF -> character(Most);
        C -> C
    end.

random_float() ->
    case <<(rand:uniform(1 bsl 64) - 1):64>> of
        <<Float/float>> -> [Float];
        _ -> []
    end.

pid(Node) ->
    id(<<88>>, Node, <<(rand:uniform(1 bsl 28) - 1):32, (rand:uniform(8) - 1):32, 77:32>>).

%% Of so many words, of another node.
-spec reference(1..5) -> reference().
reference(Words) ->
    Id = <<(rand:uniform(1 bsl 18) - 1):32, (rand:bytes(4 * (Words - 1)))/binary>>,
    id(<<90, Words:16>>, ?OTHER, <<77:32, Id/binary>>).

id(Before, Node, Behind) ->
    Name = atom_to_binary(Node),
    binary_to_term(<<131, Before/binary, 119, (byte_size(Name)), Name/binary, Behind/binary>>).

%% The same term with the pairs of its maps in another order, as bytes.
-spec permuted(term()) -> binary().
permuted(Term) ->
    <<131, (external(Term))/binary>>.

external(Map) when is_map(Map) ->
    Pairs = [Pair || {_, Pair} <- lists:sort([{rand:uniform(), P} || P <- maps:to_list(Map)])],
    Bytes = [[external(Key), external(Value)] || {Key, Value} <- Pairs],
    iolist_to_binary([<<116, (map_size(Map)):32>>, Bytes]);
external(Tuple) when is_tuple(Tuple) ->
    Bytes = [external(Element) || Element <- tuple_to_list(Tuple)],
    iolist_to_binary([<<105, (tuple_size(Tuple)):32>>, Bytes]);
external([Head | Tail]) ->
    iolist_to_binary([<<108, 1:32>>, external(Head), external(Tail)]);
external(Leaf) ->
    <<131, Bytes/binary>> = term_to_binary(Leaf),
    Bytes.

%% A term that differs in one place, as a rule.
-spec varied(term()) -> term().
varied([Head | Tail]) ->
    case rand:uniform(2) of
        1 -> [varied(Head) | Tail];
        2 -> [Head | varied(Tail)]
    end;
varied(Tuple) when is_tuple(Tuple), tuple_size(Tuple) > 0 ->
    Index = rand:uniform(tuple_size(Tuple)),
    setelement(Index, Tuple, varied(element(Index, Tuple)));
varied(Map) when is_map(Map), map_size(Map) > 0 ->
    {Key, Value} = pick(maps:to_list(Map)),
    pick([Map#{Key => varied(Value)}, (maps:remove(Key, Map))#{varied(Key) => Value}]);
varied(Bits) when is_bitstring(Bits), bit_size(Bits) > 0 ->
    Size = bit_size(Bits) - 1,
    <<Most:Size/bits, Last:1>> = Bits,
    pick([<<Most/bits, (1 - Last):1>>, Most]);
varied(Integer) when is_integer(Integer) ->
    pick([Integer + 1, -Integer, Integer bxor (1 bsl 40), float(Integer rem 1000)]);
varied(Float) when is_float(Float) ->
    pick([-Float, Float / 2 + 1.0, trunc(Float)]);
varied(_) ->
    leaf(pick([integer, atom, binary, pid, reference, function])).

pick(List) ->
    lists:nth(rand:uniform(length(List)), List).
