/* SPDX-License-Identifier: MIT */
#include "video/webhook_body.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include <stdio.h>

void webhook_sign(struct span secret, int64_t now_s, struct span body,
                  char out[WEBHOOK_SIGNATURE_CAP])
{
    uint8_t mac[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1];
    struct str text = {0};
    str_addf(&text, "%lld.", (long long)now_s);
    str_add(&text, body);
    hash_hmac_sha256(secret, str_span(&text), mac);
    str_fini(&text);
    hash_hex(span_of(mac, sizeof mac), hex);
    snprintf(out, WEBHOOK_SIGNATURE_CAP, "t=%lld,v1=%s", (long long)now_s, hex);
}

/* --- texts ------------------------------------------------------------------------------------ */

/* The length of the character that begins here; 0: none does. RFC 3629. */
static size_t utf8_len(const uint8_t *p, size_t left)
{
    const uint8_t c = p[0];
    const size_t n = c < 0x80                ? 1
                     : c >= 0xc2 && c < 0xe0 ? 2
                     : c >= 0xe0 && c < 0xf0 ? 3
                     : c >= 0xf0 && c < 0xf5 ? 4
                                             : 0;
    if (!n || n > left) return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f)) return 0; /* long; surrogates */
    if ((c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f)) return 0;
    return n;
}

void webhook_clean(struct span in, struct str *out)
{
    for (size_t i = 0; i < in.len;) {
        const size_t n = utf8_len(in.p + i, in.len - i);
        const bool plain = n > 1 || (n == 1 && ((in.p[i] >= 0x20 && in.p[i] != 0x7f) ||
                                                in.p[i] == '\n' || in.p[i] == '\t'));
        if (plain)
            str_add(out, span_of(in.p + i, n));
        else if (in.p[i] != '\r')
            str_addc(out, '?');
        i += n ? n : 1;
    }
}

/* Ours and our clients' texts: UTF-8 already. */
static void add_text(struct str *out, const char *name, const char *text)
{
    str_addf(out, "\"%s\":\"", name);
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            str_addf(out, "\\%c", *p);
        else if ((uint8_t)*p < 0x20)
            str_addf(out, "\\u%04x", (unsigned)*p);
        else
            str_addc(out, *p);
    }
    str_addc(out, '"');
}

/* "2026-01-02T03:04:05.678901Z" */
static void add_time(struct str *out, int64_t us)
{
    char iso[CLOCK_ISO_LEN];
    clock_iso(us, iso);
    str_addf(out, "\"created_at\":\"%.19s.%06dZ\"", iso, (int)(us % US_PER_SEC));
}

/* --- the envelope ----------------------------------------------------------------------------- */

static enum err add_attempts(struct db *db, const char *delivery_id, int attempts, struct str *out)
{
    const int64_t max =
        attempts < LIMIT_WEBHOOK_ATTEMPTS_TOLD ? attempts : LIMIT_WEBHOOK_ATTEMPTS_TOLD;
    struct db_rows *q = db_query(
        db,
        "SELECT a.at, a.status, w.id, w.address FROM webhook_attempts a"
        " JOIN webhook_deliveries d ON d.id = a.delivery_id JOIN webhooks w ON w.id = d.webhook_id"
        " WHERE a.delivery_id = ?1 ORDER BY a.at LIMIT ?2",
        "si", delivery_id, max);
    for (int n = 1; db_next(q); n++) {
        str_adds(out, n > 1 ? ",{" : "{");
        str_addf(out, "\"id\":\"%s.%d\",", delivery_id, n);
        add_text(out, "webhook_id", db_text(q, 2));
        str_addc(out, ',');
        add_text(out, "address", db_text(q, 3));
        str_addf(out, ",\"response_status_code\":%lld,\"response_headers\":{},",
                 (long long)db_int(q, 1));
        str_adds(out, "\"response_body\":null,");
        add_time(out, db_int(q, 0));
        str_addc(out, '}');
    }
    return db_done(q);
}

static void add_event(struct db_rows *q, struct str *out)
{
    str_addc(out, '{');
    add_text(out, "type", db_text(q, 1));
    str_addc(out, ',');
    add_text(out, "id", db_text(q, 0));
    str_addc(out, ',');
    add_time(out, db_int(q, 6));
    str_adds(out, ",\"object\":{");
    add_text(out, "type", db_text(q, 3));
    str_addc(out, ',');
    add_text(out, "id", db_text(q, 4));
    str_adds(out, "},\"environment\":{");
    add_text(out, "name", WEBHOOK_ENVIRONMENT);
    str_addc(out, ',');
    add_text(out, "id", db_text(q, 2));
    str_addf(out,
             "},\"data\":%s,\"request_id\":null,\"accessor\":null,\"accessor_source\":null,"
             "\"attempts\":[",
             db_text(q, 5));
}

enum err webhook_body_write(struct db *db, const char *delivery_id, int attempts, struct str *out)
{
    struct str body = {0};
    struct db_rows *q = db_query(
        db,
        "SELECT e.id, e.type, e.user_id, e.object_type, e.object_id, e.data, e.created_at"
        " FROM webhook_deliveries d JOIN media_events e ON e.id = d.event_id WHERE d.id = ?1",
        "s", delivery_id);
    const bool found = db_next(q);
    if (found) add_event(q, &body);
    enum err e = db_done(q);
    if (e == E_OK && !found) e = E_NOTFOUND;
    if (e == E_OK) e = add_attempts(db, delivery_id, attempts, &body);
    str_adds(&body, "]}");
    if (e == E_OK) str_add(out, str_span(&body));
    str_fini(&body);
    return e;
}
