/* SPDX-License-Identifier: MIT */
#include "io/peer_count.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/rand.h"
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define SLOTS 16384

static _Atomic uint32_t counts[SLOTS];
static uint8_t key[16];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_key(void)
{
    rand_bytes(key, sizeof key);
}

/* The bytes that identify the peer, or nothing for loopback and what is no IP address. */
static struct span identity(const struct sockaddr_storage *a)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)a;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)a;
    const uint8_t *p = NULL;
    if (a->ss_family == AF_INET) p = (const uint8_t *)&v4->sin_addr;
    if (a->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        p = &v6->sin6_addr.s6_addr[12];
    if (p) return p[0] == 127 ? SPAN_NULL : span_of(p, 4);
    if (a->ss_family != AF_INET6 || IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr)) return SPAN_NULL;
    return span_of(&v6->sin6_addr, 8);
}

bool peer_count_enter(const struct sockaddr_storage *addr, uint32_t *slot)
{
    const struct span id = identity(addr);
    uint8_t digest[SHA256_LEN];
    *slot = PEER_UNCOUNTED;
    if (!id.len) return true;
    pthread_once(&once, make_key);
    hash_hmac_sha256(span_of(key, sizeof key), id, digest);
    const uint32_t s = ((uint32_t)digest[0] << 8 | digest[1]) % SLOTS;
    if (atomic_fetch_add(&counts[s], 1) >= LIMIT_CONNECTIONS_PER_IP) {
        atomic_fetch_sub(&counts[s], 1);
        return false;
    }
    *slot = s;
    return true;
}

void peer_count_leave(uint32_t slot)
{
    if (slot != PEER_UNCOUNTED) atomic_fetch_sub(&counts[slot], 1);
}
