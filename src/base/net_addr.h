/* SPDX-License-Identifier: MIT */
/* base/net_addr.h - an address and a port of the Internet, as a value.
 *
 * IPv4 is kept as ::ffff:a.b.c.d, so that two addresses are equal exactly when their bytes are. */
#pragma once
#include "base/span.h"

struct net_addr {
    uint8_t ip[16];
    uint16_t port; /* host order */
};

#define NET_ADDR_LEN 46 /* the longest text of an address, and the final zero */

bool net_addr_is_v4(const struct net_addr *a);
static inline bool net_addr_eq(const struct net_addr *a, const struct net_addr *b)
{
    return a->port == b->port && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}
void net_addr_set_v4(struct net_addr *a, const uint8_t ip[4], uint16_t port);
/* "192.0.2.1" or "2001:db8::1". False: neither. */
bool net_addr_parse(struct span ip, uint16_t port, struct net_addr *out);
/* The address without its port; IPv4 in its own dress. */
void net_addr_text(const struct net_addr *a, char out[NET_ADDR_LEN]);
