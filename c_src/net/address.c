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
