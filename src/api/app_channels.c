/* SPDX-License-Identifier: MIT */
/* /api/users/{handle}: a streamer as everybody may see them. */
#include "api/api_priv.h"
#include "api/body.h"
#include "api/channel_json.h"
#include "api/stream_json.h"
#include "base/xalloc.h"

json_t *person_json(const char *id, const char *name, const char *handle, const char *image)
{
    return json_pack("{s:s, s:s, s:s, s:o}", "id", id, "name", name, "handle", handle, "image",
                     *image ? json_string(image) : json_null());
}

/* How the one who asks follows it; null: not. */
static json_t *following(struct call *c, const struct channel *ch)
{
    struct follow f;
    if (!c->has_user || follow_get(c->db, c->user.id, ch->id, &f) != E_OK) return json_null();
    return follow_json(&f.choice, f.at);
}

static void reply(struct call *c, const char *handle)
{
    struct channel *ch = NEW(struct channel);
    const enum err e = channel_get(c->db, handle, ch, &c->problem);
    if (e == E_OK) {
        json_t *j = person_json(ch->id, ch->name, ch->handle, ch->image);
        json_object_set_new(j, "about", json_string(ch->about));
        json_object_set_new(j, "followers", json_integer(ch->followers));
        json_object_set_new(j, "createdAt", time_json(ch->created_at));
        json_object_set_new(j, "following", following(c, ch));
        call_json(c, 200, json_pack("{s:o}", "user", j));
    } else {
        call_fail(c, e, 0);
    }
    free(ch);
}

static void get(struct call *c)
{
    reply(c, c->param[0]);
}

static void change(struct call *c)
{
    struct body_field f[] = {{"handle", BODY_TEXT, false, NULL},
                             {"about", BODY_TEXT_OR_NULL, false, NULL}};
    if (!body_read(c, f, 2)) return;
    struct channel_fields in = {body_text(&f[0]), body_text(&f[1])};
    if (json_is_null(f[1].value)) in.about = SPAN_LIT("");
    enum err e = channel_change(c->db, c->user.id, &in, &c->problem);
    if (e == E_OK) e = account_get(c->db, c->user.id, &c->user);
    if (e == E_OK)
        reply(c, c->user.handle);
    else
        call_fail(c, e, 0);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_GET, "/api/users/{}", get, CALL_USER_MAYBE, {0}},
    {HTTP_PATCH, "/api/me/channel", change, CALL_USER | CALL_BODY, {0}},
};
const struct endpoint_table app_channels = ENDPOINT_TABLE(ENDPOINTS);
