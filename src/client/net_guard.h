/* SPDX-License-Identifier: MIT */
/* client/net_guard.h - which addresses the server may be sent to by what a client wrote.
 *
 * An address of a webhook or a media file comes from outside, and the server stands where its
 * client does not: it reaches the loopback interface, the private network, a cloud's metadata. What
 * is public is said by IANA's registries of special-purpose addresses (RFC 6890, and its updates
 * for IPv4 and IPv6); everything else is refused. Pure; any thread. */
#pragma once
#include "base/net_addr.h"
#include <sys/socket.h>

/* An address of the public Internet, unicast. What carries an IPv4 address within (mapped, NAT64)
 * counts as that one. */
bool net_guard_is_public(const struct net_addr *a);
/* The same of what a resolver answered; false for other families. */
bool net_guard_sockaddr_is_public(const struct sockaddr *sa, socklen_t len);
