/* SPDX-License-Identifier: MIT */
/* io/peer_count.h - how many connections an address has open, so that one client cannot take every
 * descriptor. Any thread.
 *
 * A fixed table of counters under a keyed hash: bounded memory, no lock. Two addresses may share a
 * counter; an attacker cannot choose which. IPv6 addresses count by their /64. Loopback is not
 * counted: a proxy in front of us comes from there. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define PEER_UNCOUNTED UINT32_MAX

/* Takes a place for the address. False: it has LIMIT_CONNECTIONS_PER_IP already. *slot is for
 * peer_count_leave(). */
bool peer_count_enter(const struct sockaddr_storage *addr, uint32_t *slot);
void peer_count_leave(uint32_t slot);
