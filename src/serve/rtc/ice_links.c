/* SPDX-License-Identifier: MIT */
/* STUN and TURN servers for clients. TURN's credentials are made anew each time, in the way that
 * coturn calls use-auth-secret: the name says when it ends, the password is its HMAC. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "serve/rtc/rtc_priv.h"
#include <inttypes.h>
#include <stdio.h>

static bool is_turn(struct span url)
{
    return span_starts(url, "turn:") || span_starts(url, "turns:");
}

/* What stands between < and > of a Link, and is not cut at a comma. */
static bool is_server(struct span url)
{
    if (!is_turn(url) && !span_starts(url, "stun:") && !span_starts(url, "stuns:")) return false;
    for (size_t i = 0; i < url.len; i++)
        if (url.p[i] <= ' ' || url.p[i] >= 127 || strchr("<>\"\\;", url.p[i])) return false;
    return true;
}

enum err rtc_ice_links_open(struct rtc_service *s, char *problem, size_t cap)
{
    struct span rest = span_str(s->cfg.ice_servers ? s->cfg.ice_servers : "");
    const bool secret = s->cfg.turn_secret && s->cfg.turn_secret[0];
    while (rest.len) {
        const struct span url = span_trim(span_cut(&rest, ','));
        const char *why = !is_server(url)           ? "is not a stun: or turn: URL"
                          : is_turn(url) && !secret ? "needs --turn-secret"
                          : s->n_ice_servers == LIMIT_RTC_ICE_SERVERS ? "is one too many"
                                                                      : NULL;
        if (why) {
            snprintf(problem, cap, "the ICE server '%.*s' %s", (int)url.len, (const char *)url.p,
                     why);
            return E_INVALID;
        }
        s->ice_servers[s->n_ice_servers++] = url;
    }
    return E_OK;
}

static void add_credentials(const struct rtc_service *s, struct str *out)
{
    char id[9], name[40], password[HASH_B64_LEN(SHA1_LEN)];
    uint8_t digest[SHA1_LEN];
    rand_id(id, 8);
    snprintf(name, sizeof name, "%" PRId64 ":%s",
             clock_wall_us() / US_PER_SEC + (int64_t)s->cfg.turn_ttl_s, id);
    hash_hmac_sha1(span_str(s->cfg.turn_secret), span_str(name), digest);
    hash_b64(span_of(digest, sizeof digest), password);
    str_addf(out, "; username=\"%s\"; credential=\"%s\"; credential-type=\"password\"", name,
             password);
}

void rtc_ice_links_init(struct rtc_ice_links *k, const struct rtc_service *s, bool turn)
{
    *k = (struct rtc_ice_links){0};
    for (unsigned i = 0; i < s->n_ice_servers; i++) {
        const struct span url = s->ice_servers[i];
        struct str *t = &k->text[k->n];
        if (is_turn(url) && !turn) continue;
        str_addf(t, "<%.*s>; rel=\"ice-server\"", (int)url.len, (const char *)url.p);
        if (is_turn(url)) add_credentials(s, t);
        k->h[k->n++] = (struct http_header){"link", str_c(t)};
    }
}

void rtc_ice_links_fini(struct rtc_ice_links *k)
{
    for (size_t i = 0; i < k->n; i++) str_fini(&k->text[i]);
}
