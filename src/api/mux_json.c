/* SPDX-License-Identifier: MIT */
#include "api/mux_json.h"
#include "api/mux_renditions.h"
#include "api/mux_tracks.h"
#include "base/xalloc.h"
#include "video/playback_id.h"

json_t *mux_created(int64_t us, enum mux_form form)
{
    const json_int_t s = us / 1000000;
    return form == MUX_EVENT ? json_integer(s) : json_sprintf("%lld", (long long)s);
}

json_t *mux_playback_json(const char *id, const char *policy)
{
    return json_pack("{s:s, s:s}", "id", id, "policy", policy);
}

json_t *mux_playback_ids_json(struct db *db, const char *object_id)
{
    struct playback_id *all = xcalloc(LIMIT_MUX_PLAYBACK_IDS, sizeof *all);
    json_t *list = json_array();
    size_t n = 0;
    if (playback_id_list(db, object_id, all, &n) != E_OK) n = 0;
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, mux_playback_json(all[i].id, all[i].policy));
    free(all);
    return list;
}

json_t *mux_stored(const char *text)
{
    return *text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
}

void mux_set(json_t *object, const char *key, json_t *value)
{
    if (value) json_object_set_new(object, key, value);
}

void mux_set_text(json_t *object, const char *key, const char *text)
{
    if (*text) json_object_set_new(object, key, json_string(text));
}

enum err mux_render(struct db *db, enum outbox_object kind, const char *id, struct str *out)
{
    json_t *j = NULL;
    switch (kind) {
    case OUTBOX_ASSET:
        j = mux_asset_json(db, id, MUX_EVENT, NULL);
        break;
    case OUTBOX_LIVE:
        j = mux_live_json(db, id, MUX_EVENT);
        break;
    case OUTBOX_TRACK:
        j = mux_track_event_json(db, id);
        break;
    case OUTBOX_UPLOAD:
        j = mux_upload_json(db, id, NULL);
        break;
    case OUTBOX_RENDITION:
        j = mux_rendition_event_json(db, id);
        break;
    }
    if (!j) return E_NOTFOUND;
    char *text = json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(12));
    json_decref(j);
    if (!text) return E_NOMEM;
    str_adds(out, text);
    free(text);
    return E_OK;
}
