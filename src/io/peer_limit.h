/* SPDX-License-Identifier: MIT */
/* io/peer_limit.h - how often an address may ask, and how many things it may hold at once, so that
 * one client cannot take what is for all. Any thread.
 *
 * Fixed tables under a keyed hash: bounded memory, no lock. Two addresses may share a place; an
 * attacker cannot choose which. IPv6 addresses count by their /64. Loopback is not counted: a proxy
 * in front of us comes from there. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct peer_limit;

/* `burst` times at once, `per_s` times a second after that; `held` things at a time. */
struct peer_limit *peer_limit_new(unsigned burst, unsigned per_s, unsigned held);
void peer_limit_free(struct peer_limit *l);

/* `peer`: an address as text. False: too often; *retry_s is when it may be tried again. */
bool peer_limit_ask(struct peer_limit *l, const char *peer, int64_t now_us, unsigned *retry_s);

#define PEER_LIMIT_NONE UINT32_MAX
/* False: it holds as many as it may. *place is for peer_limit_leave(), once. */
bool peer_limit_enter(struct peer_limit *l, const char *peer, uint32_t *place);
void peer_limit_leave(struct peer_limit *l, uint32_t place); /* PEER_LIMIT_NONE is fine */
