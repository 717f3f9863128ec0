/* SPDX-License-Identifier: MIT */
#include "engine/ice.h"
#include "base/clock.h"

#define FRESH_US (5 * US_PER_SEC) /* a nominated pair with a check this young is alive */

enum { ROLE_CONFLICT = 487, UNKNOWN_ATTRIBUTE = 420 };

static void set_creds(struct ice_creds *c, const char *ufrag, const char *pwd, struct span peer)
{
    *c = (struct ice_creds){0};
    (void)span_cstr(span_str(ufrag), c->ufrag, sizeof c->ufrag);
    (void)span_cstr(span_str(pwd), c->pwd, sizeof c->pwd);
    (void)span_cstr(peer, c->peer_ufrag, sizeof c->peer_ufrag);
}

void ice_init(struct ice *a, const char *ufrag, const char *pwd, struct span peer_ufrag,
              int64_t now_us)
{
    *a = (struct ice){.chosen = -1, .begun_us = now_us};
    set_creds(&a->now, ufrag, pwd, peer_ufrag);
}

enum err ice_restart(struct ice *a, const char *ufrag, const char *pwd, struct span peer_ufrag)
{
    if (span_is(peer_ufrag, a->now.peer_ufrag)) return E_CONFLICT;
    set_creds(&a->next, ufrag, pwd, peer_ufrag);
    return E_OK;
}

struct span ice_local_ufrag(struct span username)
{
    return span_cut(&username, ':');
}

static bool names(const struct ice_creds *c, struct span username)
{
    const struct span local = span_cut(&username, ':');
    return c->ufrag[0] && span_is(local, c->ufrag) && span_is(username, c->peer_ufrag);
}

static const struct ice_creds *creds_of(const struct ice *a, struct span username)
{
    return names(&a->now, username) ? &a->now : names(&a->next, username) ? &a->next : NULL;
}

/* The peer's place, or the one that was silent longest; never the chosen one. */
static int pair_of(const struct ice *a, const struct net_addr *peer)
{
    int oldest = -1;
    for (int i = 0; i < ICE_PAIRS; i++) {
        if (a->pairs[i].seen_us && net_addr_eq(&a->pairs[i].peer, peer)) return i;
        if (i == a->chosen) continue;
        if (oldest < 0 || a->pairs[i].seen_us < a->pairs[oldest].seen_us) oldest = i;
    }
    return oldest;
}

/* A peer that nominates aggressively names every pair: the best of those that live is kept. One
 * that changes its mind stops checking the old pair, or names a better one. */
static void nominate(struct ice *a, int i, int64_t now_us)
{
    if (a->chosen >= 0 && i != a->chosen) {
        const struct ice_pair *old = &a->pairs[a->chosen];
        if (a->pairs[i].priority < old->priority && now_us - old->seen_us < FRESH_US) return;
    }
    a->chosen = i;
}

static void begin_reply(struct wr *w, enum stun_class kind, const struct stun_msg *m)
{
    stun_begin(w, kind, STUN_BINDING, m->tid);
}

static void refuse(struct wr *w, const struct stun_msg *m, struct span key)
{
    uint8_t types[2 * STUN_UNKNOWN_MAX];
    struct wr t = wr_to(types, sizeof types);
    begin_reply(w, STUN_ERROR, m);
    if (m->n_unknown) {
        for (unsigned i = 0; i < m->n_unknown; i++) wr_u16be(&t, m->unknown[i]);
        stun_put_error(w, UNKNOWN_ATTRIBUTE, "Unknown Attribute");
        stun_put(w, STUN_UNKNOWN_ATTRIBUTES, wr_span(&t));
    } else {
        stun_put_error(w, ROLE_CONFLICT, "Role Conflict");
    }
    stun_end(w, key);
}

enum err ice_feed(struct ice *a, struct span in, const struct net_addr *peer,
                  const struct net_addr *local, int64_t now_us, struct wr *reply)
{
    struct stun_msg m;
    const enum err e = stun_parse(in, &m);
    if (e != E_OK) return E_PROTO;
    if (m.method != STUN_BINDING || m.kind != STUN_REQUEST) return E_NOTFOUND;
    const struct ice_creds *c = creds_of(a, m.username);
    if (!c) return E_NOTFOUND;
    const struct span key = span_str(c->pwd);
    if (!stun_integrity_ok(in, &m, key)) return E_AUTH;
    if (m.n_unknown || m.controlled) {
        refuse(reply, &m, key);
        return E_OK;
    }
    if (c == &a->next) {
        a->now = a->next;
        a->next = (struct ice_creds){0};
        a->chosen = -1; /* the peer nominates anew; until then there is nowhere to send */
    }
    const int i = pair_of(a, peer);
    a->pairs[i] = (struct ice_pair){*peer, *local, m.priority, now_us ? now_us : 1};
    if (m.use_candidate) nominate(a, i, now_us);
    begin_reply(reply, STUN_SUCCESS, &m);
    stun_put_mapped(reply, peer);
    stun_end(reply, span_str(a->now.pwd));
    return E_OK;
}

bool ice_knows(const struct ice *a, const struct net_addr *peer)
{
    for (int i = 0; i < ICE_PAIRS; i++)
        if (a->pairs[i].seen_us && net_addr_eq(&a->pairs[i].peer, peer)) return true;
    return false;
}

const struct ice_pair *ice_path(const struct ice *a)
{
    return a->chosen >= 0 ? &a->pairs[a->chosen] : NULL;
}

int64_t ice_deadline_us(const struct ice *a)
{
    int64_t last = 0;
    for (int i = 0; i < ICE_PAIRS; i++)
        if (a->pairs[i].seen_us > last) last = a->pairs[i].seen_us;
    return last ? last + LIMIT_ICE_CONSENT_MS * US_PER_MS
                : a->begun_us + LIMIT_ICE_FIRST_MS * US_PER_MS;
}
