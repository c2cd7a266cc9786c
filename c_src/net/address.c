/* SPDX-License-Identifier: Apache-2.0 */
#include "net/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool gcl_address_parse(const char *text, uint16_t port, struct gcl_address *address)
{
    memset(address, 0, sizeof *address);
    if (strcmp(text, "localhost") == 0)
        text = "127.0.0.1";
    if (inet_pton(AF_INET, text, &address->socket.v4.sin_addr) == 1) {
        address->socket.any.sa_family = AF_INET;
        address->size = sizeof address->socket.v4;
    } else if (inet_pton(AF_INET6, text, &address->socket.v6.sin6_addr) == 1) {
        address->socket.any.sa_family = AF_INET6;
        address->size = sizeof address->socket.v6;
    } else {
        return false;
    }
    gcl_address_set_port(address, port);
    return true;
}

void gcl_address_any(uint16_t port, struct gcl_address *address)
{
    memset(address, 0, sizeof *address);
    address->socket.v6.sin6_family = AF_INET6;
    address->socket.v6.sin6_addr = in6addr_any;
    address->size = sizeof address->socket.v6;
    gcl_address_set_port(address, port);
}

void gcl_address_set_port(struct gcl_address *address, uint16_t port)
{
    if (address->socket.any.sa_family == AF_INET)
        address->socket.v4.sin_port = htons(port);
    else
        address->socket.v6.sin6_port = htons(port);
}

uint16_t gcl_address_port(const struct gcl_address *address)
{
    if (address->socket.any.sa_family == AF_INET)
        return ntohs(address->socket.v4.sin_port);
    return ntohs(address->socket.v6.sin6_port);
}

/* As IPv6, in which each address of IPv4 has its place. */
static struct in6_addr widen(const struct gcl_address *address)
{
    struct in6_addr wide = {0};
    if (address->socket.any.sa_family != AF_INET)
        return address->socket.v6.sin6_addr;
    wide.s6_addr[10] = wide.s6_addr[11] = 0xff;
    memcpy(wide.s6_addr + 12, &address->socket.v4.sin_addr, 4);
    return wide;
}

bool gcl_address_is_same_host(const struct gcl_address *a, const struct gcl_address *b)
{
    const struct in6_addr first = widen(a), second = widen(b);
    return memcmp(&first, &second, sizeof first) == 0;
}

bool gcl_address_is_same(const struct gcl_address *a, const struct gcl_address *b)
{
    return gcl_address_port(a) == gcl_address_port(b) && gcl_address_is_same_host(a, b);
}

bool gcl_address_is_loopback(const struct gcl_address *address)
{
    const struct in6_addr wide = widen(address);
    return IN6_IS_ADDR_LOOPBACK(&wide) || (IN6_IS_ADDR_V4MAPPED(&wide) && wide.s6_addr[12] == 127);
}

void gcl_address_print(const struct gcl_address *address, char text[GCL_ADDRESS_TEXT_BYTES])
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (address->socket.any.sa_family == AF_INET) {
        (void)inet_ntop(AF_INET, &address->socket.v4.sin_addr, host, sizeof host);
        (void)snprintf(text, GCL_ADDRESS_TEXT_BYTES, "%s:%u", host, gcl_address_port(address));
    } else {
        (void)inet_ntop(AF_INET6, &address->socket.v6.sin6_addr, host, sizeof host);
        (void)snprintf(text, GCL_ADDRESS_TEXT_BYTES, "[%s]:%u", host, gcl_address_port(address));
    }
}
