/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The arguments of patterns with their types: what stands behind the macros of term.h. Each
 * argument is sent through _Generic, in C++ through overloads, so that one of a type that no
 * directive takes does not compile. A program uses the macros of term.h and server.h, not what is
 * declared here.
 */
#ifndef GEN_CLUSTER_ARGS_H
#define GEN_CLUSTER_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gen_cluster/id.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gcl_term_context;

/** A borrowed run of bytes with its length, not terminated: atom texts, strings, binaries. */
typedef struct gcl_bytes {
    const uint8_t *bytes;
    size_t size;
} gcl_bytes;

/** A borrowed view of one term; see term.h. The fields are private. */
typedef struct gcl_term {
    struct gcl_term_context *context;
    const uint8_t *bytes;
    size_t size;
} gcl_term;

/** Types of values that go in, and, from GCL_OUT_I8 on, of places for those that come out. */
enum gcl_arg_kind {
    GCL_ARG_INT,
    GCL_ARG_UINT,
    GCL_ARG_DOUBLE,
    GCL_ARG_BOOL,
    GCL_ARG_TEXT, /* a terminated string */
    GCL_ARG_BYTES,
    GCL_ARG_PID,
    GCL_ARG_REF,
    GCL_ARG_TERM,
    GCL_OUT_I8,
    GCL_OUT_I16,
    GCL_OUT_I32,
    GCL_OUT_I64,
    GCL_OUT_U8,
    GCL_OUT_U16,
    GCL_OUT_U32,
    GCL_OUT_U64,
    GCL_OUT_DOUBLE,
    GCL_OUT_BOOL,
    GCL_OUT_BYTES,
    GCL_OUT_PID,
    GCL_OUT_REF,
    GCL_OUT_TERM
};

/** A value for gcl_write() and its like. */
typedef struct gcl_arg {
    enum gcl_arg_kind kind;
    union {
        int64_t i;
        uint64_t u;
        double f;
        bool is_true;
        const char *text;
        gcl_bytes bytes;
        gcl_pid pid;
        gcl_ref ref;
        gcl_term term;
    } as;
} gcl_arg;

/** A place for gcl_match(). */
typedef struct gcl_out {
    void *place;
    enum gcl_arg_kind kind;
} gcl_out;

/** A pattern with its values. Borrows all of it until the end of the call it is written in. */
typedef struct gcl_message {
    const char *file;
    int line;
    unsigned count;
    const char *pattern;
    const gcl_arg *args;
} gcl_message;

/** A pattern with its places; as gcl_message. */
typedef struct gcl_outs {
    const char *file;
    int line;
    unsigned count;
    const char *pattern;
    const gcl_out *outs;
} gcl_outs;

static inline gcl_message gcl_message_make(const char *file, int line, const char *pattern,
                                           const gcl_arg *args, unsigned count)
{
    gcl_message message = {file, line, count, pattern, args};
    return message;
}

static inline gcl_outs gcl_outs_make(const char *file, int line, const char *pattern,
                                     const gcl_out *places, unsigned count)
{
    gcl_outs outs = {file, line, count, pattern, places};
    return outs;
}

#define GCL_ARG_FUNCTION(name, type, kind_, member)                                                \
    static inline gcl_arg name(type value)                                                         \
    {                                                                                              \
        gcl_arg arg;                                                                               \
        arg.kind = kind_;                                                                          \
        arg.as.member = value;                                                                     \
        return arg;                                                                                \
    }
GCL_ARG_FUNCTION(gcl_arg_int, int64_t, GCL_ARG_INT, i)
GCL_ARG_FUNCTION(gcl_arg_uint, uint64_t, GCL_ARG_UINT, u)
GCL_ARG_FUNCTION(gcl_arg_double, double, GCL_ARG_DOUBLE, f)
GCL_ARG_FUNCTION(gcl_arg_bool, bool, GCL_ARG_BOOL, is_true)
GCL_ARG_FUNCTION(gcl_arg_text, const char *, GCL_ARG_TEXT, text)
GCL_ARG_FUNCTION(gcl_arg_bytes, gcl_bytes, GCL_ARG_BYTES, bytes)
GCL_ARG_FUNCTION(gcl_arg_pid, gcl_pid, GCL_ARG_PID, pid)
GCL_ARG_FUNCTION(gcl_arg_ref, gcl_ref, GCL_ARG_REF, ref)
GCL_ARG_FUNCTION(gcl_arg_term, gcl_term, GCL_ARG_TERM, term)
#undef GCL_ARG_FUNCTION

static inline gcl_out gcl_out_make(void *place, enum gcl_arg_kind kind)
{
    gcl_out out;
    out.place = place;
    out.kind = kind;
    return out;
}

#ifdef __cplusplus
}

/* --- C++: overloads, and a holder that lives until the end of the full expression ------------- */

#define GCL_ARG_OVERLOADS(X)                                                                       \
    X(signed char, int)                                                                            \
    X(short, int)                                                                                  \
    X(int, int)                                                                                    \
    X(long, int)                                                                                   \
    X(long long, int)                                                                              \
    X(unsigned char, uint)                                                                         \
    X(unsigned short, uint)                                                                        \
    X(unsigned, uint)                                                                              \
    X(unsigned long, uint)                                                                         \
    X(unsigned long long, uint)                                                                    \
    X(float, double)                                                                               \
    X(double, double)                                                                              \
    X(bool, bool)                                                                                  \
    X(const char *, text)                                                                          \
    X(gcl_bytes, bytes)                                                                            \
    X(gcl_pid, pid)                                                                                \
    X(gcl_ref, ref)                                                                                \
    X(gcl_term, term)
#define GCL_ARG_OVERLOAD(type, kind)                                                               \
    static inline gcl_arg gcl_arg_of(type value)                                                   \
    {                                                                                              \
        return gcl_arg_##kind(value);                                                              \
    }
GCL_ARG_OVERLOADS(GCL_ARG_OVERLOAD)
#undef GCL_ARG_OVERLOAD
#undef GCL_ARG_OVERLOADS
gcl_arg gcl_arg_of(const void *) = delete; /* or any pointer would become a bool */
gcl_arg gcl_arg_of(char) = delete;

#define GCL_OUT_OVERLOADS(X)                                                                       \
    X(signed char, GCL_OUT_I8)                                                                     \
    X(short, GCL_OUT_I16)                                                                          \
    X(int, GCL_OUT_I32)                                                                            \
    X(long, sizeof(long) == 8 ? GCL_OUT_I64 : GCL_OUT_I32)                                         \
    X(long long, GCL_OUT_I64)                                                                      \
    X(unsigned char, GCL_OUT_U8)                                                                   \
    X(unsigned short, GCL_OUT_U16)                                                                 \
    X(unsigned, GCL_OUT_U32)                                                                       \
    X(unsigned long, sizeof(long) == 8 ? GCL_OUT_U64 : GCL_OUT_U32)                                \
    X(unsigned long long, GCL_OUT_U64)                                                             \
    X(double, GCL_OUT_DOUBLE)                                                                      \
    X(bool, GCL_OUT_BOOL)                                                                          \
    X(gcl_bytes, GCL_OUT_BYTES)                                                                    \
    X(gcl_pid, GCL_OUT_PID)                                                                        \
    X(gcl_ref, GCL_OUT_REF)                                                                        \
    X(gcl_term, GCL_OUT_TERM)
#define GCL_OUT_OVERLOAD(type, kind)                                                               \
    static inline gcl_out gcl_out_of(type *place)                                                  \
    {                                                                                              \
        return gcl_out_make(place, kind);                                                          \
    }
GCL_OUT_OVERLOADS(GCL_OUT_OVERLOAD)
#undef GCL_OUT_OVERLOAD
#undef GCL_OUT_OVERLOADS

template <unsigned Count> struct gcl_message_holder {
    const char *file;
    int line;
    const char *pattern;
    gcl_arg args[Count + 1];
    operator gcl_message() const
    {
        return gcl_message_make(file, line, pattern, args, Count);
    }
};

template <unsigned Count> struct gcl_outs_holder {
    const char *file;
    int line;
    const char *pattern;
    gcl_out outs[Count + 1];
    operator gcl_outs() const
    {
        return gcl_outs_make(file, line, pattern, outs, Count);
    }
};

template <typename... Types>
static inline gcl_message_holder<sizeof...(Types)>
gcl_message_hold(const char *file, int line, const char *pattern, Types... values)
{
    return {file, line, pattern, {gcl_arg_of(values)..., gcl_arg_int(0)}};
}

template <typename... Types>
static inline gcl_outs_holder<sizeof...(Types)> gcl_outs_hold(const char *file, int line,
                                                              const char *pattern, Types... places)
{
    return {file, line, pattern, {gcl_out_of(places)..., gcl_out_make(nullptr, GCL_OUT_I8)}};
}

#define GCL_MESSAGE(...) gcl_message_hold(__FILE__, __LINE__, __VA_ARGS__)
#define GCL_OUTS(...) gcl_outs_hold(__FILE__, __LINE__, __VA_ARGS__)

#else

/* --- C: _Generic ------------------------------------------------------------------------------ */

#define GCL_ARG(value)                                                                             \
    _Generic((value),                                                                              \
        bool: gcl_arg_bool,                                                                        \
        signed char: gcl_arg_int,                                                                  \
        short: gcl_arg_int,                                                                        \
        int: gcl_arg_int,                                                                          \
        long: gcl_arg_int,                                                                         \
        long long: gcl_arg_int,                                                                    \
        unsigned char: gcl_arg_uint,                                                               \
        unsigned short: gcl_arg_uint,                                                              \
        unsigned: gcl_arg_uint,                                                                    \
        unsigned long: gcl_arg_uint,                                                               \
        unsigned long long: gcl_arg_uint,                                                          \
        float: gcl_arg_double,                                                                     \
        double: gcl_arg_double,                                                                    \
        char *: gcl_arg_text,                                                                      \
        const char *: gcl_arg_text,                                                                \
        gcl_bytes: gcl_arg_bytes,                                                                  \
        gcl_pid: gcl_arg_pid,                                                                      \
        gcl_ref: gcl_arg_ref,                                                                      \
        gcl_term: gcl_arg_term)(value)

#define GCL_OUT(place)                                                                             \
    gcl_out_make((place), _Generic((place),                                                        \
                 signed char *: GCL_OUT_I8,                                                        \
                 short *: GCL_OUT_I16,                                                             \
                 int *: GCL_OUT_I32,                                                               \
                 long *: sizeof(long) == 8 ? GCL_OUT_I64 : GCL_OUT_I32,                            \
                 long long *: GCL_OUT_I64,                                                         \
                 unsigned char *: GCL_OUT_U8,                                                      \
                 unsigned short *: GCL_OUT_U16,                                                    \
                 unsigned *: GCL_OUT_U32,                                                          \
                 unsigned long *: sizeof(long) == 8 ? GCL_OUT_U64 : GCL_OUT_U32,                   \
                 unsigned long long *: GCL_OUT_U64,                                                \
                 double *: GCL_OUT_DOUBLE,                                                         \
                 bool *: GCL_OUT_BOOL,                                                             \
                 gcl_bytes *: GCL_OUT_BYTES,                                                       \
                 gcl_pid *: GCL_OUT_PID,                                                           \
                 gcl_ref *: GCL_OUT_REF,                                                           \
                 gcl_term *: GCL_OUT_TERM))

/* How many arguments follow the pattern: 0 to 16. */
#define GCL_COUNT(...)                                                                             \
    GCL_COUNT_(__VA_ARGS__, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0)
#define GCL_COUNT_(p, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, q, count, ...) count
#define GCL_JOIN(a, b) GCL_JOIN_(a, b)
#define GCL_JOIN_(a, b) a##b

#define GCL_EACH_1(X, a) X(a)
#define GCL_EACH_2(X, a, ...) X(a), GCL_EACH_1(X, __VA_ARGS__)
#define GCL_EACH_3(X, a, ...) X(a), GCL_EACH_2(X, __VA_ARGS__)
#define GCL_EACH_4(X, a, ...) X(a), GCL_EACH_3(X, __VA_ARGS__)
#define GCL_EACH_5(X, a, ...) X(a), GCL_EACH_4(X, __VA_ARGS__)
#define GCL_EACH_6(X, a, ...) X(a), GCL_EACH_5(X, __VA_ARGS__)
#define GCL_EACH_7(X, a, ...) X(a), GCL_EACH_6(X, __VA_ARGS__)
#define GCL_EACH_8(X, a, ...) X(a), GCL_EACH_7(X, __VA_ARGS__)
#define GCL_EACH_9(X, a, ...) X(a), GCL_EACH_8(X, __VA_ARGS__)
#define GCL_EACH_10(X, a, ...) X(a), GCL_EACH_9(X, __VA_ARGS__)
#define GCL_EACH_11(X, a, ...) X(a), GCL_EACH_10(X, __VA_ARGS__)
#define GCL_EACH_12(X, a, ...) X(a), GCL_EACH_11(X, __VA_ARGS__)
#define GCL_EACH_13(X, a, ...) X(a), GCL_EACH_12(X, __VA_ARGS__)
#define GCL_EACH_14(X, a, ...) X(a), GCL_EACH_13(X, __VA_ARGS__)
#define GCL_EACH_15(X, a, ...) X(a), GCL_EACH_14(X, __VA_ARGS__)
#define GCL_EACH_16(X, a, ...) X(a), GCL_EACH_15(X, __VA_ARGS__)

/* make(file, line, pattern, array or NULL, count); the array lives as long as its block. */
#define GCL_WITH_0(make, type, X, p) make(__FILE__, __LINE__, (p), NULL, 0)
#define GCL_WITH_N(make, type, X, n, p, ...)                                                       \
    make(__FILE__, __LINE__, (p), (const type[]){GCL_JOIN(GCL_EACH_, n)(X, __VA_ARGS__)}, n)
#define GCL_WITH_1(make, type, X, ...) GCL_WITH_N(make, type, X, 1, __VA_ARGS__)
#define GCL_WITH_2(make, type, X, ...) GCL_WITH_N(make, type, X, 2, __VA_ARGS__)
#define GCL_WITH_3(make, type, X, ...) GCL_WITH_N(make, type, X, 3, __VA_ARGS__)
#define GCL_WITH_4(make, type, X, ...) GCL_WITH_N(make, type, X, 4, __VA_ARGS__)
#define GCL_WITH_5(make, type, X, ...) GCL_WITH_N(make, type, X, 5, __VA_ARGS__)
#define GCL_WITH_6(make, type, X, ...) GCL_WITH_N(make, type, X, 6, __VA_ARGS__)
#define GCL_WITH_7(make, type, X, ...) GCL_WITH_N(make, type, X, 7, __VA_ARGS__)
#define GCL_WITH_8(make, type, X, ...) GCL_WITH_N(make, type, X, 8, __VA_ARGS__)
#define GCL_WITH_9(make, type, X, ...) GCL_WITH_N(make, type, X, 9, __VA_ARGS__)
#define GCL_WITH_10(make, type, X, ...) GCL_WITH_N(make, type, X, 10, __VA_ARGS__)
#define GCL_WITH_11(make, type, X, ...) GCL_WITH_N(make, type, X, 11, __VA_ARGS__)
#define GCL_WITH_12(make, type, X, ...) GCL_WITH_N(make, type, X, 12, __VA_ARGS__)
#define GCL_WITH_13(make, type, X, ...) GCL_WITH_N(make, type, X, 13, __VA_ARGS__)
#define GCL_WITH_14(make, type, X, ...) GCL_WITH_N(make, type, X, 14, __VA_ARGS__)
#define GCL_WITH_15(make, type, X, ...) GCL_WITH_N(make, type, X, 15, __VA_ARGS__)
#define GCL_WITH_16(make, type, X, ...) GCL_WITH_N(make, type, X, 16, __VA_ARGS__)

#define GCL_MESSAGE(...)                                                                           \
    GCL_JOIN(GCL_WITH_, GCL_COUNT(__VA_ARGS__))                                                    \
    (gcl_message_make, gcl_arg, GCL_ARG, __VA_ARGS__)
#define GCL_OUTS(...)                                                                              \
    GCL_JOIN(GCL_WITH_, GCL_COUNT(__VA_ARGS__))(gcl_outs_make, gcl_out, GCL_OUT, __VA_ARGS__)

#endif

#endif
