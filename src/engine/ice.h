/* SPDX-License-Identifier: MIT */
/* engine/ice.h - ICE-lite: answers checks, learns from them where the peer is, notices its silence.
 *
 * Sources: RFC 8445 (2.5, 6.1.1, 7.3: the lite agent), RFC 7675 (consent). No I/O and no clock.
 * One agent for one transport; embedded by value; one thread.
 *
 * The peer is always controlling. An address may be sent to, and may begin a DTLS handshake, only
 * after a check from it that carried both passwords' proof; it may carry media when the peer
 * nominated it. A restart (new passwords) keeps the old ones until a check with the new ones came,
 * and the old path until something is nominated. When the path has been silent while another pair
 * is checked (a NAT that forgot, a TCP connection that broke), media follows the one that lives.
 */
#pragma once
#include "base/limits.h"
#include "wire/stun.h"

#define ICE_UFRAG_LEN 8
#define ICE_PWD_LEN   24
#define ICE_PAIRS     8 /* addresses of the peer that are remembered; the oldest gives way */

struct ice_creds {
    char ufrag[ICE_UFRAG_LEN + 1], pwd[ICE_PWD_LEN + 1]; /* ours */
    char peer_ufrag[LIMIT_ICE_CRED_BYTES + 1];
};

/* How something came, and so how to answer it. */
struct ice_via {
    struct net_addr peer, local; /* local: our address that it came to */
    uint32_t link;               /* 0: a datagram; else the caller's number of a TCP connection */
};

struct ice_pair {
    struct ice_via via;
    uint32_t priority;
    int64_t seen_us; /* the last valid check; 0: a free place */
};

struct ice {
    struct ice_creds now, next; /* next.ufrag empty: no restart is under way */
    struct ice_pair pairs[ICE_PAIRS];
    int chosen;                 /* index of the pair that carries media; -1: none */
    bool began;                 /* something has been nominated since the beginning */
    bool renominate;            /* restarted: the next nomination wins, whatever was before */
    int64_t begun_us, heard_us; /* the beginning; the last valid check, 0: none yet */
};

/* `ufrag` and `pwd` are ours, random (ICE_*_LEN characters). */
void ice_init(struct ice *a, const char *ufrag, const char *pwd, struct span peer_ufrag,
              int64_t now_us);
/* E_CONFLICT: the peer's fragment is the one it has: no restart. */
enum err ice_restart(struct ice *a, const char *ufrag, const char *pwd,
                     struct span peer_ufrag) WARN_UNUSED;

/* A STUN message. E_OK: the answer is in `reply` (room for ICE_REPLY_MAX).
 * E_NOTFOUND: nothing to answer. Others: not for this agent or not authentic; silence is the
 * answer. */
#define ICE_REPLY_MAX 256
enum err ice_feed(struct ice *a, struct span in, const struct ice_via *via, int64_t now_us,
                  struct wr *reply) WARN_UNUSED;

/* Whether a check that came this way has been answered. Of datagrams, our own address is no matter:
 * whoever proved itself from there may write to any of ours. */
bool ice_knows(const struct ice *a, const struct ice_via *via);
/* Where to send media; NULL: nothing has been nominated yet. */
const struct ice_via *ice_path(const struct ice *a);
/* Authentic media came this way. They keep the session and the path as a check does: a full agent
 * may let its checks rest while media flow, as pion's do. */
void ice_heard(struct ice *a, const struct ice_via *via, int64_t now_us);
/* The TCP connection is gone. */
void ice_drop_link(struct ice *a, uint32_t link);
/* When the peer counts as gone unless a check comes before. */
int64_t ice_deadline_us(const struct ice *a);

/* For the demultiplexer: our fragment out of a check's USERNAME ("ours:theirs"). */
struct span ice_local_ufrag(struct span username);
