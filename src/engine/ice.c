/* SPDX-License-Identifier: MIT */
#include "engine/ice.h"
#include "base/clock.h"

#define FRESH_US (5 * US_PER_SEC) /* a nominated pair with a check this young is alive */
/* Consent is asked for every 6 seconds at the longest (RFC 7675, 5.1): twice not heard is lost. */
#define LOST_US (12 * US_PER_SEC)

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

static bool same_way(const struct ice_via *a, const struct ice_via *b)
{
    return a->link == b->link && net_addr_eq(&a->peer, &b->peer);
}

/* The pair's place, or the one that was silent longest; never the chosen one. */
static int pair_of(const struct ice *a, const struct ice_via *via)
{
    int oldest = -1;
    for (int i = 0; i < ICE_PAIRS; i++) {
        const struct ice_pair *p = &a->pairs[i];
        if (p->seen_us && same_way(&p->via, via) && net_addr_eq(&p->via.local, &via->local))
            return i;
        if (i == a->chosen) continue;
        if (oldest < 0 || p->seen_us < a->pairs[oldest].seen_us) oldest = i;
    }
    return oldest;
}

static bool path_silent(const struct ice *a, int64_t us, int64_t now_us)
{
    return a->chosen < 0 || now_us - a->pairs[a->chosen].seen_us >= us;
}

/* A peer that nominates aggressively names every pair: the best of those that live is kept. One
 * that changes its mind stops checking the old pair, or names a better one. */
static void nominate(struct ice *a, int i, int64_t now_us)
{
    if (a->chosen >= 0 && i != a->chosen && !a->renominate && !path_silent(a, FRESH_US, now_us) &&
        a->pairs[i].priority < a->pairs[a->chosen].priority)
        return;
    a->chosen = i;
    a->began = true;
    a->renominate = false;
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

enum err ice_feed(struct ice *a, struct span in, const struct ice_via *via, int64_t now_us,
                  struct wr *reply)
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
        a->renominate = true; /* until then media goes where it went */
    }
    const int i = pair_of(a, via);
    a->heard_us = now_us ? now_us : 1;
    a->pairs[i] = (struct ice_pair){*via, m.priority, a->heard_us};
    if (m.use_candidate || (a->began && i != a->chosen && path_silent(a, LOST_US, now_us)))
        nominate(a, i, now_us);
    begin_reply(reply, STUN_SUCCESS, &m);
    stun_put_mapped(reply, &via->peer);
    stun_end(reply, span_str(a->now.pwd));
    return E_OK;
}

bool ice_knows(const struct ice *a, const struct ice_via *via)
{
    for (int i = 0; i < ICE_PAIRS; i++)
        if (a->pairs[i].seen_us && same_way(&a->pairs[i].via, via)) return true;
    return false;
}

void ice_heard(struct ice *a, const struct ice_via *via, int64_t now_us)
{
    for (int i = 0; i < ICE_PAIRS; i++)
        if (a->pairs[i].seen_us && same_way(&a->pairs[i].via, via))
            a->heard_us = a->pairs[i].seen_us = now_us;
}

const struct ice_via *ice_path(const struct ice *a)
{
    return a->chosen >= 0 ? &a->pairs[a->chosen].via : NULL;
}

void ice_drop_link(struct ice *a, uint32_t link)
{
    for (int i = 0; i < ICE_PAIRS; i++) {
        if (!a->pairs[i].seen_us || a->pairs[i].via.link != link) continue;
        a->pairs[i] = (struct ice_pair){0};
        if (i == a->chosen) a->chosen = -1;
    }
}

int64_t ice_deadline_us(const struct ice *a)
{
    return a->heard_us ? a->heard_us + LIMIT_ICE_CONSENT_MS * US_PER_MS
                       : a->begun_us + LIMIT_ICE_FIRST_MS * US_PER_MS;
}
