/* SPDX-License-Identifier: MIT */
/* io/local_addrs.h - the addresses of this machine that others may reach. For start-up. */
#pragma once
#include "base/net_addr.h"

/* At most `max` addresses of interfaces that are up, IPv4 first, without link-local ones; loopback
 * only when there is nothing else. The port is 0. */
unsigned local_addrs(struct net_addr *out, unsigned max);
