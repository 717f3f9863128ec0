/* SPDX-License-Identifier: MIT */
/* Pictures for a time line as Roku's players take them: the storyboard's sheet as a playlist of
 * images (Image Media Playlist, 0.4; ADR 29). Of finished recordings, whole, with public ids: a
 * sheet of a signed one wants a token of its own. */
#include "base/clock.h"
#include "serve/hls/hls_priv.h"
#include "serve/images/image_source.h"

#define TILE_BYTES                                                                                 \
    6000 /* of one tile in a sheet, about: the sheet is made when it is asked for                  \
          */

static bool tiles_of(const struct archive *a, struct image_tiles *out)
{
    const struct image_source source = {.archive = a, .n = a->n_renditions};
    const struct image_params params = {.kind = IMAGE_TILES};
    const char *problem = "";
    struct image_plan plan;
    if (image_plan_make(&source, &params, &plan, &problem) != E_OK) return false;
    *out = plan.tiles;
    image_plan_fini(&plan);
    return true;
}

bool trick_play_there(const struct entry *e, const struct ask *ask)
{
    return ask->wish.trick_play && e->vod && !e->is_signed && !ask->wish.view.clip;
}

void trick_play_stream(const struct archive *a, const char *id, const char *path, struct str *out)
{
    struct image_tiles t;
    if (!tiles_of(a, &t)) return;
    const int64_t s = t.duration_us / US_PER_SEC;
    const unsigned long long rate = t.n * TILE_BYTES * 8ULL / (unsigned long long)(s < 1 ? 1 : s);
    str_addf(out,
             "#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=%llu,RESOLUTION=%ux%u,CODECS=\"jpeg\","
             "URI=\"%s/%s/images.m3u8\"\n",
             rate ? rate : 1, t.width, t.height, id, path);
}

static void write_list(const struct image_tiles *t, struct str *out)
{
    const double s = (double)t->duration_us / 1e6;
    str_addf(out,
             "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:%lld\n#EXT-X-PLAYLIST-TYPE:VOD\n"
             "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-IMAGES-ONLY\n#EXTINF:%.6f,\n"
             "#EXT-X-TILES:RESOLUTION=%ux%u,LAYOUT=%dx%u,DURATION=%.6f\n../storyboard.jpg\n"
             "#EXT-X-ENDLIST\n",
             (long long)((t->duration_us + US_PER_SEC - 1) / US_PER_SEC), s, t->width, t->height,
             IMAGE_COLUMNS, (t->n + IMAGE_COLUMNS - 1) / IMAGE_COLUMNS, s / t->n);
}

enum answered trick_play_answer(struct entry *e, struct http_request *r, const struct ask *ask)
{
    static const struct http_header h[] = {{"access-control-allow-origin", "*"},
                                           {"content-type", "application/vnd.apple.mpegurl"},
                                           {"cache-control", "public, max-age=60"}};
    struct image_tiles t;
    struct str text = {0};
    if (!e->vod && !e->over_asked) return ANSWER_ASK_GATE;
    if (!e->vod || strcmp(ask->run, e->vod->run) != 0 || e->is_signed || ask->view.clip ||
        !tiles_of(e->vod, &t)) {
        answer_error(r, 404, "not_found", "There is nothing to play at this address.");
        return ANSWERED;
    }
    write_list(&t, &text);
    struct buf *b = str_take_buf(&text);
    http_reply(r, 200, h, 3, b, 0);
    buf_unref(b);
    return ANSWERED;
}
