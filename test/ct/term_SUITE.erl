%% SPDX-License-Identifier: Apache-2.0
%% Terms of the C library (wire/term*) against those of the emulator: what C prints, reads, compares
%% and takes apart is what Erlang would. test/c/programs/term.c does what is asked by a port.
-module(term_SUITE).

-export([all/0, init_per_suite/1, end_per_suite/1, init_per_testcase/2, end_per_testcase/2]).
-export([
    printed_terms_are_read_back/1,
    prints_what_io_lib_prints/1,
    prints_ids_and_funs_in_the_form_of_erlang/1,
    prints_names_in_funs_as_the_emulator/1,
    reads_what_io_lib_prints/1,
    reads_what_erl_parse_reads/1,
    refuses_what_erl_parse_refuses/1,
    reads_changed_texts_as_erl_parse_does/1,
    equality_is_that_of_erlang/1,
    maps_in_any_order_are_equal/1,
    references_of_up_to_five_words/1,
    terms_are_taken_apart_and_put_together/1,
    matched_and_written_by_patterns/1,
    libei_and_the_library_read_each_other/1,
    characters_of_a_term/1
]).

-spec all() -> [atom()].
all() ->
    [
        printed_terms_are_read_back,
        prints_what_io_lib_prints,
        prints_ids_and_funs_in_the_form_of_erlang,
        prints_names_in_funs_as_the_emulator,
        reads_what_io_lib_prints,
        reads_what_erl_parse_reads,
        refuses_what_erl_parse_refuses,
        reads_changed_texts_as_erl_parse_does,
        equality_is_that_of_erlang,
        maps_in_any_order_are_equal,
        references_of_up_to_five_words,
        terms_are_taken_apart_and_put_together,
        matched_and_written_by_patterns,
        libei_and_the_library_read_each_other,
        characters_of_a_term
    ] -- left_out(erlang:system_info(otp_release)).

%% Numbers as `16#f.f` came with OTP 28.
left_out(Release) when Release >= "28" -> [reads_changed_texts_as_erl_parse_does];
left_out(_) -> [].

-spec init_per_suite([term()]) -> [term()].
init_per_suite(Config) ->
    Seed =
        case os:getenv("GCL_SEED") of
            false -> erlang:unique_integer([positive]) + erlang:system_time(second);
            Text -> list_to_integer(Text)
        end,
    ct:pal("GCL_SEED=~b", [Seed]),
    [{seed, Seed} | Config].

-spec end_per_suite([term()]) -> ok.
end_per_suite(_Config) ->
    ok.

-spec init_per_testcase(atom(), [term()]) -> [term()].
init_per_testcase(_Case, Config) ->
    rand:seed(exsss, proplists:get_value(seed, Config)),
    Program = filename:join(os:getenv("GCL_BIN"), "term"),
    Port = open_port({spawn_executable, Program}, [{packet, 4}, binary, exit_status]),
    [{port, Port} | Config].

-spec end_per_testcase(atom(), [term()]) -> ok.
end_per_testcase(_Case, Config) ->
    catch port_close(proplists:get_value(port, Config)),
    ok.

%% --- printing -------------------------------------------------------------------------------

-spec printed_terms_are_read_back([term()]) -> ok.
printed_terms_are_read_back(Config) ->
    repeat(10000, fun(Size) ->
        Term = term_generator:plain(Size),
        {ok, Text} = ask(Config, $p, Term),
        {Text, true} = {Text, parse(Text) =:= {ok, Term}}
    end).

-spec prints_what_io_lib_prints([term()]) -> ok.
prints_what_io_lib_prints(Config) ->
    repeat(10000, fun(Size) ->
        Term = term_generator:printable(Size),
        {Expected, Expected} = {format("~0p", Term), element(2, ask(Config, $p, Term))}
    end).

%% An id of another node has the number of that node's place in the table of the one that prints.
-spec prints_ids_and_funs_in_the_form_of_erlang([term()]) -> ok.
prints_ids_and_funs_in_the_form_of_erlang(Config) ->
    Here = fun(Text) -> re:replace(Text, "<[0-9]+\\.", "<0.", [{return, binary}, global]) end,
    Local = [self(), make_ref(), fun() -> ok end, fun lists:map/2, erlang:alias() | erlang:ports()],
    Remote = [term_generator:reference(Words) || Words <- [1, 2, 3, 4, 5]],
    Pid = binary_to_term(<<131, 88, 119, 3, "a@b", 1000:32, 7:32, 5:32>>),
    Port = binary_to_term(<<131, 120, 119, 3, "a@b", (1 bsl 40):64, 5:32>>),
    lists:foreach(
        fun(Id) ->
            Text = Here(format("~0p", Id)),
            {Id, {ok, Text}} = {Id, ask(Config, $p, Id)}
        end,
        [Pid, Port | Local ++ Remote]
    ).

-spec prints_names_in_funs_as_the_emulator([term()]) -> ok.
prints_names_in_funs_as_the_emulator(Config) ->
    Names =
        ['', 'end', '_', a@b, 'A', 'a b', 'a\x{100}', '\x{df}', '\x{c0}', '\x{f7}'] ++
        [list_to_atom([$a, C]) || C <- lists:seq(0, 300)],
    lists:foreach(
        fun(Name) ->
            Fun = fun Name:Name/1,
            %% The emulator makes UTF-8, which io_lib takes for characters.
            Text = list_to_binary(io_lib:format("~0p", [Fun])),
            {Name, {ok, Text}} = {Name, ask(Config, $p, Fun)}
        end,
        Names
    ).

%% --- reading --------------------------------------------------------------------------------

-spec reads_what_io_lib_prints([term()]) -> ok.
reads_what_io_lib_prints(Config) ->
    repeat(10000, fun(Size) ->
        Term = term_generator:plain(Size),
        Format = lists:nth(rand:uniform(7), ["~0p", "~0tp", "~p", "~tp", "~w", "~tw", "~20tp"]),
        Text = format(Format, Term),
        case read(Config, Text) of
            {ok, Bytes} -> {Text, true} = {Text, binary_to_term(Bytes) =:= Term};
            Error -> ct:fail("~ts: ~p", [Text, Error])
        end
    end).

-spec reads_what_erl_parse_reads([term()]) -> ok.
reads_what_erl_parse_reads(Config) ->
    Texts = [Text || Text <- texts(), means_the_same_here(Text)],
    Wrong = [
        {Text, Expected, Read}
     || Text <- Texts,
        {ok, Expected} <- [parse(Text)],
        Read <- [read(Config, Text)],
        not is_read_as(Read, Expected)
    ],
    Refused = [Text || Text <- Texts, element(1, parse(Text)) =/= ok],
    {[], []} = {Wrong, Refused},
    ok.

%% The library reads what OTP 25 does. OTP 27 has sigils, triple quotes, two more reserved words and
%% fewer characters after \^, wants space between strings, and names other columns.
is_of_its_release() -> list_to_integer(erlang:system_info(otp_release)) < 27.

means_the_same_here(Text) ->
    is_of_its_release() orelse
        nomatch =:= re:run(Text, "~|\"\"|maybe|else|\\\\\\^", [unicode, {capture, none}]).

is_read_as({ok, Bytes}, Term) -> binary_to_term(Bytes) =:= Term;
is_read_as(_, _) -> false.

-spec refuses_what_erl_parse_refuses([term()]) -> ok.
refuses_what_erl_parse_refuses(Config) ->
    Texts = [Text || Text <- wrong_texts(), means_the_same_here(Text)],
    Results = [{Text, parse(Text), read(Config, Text)} || Text <- Texts],
    Wrong = [Result || {_, Ours, Read} = Result <- Results, not is_refused_as(Ours, Read)],
    [] = Wrong,
    ok.

is_refused_as({error, {Line, Column}}, {error, _, Line, Column, _, _}) -> true;
%% Not a token is wrong, but the whole is no term: Erlang names no place.
is_refused_as({error, none}, {error, _, _, _, _, _}) -> true;
%% Erlang stops behind the # of #Ref<, we name the place of the whole.
is_refused_as({error, _}, {error, 'GCL_ENOTSUP', _, _, _, _}) -> true;
is_refused_as({error, _}, {error, _, _, _, _, _}) -> not is_of_its_release();
is_refused_as(_, _) -> false.

%% Texts of terms in which characters were left out, doubled, swapped or replaced.
-spec reads_changed_texts_as_erl_parse_does([term()]) -> ok.
reads_changed_texts_as_erl_parse_does(Config) ->
    repeat(20000, fun(Size) ->
        Text = changed(Size),
        means_the_same_here(Text) andalso is_read_alike(Config, Text)
    end).

is_read_alike(Config, Text) ->
    Ours = parse(Text),
    Read = read(Config, Text),
    case Ours of
        {ok, Term} -> {Text, Read, true} = {Text, Read, is_read_as(Read, Term)};
        {error, _} -> {Text, Ours, error} = {Text, Ours, element(1, Read)}
    end.

changed(Size) ->
    Some = texts() ++ [characters("~0p", term_generator:plain(Size))],
    change(lists:nth(rand:uniform(length(Some)), Some), rand:uniform(3)).

change(Text, 0) ->
    Text;
change(Text, Times) ->
    {Before, Behind} = lists:split(rand:uniform(length(Text) + 1) - 1, Text),
    Marks = "[]{}()<>|,.:;/-+#=_$\\'\" \n%^~xaeE017",
    New = lists:nth(rand:uniform(length(Marks)), Marks),
    Changed =
        case {rand:uniform(4), Behind} of
            {1, [_ | Rest]} -> Before ++ Rest;
            {2, [C | Rest]} -> Before ++ [C, C | Rest];
            {3, [_ | Rest]} -> Before ++ [New | Rest];
            _ -> Before ++ [New | Behind]
        end,
    change(Changed, Times - 1).

%% --- equality -------------------------------------------------------------------------------

-spec equality_is_that_of_erlang([term()]) -> ok.
equality_is_that_of_erlang(Config) ->
    repeat(10000, fun(Size) ->
        A = term_generator:any(Size),
        B =
            case rand:uniform(4) of
                1 -> term_generator:any(Size);
                _ -> term_generator:varied(A)
            end,
        true = ask(Config, $e, {A, A}),
        {A, B, Equal} = {A, B, is_equal(A, B)},
        {A, B, Equal} = {A, B, ask(Config, $e, {A, B})}
    end).

%% As OTP 27 has it: 0.0 is not -0.0.
is_equal(A, B) ->
    A =:= B andalso term_to_binary(A, [deterministic]) =:= term_to_binary(B, [deterministic]).

-spec maps_in_any_order_are_equal([term()]) -> ok.
maps_in_any_order_are_equal(Config) ->
    repeat(1000, fun(Size) ->
        Map = #{map => term_generator:any(Size), 1 => term_generator:any(Size), Size => 2},
        <<131, Bytes/binary>> = term_generator:permuted(Map),
        <<131, Same/binary>> = term_to_binary(Map),
        true = send(Config, [$e, 131, 104, 2, Bytes, Same])
    end).

-spec references_of_up_to_five_words([term()]) -> ok.
references_of_up_to_five_words(Config) ->
    lists:foreach(
        fun(Words) ->
            Ref = term_generator:reference(Words),
            true = ask(Config, $e, {Ref, Ref}),
            false = ask(Config, $e, {Ref, make_ref()}),
            {ok, Bytes} = ask(Config, $w, {Ref, [Ref]}),
            {Ref, [Ref]} = binary_to_term(<<131, Bytes/binary>>),
            {ok, Text} = ask(Config, $p, Ref),
            Words = length(binary:split(Text, <<".">>, [global])) - 1
        end,
        lists:seq(1, 5)
    ).

%% --- pieces, patterns, libei ----------------------------------------------------------------

-spec terms_are_taken_apart_and_put_together([term()]) -> ok.
terms_are_taken_apart_and_put_together(Config) ->
    repeat(3000, fun(Size) -> comes_back(Config, $w, term_generator:any(Size)) end).

-spec matched_and_written_by_patterns([term()]) -> ok.
matched_and_written_by_patterns(Config) ->
    Integers = [N * (1 bsl Bits) + D || Bits <- [8, 27, 31, 32, 63], N <- [-1, 1], D <- [-1, 0, 1]],
    Fit = [{integer, N} || N <- Integers, N >= -(1 bsl 63)],
    lists:foreach(fun(Term) -> comes_back(Config, $m, Term) end, Fit),
    {error, 'GCL_EINVAL'} = ask(Config, $m, {integer, 1 bsl 64}),
    {error, 'GCL_EINVAL'} = ask(Config, $m, {integer, -(1 bsl 63) - 1}),
    Others = [{float, 1.5}, {float, -0.0}, {atom, a}, {atom, 'ж'}],
    Binaries = [{binary, <<>>}, {binary, <<1, 2>>}],
    lists:foreach(fun(Term) -> comes_back(Config, $m, Term) end, Others ++ Binaries),
    repeat(1000, fun(Size) ->
        comes_back(Config, $m, {list, [first | term_generator:any(Size)]}),
        comes_back(Config, $m, #{key => term_generator:any(Size)})
    end).

-spec libei_and_the_library_read_each_other([term()]) -> ok.
libei_and_the_library_read_each_other(Config) ->
    repeat(3000, fun(Size) -> comes_back(Config, $l, term_generator:any(Size)) end).

comes_back(Config, Letter, Term) ->
    case ask(Config, Letter, Term) of
        {ok, Bytes} -> {Term, Term} = {Term, binary_to_term(<<131, Bytes/binary>>)};
        Other -> ct:fail("~p: ~p", [Term, Other])
    end.

-spec characters_of_a_term([term()]) -> ok.
characters_of_a_term(Config) ->
    Texts = ["", "abc", "ж\x{10FFFF}\x{e9}", [$a | "b"]],
    [{ok, Binary} = ask(Config, $t, Form)
     || Text <- Texts, Binary <- [unicode:characters_to_binary(Text)],
        Form <- [Text, Binary, list_to_atom(Text)]],
    [{error, 'GCL_EINVAL'} = ask(Config, $t, Term)
     || Term <- [1, {}, [a], [$a | b], [-1], [16#D800], [16#110000], ["a"], <<1:1>>, #{}]],
    ok.

%% --- texts ----------------------------------------------------------------------------------

texts() ->
    [
        "a", " a ", "a.", "1.", "a.\n", "a.%", "a. ", "% a\nb", "{a,% x\n b}", "'a'", "'\\x{436}'",
        "'a\\'b'", "'a\\\nb'", "'\n'", "é", "ÿab", "a@b", "aB_1", "''", "'end'", "maybe", "else",
        "$a", "$\\n", "$\\^A", "$\\^a", "$\\^@", "$\\^_", "$\\^?", "$\\x41", "$\\x{1F600}",
        "$\\101", "$\\0", "$\\12", "$ ", "$\\s", "$\\d", "$\\e", "$\\$", "$\\\\", "$'", "$\"", "$ж",
        "$%", "[$a,$b]", "$\\é", "16#ff", "16#FF", "2#1010", "36#zZ", "1_000", "16#ff_ff",
        "1_0.0_1", "1.5e3", "1.5E-3", "1.0e+10", "1_0#1", "1_6#f", "-1", "- 1", "+1", "-(1)",
        "(-1)", "((1))", "+(1)", "-$a", "+$a", "-1.5", "-0.0", "-0", "(a)", "({a,(b)})", "0",
        "00012", "0.0", "1.0e-300", "4.9e-324", "2.0e-324", "1.7976931348623157e308",
        "123456789012345678901234567890", "-123456789012345678901234567890",
        "16#ffffffffffffffffffff", "\"abc\"", "\"a\" \"b\"", "\"a\"\n\"b\"", "\"a\nb\"",
        "\"\\x{436}\"", "\"ж\"", "\"\"", "\"\" \"\"", "\"a\\\nb\"", "\"\\^A\\t\"",
        "[\"a\" \"b\"|\"c\"]", "[a|\"bc\"]", "[a|[b|[c|[]]]]", "[a|[b|c]]", "[a|b]", "[]", "[[]]",
        "[a,b,c]", "{}", "{a}", "{{{}}}", "[{a,[b]},c]", "#{}", "#{a=>1}", "#{a=>1,b=>2}",
        "#{a=>1,a=>2}", "#{1=>a,1.0=>b}", "#{#{}=>#{a=>{}}}", "#{#{a=>1,b=>2}=>x,#{b=>2,a=>1}=>y}",
        "#{{[#{a=>#{},b=>2}]}=>1, {[#{b=>2,a=>#{}}]}=>2}", "# {a => 1}", "#{\"ab\"=>1,[$a,$b]=>2}",
        "#{[1]=>a,[2]=>b,\"\\x01\"=>c}", "<<>>", "<<1,2,3>>", "<<\"abc\">>", "<<\"abc\",1>>",
        "<<1:4>>", "<<1:4,2:4>>", "<<1:16>>", "<<1:16/little>>", "<<-1>>", "<<-1:16>>", "<<256>>",
        "<<1:1,0:1>>", "<<\"ж\"/utf8>>", "<<\"ж\"/utf16>>", "<<\"aж\"/utf16-little>>",
        "<<\"a\"/utf32>>", "<<1.5/float>>", "<<1.5:32/float>>", "<<1.5:32/float-little>>",
        "<<1.5:16/float>>", "<<\"ab\":16>>", "<<\"a\" \"b\">>", "<<\"a\" \"b\":16>>", "<<$a,$b>>",
        "<<1/integer>>", "<<1:2/unit:8>>", "<<1:2/integer-unit:4>>", "<<1/big>>", "<<1/signed>>",
        "<<1/unsigned-big-integer>>", "<<1:8/integer-signed-little-unit:1>>", "<<<<1,2>>/binary>>",
        "<<(<<1,2>>)/binary>>", "<<(<<1:3>>)/bitstring>>", "<<(<<1,2,3>>):2/binary>>", "<<(1)>>",
        "<<(-1):16>>", "<<- 1:8>>", "<<+1>>", "<<123456789012345678901234:128>>",
        "<<-123456789012345678901234:128/little>>", "<<1:0>>", "<<\"\">>", "<<\"é\">>",
        "<< 1 , 2 >>", "<<1:$a>>", "<<16#ff:16>>", "<<1:8/unit:2>>", "<<2/float>>",
        "<<1:64/float>>", "<<\"ж\":16>>", "<<\"\\n\">>", "fun a:b/1", "fun 'A':'B c'/255",
        "fun m:f/0", "{fun a:b/1}", "[a,\n b,\n c]", "{a,%comment\nb}.", "\ta", "\x{a0}a",
        "{'a','b'}", "[1,2|[3]]"
    ].

wrong_texts() ->
    [
        "", " ", "% a", "{a", "{a,", "{a,}", "[a", "[a,]", "[|a]", "[a|]", "[a|b,c]", "[a|[b|]]",
        "}", "]", ")", "(a", "()", "a b", "a,b", "{a}{b}", "1 2", "a. b", "A", "_", "{A}", "[_]",
        "{a,B}", "'a", "\"a", "$", "$\\", "\"\\x{110000}\"", "\"\\x{d800}\"", "\"\\xzz\"",
        "'\\x{}'", "$\\x{", "1#1", "37#1", "16#", "2#2", "16#g", "1.0e", "1.0e+", "1.0e400", "1__0",
        "1_", "1a", "1.e5", "1..2", "#{a}", "#{a=>}", "#{a=>1", "#{a:=1}", "#{a=>1,}", "#{,}",
        "#a{}", "#{a=>1|b}", "<<", "<<1", "<<1,>>", "<<1>", "<<a>>", "<<1/foo>>", "<<1:a>>",
        "<<1:-1>>", "<<1/binary>>", "<<\"a\"/binary>>", "<<<<1>>>>", "<<1.5>>", "<<1.5:15/float>>",
        "<<1/utf8:8>>", "<<16#110000/utf8>>", "<<1/unit:8>>", "<<[1]>>", "<<{}>>", "<<_>>",
        "<<(<<1>>):2/binary>>", "<<1:8/integer-float>>", "<<1/unit:0>>", "<<1:8/unit:$a>>",
        "<<1:8/unit:257>>", "fun", "fun a", "fun a:b", "fun a/1", "fun a:b/c", "fun a:b/-1",
        "fun A:b/1", "fun() -> a end", "end", "when", "a:b", "a+b", "1+1", "- a", "--1", "++1",
        "a--b", "[a]++[b]", "-(-1)", "not true", "a:b()", "{a b}", "[a b]", "\"a\" b", "a ? b", "!",
        "@", "`a`", "a\\b", "\x{1}", "{a,\n b\n c}", "{a,\n 'b}", "[1,2\n3]", "<0.1.2>",
        "#Ref<0.1.2>", "-[]", "-\"a\"", "+a", "{a,{b,{c,[d|}}}", "fun a:b/256", "\x{ad}", "·", "=",
        "=>", "a=>b", "||", "[a||b]", "~i", "~p"
    ].

%% --- help -----------------------------------------------------------------------------------

%% Sizes that grow, so that the first term found is small.
repeat(Count, Fun) ->
    Times =
        case os:getenv("GCL_QUICK") of
            false -> Count;
            _ -> Count div 10
        end,
    lists:foreach(fun(N) -> Fun(1 + N * 60 div Times) end, lists:seq(1, Times)).

format(Format, Term) ->
    unicode:characters_to_binary(characters(Format, Term)).

characters(Format, Term) ->
    lists:flatten(io_lib:format(Format, [Term])).

%% What Erlang makes of a text: {error, none} where it names no place.
parse(Text) ->
    Characters =
        case is_binary(Text) of
            true -> unicode:characters_to_list(Text);
            false -> Text
        end,
    case erl_scan:string(Characters, {1, 1}) of
        {ok, Tokens, End} -> parse_tokens(Tokens, End);
        {error, {Place, _, _}, _} -> {error, Place}
    end.

parse_tokens(Tokens, End) ->
    Dotted =
        case Tokens =/= [] andalso lists:last(Tokens) of
            {dot, _} -> Tokens;
            _ -> Tokens ++ [{dot, End}]
        end,
    case erl_parse:parse_term(Dotted) of
        {ok, Term} -> {ok, Term};
        {error, {{_, _} = Place, _, ["syntax error before: ", _]}} -> {error, Place};
        {error, _} -> {error, none}
    end.

ask(Config, Letter, Term) ->
    send(Config, [Letter, term_to_binary(Term)]).

read(Config, Text) ->
    case send(Config, [$r, unicode:characters_to_binary(Text)]) of
        {ok, Bytes} -> {ok, <<131, Bytes/binary>>};
        Error -> Error
    end.

send(Config, Packet) ->
    Port = proplists:get_value(port, Config),
    true = port_command(Port, Packet),
    receive
        {Port, {data, Reply}} -> binary_to_term(Reply);
        {Port, {exit_status, Status}} -> ct:fail("the program ended with ~b", [Status])
    after 60000 ->
        ct:fail(no_answer)
    end.
