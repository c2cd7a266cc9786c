// SPDX-License-Identifier: Apache-2.0
// Behind the includes of every public header: see cplusplus.sh.
#include <cstdio>
#include <cstring>

static int mistakes;

static void misuse(const char *, int line, const char *text, void *)
{
    std::printf("line %d: %s\n", line, text);
    mistakes++;
}

static bool is(gcl_bytes bytes, const char *text)
{
    return bytes.size == std::strlen(text) && std::memcmp(bytes.bytes, text, bytes.size) == 0;
}

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            std::printf("line %d: %s\n", __LINE__, #condition);                                    \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

static int places(gcl_writer *writer)
{
    signed char i8 = 0;
    short i16 = 0;
    int i32 = 0;
    long i64 = 0;
    long long also64 = 0;
    unsigned char u8 = 0;
    unsigned short u16 = 0;
    unsigned u32 = 0;
    unsigned long u64 = 0;
    unsigned long long alsou64 = 0;
    double f = 0;
    bool yes = false;
    gcl_bytes text, binary, atom;
    gcl_term any;
    MUST(gcl_write(writer, "[~i, ~i, ~i, ~i, ~i, ~u, ~u, ~u, ~u, ~u]", i8, i16, i32, i64, also64, u8,
                   u16, u32, u64, 18446744073709551615ULL) == 0);
    MUST(gcl_match(gcl_writer_term(writer), "[~i, ~i, ~i, ~i, ~i, ~u, ~u, ~u, ~u, ~u]", &i8, &i16,
                   &i32, &i64, &also64, &u8, &u16, &u32, &u64, &alsou64));
    MUST(alsou64 == 18446744073709551615ULL);
    gcl_writer_clear(writer);
    MUST(gcl_write(writer, "{~a, ~s, ~b, ~f, ~f, ~a, [x]}", "atom", "text", "binary", 1.5, 2.5f,
                   true) == 0);
    MUST(gcl_match(gcl_writer_term(writer), "{~a, ~s, ~b, ~f, _, ~a, ~t}", &atom, &text, &binary, &f,
                   &yes, &any));
    MUST(is(atom, "atom") && is(text, "text") && is(binary, "binary") && f > 1.4 && yes);
    MUST(gcl_match(any, "[x]"));
    gcl_writer_clear(writer);
    MUST(gcl_write(writer, "none") == 0);
    return 0;
}

// A message among other arguments. Not called: there is no node here.
int to_groups(gcl_server *self, gcl_node *node, gcl_pid pid)
{
    gcl_ref ref;
    int error = gcl_pg_join(node, "scope", pid, "{room, ~i}", 7);
    if (error == 0)
        error = gcl_pg_monitor(self, nullptr, nullptr, nullptr, &ref, "lobby");
    return error != 0 ? error
                      : gcl_pg_send(self, "scope", GCL_PG_ALL, GCL_MESSAGE("{room, ~i}", 7),
                                    "{say, ~b}", "hello");
}

// A function, and calls of others. Not called either.
void add(gcl_server *self, gcl_rpc_task task, gcl_term arguments, void *user)
{
    gcl_node *node = gcl_server_node(self);
    long a = 0, b = 0;
    (void)user;
    if (gcl_match(arguments, "[~i, ~i]", &a, &b))
        gcl_rpc_return(node, task, "~i", a + b);
    else
        gcl_rpc_raise(node, task, GCL_RPC_ERROR, "badarg");
}

int to_functions(gcl_server *self, gcl_reply_function *done)
{
    gcl_ref ref;
    gcl_rpc_dest sort = gcl_rpc_at("b@host", "lists", "sort");
    int error = gcl_rpc_register(gcl_server_node(self), "my_mod", "add", 2, add, nullptr);
    if (error == 0)
        error = gcl_rpc_call(self, sort, 5000, done, nullptr, nullptr, "[[~i, ~i]]", 2, 1);
    if (error == 0)
        error = gcl_rpc_cast(self, sort, "[[]]");
    return error != 0
               ? error
               : gcl_spawn(self, sort, GCL_SPAWN_LINK, done, nullptr, &ref, "[~t]", gcl_term());
}

static gcl_pid keep(gcl_server *, gcl_term, gcl_pid own, gcl_pid, void *)
{
    return own;
}

int to_global(gcl_server *self, gcl_reply_function *done)
{
    gcl_global_options options;
    gcl_global_lock_options lock;
    gcl_global_options_init(&options);
    options.method = GCL_GLOBAL_RESOLVE;
    options.resolve = keep;
    gcl_global_lock_options_init(&lock);
    int error = gcl_global_register_as(self, &options, done, nullptr, "{room, ~i}", 7);
    if (error == 0)
        error = gcl_global_re_register(self, nullptr, done, nullptr, "lobby");
    if (error == 0)
        error = gcl_global_set_lock(self, &lock, done, nullptr, "{~a, ~p}", "r", gcl_self(self));
    if (error == 0)
        error = gcl_send(self, gcl_to_global_name("{room, ~i}", 7), "{say, ~b}", "hello");
    return error != 0 ? error
                      : gcl_call(self, gcl_to_global_name("lobby"), 100, done, nullptr, nullptr,
                                 "hello");
}

int main()
{
    gcl_term_context *context = gcl_term_context_new(nullptr, misuse, nullptr);
    gcl_writer *writer = gcl_writer_new(context);
    MUST(places(writer) == 0 && mistakes == 0);
    int wrong = 0;
    MUST(!gcl_match(gcl_writer_term(writer), "~a", &wrong) && mistakes == 1);
    gcl_writer_free(writer);
    gcl_term_context_free(context);
    return 0;
}
