/* SPDX-License-Identifier: MIT */
/* The direct preview's offer and answer. That there is something new is told by the stream's own
 * events: its `direct` changes. */
#include "api/api_priv.h"
#include "api/app_streams.h"
#include "api/body.h"
#include "base/clock.h"
#include "product/direct.h"
#include <stdio.h>

/* Enough for a viewer who comes again and again, and not for one who guesses. */
static const struct throttle_rule ANSWER = {"direct-answer", 10, 6 * US_PER_SEC};

static bool id_is_fine(struct call *c)
{
    if (text_is_id(c->param[0])) return true;
    problem_set(&c->problem, E_NOTFOUND, "not_found", NULL, "There is no such stream.");
    call_fail(c, E_NOTFOUND, 404);
    return false;
}

/* A number that is too large for JavaScript's, so it is text. */
static json_t *id_json(int64_t id)
{
    return json_sprintf("%lld", (long long)id);
}

void app_direct_offer(struct call *c)
{
    struct body_field f[] = {{"sdp", BODY_TEXT, true, NULL}};
    int64_t id = 0;
    bool changed = false;
    if (!id_is_fine(c) || !body_read(c, f, 1)) return;
    const enum err e =
        direct_offer(c->db, c->param[0], c->user.id, body_text(&f[0]), &id, &changed, &c->problem);
    if (e != E_OK) {
        call_fail(c, e, 0);
        return;
    }
    if (changed) api_stream_changed(c->api, c->param[0]);
    call_json(c, 200, json_pack("{s:o}", "id", id_json(id)));
}

/* One viewer is what it is for: with two the owner's page goes live instead. */
static bool is_alone(struct call *c)
{
    if (audience_count(c->api->audience, c->param[0]) < 2 &&
        audience_open(c->api->audience, c->param[0]) < 2)
        return true;
    problem_set(&c->problem, E_CONFLICT, "not_alone", NULL,
                "A direct preview is for one viewer; several are here.");
    call_fail(c, E_CONFLICT, 0);
    return false;
}

/* False: the reply is made. */
static bool may_watch(struct call *c)
{
    struct stream s;
    const enum err e = stream_get(c->db, c->param[0], &s, &c->problem);
    if (e != E_OK) {
        call_fail(c, e, 0);
        return false;
    }
    const bool may = call_may_watch(c, &s);
    stream_fini(&s);
    return may;
}

void app_direct_answer(struct call *c)
{
    struct body_field f[] = {{"id", BODY_TEXT, true, NULL}, {"sdp", BODY_TEXT, true, NULL}};
    uint64_t id = 0;
    if (!id_is_fine(c) || !call_may(c, &ANSWER, c->peer) || !may_watch(c) || !body_read(c, f, 2) ||
        !is_alone(c))
        return;
    if (!span_u64(body_text(&f[0]), INT64_MAX, &id)) id = 0;
    const enum err e =
        direct_answer(c->db, c->param[0], (int64_t)id, body_text(&f[1]), &c->problem);
    if (e != E_OK) {
        call_fail(c, e, 0);
        return;
    }
    api_stream_changed(c->api, c->param[0]);
    call_empty(c, 204);
}

static bool is_owner(struct call *c)
{
    struct stream s;
    if (!c->has_user || stream_get(c->db, c->param[0], &s, &c->problem) != E_OK) return false;
    const bool own = strcmp(s.user_id, c->user.id) == 0;
    stream_fini(&s);
    return own;
}

/* The owner gets the answer; others the offer, as long as it can be answered. */
void app_direct_get(struct call *c)
{
    struct direct d;
    if (!id_is_fine(c) || !may_watch(c)) return;
    const enum err e = direct_get(c->db, c->param[0], &d, &c->problem);
    if (e != E_OK) {
        call_fail(c, e, 0);
        return;
    }
    const bool own = is_owner(c);
    json_t *j = json_pack("{s:o, s:b}", "id", id_json(d.id), "answered", d.answer != NULL);
    if (own && d.answer) json_object_set_new(j, "answer", json_string(d.answer));
    if (!own && !d.answer) json_object_set_new(j, "offer", json_string(d.offer));
    direct_fini(&d);
    call_json(c, 200, j);
}

void app_direct_end(struct call *c)
{
    bool changed = false;
    if (!id_is_fine(c) || !body_read(c, NULL, 0)) return;
    const enum err e = direct_end(c->db, c->param[0], c->user.id, &changed, &c->problem);
    if (e != E_OK) {
        call_fail(c, e, 0);
        return;
    }
    if (changed) api_stream_changed(c->api, c->param[0]);
    call_empty(c, 204);
}
