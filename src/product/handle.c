/* SPDX-License-Identifier: MIT */
#include "product/handle.h"
#include "base/clock.h"
#include "base/fold.h"
#include "base/rand.h"
#include "product/text.h"
#include <stdio.h>

/* Sorted by meaning: parts of addresses; people who speak for the server. */
static const char *const RESERVED[] = {
    "api",      "app",       "assets",     "dashboard", "embed",        "events",  "feed",
    "feeds",    "health",    "healthz",    "help",      "hls",          "home",    "icons",
    "live",     "lobby",     "login",      "logout",    "metrics",      "oembed",  "oidc",
    "page",     "playback",  "ready",      "readyz",    "register",     "robots",  "rtmp",
    "search",   "settings",  "signin",     "signup",    "sitemap",      "static",  "stream",
    "streams",  "system",    "upload",     "user",      "users",        "video",   "webhook",
    "webhooks", "whep",      "whip",       "about",     "abuse",        "account", "admin",
    "all",      "bspnode",   "everyone",   "here",      "host",         "me",      "mod",
    "mods",     "moderator", "moderators", "none",      "nobody",       "null",    "official",
    "operator", "owner",     "postmaster", "root",      "security",     "server",  "staff",
    "support",  "team",      "undefined",  "webmaster", "administrator"};

static bool is_reserved(const char *handle)
{
    for (size_t i = 0; i < sizeof RESERVED / sizeof *RESERVED; i++)
        if (strcmp(handle, RESERVED[i]) == 0) return true;
    return false;
}

static bool letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_well_formed(const char *s)
{
    size_t n = 0;
    for (; s[n]; n++)
        if (n == LIMIT_HANDLE_CHARS || (!letter_or_digit(s[n]) && s[n] != '_')) return false;
    return n >= LIMIT_HANDLE_MIN && letter_or_digit(s[0]);
}

static bool lower(struct span typed, char out[HANDLE_CAP])
{
    typed = span_trim(typed);
    if (typed.len && typed.p[0] == '@') typed = span_skip(typed, 1);
    if (!span_cstr(typed, out, HANDLE_CAP)) return false;
    for (char *c = out; *c; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 32);
    return is_well_formed(out);
}

bool handle_parse(const char *typed, char out[HANDLE_CAP])
{
    return lower(span_str(typed), out);
}

enum err handle_check(struct span typed, char out[HANDLE_CAP], struct problem *p)
{
    if (!lower(typed, out))
        return problem_set(p, E_INVALID, "invalid", "handle",
                           "This must be %d to %d letters (a to z), digits or underscores, and "
                           "begin with a letter or digit.",
                           LIMIT_HANDLE_MIN, LIMIT_HANDLE_CHARS);
    if (is_reserved(out))
        return problem_set(p, E_INVALID, "reserved", "handle", "This name is kept for the server.");
    return E_OK;
}

/* One character of a name (valid UTF-8) and how many bytes it has; 0: it has no letter here. */
static char plain_letter(const char *at, size_t *bytes)
{
    const unsigned char b = (unsigned char)at[0];
    *bytes = strnlen(at, b < 0x80 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4);
    const uint32_t c = *bytes == 2 ? (b & 31u) << 6 | ((unsigned char)at[1] & 63u) : b;
    const uint32_t plain = *bytes > 2 ? 0 : fold_code(c);
    if (plain < 0x80 && letter_or_digit((char)plain)) return (char)plain;
    return b <= ' ' || (b < 0x80 && strchr("-_.,/+&|", b)) ? '_' : 0;
}

/* Numbers are put behind a name: room is left for them. */
#define NAME_CHARS (LIMIT_HANDLE_CHARS - 5)

void handle_of_name(const char *name, char out[HANDLE_CAP])
{
    size_t n = 0, bytes;
    for (; *name && n < NAME_CHARS; name += bytes) {
        const char c = plain_letter(name, &bytes);
        if (!c || (c == '_' && (n == 0 || out[n - 1] == '_'))) continue;
        out[n++] = c;
    }
    while (n && out[n - 1] == '_') n--;
    out[n] = 0;
    if (n == 0)
        snprintf(out, HANDLE_CAP, "somebody");
    else if (n < LIMIT_HANDLE_MIN)
        memcpy(out + n, "_tv", 4);
    if (is_reserved(out)) memcpy(out + n, "_tv", 4);
}

static enum err taken(struct db *db, const char *handle, bool *out)
{
    struct db_rows *q = db_query(db, "SELECT 1 FROM users WHERE handle = ?1", "s", handle);
    *out = db_next(q);
    return db_done(q);
}

/* ada, ada2 ... ada9, then by chance, so that a thousand Adas do not each count the others. */
static void numbered(const char *base, unsigned tries, char out[HANDLE_CAP])
{
    uint8_t r[2];
    rand_bytes(r, sizeof r);
    const unsigned number = tries < 9 ? tries + 1 : 10000 + (r[0] | (unsigned)r[1] << 8);
    if (tries == 0)
        memcpy(out, base, HANDLE_CAP);
    else
        snprintf(out, HANDLE_CAP, "%.*s%u", NAME_CHARS, base, number);
}

enum err handle_give(struct db *db, const char *user_id, const char *name, char out[HANDLE_CAP])
{
    char base[HANDLE_CAP] = "", handle[HANDLE_CAP];
    bool is_taken = true;
    enum err e = E_OK;
    handle_of_name(name, base);
    for (unsigned tries = 0; is_taken && e == E_OK; tries++) {
        if (tries == LIMIT_HANDLE_TRIES) return E_CONFLICT;
        numbered(base, tries, handle);
        e = taken(db, handle, &is_taken);
    }
    if (e == E_OK)
        e = db_exec(db, "UPDATE users SET handle = ?2 WHERE id = ?1 AND handle IS NULL", "ss",
                    user_id, handle);
    if (e == E_OK) memcpy(out, handle, HANDLE_CAP);
    return e;
}

/* E_NOTFOUND: nobody is without one. */
static enum err give_next(struct db *db)
{
    char id[64], name[TEXT_CAP(LIMIT_NAME_CHARS)], handle[HANDLE_CAP];
    struct db_rows *q = db_query(db, "SELECT id, name FROM users WHERE handle IS NULL LIMIT 1", "");
    const bool found = db_next(q);
    if (found) {
        snprintf(id, sizeof id, "%s", db_text(q, 0));
        snprintf(name, sizeof name, "%s", db_text(q, 1));
    }
    const enum err e = db_done(q);
    if (e != E_OK) return e;
    return found ? handle_give(db, id, name, handle) : E_NOTFOUND;
}

enum err handle_give_all(struct db *db)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    while (e == E_OK) e = give_next(db);
    if (e == E_NOTFOUND) return db_commit(db);
    db_rollback(db);
    return e;
}

enum err handle_change(struct db *db, const char *user_id, struct span typed, struct problem *p)
{
    char handle[HANDLE_CAP];
    enum err e = handle_check(typed, handle, p);
    if (e != E_OK) return e;
    e = db_exec(db, "UPDATE users SET handle = ?2, updated_at = ?3 WHERE id = ?1", "ssi", user_id,
                handle, clock_wall_us());
    if (e == E_CONFLICT)
        return problem_set(p, e, "handle_taken", "handle", "Somebody has this name already.");
    return problem_of(p, e);
}
