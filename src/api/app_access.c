/* SPDX-License-Identifier: MIT */
/* Who may see a private stream: what its owner says of that, and the password at its door. */
#include "api/api_priv.h"
#include "api/app_streams.h"
#include "api/body.h"
#include "api/stream_json.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "product/visibility.h"
#include <stdio.h>

/* Guesses: of one address, of one address at one stream, and of everybody at one stream. The last
 * is for a guesser with many addresses; in the worst case others wait a few seconds for the door.
 */
static const struct throttle_rule BY_ADDRESS = {"enter-address", 20, 15 * US_PER_SEC};
static const struct throttle_rule BY_PAIR = {"enter-pair", 10, 30 * US_PER_SEC};
static const struct throttle_rule BY_STREAM = {"enter-stream", 200, 2 * US_PER_SEC};
static const struct throttle_rule INVITE = {"invite", 600, US_PER_SEC};

/* It says that there is a stream, as its address does, and not a word of it. */
static enum err refuse(struct call *c, const struct stream *s)
{
    if (s->has_password)
        return problem_set(&c->problem, E_AUTH, "password_needed", NULL,
                           "This stream is private: it needs its password, or an invitation.");
    return problem_set(&c->problem, E_AUTH, "not_invited", NULL,
                       "This stream is private: it is for those who were invited.");
}

bool call_may_watch(struct call *c, const struct stream *s)
{
    if (visibility_may_watch(c->db, s, c->has_user ? &c->user : NULL, c->entry)) return true;
    call_fail(c, refuse(c, s), 403);
    return false;
}

void app_access_changed(struct call *c, const char *stream_id)
{
    struct stream s;
    if (stream_get(c->db, stream_id, &s, &c->problem) != E_OK) {
        c->problem = (struct problem){0};
        return; /* deleted meanwhile */
    }
    log_info("stream_access", "stream=%s visibility=%s", s.id, VISIBILITY[s.visibility]);
    live_access_changed(c->api->cfg.live, s.id, s.visibility == VISIBILITY_PRIVATE);
    stream_fini(&s);
}

/* --- the door --------------------------------------------------------------------------------- */

/* By the stream's own id, or by one that it plays by: a player on another page knows no other. */
static enum err find(struct call *c, struct stream *s)
{
    enum err e = E_NOTFOUND;
    if (text_is_id(c->param[0])) e = stream_get(c->db, c->param[0], s, &c->problem);
    if (e == E_NOTFOUND && text_is_id(c->param[0])) {
        c->problem = (struct problem){0};
        e = stream_get_played(c->db, c->param[0], s, &c->problem);
    }
    if (e != E_NOTFOUND) return e;
    return problem_set(&c->problem, e, "not_found", NULL, "There is no such stream.");
}

static bool may_try(struct call *c, const struct stream *s)
{
    char pair[THROTTLE_PEER_CAP + ID_CAP];
    snprintf(pair, sizeof pair, "%s %s", c->peer, s->id);
    return call_may(c, &BY_PAIR, pair) && call_may(c, &BY_ADDRESS, c->peer) &&
           call_may(c, &BY_STREAM, s->id);
}

static void let_in(struct call *c, const struct stream *s, const char *grant)
{
    /* For this stream's addresses only, and so one for each stream. */
    snprintf(c->cookie, sizeof c->cookie,
             "bsp_entry=%s; Path=/api/streams/%s; Max-Age=%d; HttpOnly; SameSite=Lax%s", grant,
             s->id, GRANT_ENTRY_S, c->secure ? "; Secure" : "");
    call_json(
        c, 200,
        json_pack("{s:s, s:o}", "entry", grant, "stream", stream_json_watch(c->api, s, c->origin)));
}

static void enter_it(struct call *c, const struct stream *s, struct span password)
{
    char grant[GRANT_CAP];
    if (!may_try(c, s)) return;
    const enum err e = visibility_enter(s, c->db, password, grant);
    if (e == E_OK)
        let_in(c, s, grant);
    else if (e == E_AUTH)
        call_fail(c,
                  problem_set(&c->problem, e, "wrong_password", "password",
                              "This is not the stream's password."),
                  403);
    else
        call_fail(c, e, 0);
}

static void enter(struct call *c)
{
    struct body_field f[] = {{"password", BODY_TEXT, true, NULL}};
    struct stream s;
    if (!body_read(c, f, 1)) return;
    const enum err e = find(c, &s);
    if (e != E_OK) {
        call_fail(c, e, 0);
        return;
    }
    enter_it(c, &s, body_text(&f[0]));
    stream_fini(&s);
}

/* --- the owner's list ------------------------------------------------------------------------- */

/* False: the reply is made. */
static bool is_own(struct call *c)
{
    struct stream s;
    enum err e = E_NOTFOUND;
    if (text_is_id(c->param[0]))
        e = stream_get_own(c->db, c->param[0], c->user.id, &s, &c->problem);
    if (e == E_OK)
        stream_fini(&s);
    else
        call_fail(c, e, 0);
    return e == E_OK;
}

static json_t *invitation_json(const struct invitation *i)
{
    return json_pack("{s:s, s:s, s:o}", "id", i->id, "email", i->email, "createdAt",
                     time_json(i->created_at));
}

static void list(struct call *c)
{
    if (!is_own(c)) return;
    size_t n = 0;
    struct invitation *all = xcalloc(LIMIT_STREAM_INVITATIONS, sizeof *all);
    const enum err e = visibility_invited(c->db, c->param[0], all, &n);
    if (e == E_OK) {
        json_t *out = json_array();
        for (size_t i = 0; i < n; i++) json_array_append_new(out, invitation_json(&all[i]));
        call_json(c, 200, json_pack("{s:o}", "invitations", out));
    } else {
        call_fail(c, e, 0);
    }
    free(all);
}

static void invite(struct call *c)
{
    struct body_field f[] = {{"email", BODY_TEXT, true, NULL}};
    struct invitation i;
    if (!body_read(c, f, 1) || !is_own(c) || !call_may(c, &INVITE, c->user.id)) return;
    const enum err e = visibility_invite(c->db, c->param[0], body_text(&f[0]), &i, &c->problem);
    if (e == E_OK)
        call_json(c, 201, invitation_json(&i));
    else
        call_fail(c, e, 0);
}

static void uninvite(struct call *c)
{
    if (!body_read(c, NULL, 0) || !is_own(c)) return;
    const enum err e = visibility_uninvite(c->db, c->param[0], c->param[1], &c->problem);
    if (e != E_OK) {
        call_fail(c, e, 0);
        return;
    }
    app_access_changed(c, c->param[0]);
    api_stream_changed(c->api, c->param[0]);
    call_empty(c, 204);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_POST, "/api/streams/{}/access", enter, CALL_BODY | CALL_HASH, {0}},
    {HTTP_GET, "/api/streams/{}/invitations", list, CALL_USER, {0}},
    {HTTP_POST, "/api/streams/{}/invitations", invite, CALL_USER | CALL_BODY, {0}},
    {HTTP_DELETE, "/api/streams/{}/invitations/{}", uninvite, CALL_USER, {0}},
};
const struct endpoint_table app_access = ENDPOINT_TABLE(ENDPOINTS);
