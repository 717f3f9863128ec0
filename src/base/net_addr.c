/* SPDX-License-Identifier: MIT */
#include "base/net_addr.h"
#include <arpa/inet.h>

static const uint8_t V4_MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool net_addr_is_v4(const struct net_addr *a)
{
    return memcmp(a->ip, V4_MAPPED, sizeof V4_MAPPED) == 0;
}

void net_addr_set_v4(struct net_addr *a, const uint8_t ip[4], uint16_t port)
{
    memcpy(a->ip, V4_MAPPED, sizeof V4_MAPPED);
    memcpy(a->ip + 12, ip, 4);
    a->port = port;
}

bool net_addr_parse(struct span ip, uint16_t port, struct net_addr *out)
{
    char text[NET_ADDR_LEN];
    struct net_addr a = {.port = port};
    uint8_t v4[4];
    if (!span_cstr(ip, text, sizeof text)) return false;
    if (inet_pton(AF_INET, text, v4) == 1)
        net_addr_set_v4(&a, v4, port);
    else if (inet_pton(AF_INET6, text, a.ip) != 1)
        return false;
    *out = a;
    return true;
}

void net_addr_text(const struct net_addr *a, char out[NET_ADDR_LEN])
{
    const bool v4 = net_addr_is_v4(a);
    if (!inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->ip + 12 : a->ip, out, NET_ADDR_LEN)) out[0] = 0;
}
