/* SPDX-License-Identifier: MIT */
#include "api/mux_options.h"
#include "api/api_priv.h"
#include "api/mux_json.h"
#include <stdio.h>

static bool add_policy(struct call *c, const char *name, const json_t *v, struct mux_policies *out)
{
    const char *text = json_string_value(v);
    if (text && !strcmp(text, "drm"))
        return mux_invalid(c, name, "DRM is not supported here; use public or signed.");
    for (int i = 0; text && PLAYBACK_POLICY[i]; i++) {
        if (strcmp(text, PLAYBACK_POLICY[i]) != 0) continue;
        if (out->n == MUX_POLICIES_MAX) return mux_invalid(c, name, "These are too many.");
        out->list[out->n++] = (enum playback_policy)i;
        return true;
    }
    return mux_invalid(c, name, "This must be public or signed.");
}

/* A list of words, or one word. */
static bool add_policies(struct call *c, json_t *in, const char *name, struct mux_policies *out)
{
    json_t *v = json_object_get(in, name), *one;
    size_t i;
    if (!v || json_is_null(v)) return true;
    out->given = true;
    if (!json_is_array(v)) return add_policy(c, name, v, out);
    json_array_foreach(v, i, one) if (!add_policy(c, name, one, out)) return false;
    return true;
}

bool mux_read_policies(struct call *c, json_t *in, struct mux_policies *out)
{
    static const char ADVANCED[] = "advanced_playback_policies";
    json_t *list = NULL, *one;
    size_t i;
    *out = (struct mux_policies){0};
    if (!add_policies(c, in, "playback_policies", out)) return false;
    if (!out->given && !add_policies(c, in, "playback_policy", out)) return false;
    if (!mux_array(c, in, ADVANCED, MUX_POLICIES_MAX, &list)) return false;
    json_array_foreach(list, i, one)
    {
        out->given = true;
        if (!add_policy(c, ADVANCED, json_object_get(one, "policy"), out)) return false;
    }
    return true;
}

void mux_policies_text(const struct mux_policies *p, char out[32])
{
    bool has[2] = {0};
    for (size_t i = 0; i < p->n; i++) has[p->list[i]] = true;
    snprintf(out, 32, "%s%s%s", has[POLICY_PUBLIC] ? "public" : "",
             has[POLICY_PUBLIC] && has[POLICY_SIGNED] ? "," : "",
             has[POLICY_SIGNED] ? "signed" : "");
}

bool mux_read_meta(struct call *c, json_t *in, char **out)
{
    json_t *meta = NULL;
    const char *title = NULL, *creator = NULL, *external = NULL;
    if (!mux_object(c, in, "meta", &meta)) return false;
    if (!meta) return true;
    if (!mux_text(c, meta, "title", LIMIT_MUX_TITLE, &title) ||
        !mux_text(c, meta, "creator_id", LIMIT_MUX_META_ID, &creator) ||
        !mux_text(c, meta, "external_id", LIMIT_MUX_META_ID, &external))
        return false;
    json_t *clean = json_object();
    if (title) mux_set(clean, "title", json_string(title));
    if (creator) mux_set(clean, "creator_id", json_string(creator));
    if (external) mux_set(clean, "external_id", json_string(external));
    *out = json_dumps(clean, JSON_COMPACT);
    json_decref(clean);
    return true;
}

/* --- AssetOptions ---------------------------------------------------------------------------- */

static const char *const RESOLUTIONS[] = {"highest", "audio-only", "2160p", "1440p",
                                          "1080p",   "720p",       "540p",  "480p",
                                          "360p",    "270p",       NULL};

static const struct {
    const char *name;
    const char *const *words;
} WORDS[] = {
    {"master_access", (const char *const[]){"none", "temporary", NULL}},
    {"max_resolution_tier", (const char *const[]){"1080p", "1440p", "2160p", NULL}},
    {"mp4_support", (const char *const[]){"none", "standard", "capped-1080p", "audio-only",
                                          "audio-only,capped-1080p", NULL}},
    {"video_quality", (const char *const[]){"basic", "plus", "premium", NULL}},
    {"encoding_tier", (const char *const[]){"smart", "baseline", "premium", NULL}},
};

static bool read_words(struct call *c, json_t *in, json_t *clean)
{
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        int at = -1;
        if (!mux_word(c, in, WORDS[i].name, WORDS[i].words, &at)) return false;
        if (at >= 0) mux_set(clean, WORDS[i].name, json_string(WORDS[i].words[at]));
    }
    return true;
}

static bool read_flags(struct call *c, json_t *in, json_t *clean)
{
    static const char *const FLAGS[] = {"normalize_audio", "test", "copy_overlays"};
    for (size_t i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++) {
        bool value = false;
        if (!mux_bool(c, in, FLAGS[i], &value)) return false;
        if (json_is_boolean(json_object_get(in, FLAGS[i])))
            mux_set(clean, FLAGS[i], json_boolean(value));
    }
    return true;
}

static bool read_renditions(struct call *c, json_t *in, json_t *clean)
{
    static const char NAME[] = "static_renditions";
    json_t *list = NULL, *one;
    size_t i;
    bool highest = false, height = false;
    if (!mux_array(c, in, NAME, sizeof RESOLUTIONS / sizeof *RESOLUTIONS, &list)) return false;
    if (!list) return true;
    json_t *out = json_array();
    json_object_set_new(clean, NAME, out);
    json_array_foreach(list, i, one)
    {
        int at = -1;
        const char *passthrough = NULL;
        if (!json_is_object(one)) return mux_invalid(c, NAME, "Each must be an object.");
        if (!mux_word(c, one, "resolution", RESOLUTIONS, &at) ||
            !mux_text(c, one, "passthrough", LIMIT_MUX_PASSTHROUGH, &passthrough))
            return false;
        if (at < 0) return mux_invalid(c, NAME, "Each needs a resolution.");
        highest |= at == 0;
        height |= at > 1;
        json_t *r = json_pack("{s:s}", "resolution", RESOLUTIONS[at]);
        if (passthrough) mux_set_text(r, "passthrough", passthrough);
        json_array_append_new(out, r);
    }
    if (highest && height) return mux_invalid(c, NAME, "highest cannot be mixed with heights.");
    return true;
}

static void set_policies(json_t *clean, const struct mux_policies *p)
{
    if (!p->given) return;
    json_t *list = json_array();
    for (size_t i = 0; i < p->n; i++)
        json_array_append_new(list, json_string(PLAYBACK_POLICY[p->list[i]]));
    mux_set(clean, "playback_policies", list);
}

bool mux_read_asset_options(struct call *c, json_t *in, bool live, struct mux_asset_options *out)
{
    *out = (struct mux_asset_options){0};
    json_t *clean = json_object();
    bool fine = mux_read_policies(c, in, &out->policies) &&
                mux_text(c, in, "passthrough", LIMIT_MUX_PASSTHROUGH, &out->passthrough) &&
                mux_read_meta(c, in, &out->meta) && mux_bool(c, in, "test", &out->test) &&
                read_words(c, in, clean) && read_flags(c, in, clean) &&
                read_renditions(c, in, clean);
    const char *quality = json_string_value(json_object_get(clean, "video_quality"));
    if (fine && live && quality && !strcmp(quality, "basic"))
        fine = mux_invalid(c, "video_quality", "Live streams are plus or premium.");
    if (fine) {
        set_policies(clean, &out->policies);
        if (out->passthrough) mux_set(clean, "passthrough", json_string(out->passthrough));
        if (out->meta) mux_set(clean, "meta", mux_stored(out->meta));
        out->json = json_dumps(clean, JSON_COMPACT);
    }
    json_decref(clean);
    if (!fine) mux_asset_options_fini(out);
    return fine;
}

void mux_asset_options_fini(struct mux_asset_options *o)
{
    free(o->meta);
    free(o->json);
    o->meta = o->json = NULL;
}
