/* SPDX-License-Identifier: MIT */
#include "client/net_guard.h"
#include <netinet/in.h>

struct block {
    uint8_t ip[16];
    unsigned bits;
};

/* IPv4, first four bytes only. https://www.iana.org/assignments/iana-ipv4-special-registry */
static const struct block V4[] = {
    {{0}, 8},             /* this network */
    {{10}, 8},            /* private */
    {{100, 64}, 10},      /* carriers' NAT, RFC 6598 */
    {{127}, 8},           /* loopback */
    {{169, 254}, 16},     /* link-local, metadata of clouds */
    {{172, 16}, 12},      /* private */
    {{192, 0, 0}, 24},    /* protocol assignments */
    {{192, 0, 2}, 24},    /* documentation */
    {{192, 31, 196}, 24}, /* AS112 */
    {{192, 52, 193}, 24}, /* AMT */
    {{192, 88, 99}, 24},  /* 6to4 relays, given up */
    {{192, 168}, 16},     /* private */
    {{192, 175, 48}, 24}, /* AS112 */
    {{198, 18}, 15},      /* benchmarks */
    {{198, 51, 100}, 24}, /* documentation */
    {{203, 0, 113}, 24},  /* documentation */
    {{224}, 4},           /* multicast */
    {{240}, 4},           /* reserved, broadcast */
};

/* Within 2000::/3, outside of which nothing is public.
 * https://www.iana.org/assignments/iana-ipv6-special-registry */
static const struct block V6[] = {
    {{0x20, 0x01}, 23},                   /* protocol assignments: Teredo, ORCHID, benchmarks */
    {{0x20, 0x01, 0x0d, 0xb8}, 32},       /* documentation */
    {{0x20, 0x02}, 16},                   /* 6to4: leads into IPv4 of any kind */
    {{0x26, 0x20, 0, 0x4f, 0x80, 0}, 48}, /* AS112 */
    {{0x3f, 0xff}, 20},                   /* documentation */
};

static const uint8_t NAT64[12] = {0, 0x64, 0xff, 0x9b}; /* RFC 6052: an IPv4 address follows */

static bool within(const uint8_t *ip, const struct block *b)
{
    const unsigned whole = b->bits / 8, rest = b->bits % 8;
    if (memcmp(ip, b->ip, whole) != 0) return false;
    return !rest || ((ip[whole] ^ b->ip[whole]) >> (8 - rest)) == 0;
}

static bool v4_is_public(const uint8_t *ip)
{
    for (size_t i = 0; i < sizeof V4 / sizeof *V4; i++)
        if (within(ip, &V4[i])) return false;
    return true;
}

bool net_guard_is_public(const struct net_addr *a)
{
    if (net_addr_is_v4(a) || memcmp(a->ip, NAT64, sizeof NAT64) == 0)
        return v4_is_public(a->ip + 12);
    if ((a->ip[0] & 0xe0) != 0x20) return false;
    for (size_t i = 0; i < sizeof V6 / sizeof *V6; i++)
        if (within(a->ip, &V6[i])) return false;
    return true;
}

bool net_guard_sockaddr_is_public(const struct sockaddr *sa, socklen_t len)
{
    struct net_addr a = {.port = 0};
    if (sa->sa_family == AF_INET && len >= (socklen_t)sizeof(struct sockaddr_in)) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof in);
        net_addr_set_v4(&a, (const uint8_t *)&in.sin_addr, 0);
    } else if (sa->sa_family == AF_INET6 && len >= (socklen_t)sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 in;
        memcpy(&in, sa, sizeof in);
        memcpy(a.ip, &in.sin6_addr, sizeof a.ip);
    } else {
        return false;
    }
    return net_guard_is_public(&a);
}
