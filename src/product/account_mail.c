/* SPDX-License-Identifier: MIT */
#include "product/account_mail.h"
#include "base/clock.h"
#include "product/account_change.h"
#include "product/audit.h"
#include "product/mail.h"
#include "product/password.h"
#include <stdio.h>

enum { TEXT_BYTES = 2048 };

static enum err finish(struct db *db, enum err e)
{
    if (e == E_OK) return db_commit(db);
    db_rollback(db);
    return e;
}

static enum err bad_link(struct problem *p)
{
    return problem_set(p, E_INVALID, "bad_link", "token",
                       "This link has been used, or is too old. Ask for another one.");
}

/* E_LIMIT of the mails themselves. */
static enum err mailed(struct problem *p, enum err e)
{
    if (e == E_LIMIT)
        return problem_set(p, e, "too_many_mails", NULL,
                           "Too many mails were sent to this address; try again later.");
    return problem_of(p, e);
}

/* --- the mails --------------------------------------------------------------------------------
 */

/* The token is behind the '#': it is in no log of a server and in no Referer. */
static enum err send_link(struct db *db, enum link_kind kind, const struct user *u, const char *to)
{
    static const struct {
        const char *subject, *text, *page;
        int64_t lasts_us;
    } MAILS[] = {
        [LINK_CONFIRM] = {"Confirm your e-mail address",
                          "Hello %s,\n\nwith this link you confirm that %s is your address:\n\n"
                          "%s/%s#token=%s\n\nIt is good for two days. If you have no account at "
                          "%s, ignore this mail: somebody has mistyped their address.\n",
                          "confirm", LINK_EMAIL_US},
        [LINK_CHANGE] = {"Confirm your new e-mail address",
                         "Hello %s,\n\nwith this link your account changes to the address %s:\n\n"
                         "%s/%s#token=%s\n\nIt is good for two days. Until then nothing changes. "
                         "If you did not ask for this at %s, ignore this mail.\n",
                         "confirm", LINK_EMAIL_US},
        [LINK_RESET] = {"Set a new password",
                        "Hello %s,\n\nsomebody, probably you, has forgotten the password of the "
                        "account with the address %s. With this link a new one is set:\n\n"
                        "%s/%s#token=%s\n\nIt is good for an hour, and once. If you did not ask "
                        "for "
                        "this at %s, ignore this mail: your password stays as it is.\n",
                        "reset", LINK_RESET_US},
    };
    char token[LINK_TOKEN_CAP], text[TEXT_BYTES];
    const char *origin = mail_origin();
    enum err e = link_add(db, kind, u->id, to, token);
    if (e != E_OK) return e;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof text, MAILS[kind].text, u->name, to, origin, MAILS[kind].page, token,
             origin);
#pragma GCC diagnostic pop
    e = mail_add(db, &(struct mail){.to = to,
                                    .to_name = u->name,
                                    .user_id = u->id,
                                    .subject = MAILS[kind].subject,
                                    .text = text,
                                    .lasts_us = MAILS[kind].lasts_us});
    explicit_bzero(text, sizeof text);
    explicit_bzero(token, sizeof token);
    return e;
}

static enum err tell(struct db *db, const struct user *u, const char *subject, const char *what)
{
    char text[TEXT_BYTES];
    if (!mail_origin()[0] || !u->email[0]) return E_OK;
    snprintf(text, sizeof text,
             "Hello %s,\n\n%s\n\nIf that was not you, set a new password at %s/forgot, and look at "
             "your sessions at %s/account.\n",
             u->name, what, mail_origin(), mail_origin());
    const enum err e = mail_add(
        db, &(struct mail){.to = u->email, .to_name = u->name, .subject = subject, .text = text});
    /* Nothing fails because somebody's mailbox is full of our mails. */
    return e == E_LIMIT || e == E_INVALID ? E_OK : e;
}

enum err account_tell(struct db *db, const char *user_id, const char *subject, const char *what)
{
    struct user u;
    const enum err e = account_get(db, user_id, &u);
    return e == E_OK ? tell(db, &u, subject, what) : e;
}

/* --- addresses -------------------------------------------------------------------------------- */

enum err account_ask_confirm(struct db *db, const char *user_id, struct problem *p)
{
    struct user u;
    bool is = false;
    enum err e = account_get(db, user_id, &u);
    if (e == E_OK) e = account_is_confirmed(db, user_id, &is);
    if (e == E_OK && is)
        return problem_set(p, E_CONFLICT, "confirmed", NULL, "Your address is confirmed already.");
    if (e == E_OK) e = db_begin(db);
    if (e == E_OK) e = finish(db, send_link(db, LINK_CONFIRM, &u, u.email));
    return mailed(p, e);
}

/* Whose address it is: E_NOTFOUND nobody's. */
static enum err owner_of(struct db *db, const char *key, struct user *out)
{
    char id[ID_CAP] = "";
    struct db_rows *q =
        db_query(db, "SELECT id FROM users WHERE email_key = ?1 AND closing_at IS NULL", "s", key);
    if (db_next(q)) snprintf(id, sizeof id, "%s", db_text(q, 0));
    const enum err e = db_done(q);
    if (e != E_OK) return e;
    return id[0] ? account_get(db, id, out) : E_NOTFOUND;
}

enum err account_ask_email(struct db *db, const char *user_id, struct span email, struct problem *p)
{
    char typed[LIMIT_EMAIL_BYTES + 1], key[LIMIT_EMAIL_BYTES + 1];
    struct user u, owner;
    enum err e = text_email(email, typed, key, p);
    if (e == E_OK) e = account_get(db, user_id, &u);
    if (e == E_OK) e = db_begin(db);
    if (e != E_OK) return problem_of(p, e);
    e = owner_of(db, key, &owner);
    if (e == E_OK && strcmp(owner.id, user_id) != 0) {
        e = tell(db, &owner, "Somebody wanted to use your e-mail address",
                 "somebody wanted to change their account to this address. As it is yours already, "
                 "nothing was changed.");
    } else if (e == E_OK || e == E_NOTFOUND) {
        e = link_drop(db, user_id, LINK_CHANGE);
        if (e == E_OK) e = send_link(db, LINK_CHANGE, &u, typed);
    }
    return mailed(p, finish(db, e));
}

/* Within a transaction. The address before is told. */
static enum err change(struct db *db, const struct account_link *l, struct problem *p)
{
    struct user before;
    char typed[LIMIT_EMAIL_BYTES + 1], key[LIMIT_EMAIL_BYTES + 1], what[600];
    enum err e = account_get(db, l->user_id, &before);
    if (e == E_OK) e = text_email(span_str(l->email), typed, key, p);
    if (e == E_OK) e = account_store_email(db, l->user_id, typed, key, true);
    if (e != E_OK) return e;
    snprintf(what, sizeof what, "the address of your account was changed to %s.", typed);
    return tell(db, &before, "Your e-mail address was changed", what);
}

static enum err confirm(struct db *db, const struct account_link *l)
{
    const enum err e = db_exec(db,
                               "UPDATE users SET email_confirmed_at = ?3, updated_at = ?3 WHERE "
                               "id = ?1 AND email = ?2",
                               "ssi", l->user_id, l->email, clock_wall_us());
    return e == E_OK && db_changes(db) == 0 ? E_NOTFOUND : e;
}

enum err account_confirm(struct db *db, struct span token, struct account_link *out,
                         struct problem *p)
{
    enum err e = db_begin(db);
    if (e != E_OK) return problem_of(p, e);
    e = link_look(db, token, out);
    if (e == E_OK && out->kind == LINK_RESET) e = E_NOTFOUND;
    if (e == E_OK) e = link_take(db, token, out);
    if (e == E_OK) e = out->kind == LINK_CHANGE ? change(db, out, p) : confirm(db, out);
    e = finish(db, e);
    if (e == E_NOTFOUND) return bad_link(p);
    if (e == E_CONFLICT)
        return problem_set(p, e, "email_taken", "email",
                           "There is an account with this e-mail address already.");
    return problem_of(p, e);
}

/* --- forgotten passwords ---------------------------------------------------------------------- */

enum err account_ask_reset(struct db *db, const char *email_key)
{
    struct user u;
    enum err e = owner_of(db, email_key, &u);
    if (e == E_NOTFOUND) return E_OK;
    if (e == E_OK) e = db_begin(db);
    return e == E_OK ? finish(db, send_link(db, LINK_RESET, &u, u.email)) : e;
}

static enum err reset(struct db *db, struct span token, const char *hash, struct account_link *l)
{
    enum err e = link_take(db, token, l);
    if (e == E_OK) e = account_store_password(db, l->user_id, hash, SPAN_NULL);
    /* Whoever reads this mailbox has its address. */
    if (e == E_OK)
        e = db_exec(db,
                    "UPDATE users SET email_confirmed_at = COALESCE(email_confirmed_at, ?3) WHERE "
                    "id = ?1 AND email = ?2",
                    "ssi", l->user_id, l->email, clock_wall_us());
    if (e == E_OK)
        e = account_tell(db, l->user_id, "Your password was changed",
                         "a new password was set for your account by a link in a mail. Who was "
                         "logged in has to log in again.");
    return e;
}

enum err account_reset(struct db *db, struct span token, struct span password, struct problem *p)
{
    struct account_link l;
    struct user u;
    char hash[PASSWORD_HASH_CAP];
    enum err e = link_look(db, token, &l);
    if (e == E_NOTFOUND || (e == E_OK && l.kind != LINK_RESET)) return bad_link(p);
    if (e == E_OK) e = account_get(db, l.user_id, &u);
    if (e != E_OK) return problem_of(p, e);
    const char *weak = password_weakness(password, u.email, u.name);
    if (weak) return problem_set(p, E_INVALID, "weak_password", "password", "%s", weak);
    e = password_hash(password, hash);
    if (e == E_OK) e = db_begin(db);
    if (e == E_OK) e = finish(db, reset(db, token, hash, &l));
    return e == E_NOTFOUND ? bad_link(p) : problem_of(p, e);
}
