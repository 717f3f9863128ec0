/* SPDX-License-Identifier: MIT */
#include "product/chat_room.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/str.h"
#include "base/xalloc.h"
#include "product/audit.h"
#include "product/chat_priv.h"
#include "product/follow.h"
#include <stdio.h>

const char *const CHAT_MODES[] = {"open", "followers", "off", NULL};
const char *const CHAT_WHYS[] = {NULL,        "off",       "banned", "timeout",
                                 "followers", "followAge", "slow"};

/* --- settings --------------------------------------------------------------------------------- */

static enum chat_mode mode_of(const char *word)
{
    return !strcmp(word, "off")         ? CHAT_OFF
           : !strcmp(word, "followers") ? CHAT_FOLLOWERS
                                        : CHAT_OPEN;
}

enum err chat_room_get(struct db *db, const char *stream_id, struct chat_room *out)
{
    struct db_rows *q =
        db_query(db,
                 "SELECT s.user_id, r.mode, r.slow_s, r.follow_s, r.pinned_id, r.version, r.words"
                 " FROM streams s LEFT JOIN chat_rooms r ON r.stream_id = s.id WHERE s.id = ?1",
                 "s", stream_id);
    const bool found = db_next(q);
    if (found) {
        snprintf(out->stream_id, sizeof out->stream_id, "%s", stream_id);
        snprintf(out->owner_id, sizeof out->owner_id, "%s", db_text(q, 0));
        out->mode = mode_of(db_text(q, 1));
        out->slow_s = db_int(q, 2);
        out->follow_s = db_int(q, 3);
        out->pinned_id = db_int(q, 4);
        out->version = db_int(q, 5);
        snprintf(out->words, sizeof out->words, "%s", db_text(q, 6));
    }
    const enum err e = db_done(q);
    return e != E_OK ? e : found ? E_OK : E_NOTFOUND;
}

enum err chat_room_copy(struct db *db, const char *stream_id, const char *owner_id)
{
    return db_exec(db,
                   "INSERT INTO chat_rooms (stream_id, mode, slow_s, follow_s, words)"
                   " SELECT ?1, r.mode, r.slow_s, r.follow_s, r.words FROM chat_rooms r"
                   " JOIN streams s ON s.id = r.stream_id WHERE s.user_id = ?2"
                   " ORDER BY s.created_at DESC LIMIT 1",
                   "ss", stream_id, owner_id);
}

/* The version only grows: a page tells by it which of two answers is the newer one. */
static enum err put_room(struct db *db, const struct chat_room *r)
{
    char pinned[24] = "";
    if (r->pinned_id) snprintf(pinned, sizeof pinned, "%lld", (long long)r->pinned_id);
    return db_exec(db,
                   "INSERT INTO chat_rooms (stream_id, mode, slow_s, follow_s, words, pinned_id,"
                   " version) VALUES (?1, ?2, ?3, ?4, ?5, CAST(?6 AS BIGINT), ?7)"
                   " ON CONFLICT (stream_id) DO UPDATE SET mode = ?2, slow_s = ?3, follow_s = ?4,"
                   " words = ?5, pinned_id = CAST(?6 AS BIGINT), version = ?7",
                   "ssiissi", r->stream_id, CHAT_MODES[r->mode], r->slow_s, r->follow_s, r->words,
                   r->pinned_id ? pinned : NULL, r->version);
}

struct changed {
    struct chat_change change;
    const char *stream_id, *by;
    const struct chat_room_fields *f;
    struct chat_room *room;
};

static size_t count_words(const char *words)
{
    size_t n = words[0] != 0;
    for (; *words; words++) n += *words == '\n';
    return n;
}

/* The log names what was set; which words, is in the settings. */
static enum err log_change(struct chat *c, struct db *db, const struct changed *w)
{
    struct str said = {0};
    const struct chat_room *r = w->room;
    if (w->f->has & CHAT_HAS_MODE) str_addf(&said, "mode=%s ", CHAT_MODES[r->mode]);
    if (w->f->has & CHAT_HAS_SLOW) str_addf(&said, "slowMode=%lld ", (long long)r->slow_s);
    if (w->f->has & CHAT_HAS_FOLLOW) str_addf(&said, "followAge=%lld ", (long long)r->follow_s);
    if (w->f->has & CHAT_HAS_WORDS) str_addf(&said, "words=%zu ", count_words(r->words));
    if (said.len) said.len--;
    enum err e = chat_log_add(c, db,
                              &(struct chat_log_entry){.owner_id = r->owner_id,
                                                       .stream_id = r->stream_id,
                                                       .by_id = w->by,
                                                       .action = "settings",
                                                       .detail = str_c(&said)});
    if (e == E_OK) e = audit_add(db, w->by, "chat.settings", "stream", r->stream_id, str_c(&said));
    str_fini(&said);
    return e;
}

static enum err apply_change(struct chat *c, struct db *db, struct chat_change *x)
{
    struct changed *w = CONTAINER_OF(x, struct changed, change);
    struct chat_room *r = w->room;
    enum err e = chat_room_get(db, w->stream_id, r);
    if (e != E_OK) return e;
    if (w->f->has & CHAT_HAS_MODE) r->mode = w->f->mode;
    if (w->f->has & CHAT_HAS_SLOW) r->slow_s = w->f->slow_s;
    if (w->f->has & CHAT_HAS_FOLLOW) r->follow_s = w->f->follow_s;
    if (w->f->has & CHAT_HAS_WORDS) snprintf(r->words, sizeof r->words, "%s", w->f->words);
    r->version = chat_next_id(c);
    e = put_room(db, r);
    return e == E_OK ? log_change(c, db, w) : e;
}

static void tell_change(struct chat *c, struct chat_change *x)
{
    const struct chat_room *r = CONTAINER_OF(x, struct changed, change)->room;
    chat_tell(
        c, &(struct chat_told){
               .kind = CHAT_TOLD_SETTINGS, .id = r->version, .stream_id = r->stream_id, .room = r});
}

enum err chat_room_change(struct chat *c, struct db *db, const char *stream_id, const char *by_id,
                          const struct chat_room_fields *f, struct chat_room *out)
{
    struct changed w = {{.apply = apply_change, .tell = tell_change}, stream_id, by_id, f, out};
    if (!f->has) return chat_room_get(db, stream_id, out);
    return chat_put(c, db, &w.change);
}

/* --- the pin ---------------------------------------------------------------------------------- */

struct pinned {
    struct chat_change change;
    const char *stream_id, *by;
    int64_t message_id;
    struct chat_message m;
    struct chat_room room;
};

enum err chat_unpin(struct chat *c, struct db *db, const char *stream_id, int64_t message_id,
                    int64_t *event)
{
    const int64_t id = chat_next_id(c);
    const enum err e = db_exec(db,
                               "UPDATE chat_rooms SET pinned_id = NULL, version = ?3"
                               " WHERE stream_id = ?1 AND pinned_id = ?2",
                               "sii", stream_id, message_id, id);
    *event = e == E_OK && db_changes(db) ? id : 0;
    return e;
}

static enum err apply_pin(struct chat *c, struct db *db, struct chat_change *x)
{
    struct pinned *w = CONTAINER_OF(x, struct pinned, change);
    const bool on = w->message_id != 0;
    enum err e = chat_room_get(db, w->stream_id, &w->room);
    if (e == E_OK && on) e = chat_get(db, w->stream_id, w->message_id, &w->m);
    if (e == E_OK && !on && !w->room.pinned_id) e = E_NOTFOUND;
    if (e != E_OK) return e;
    const int64_t was = w->room.pinned_id;
    w->room.pinned_id = w->message_id;
    w->room.version = chat_next_id(c);
    e = put_room(db, &w->room);
    if (e != E_OK) return e;
    return chat_log_add(c, db,
                        &(struct chat_log_entry){.owner_id = w->room.owner_id,
                                                 .stream_id = w->stream_id,
                                                 .by_id = w->by,
                                                 .action = on ? "pin" : "unpin",
                                                 .user_id = on ? w->m.user_id : NULL,
                                                 .message_id = on ? w->message_id : was});
}

static void tell_pin(struct chat *c, struct chat_change *x)
{
    const struct pinned *w = CONTAINER_OF(x, struct pinned, change);
    chat_tell(c, &(struct chat_told){.kind = CHAT_TOLD_PINNED,
                                     .id = w->room.version,
                                     .stream_id = w->stream_id,
                                     .m = w->message_id ? &w->m : NULL});
}

enum err chat_pin(struct chat *c, struct db *db, const char *stream_id, int64_t message_id,
                  const char *by_id)
{
    struct pinned *w = NEW(struct pinned);
    w->change = (struct chat_change){.apply = apply_pin, .tell = tell_pin};
    w->stream_id = stream_id;
    w->by = by_id;
    w->message_id = message_id;
    const enum err e = chat_put(c, db, &w->change);
    free(w);
    return e;
}

/* --- who may write ---------------------------------------------------------------------------- */

void chat_address(const struct secret *s, const char *owner_id, const char *peer,
                  char out[CHAT_ADDRESS_CAP])
{
    uint8_t key[SECRET_LEN], hash[SHA256_LEN];
    struct str text = {0};
    secret_derive(s, "chat-address", key);
    str_addf(&text, "%s %s", owner_id, peer);
    hash_hmac_sha256(span_of(key, sizeof key), str_span(&text), hash);
    hash_hex(span_of(hash, (CHAT_ADDRESS_CAP - 1) / 2), out);
    str_fini(&text);
}

static enum err one_int(struct db_rows *q, int64_t *out)
{
    *out = db_next(q) ? db_int(q, 0) : 0;
    return db_done(q);
}

enum err chat_role_get(struct db *db, const char *owner_id, const char *user_id,
                       enum chat_role *out)
{
    int64_t n = 0;
    *out = CHAT_OWNER;
    if (!strcmp(owner_id, user_id)) return E_OK;
    const enum err e = one_int(db_query(db,
                                        "SELECT COUNT(*) FROM chat_moderators WHERE owner_id = ?1"
                                        " AND user_id = ?2",
                                        "ss", owner_id, user_id),
                               &n);
    *out = n ? CHAT_MODERATOR : CHAT_READER;
    return e;
}

/* The end of the ban that lasts longest, the account's or that of the address; 0: none. */
static enum err banned_until(struct db *db, const struct chat_room *room,
                             const struct chat_writer *who, int64_t now, int64_t *until)
{
    return one_int(
        db_query(db,
                 "SELECT COALESCE(MAX(until), 0) FROM (SELECT until FROM chat_bans WHERE"
                 " owner_id = ?1 AND user_id = ?2 AND until > ?4 UNION ALL SELECT b.until FROM"
                 " chat_ban_addresses a JOIN chat_bans b ON b.id = a.ban_id WHERE a.owner_id = ?1"
                 " AND a.address = ?3 AND a.until > ?4 AND b.until > ?4) t",
                 "sssi", room->owner_id, who->user_id, who->address, now),
        until);
}

static enum err look_at_ban(struct db *db, const struct chat_room *room,
                            const struct chat_writer *who, int64_t now, struct chat_standing *out)
{
    int64_t until;
    const enum err e = banned_until(db, room, who, now, &until);
    if (e != E_OK || !until) return e;
    out->why = until == INT64_MAX ? CHAT_WHY_BANNED : CHAT_WHY_TIMEOUT;
    out->until = until == INT64_MAX ? 0 : until;
    return E_OK;
}

static enum err look_at_follow(struct db *db, const struct chat_room *room,
                               const struct chat_writer *who, int64_t now,
                               struct chat_standing *out)
{
    int64_t at;
    const enum err e = follow_since(db, who->user_id, room->owner_id, &at);
    if (e == E_NOTFOUND) out->why = CHAT_WHY_FOLLOWERS;
    if (e != E_OK) return e == E_NOTFOUND ? E_OK : e;
    if (at + room->follow_s * US_PER_SEC <= now) return E_OK;
    out->why = CHAT_WHY_FOLLOW_AGE;
    out->until = at + room->follow_s * US_PER_SEC;
    return E_OK;
}

static enum err look_at_pace(struct db *db, const struct chat_room *room,
                             const struct chat_writer *who, int64_t now, struct chat_standing *out)
{
    int64_t last;
    const enum err e = one_int(db_query(db,
                                        "SELECT created_at FROM chat_messages WHERE user_id = ?1"
                                        " AND stream_id = ?2 ORDER BY id DESC LIMIT 1",
                                        "ss", who->user_id, room->stream_id),
                               &last);
    if (e != E_OK || !last || last + room->slow_s * US_PER_SEC <= now) return e;
    out->why = CHAT_WHY_SLOW;
    out->until = last + room->slow_s * US_PER_SEC;
    return E_OK;
}

enum err chat_standing_get(struct db *db, const struct chat_room *room,
                           const struct chat_writer *who, int64_t now, struct chat_standing *out)
{
    *out = (struct chat_standing){.why = CHAT_MAY};
    enum err e = chat_role_get(db, room->owner_id, who->user_id, &out->role);
    if (room->mode == CHAT_OFF) out->why = CHAT_WHY_OFF;
    if (e != E_OK || out->role != CHAT_READER || who->admin) return e;
    if (e == E_OK && !out->why) e = look_at_ban(db, room, who, now, out);
    if (e == E_OK && !out->why && room->mode == CHAT_FOLLOWERS)
        e = look_at_follow(db, room, who, now, out);
    if (e == E_OK && !out->why && room->slow_s) e = look_at_pace(db, room, who, now, out);
    return e;
}

enum err chat_standing_problem(const struct chat_standing *s, const struct chat_room *room,
                               int64_t now, struct problem *p)
{
    enum err e = E_OK;
    switch (s->why) {
    case CHAT_MAY:
        break;
    case CHAT_WHY_OFF:
        return problem_set(p, E_CONFLICT, "chat_off", NULL, "The chat is switched off.");
    case CHAT_WHY_BANNED:
        return problem_set(p, E_AUTH, "chat_banned", NULL, "You are banned from this chat.");
    case CHAT_WHY_TIMEOUT:
        e = problem_set(p, E_AUTH, "chat_timeout", NULL,
                        "A moderator has you take a break from this chat.");
        break;
    case CHAT_WHY_FOLLOWERS:
        return problem_set(p, E_AUTH, "followers_only", NULL,
                           "Only followers of this channel may write here.");
    case CHAT_WHY_FOLLOW_AGE:
        e = problem_set(p, E_AUTH, "follow_age", NULL,
                        "Only who has followed this channel for %lld minutes may write here.",
                        (long long)(room->follow_s + 59) / 60);
        break;
    case CHAT_WHY_SLOW:
        e = problem_set(p, E_LIMIT, "slow_mode", NULL,
                        "This chat is in slow mode: one message in %lld seconds.",
                        (long long)room->slow_s);
        break;
    }
    if (e != E_OK) p->retry_s = 1 + (s->until - now) / US_PER_SEC;
    return e;
}
