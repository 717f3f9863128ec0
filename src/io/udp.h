/* SPDX-License-Identifier: MIT */
/* io/udp.h - UDP sockets on loops: datagrams in by the batch, runs of them out by one call.
 *
 * A socket belongs to one loop. Several loops may each open one on the same address: the kernel
 * then gives every peer's datagrams to one of them, always the same. Received datagrams lie in the
 * socket's own buffer, valid and writable (decrypt in place) until the callback returns. Nothing is
 * queued for sending: what the kernel does not take is lost, as the network may lose it too.
 * IPv4 and IPv6 through one socket, IPv4 alone where the machine has no IPv6; answers leave from
 * the address that was asked. */
#pragma once
#include "base/err.h"
#include "base/net_addr.h"
#include "io/loop.h"

struct udp;

struct udp_datagram {
    uint8_t *p;
    size_t len;
    struct net_addr from;
    struct net_addr to; /* our address that it came to; the port is the socket's */
};

/* At most UDP_BATCH datagrams of one read. Closing the socket in it is fine. */
#define UDP_BATCH 512
typedef void udp_read_fn(void *ctx, struct udp_datagram *d, unsigned n);

/* Binds to `at` (all zeros: every address; port 0: any free one). On failure `problem` says why.
 * Reading begins with udp_start(), on the loop's thread. */
enum err udp_open(struct loop *l, const struct net_addr *at, struct udp **out, char *problem,
                  size_t cap) WARN_UNUSED;
void udp_start(struct udp *u, udp_read_fn *fn, void *ctx);
uint16_t udp_port(const struct udp *u);
/* On the loop's thread, or before it runs; no callback afterwards. */
void udp_close(struct udp *u);

/* Sends `bytes` as datagrams of `segment` bytes each, the last one perhaps shorter, in as few calls
 * as the kernel allows (UDP_SEGMENT). `from`: our address, or NULL. False: some were not taken. */
bool udp_send(struct udp *u, const struct net_addr *to, const struct net_addr *from,
              struct span bytes, size_t segment);
