/* SPDX-License-Identifier: MIT */
/* /oembed: what another site needs to show a stream of ours (oembed.com, 1.0): of type video, with
 * a frame of /embed. 404: not an address of ours; 401: a private stream; 501: another format. */
#include "api/api_priv.h"
#include "api/page_head.h"
#include "product/visibility.h"
#include "wire/http_uri.h"
#include <stdio.h>

/* Of the frame, unless less is asked for. */
enum { WIDTH = 640, HEIGHT = 360, LEAST = 64 };

struct card {
    unsigned width, height;
    char title[TEXT_CAP(LIMIT_TITLE_CHARS)], author[TEXT_CAP(LIMIT_NAME_CHARS)];
    char author_url[CALL_ORIGIN_CAP + HANDLE_CAP + 8], thumbnail[CALL_ORIGIN_CAP + ID_CAP + 64];
    struct str html;
};

static void fail(struct call *c, enum err e, int status, const char *code, const char *text)
{
    call_fail(c, problem_set(&c->problem, e, code, NULL, "%s", text), status);
}

/* "https://host/stream/ID?…" to ID. The scheme is not looked at: an address may have been copied
 * from before there was TLS. */
static bool own_path(const struct call *c, struct span url, struct span *path)
{
    struct span mine = span_str(c->origin);
    const size_t a = span_starts(url, "https://") ? 8 : span_starts(url, "http://") ? 7 : 0;
    const size_t b = span_starts(mine, "https://") ? 8 : 7;
    mine = span_skip(mine, b);
    url = span_skip(url, a);
    if (!a || !mine.len || url.len <= mine.len || !span_ieq(span_head(url, mine.len), mine))
        return false;
    url = span_skip(url, mine.len);
    url = span_cut(&url, '#');
    *path = span_cut(&url, '?');
    return path->p[0] == '/';
}

/* E_NOTFOUND: not an address of a stream. */
static enum err find(struct call *c, struct span path, struct stream *s)
{
    char id[ID_CAP];
    const bool page = span_starts(path, "/stream/"), embed = span_starts(path, "/embed/");
    if (!page && !embed) return E_NOTFOUND;
    struct span rest = span_skip(path, page ? 8 : 7);
    if (rest.len && rest.p[rest.len - 1] == '/') rest = span_head(rest, rest.len - 1);
    if (!span_cstr(rest, id, sizeof id) || !text_is_id(id)) return E_NOTFOUND;
    return page ? stream_get(c->db, id, s, &c->problem)
                : stream_get_played(c->db, id, s, &c->problem);
}

/* The most that is asked for; false: the reply is made. */
static bool read_most(struct call *c, unsigned at, unsigned usual, unsigned *out)
{
    uint64_t n;
    *out = usual;
    if (!c->has_query[at]) return true;
    if (!span_u64(span_str(c->query[at]), 1000000, &n) || !n) {
        fail(c, E_PROTO, 400, "invalid", "maxwidth and maxheight are numbers of pixels.");
        return false;
    }
    if (n < usual) *out = n < LEAST ? LEAST : (unsigned)n;
    return true;
}

static void fill(struct call *c, const struct stream *s, const char *id, struct card *o)
{
    snprintf(o->title, sizeof o->title, "%s", s->title);
    snprintf(o->author, sizeof o->author, "%s", s->user_name);
    if (s->user_handle[0])
        snprintf(o->author_url, sizeof o->author_url, "%s/@%s", c->origin, s->user_handle);
    if (s->status != STREAM_CREATED)
        snprintf(o->thumbnail, sizeof o->thumbnail,
                 "%s/%s/thumbnail.jpg?width=%u&height=%u&fit_mode=pad", c->origin, id, o->width,
                 o->height);
    str_addf(&o->html, "<iframe src=\"%s/embed/%s\" width=\"%u\" height=\"%u\" title=\"", c->origin,
             id, o->width, o->height);
    page_escape(&o->html, s->title);
    str_adds(&o->html, "\" frameborder=\"0\" allow=\"autoplay; fullscreen; picture-in-picture\" "
                       "allowfullscreen></iframe>");
}

static void reply_json(struct call *c, struct card *o)
{
    json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:i}", "version", "1.0",
                          "type", "video", "provider_name", "bspnode", "provider_url", c->origin,
                          "title", o->title, "author_name", o->author, "width", (int)o->width,
                          "height", (int)o->height, "html", str_c(&o->html), "cache_age", 300);
    if (o->author_url[0]) json_object_set_new(j, "author_url", json_string(o->author_url));
    if (o->thumbnail[0]) {
        json_object_set_new(j, "thumbnail_url", json_string(o->thumbnail));
        json_object_set_new(j, "thumbnail_width", json_integer(o->width));
        json_object_set_new(j, "thumbnail_height", json_integer(o->height));
    }
    call_json(c, 200, j);
}

static void element(struct str *out, const char *name, const char *text)
{
    if (!*text) return;
    str_addf(out, "<%s>", name);
    page_escape(out, text);
    str_addf(out, "</%s>\n", name);
}

static void reply_xml(struct call *c, struct card *o)
{
    struct str x = {0};
    str_adds(&x, "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>\n<oembed>\n");
    element(&x, "version", "1.0");
    element(&x, "type", "video");
    element(&x, "provider_name", "bspnode");
    element(&x, "provider_url", c->origin);
    element(&x, "title", o->title);
    element(&x, "author_name", o->author);
    element(&x, "author_url", o->author_url);
    element(&x, "thumbnail_url", o->thumbnail);
    if (o->thumbnail[0])
        str_addf(&x,
                 "<thumbnail_width>%u</thumbnail_width>\n<thumbnail_height>%u"
                 "</thumbnail_height>\n",
                 o->width, o->height);
    element(&x, "html", str_c(&o->html));
    str_addf(&x, "<width>%u</width>\n<height>%u</height>\n<cache_age>300</cache_age>\n</oembed>\n",
             o->width, o->height);
    c->reply = str_take_buf(&x);
    c->type = "text/xml; charset=utf-8";
    c->status = 200;
}

enum { Q_FORMAT, Q_WIDTH, Q_HEIGHT };

static void show(struct call *c, const struct stream *s, bool xml)
{
    struct card *o = NULL;
    unsigned width, height;
    const char *id = s->status == STREAM_ENDED && s->recording_playable ? s->recording_playback_id
                                                                        : s->live_playback_id;
    if (s->visibility == VISIBILITY_PRIVATE) {
        fail(c, E_AUTH, 401, "private", "This stream is private.");
        return;
    }
    if (!*id) {
        fail(c, E_NOTFOUND, 404, "not_found", "This stream cannot be shown elsewhere.");
        return;
    }
    if (!read_most(c, Q_WIDTH, WIDTH, &width) || !read_most(c, Q_HEIGHT, HEIGHT, &height)) return;
    o = calloc(1, sizeof *o);
    if (!o) return call_fail(c, E_NOMEM, 0);
    /* 16 to 9, within both. */
    o->width = width * HEIGHT <= height * WIDTH ? width : height * WIDTH / HEIGHT;
    o->height = o->width * HEIGHT / WIDTH;
    fill(c, s, id, o);
    if (xml)
        reply_xml(c, o);
    else
        reply_json(c, o);
    str_fini(&o->html);
    free(o);
}

static void oembed(struct call *c)
{
    struct stream s;
    struct span path;
    char url[2 * CALL_ORIGIN_CAP];
    const char *format = c->query[Q_FORMAT];
    const bool xml = strcmp(format, "xml") == 0;
    if (format[0] && !xml && strcmp(format, "json") != 0) {
        fail(c, E_UNSUPPORTED, 501, "format", "format is json or xml.");
        return;
    }
    enum err e = http_uri_query_get(c->raw_query, "url", url, sizeof url);
    if (e == E_NOTFOUND) {
        fail(c, E_PROTO, 400, "required", "Say which page: url.");
        return;
    }
    if (e == E_OK) e = own_path(c, span_str(url), &path) ? find(c, path, &s) : E_NOTFOUND;
    if (e == E_OK) {
        show(c, &s, xml);
        stream_fini(&s);
    } else if (e == E_NOTFOUND || e == E_LIMIT || e == E_PROTO) {
        c->problem = (struct problem){0};
        fail(c, E_NOTFOUND, 404, "not_found", "There is no stream at this address here.");
    } else {
        call_fail(c, e, 0);
    }
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_GET, "/oembed", oembed, CALL_OPEN, {"format", "maxwidth", "maxheight"}},
};
const struct endpoint_table app_oembed = ENDPOINT_TABLE(ENDPOINTS);
