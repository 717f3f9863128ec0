/* SPDX-License-Identifier: MIT */
#include "video/grant.h"
#include <stdio.h>
#include <string.h>

enum { SIG_BYTES = 16 };

static const char *const PREFIX[] = {[GRANT_WATCH] = "bspw-", [GRANT_ENTRY] = "bspe-"};
static uint8_t key[SECRET_LEN];

void grant_init(const struct secret *secret)
{
    secret_derive(secret, "stream-grant", key);
}

/* The stream is signed and not written: a text of one stream is none of another. */
static void sign(struct span body, const char *stream_id, char out[HASH_B64_LEN(SIG_BYTES)])
{
    char text[GRANT_CAP + 80];
    uint8_t mac[SHA256_LEN];
    const int n =
        snprintf(text, sizeof text, "%.*s/%s", (int)body.len, (const char *)body.p, stream_id);
    hash_hmac_sha256(span_of(key, sizeof key),
                     span_of(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1), mac);
    hash_b64url(span_of(mac, SIG_BYTES), out);
}

void grant_write(enum grant_kind kind, const char *stream_id, int64_t epoch, int64_t until_s,
                 char out[GRANT_CAP])
{
    char sig[HASH_B64_LEN(SIG_BYTES)];
    const int n =
        snprintf(out, GRANT_CAP, "%s%lld-%lld", PREFIX[kind], (long long)until_s, (long long)epoch);
    sign(span_of(out, (size_t)n), stream_id, sig);
    snprintf(out + n, GRANT_CAP - (size_t)n, "-%s", sig);
}

bool grant_is(enum grant_kind kind, struct span text)
{
    return span_starts(text, PREFIX[kind]);
}

enum err grant_check(enum grant_kind kind, struct span text, const char *stream_id, int64_t epoch,
                     int64_t now_s)
{
    char sig[HASH_B64_LEN(SIG_BYTES)];
    uint64_t until, of_epoch;
    if (!grant_is(kind, text) || text.len >= GRANT_CAP) return E_AUTH;
    struct span rest = span_skip(text, strlen(PREFIX[kind]));
    const struct span until_text = span_cut(&rest, '-'), epoch_text = span_cut(&rest, '-');
    if (!rest.p || !span_u64(until_text, INT64_MAX, &until) ||
        !span_u64(epoch_text, INT64_MAX, &of_epoch))
        return E_AUTH;
    sign(span_head(text, text.len - rest.len - 1), stream_id, sig);
    if (!hash_equal(span_str(sig), rest) || (int64_t)of_epoch != epoch) return E_AUTH;
    return (int64_t)until <= now_s ? E_TIMEOUT : E_OK;
}
