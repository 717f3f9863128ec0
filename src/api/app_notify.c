/* SPDX-License-Identifier: MIT */
/* /api/me/notifications, /api/push/subscriptions, /unsubscribe: who is told of what, and how. */
#include "api/api_priv.h"
#include "api/body.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "product/mail.h"
#include "product/notice.h"
#include "product/push.h"

static bool well(struct call *c, enum err e)
{
    if (e != E_OK) call_fail(c, e, 0);
    return e == E_OK;
}

/* --- what somebody wants ---------------------------------------------------------------------- */

static json_t *wants_json(unsigned bits)
{
    return json_pack("{s:b, s:b, s:b}", "live", bits & NOTICE_WANT_LIVE, "schedule",
                     bits & NOTICE_WANT_SCHEDULE, "reminder", bits & NOTICE_WANT_SOON);
}

static void reply_prefs(struct call *c)
{
    struct notice_prefs p;
    uint8_t priv[P256_PRIVATE_LEN], pub[P256_PUBLIC_LEN];
    char key[HASH_B64_LEN(P256_PUBLIC_LEN)];
    int64_t browsers = 0;
    if (!well(c, notice_prefs_get(c->db, c->user.id, &p)) ||
        !well(c, push_count(c->db, c->user.id, &browsers)))
        return;
    push_key(c->api->cfg.secret, priv, pub);
    hash_b64url(span_of(pub, sizeof pub), key);
    json_t *mail = wants_json(p.mail), *push = wants_json(p.push);
    json_object_set_new(mail, "available", json_boolean(mail_on(c->api->cfg.settings)));
    json_object_set_new(push, "publicKey", json_string(key));
    json_object_set_new(push, "browsers", json_integer(browsers));
    call_json(c, 200, json_pack("{s:o, s:o}", "mail", mail, "push", push));
}

static unsigned with(unsigned bits, const struct body_field *f, unsigned bit)
{
    return !f->value ? bits : json_is_true(f->value) ? bits | bit : bits & ~bit;
}

static void change_prefs(struct call *c)
{
    struct body_field f[] = {
        {"mailLive", BODY_BOOL, false, NULL},     {"mailSchedule", BODY_BOOL, false, NULL},
        {"mailReminder", BODY_BOOL, false, NULL}, {"pushLive", BODY_BOOL, false, NULL},
        {"pushSchedule", BODY_BOOL, false, NULL}, {"pushReminder", BODY_BOOL, false, NULL},
    };
    struct notice_prefs p;
    if (!body_read(c, f, 6) || !well(c, notice_prefs_get(c->db, c->user.id, &p))) return;
    for (unsigned i = 0; i < 3; i++) {
        p.mail = with(p.mail, &f[i], 1U << i);
        p.push = with(p.push, &f[3 + i], 1U << i);
    }
    if (well(c, notice_prefs_set(c->db, c->user.id, p))) reply_prefs(c);
}

/* --- push subscriptions ----------------------------------------------------------------------- */

static const struct throttle_rule SUBSCRIBE = {"push-subscribe", 60, US_PER_SEC};

/* PushSubscription.toJSON() says the same with the keys in an object of their own. */
static void subscribe(struct call *c)
{
    struct body_field f[] = {{"endpoint", BODY_TEXT, true, NULL},
                             {"p256dh", BODY_TEXT, true, NULL},
                             {"auth", BODY_TEXT, true, NULL}};
    if (!call_may(c, &SUBSCRIBE, c->user.id) || !body_read(c, f, 3)) return;
    const struct push_subscription s = {body_text(&f[0]), body_text(&f[1]), body_text(&f[2])};
    if (!well(c, push_add(c->db, c->api->cfg.settings, c->user.id, &s, &c->problem))) return;
    log_info("push_subscribed", "user=%s", c->user.id);
    call_empty(c, 204);
}

static void unsubscribe_push(struct call *c)
{
    struct body_field f[] = {{"endpoint", BODY_TEXT, true, NULL}};
    if (body_read(c, f, 1) && well(c, push_remove(c->db, c->user.id, body_text(&f[0]))))
        call_empty(c, 204);
}

/* --- one click (RFC 8058) --------------------------------------------------------------------- */

static bool read_token(struct call *c, char follower_id[ID_CAP], char user_id[ID_CAP])
{
    if (c->has_query[0] &&
        notice_token_read(c->api->cfg.secret, span_str(c->query[0]), follower_id, user_id) == E_OK)
        return true;
    call_fail(c,
              problem_set(&c->problem, E_NOTFOUND, "bad_link", NULL,
                          "This link is not complete, or not one of ours."),
              404);
    return false;
}

/* The mail reader's server posts here, with neither a session nor a page of ours. */
static void unsubscribe(struct call *c)
{
    char follower_id[ID_CAP], user_id[ID_CAP];
    if (!read_token(c, follower_id, user_id)) return;
    const bool all = c->has_query[1] && !strcmp(c->query[1], "1");
    if (!well(c, notice_unsubscribe(c->db, follower_id, user_id, all))) return;
    log_info("unsubscribed", "user=%s all=%d", follower_id, all);
    call_json(c, 200, json_pack("{s:b}", "unsubscribed", 1));
}

/* Whose mails the link is about; asking changes nothing: programs look at links by themselves. */
static void about_link(struct call *c)
{
    char follower_id[ID_CAP], user_id[ID_CAP];
    struct user u;
    if (!read_token(c, follower_id, user_id)) return;
    const enum err e = account_get(c->db, user_id, &u);
    if (e != E_OK && e != E_NOTFOUND)
        call_fail(c, e, 0);
    else
        call_json(c, 200, json_pack("{s:s}", "name", e == E_OK ? u.name : ""));
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_GET, "/api/me/notifications", reply_prefs, CALL_USER, {0}},
    {HTTP_PATCH, "/api/me/notifications", change_prefs, CALL_USER | CALL_BODY, {0}},
    {HTTP_POST, "/api/push/subscriptions", subscribe, CALL_USER | CALL_BODY, {0}},
    {HTTP_DELETE, "/api/push/subscriptions", unsubscribe_push, CALL_USER | CALL_BODY, {0}},
    {HTTP_POST, "/unsubscribe", unsubscribe, 0, {"token", "all"}},
    {HTTP_POST, "/api/unsubscribe", unsubscribe, 0, {"token", "all"}}, /* the page's button */
    {HTTP_GET, "/api/unsubscribe", about_link, 0, {"token"}},
};
extern const struct endpoint_table app_notify;
const struct endpoint_table app_notify = ENDPOINT_TABLE(ENDPOINTS);
