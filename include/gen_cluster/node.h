/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A node: a member of an Erlang cluster inside the caller's libev loop.
 *
 * Threads: a node belongs to the thread that runs its loop. Every function here is called on that
 * thread, in a callback or not, but for gcl_post(), gcl_poster_hold() and gcl_poster_release().
 * Several nodes may live in one OS process, in one loop or in several.
 *
 * Lifetime: gcl_node_new() .. gcl_node_close(), which is legal at any time, also in a callback, and
 * ends with one call of `on_closed`; the node is freed right after that.
 */
#ifndef GEN_CLUSTER_NODE_H
#define GEN_CLUSTER_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gen_cluster/alloc.h>
#include <gen_cluster/error.h>
#include <gen_cluster/log.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ev_loop;

typedef struct gcl_node gcl_node;

/** Fills `size` bytes with random ones from the OS; returns false when it cannot. */
typedef bool gcl_random_function(void *bytes, size_t size, void *user);

/**
 * What a node is to be. Fill it with gcl_node_config_init() and then set what differs. All strings
 * are copied by gcl_node_new(). Limits are described in doc/limits.md.
 *
 * `size` guards against headers and library of different versions: it is refused with GCL_EINVAL
 * when it is not what the library has. The name of the shared library changes with every version
 * that changes a struct, before 1.0 with each minor one.
 */
typedef struct gcl_node_config {
    size_t size;          /**< set by gcl_node_config_init() */
    struct ev_loop *loop; /**< borrowed for the life of the node; required. Link -lev, too */
    /** "alive@host", or "alive": then @ and the host's name are added. Not `undefined`, by which a
     * BEAM asks for a dynamic name: a C node has none. */
    const char *name;
    bool long_names;    /**< as erl -name: a host part with a dot is demanded */
    const char *cookie; /**< required; 1 to 255 bytes; one for all peers */
    bool hidden;        /**< default false; doc/visible.md says what to choose */
    /**
     * A visible node only: whether it tells its partition of each connection that it has lost, as
     * BEAMs of OTP 25 and later do; then every node of it leaves the lost one, and is left by it.
     * Default false: only of connections to nodes that are no BEAMs. A BEAM that has lost this node
     * tells, and this node alone is left.
     */
    bool reports_lost_connections;

    /** Numeric IPv4 or IPv6, or `localhost`, which is 127.0.0.1; NULL: all interfaces. */
    const char *listen_address;
    uint16_t listen_port;     /**< 0: any free one */
    bool no_listener;         /**< nobody can dial this node; only it dials others */
    bool no_epmd;             /**< neither registers nor looks up; needs a fixed port */
    const char *epmd_address; /**< the same; NULL: ERL_EPMD_ADDRESS, else the loopback interface */
    uint16_t epmd_port;       /**< 0: ERL_EPMD_PORT, else 4369 */

    unsigned net_ticktime_s;    /**< default 60 */
    unsigned net_tickintensity; /**< default 4; 4 to 1000 */
    unsigned setup_timeout_ms;  /**< of each step of connecting; default 7000 */
    unsigned close_timeout_ms;  /**< for queued output when closing; default 2000 */
    unsigned reconnect_min_ms;  /**< least wait before a node is dialled again; default 500 */
    unsigned reconnect_max_ms;  /**< the longest; default 30000 */
    /**
     * A visible node only: when one turn of the loop has taken so long, a thread of the node shuts
     * down its listener, its registration and its connections, so that no other node waits for it;
     * see `on_stalled`. Default 5000; at least 100; 0: no such thread. Of each socket the thread
     * has a descriptor of its own.
     */
    unsigned watchdog_ms;

    size_t output_soft_bytes; /**< of a connection: above it GCL_EBUSY; default 1 MiB */
    size_t output_hard_bytes; /**< above it the connection is closed; default 64 MiB */
    size_t pending_bytes;     /**< signals waiting for one connection; default 8 MiB */
    size_t local_queue_bytes; /**< signals between local processes; default 64 MiB */
    size_t mailbox_bytes;     /**< of a suspended process; default 8 MiB */
    uint32_t frame_bytes;     /**< largest frame that is accepted; default 64 MiB */
    uint32_t max_connections; /**< default 4096, handshakes included */
    uint32_t max_processes;   /**< default 262144 */
    uint32_t max_node_names;  /**< default 65536 */
    uint32_t max_edges;       /**< links and monitors; default 1048576 */
    uint32_t max_posts;       /**< calls of gcl_post() that wait; default 65536 */

    const gcl_allocator *allocator; /**< borrowed; NULL: malloc and free */
    gcl_log_function *log;          /**< NULL: gcl_log_to_stderr */
    gcl_log_level log_level;        /**< default GCL_LOG_NOTICE */
    gcl_random_function *random;    /**< NULL: OpenSSL's RAND_bytes */
    void *user;                     /**< passed to log, random and the functions below */

    /**
     * Once, when others can find the node: when epmd has registered it; at once, when it has
     * `no_epmd` or `no_listener`. While epmd cannot be reached, or knows another node of its name,
     * it tries again and is not ready, which is logged (events `epmd_down`, `name_taken`); but a
     * hidden node is ready without epmd, for it can dial others. Never before return.
     */
    void (*on_ready)(gcl_node *node, void *user);
    /**
     * Once, last: `error` is 0 after gcl_node_close(), else why the node had to close: GCL_ENOMEM,
     * for what `global` owes to other nodes; GCL_EKERNEL, one of the servers that every node has
     * (`net_kernel`, `rex`, `global_group`, `global_name_server` and its helpers) was killed, or
     * sent more than `mailbox_bytes` while it was suspended; errors of gcl_node_new(), it cannot
     * listen any more after its loop stood still.
     */
    void (*on_closed)(gcl_node *node, int error, void *user);
    /**
     * A message to the node `name` was refused with GCL_EBUSY, and can be sent now: the output of
     * the connection has fallen below half of `output_soft_bytes`, or the connection was lost, and
     * sending makes a new one. Once for all that was refused; never from inside a function that
     * sends. `name` is borrowed. May be NULL.
     */
    void (*on_writable)(gcl_node *node, const char *name, void *user);

    /**
     * A visible node only: the nodes of its group of `global`, this one included, as BEAMs of the
     * group have it in `global_groups` of kernel; ended by NULL, each node once. Names and locks
     * then reach these nodes and no others. NULL: all nodes. The list is copied.
     */
    const char *const *global_group;

    /**
     * The loop goes on after it had stood still for `stalled_ms`, at least `watchdog_ms`. All
     * connections were lost; who was connected to a process here knows it as dead (noconnection).
     * The node listens and registers again, and dials the visible nodes that it had been connected
     * to: each up to eight times, with the waits of gcl_node_stay_connected(), until it is
     * connected once or gcl_node_stay_connected() is called for it with false. When the node cannot
     * listen any more, it closes instead. Never before `on_ready`: of what happened until then the
     * longest time is told behind it. May be NULL; logged in any case, at once (event `stalled`,
     * GCL_LOG_WARNING).
     */
    void (*on_stalled)(gcl_node *node, uint64_t stalled_ms, void *user);

    uint32_t max_rpc_functions;      /**< of gcl_rpc_register(); default 4096 */
    uint32_t max_rpc_calls;          /**< of such functions, under way; default 65536 */
    uint32_t max_rpc_calls_per_node; /**< ... that one node has asked for; default 16384 */

    /**
     * When epmd knows another node of this name before this one is ready, the node closes, and
     * `on_closed` gets GCL_EEXIST, instead of waiting for the name. Default false. Once it is ready
     * it keeps on trying in any case.
     */
    bool close_if_name_taken;
    uint32_t max_kept_callers; /**< of gcl_from_keep(), unanswered; default 65536 */
} gcl_node_config;

/** Sets `config` to the defaults. */
GCL_API void gcl_node_config_init(gcl_node_config *config);

/**
 * Makes a node and starts it: listens, asks epmd for a creation, and calls `on_ready`. Nothing
 * blocks. `*node` is set on success. On error `detail` (may be NULL; `detail_size` bytes) gets one
 * line that says what was expected, what came and what to do.
 *
 * GCL_EINVAL: something required is missing or out of range, or a visible node is not to listen;
 * GCL_ENAME: bad name; GCL_EEXIST: the port is taken; GCL_ESYS: no socket, no random bytes, or no
 * thread for the watchdog; GCL_ENOMEM.
 */
GCL_API int gcl_node_new(const gcl_node_config *config, gcl_node **node, char *detail,
                         size_t detail_size) GCL_MUST_USE;

/**
 * Ends all processes with reason `shutdown`, lets queued output leave for at most
 * `close_timeout_ms`, closes everything and calls `on_closed`. Calling it again does nothing. Legal
 * in every callback; what runs is finished first. Work of gcl_work() that runs on its thread is
 * waited for, however long it takes, and `on_closed` comes behind its `done`; work that has not
 * begun is canceled at once.
 */
GCL_API void gcl_node_close(gcl_node *node);

/** "alive@host". Borrowed, for the life of the node. */
GCL_API const char *gcl_node_name(const gcl_node *node);

/** The port that is listened on; 0 without listener. */
GCL_API uint16_t gcl_node_port(const gcl_node *node);

/** The creation that all pids of this node carry. */
GCL_API uint32_t gcl_node_creation(const gcl_node *node);

/** The `user` of the config. */
GCL_API void *gcl_node_user(const gcl_node *node);

/** Changes the cookie for later handshakes. GCL_EINVAL: not 1 to 255 bytes; GCL_ENOMEM. */
GCL_API int gcl_node_set_cookie(gcl_node *node, const char *cookie) GCL_MUST_USE;

/* --- connections ---------------------------------------------------------------------------- */

/**
 * Gets the outcome of gcl_node_connect(): 0 or why not (`detail`: one line, borrowed). Exactly once
 * and never before that returns.
 *
 * Worth another try later: GCL_EEPMD (epmd there cannot be asked, or does not know the node),
 * GCL_ENOCONNECTION (nobody listens there), GCL_ERESOLVE (no address for the host), GCL_ETIMEOUT,
 * GCL_ECLOSED (the peer closed the connection), GCL_EREFUSED (the peer does not allow it now),
 * GCL_ELIMIT (`max_connections`, or too many look-ups), GCL_ESYS, GCL_ENOMEM. Somebody has to do
 * something first: GCL_EAUTH (another cookie), GCL_EFLAGS (a node older than OTP 23), GCL_ENAME
 * (the node there has another name), GCL_EPROTO (no node answers there). GCL_ECANCELED: the node
 * closes, or another connection to the peer was made or kept.
 */
typedef void gcl_connect_function(gcl_node *node, const char *name, int error, const char *detail,
                                  void *user);

/**
 * Connects to the node `name`, as net_kernel:connect_node/1. Sending to a node connects by itself;
 * this is for programs that want to know. To its own name a node counts as connected. The host's
 * name is looked up on another thread where it is not this host, `localhost` or an address. 0,
 * GCL_ENAME, GCL_ECLOSED (the node is closing), GCL_ENOMEM.
 */
GCL_API int gcl_node_connect(gcl_node *node, const char *name, gcl_connect_function *done,
                             void *user) GCL_MUST_USE;

/**
 * Stays connected to the node `name`, or (`on` false) no longer: it is dialled now, and again
 * whenever the connection was lost or could not be made, gcl_node_disconnect() included. Between
 * attempts `reconnect_min_ms` to `reconnect_max_ms` pass, about twice as long each time, by chance
 * more or less, and from the beginning after a connection that has lived. A connection that the
 * other node makes is as good. Each wait is logged (event `reconnect`, GCL_LOG_INFO). The
 * node's own name, which a list of nodes may have in it, changes nothing. GCL_ENAME, GCL_ECLOSED
 * (the node is closing), GCL_ENOMEM.
 */
GCL_API int gcl_node_stay_connected(gcl_node *node, const char *name, bool on) GCL_MUST_USE;

/**
 * Tells where a node listens, so that neither epmd nor a resolver is asked for it: a numeric
 * address, or `localhost`, and a port. Kept until the node closes. For its own name nothing is
 * kept, for nobody dials it. GCL_EINVAL, GCL_ENAME, GCL_ENOMEM.
 */
GCL_API int gcl_node_set_address(gcl_node *node, const char *name, const char *address,
                                 uint16_t port) GCL_MUST_USE;

/** Closes the connection to a node. GCL_ENOENT: there is none. */
GCL_API int gcl_node_disconnect(gcl_node *node, const char *name);

/** True when there is a connection to `name`; there is none to its own. */
GCL_API bool gcl_node_is_connected(const gcl_node *node, const char *name);

/** A connection, for gcl_node_each_connection(). Strings are borrowed for the call. */
typedef struct gcl_connection_info {
    const char *name;
    bool hidden;    /**< one of the two is a hidden node: nodes() lists it on neither side */
    uint64_t flags; /**< negotiated */
    uint32_t creation;
    uint64_t bytes_in, bytes_out, frames_in, frames_out;
    size_t output_bytes; /**< queued */
} gcl_connection_info;

/** Calls `each` for every connection that is up; it must not change connections. */
GCL_API void gcl_node_each_connection(const gcl_node *node,
                                      void (*each)(const gcl_connection_info *info, void *user),
                                      void *user);

/* --- other threads -------------------------------------------------------------------------- */

/** The way into a node from other threads. Reference counted; outlives its node. */
typedef struct gcl_poster gcl_poster;

/** The poster of the node, held for the caller: gcl_poster_release() it. Loop thread only. */
GCL_API gcl_poster *gcl_node_poster(gcl_node *node);

/** From any thread. */
GCL_API void gcl_poster_hold(gcl_poster *poster);
GCL_API void gcl_poster_release(gcl_poster *poster);

/**
 * Has `function` called on the loop thread, exactly once: with the node, or with NULL when the
 * node closed before. From any thread; in order for one thread. Uses malloc(), not the node's
 * allocator. GCL_ECLOSED (the node is closed; `function` will not be called), GCL_EBUSY
 * (`max_posts` wait), GCL_ENOMEM.
 */
GCL_API int gcl_post(gcl_poster *poster, void (*function)(gcl_node *node, void *argument),
                     void *argument) GCL_MUST_USE;

/**
 * Runs `work` on a thread of a small pool while the loop goes on, then `done` on the loop thread;
 * `done` exactly once, also when the node closes (`canceled` is true if `work` did not run). `work`
 * must not call into the node. GCL_EBUSY (too many wait), GCL_ECLOSED (the node is closing),
 * GCL_ENOMEM, GCL_ESYS (no thread).
 */
GCL_API int gcl_work(gcl_node *node, void (*work)(void *user),
                     void (*done)(gcl_node *node, bool canceled, void *user),
                     void *user) GCL_MUST_USE;

#ifdef __cplusplus
}
#endif

#endif
