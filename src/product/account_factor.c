/* SPDX-License-Identifier: MIT */
#include "product/account_factor.h"
#include "base/clock.h"
#include "base/rand.h"
#include <stdio.h>

/* Without what is read as another: 0 and O, 1, I and L. */
static const char LETTERS[] = "abcdefghjkmnpqrstuvwxyz23456789";
enum { HALF = 5, HEX_CAP = 2 * SHA256_LEN + 1, ROW_CAP = ID_CAP + 8 };

static const char WRONG[] = "This code is wrong, or was used already.";

/* What the sealed key is bound to. */
static void row_name(const char *user_id, char out[ROW_CAP])
{
    snprintf(out, ROW_CAP, "totp %s", user_id);
}

enum err factor_state(struct db *db, const char *user_id, struct factor_state *out)
{
    struct factor_state st = {0};
    struct db_rows *q = db_query(
        db,
        "SELECT confirmed_at, (SELECT COUNT(*) FROM recovery_codes r WHERE r.user_id = f.user_id)"
        " FROM second_factors f WHERE user_id = ?1 AND confirmed_at IS NOT NULL",
        "s", user_id);
    if (db_next(q)) st = (struct factor_state){true, db_int(q, 0), db_int(q, 1)};
    const enum err e = db_done(q);
    if (e == E_OK) *out = st;
    return e;
}

/* --- the app's key ---------------------------------------------------------------------------- */

struct key {
    uint8_t bytes[TOTP_KEY_LEN];
    uint64_t last_step;
};

/* E_NOTFOUND: there is none in this state. E_AUTH: another secret.key. */
static enum err key_load(struct db *db, const struct secret *s, const char *user_id, bool confirmed,
                         struct key *out)
{
    char row[ROW_CAP], text[FACTOR_KEY_CAP] = "";
    enum err e = E_NOTFOUND;
    row_name(user_id, row);
    struct db_rows *q = db_query(db,
                                 "SELECT secret_sealed, last_step FROM second_factors WHERE "
                                 "user_id = ?1 AND (confirmed_at IS NOT NULL) = ?2",
                                 "si", user_id, (int64_t)confirmed);
    if (db_next(q)) {
        e = seal_open(s, row, db_blob(q, 0), text, sizeof text);
        out->last_step = (uint64_t)db_int(q, 1);
    }
    const enum err done = db_done(q);
    if (done != E_OK) return done;
    if (e == E_OK && !base32_bytes(span_str(text), out->bytes, sizeof out->bytes)) e = E_AUTH;
    explicit_bzero(text, sizeof text);
    return e;
}

static bool key_finds(const struct key *k, struct span code, uint64_t *step)
{
    const uint64_t now_s = (uint64_t)(clock_wall_us() / US_PER_SEC);
    return totp_find(span_of(k->bytes, sizeof k->bytes), code, now_s, k->last_step, step);
}

enum err factor_begin(struct db *db, const struct secret *s, const char *user_id,
                      char key[FACTOR_KEY_CAP], struct problem *p)
{
    uint8_t random[TOTP_KEY_LEN];
    char row[ROW_CAP], text[FACTOR_KEY_CAP];
    struct sealed sealed;
    rand_bytes(random, sizeof random);
    base32_text(span_of(random, sizeof random), text);
    row_name(user_id, row);
    seal_text(s, row, text, &sealed);
    const enum err e =
        db_exec(db,
                "INSERT INTO second_factors (user_id, secret_sealed, created_at) "
                "VALUES (?1, ?2, ?3) ON CONFLICT (user_id) DO UPDATE SET "
                "secret_sealed = excluded.secret_sealed, created_at = excluded.created_at, "
                "last_step = 0 WHERE second_factors.confirmed_at IS NULL",
                "sbi", user_id, span_of(sealed.bytes, sealed.len), clock_wall_us());
    if (e == E_OK && db_changes(db) == 0)
        return problem_set(p, E_CONFLICT, "totp_on", NULL,
                           "The second factor is on already; turn it off first.");
    if (e == E_OK) memcpy(key, text, FACTOR_KEY_CAP);
    explicit_bzero(text, sizeof text);
    return problem_of(p, e);
}

/* --- codes for recovery ----------------------------------------------------------------------- */

static void recovery_make(char out[FACTOR_RECOVERY_CAP])
{
    for (unsigned i = 0; i < 2 * HALF + 1; i++) {
        uint8_t b;
        do rand_bytes(&b, 1);
        while (b >= 256 / (sizeof LETTERS - 1) * (sizeof LETTERS - 1));
        out[i] = i == HALF ? '-' : LETTERS[b % (sizeof LETTERS - 1)];
    }
    out[2 * HALF + 1] = 0;
}

/* As people write it down: in any case, with blanks, without the dash. "" when it is none. */
static void recovery_plain(struct span code, char out[FACTOR_RECOVERY_CAP])
{
    size_t n = 0;
    for (size_t i = 0; i < code.len; i++) {
        const int c = code.p[i] >= 'A' && code.p[i] <= 'Z' ? code.p[i] + 32 : code.p[i];
        if (c == ' ' || c == '-') continue;
        if (!c || !strchr(LETTERS, c) || n == 2 * HALF) {
            n = 0;
            break;
        }
        out[n++] = (char)c;
    }
    out[n == 2 * HALF ? n : 0] = 0;
}

static void recovery_hash(const struct secret *s, const char *user_id, const char *plain,
                          char hex[HEX_CAP])
{
    uint8_t key[SECRET_LEN], mac[SHA256_LEN];
    char text[ID_CAP + FACTOR_RECOVERY_CAP + 1];
    snprintf(text, sizeof text, "%s %s", user_id, plain);
    secret_derive(s, "recovery-code", key);
    hash_hmac_sha256(span_of(key, sizeof key), span_str(text), mac);
    hash_hex(span_of(mac, sizeof mac), hex);
    explicit_bzero(key, sizeof key);
}

/* Within a transaction. */
static enum err recovery_put(struct db *db, const struct secret *s, const char *user_id,
                             struct factor_codes *out)
{
    char plain[FACTOR_RECOVERY_CAP], hex[HEX_CAP];
    enum err e = db_exec(db, "DELETE FROM recovery_codes WHERE user_id = ?1", "s", user_id);
    for (unsigned i = 0; i < LIMIT_RECOVERY_CODES && e == E_OK; i++) {
        recovery_make(out->text[i]);
        recovery_plain(span_str(out->text[i]), plain);
        recovery_hash(s, user_id, plain, hex);
        e = db_exec(db, "INSERT INTO recovery_codes (user_id, code_hash) VALUES (?1, ?2)", "ss",
                    user_id, hex);
    }
    return e;
}

static enum err recovery_take(struct db *db, const struct secret *s, const char *user_id,
                              struct span code)
{
    char plain[FACTOR_RECOVERY_CAP], hex[HEX_CAP];
    recovery_plain(code, plain);
    if (!plain[0]) return E_AUTH;
    recovery_hash(s, user_id, plain, hex);
    const enum err e = db_exec(
        db, "DELETE FROM recovery_codes WHERE user_id = ?1 AND code_hash = ?2", "ss", user_id, hex);
    return e == E_OK && db_changes(db) == 0 ? E_AUTH : e;
}

static enum err finish(struct db *db, enum err e)
{
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

/* --- what is asked ---------------------------------------------------------------------------- */

static enum err confirm(struct db *db, const struct secret *s, const char *user_id, uint64_t step,
                        struct factor_codes *out)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = db_exec(db,
                "UPDATE second_factors SET confirmed_at = ?2, last_step = ?3 WHERE user_id = ?1 "
                "AND confirmed_at IS NULL",
                "sii", user_id, clock_wall_us(), (int64_t)step);
    if (e == E_OK && db_changes(db) == 0) e = E_CONFLICT;
    if (e == E_OK) e = recovery_put(db, s, user_id, out);
    return finish(db, e);
}

enum err factor_confirm(struct db *db, const struct secret *s, const char *user_id,
                        struct span code, struct factor_codes *out, struct problem *p)
{
    struct key k;
    uint64_t step;
    enum err e = key_load(db, s, user_id, false, &k);
    if (e == E_NOTFOUND)
        return problem_set(p, E_CONFLICT, "totp_not_begun", NULL,
                           "Begin the set-up of the second factor again.");
    if (e != E_OK) return problem_of(p, e);
    if (!key_finds(&k, code, &step))
        e = problem_set(p, E_INVALID, "wrong_code", "code",
                        "This code is wrong. Is the clock of your device right?");
    if (e == E_OK) e = confirm(db, s, user_id, step, out);
    explicit_bzero(&k, sizeof k);
    return problem_of(p, e);
}

/* The row decides who is first when two come with one code. */
static enum err step_take(struct db *db, const char *user_id, uint64_t step)
{
    const enum err e = db_exec(
        db, "UPDATE second_factors SET last_step = ?2 WHERE user_id = ?1 AND last_step < ?2", "si",
        user_id, (int64_t)step);
    return e == E_OK && db_changes(db) == 0 ? E_AUTH : e;
}

enum err factor_take(struct db *db, const struct secret *s, const char *user_id, struct span code,
                     struct problem *p)
{
    struct key k;
    uint64_t step;
    enum err e = key_load(db, s, user_id, true, &k);
    if (e == E_NOTFOUND) return E_OK;
    /* With another secret.key no code of the app can be told; those for recovery neither. */
    if (e == E_OK)
        e = key_finds(&k, span_trim(code), &step) ? step_take(db, user_id, step) : E_AUTH;
    explicit_bzero(&k, sizeof k);
    if (e == E_AUTH && code.len <= LIMIT_CODE_BYTES) e = recovery_take(db, s, user_id, code);
    if (e == E_AUTH) return problem_set(p, e, "wrong_code", "code", "%s", WRONG);
    return problem_of(p, e);
}

enum err factor_renew_recovery(struct db *db, const struct secret *s, const char *user_id,
                               struct factor_codes *out, struct problem *p)
{
    struct factor_state st;
    enum err e = db_begin(db);
    if (e != E_OK) return problem_of(p, e);
    e = factor_state(db, user_id, &st);
    if (e == E_OK && !st.on)
        e = problem_set(p, E_CONFLICT, "totp_off", NULL, "The second factor is off.");
    if (e == E_OK) e = recovery_put(db, s, user_id, out);
    return problem_of(p, finish(db, e));
}

enum err factor_end(struct db *db, const char *user_id)
{
    enum err e = db_begin(db);
    if (e != E_OK) return e;
    e = db_exec(db, "DELETE FROM second_factors WHERE user_id = ?1", "s", user_id);
    if (e == E_OK) e = db_exec(db, "DELETE FROM recovery_codes WHERE user_id = ?1", "s", user_id);
    return finish(db, e);
}

/* RFC 3986, 2.1. At most `max` bytes of `text`. */
static size_t percent(const char *text, size_t max, char *out)
{
    static const char HEX[] = "0123456789ABCDEF";
    size_t n = 0;
    for (size_t i = 0; i < max && text[i]; i++) {
        const uint8_t c = (uint8_t)text[i];
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || strchr("-._~", c);
        if (plain) {
            out[n++] = (char)c;
        } else {
            out[n++] = '%';
            out[n++] = HEX[c >> 4];
            out[n++] = HEX[c & 15];
        }
    }
    out[n] = 0;
    return n;
}

void factor_uri(const char *issuer, const char *account, const char *key, char out[FACTOR_URI_CAP])
{
    char from[3 * 128 + 1], who[3 * LIMIT_EMAIL_BYTES + 1];
    percent(issuer, 128, from);
    percent(account, LIMIT_EMAIL_BYTES, who);
    snprintf(out, FACTOR_URI_CAP, "otpauth://totp/%s:%s?secret=%s&issuer=%s", from, who, key, from);
}
