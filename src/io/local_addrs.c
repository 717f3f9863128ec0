/* SPDX-License-Identifier: MIT */
#include "io/local_addrs.h"
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

static bool read_addr(const struct sockaddr *s, int family, struct net_addr *out)
{
    if (!s || s->sa_family != family) return false;
    *out = (struct net_addr){0};
    if (family == AF_INET) {
        uint8_t ip[4];
        memcpy(ip, &((const struct sockaddr_in *)s)->sin_addr, sizeof ip);
        net_addr_set_v4(out, ip, 0);
        return ip[0] != 169 || ip[1] != 254;
    }
    memcpy(out->ip, &((const struct sockaddr_in6 *)s)->sin6_addr, sizeof out->ip);
    return out->ip[0] != 0xfe || (out->ip[1] & 0xc0) != 0x80;
}

static unsigned collect(const struct ifaddrs *all, int family, bool loopback, struct net_addr *out,
                        unsigned max)
{
    unsigned n = 0;
    for (const struct ifaddrs *i = all; i && n < max; i = i->ifa_next) {
        if (!(i->ifa_flags & IFF_UP) || loopback != !!(i->ifa_flags & IFF_LOOPBACK)) continue;
        if (read_addr(i->ifa_addr, family, &out[n])) n++;
    }
    return n;
}

unsigned local_addrs(struct net_addr *out, unsigned max)
{
    struct ifaddrs *all = NULL;
    unsigned n = 0;
    if (getifaddrs(&all) != 0) return 0;
    for (int loopback = 0; loopback < 2 && n == 0; loopback++) {
        n = collect(all, AF_INET, loopback, out, max);
        n += collect(all, AF_INET6, loopback, out + n, max - n);
    }
    freeifaddrs(all);
    return n;
}
