/* SPDX-License-Identifier: MIT */
/* io/tcp_priv.h - between the listener and the connection. */
#pragma once
#include "io/tcp.h"

/* A connection over a connected (or connecting) non-blocking socket, which it owns from now on, and
 * with it the place in io/peer_count.h. */
struct tcp *tcp_adopt(struct loop *l, int fd, const char *peer, uint32_t slot);

/* What the peer sent before it went away is read also when that is first seen as an error: a
 * process that ends with bytes of ours unread resets its socket. */
void tcp_hear_last_words(struct tcp *c);
