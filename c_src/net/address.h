/* SPDX-License-Identifier: Apache-2.0 */
/** Numeric addresses, IPv4 and IPv6; no name service is asked here. */
#ifndef GCL_NET_ADDRESS_H
#define GCL_NET_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include <netinet/in.h>
#include <sys/socket.h>

struct gcl_address {
    socklen_t size;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } socket;
};

/** From "127.0.0.1", "::1" or "localhost" (127.0.0.1). False for anything else. */
bool gcl_address_parse(const char *text, uint16_t port, struct gcl_address *address);

/** All interfaces, both families. */
void gcl_address_any(uint16_t port, struct gcl_address *address);

void gcl_address_set_port(struct gcl_address *address, uint16_t port);
uint16_t gcl_address_port(const struct gcl_address *address);

/** Whether both are the same, ports included; an IPv4 address may be written as one of IPv6. */
bool gcl_address_is_same(const struct gcl_address *a, const struct gcl_address *b);

/** The same without the ports. */
bool gcl_address_is_same_host(const struct gcl_address *a, const struct gcl_address *b);

/** Whether only this host itself can use it. */
bool gcl_address_is_loopback(const struct gcl_address *address);

enum { GCL_ADDRESS_TEXT_BYTES = 64 };

/** "127.0.0.1:4369" or "[::1]:4369". */
void gcl_address_print(const struct gcl_address *address, char text[GCL_ADDRESS_TEXT_BYTES]);

#endif
