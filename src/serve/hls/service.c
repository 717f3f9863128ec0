/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/rand.h"
#include "base/xalloc.h"
#include "serve/hls/hls_priv.h"
#include <stdio.h>

/* --- from a request to an ask ------------------------------------------------------------------
 */

/* Ids are letters, digits, '-' and '_': anything else is not one of ours. */
static bool is_id(const char *s, size_t cap)
{
    size_t n = 0;
    for (; s[n]; n++) {
        const char c = s[n];
        const bool ok = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                        (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
        if (!ok || n + 1 >= cap) return false;
    }
    return n > 0;
}

static void unknown(struct http_request *r)
{
    answer_error(r, 404, "not_found", "There is nothing to play at this address.");
}

static struct hls_loop *loop_of(struct hls_service *s, const struct http_request *r)
{
    return &s->loops[loop_id(http_loop(r))];
}

/* A query's value, or a claim; the reply is made when it is none such. */
static bool wish(struct http_request *r, struct hls_wish *w, const char *name, struct span value)
{
    char text[120];
    if (hls_wish_set(w, name, value) == E_OK) return true;
    snprintf(text, sizeof text, "This is not a value of %s.", name);
    answer_error(r, 400, "bad_request", text);
    return false;
}

static bool wishes_fit(struct http_request *r, struct hls_wish *w)
{
    const char *why = "";
    if (hls_wish_check(w, &why) == E_OK) return true;
    answer_error(r, 400, "bad_request", why);
    return false;
}

static bool read_wishes(struct http_request *r, struct hls_wish *w)
{
    char value[128];
    for (unsigned i = 0; HLS_WISHES[i]; i++) {
        const enum err e = http_query_get(r, HLS_WISHES[i], value, sizeof value);
        if (e == E_NOTFOUND) continue;
        if (e != E_OK) value[0] = 0; /* none of the values */
        if (!wish(r, w, HLS_WISHES[i], span_str(value))) return false;
    }
    return wishes_fit(r, w);
}

/* Who brings a token waits for the gate; what the token says is what is shown. */
struct admission {
    struct hls_service *s;
    struct http_request *r;
    struct text_ask text;
    enum ask_kind kind;
};

/* Of a text track as a file the wish's clip is its view. */
static void submit(struct hls_service *s, struct http_request *r, struct ask *ask)
{
    if (ask->kind == ASK_TEXT) ask->view = ask->wish.view;
    entry_request(loop_of(s, r), r, http_param(r, 0), ask);
}

static void admitted(struct admission *a, const struct gate_pass *p)
{
    struct ask ask = {.kind = a->kind,
                      .text = a->text,
                      .admitted = true,
                      .by_token = true,
                      .access_epoch = p->access_epoch};
    for (unsigned i = 0; i < p->n; i++)
        if (!wish(a->r, &ask.wish, p->claims[i].name, span_str(p->claims[i].value))) return;
    if (p->by_query && !read_wishes(a->r, &ask.wish)) return;
    if (wishes_fit(a->r, &ask.wish)) submit(a->s, a->r, &ask);
}

static void on_admit(void *ctx, enum err e, const char *reason, const struct gate_pass *p)
{
    struct admission *a = ctx;
    if (e == E_OK)
        admitted(a, p);
    else if (e == E_AUTH)
        answer_error(a->r, 403, "forbidden", reason);
    else if (e == E_NOTFOUND)
        unknown(a->r);
    else
        answer_error(a->r, 503, "busy", "The server cannot check the token now.");
    free(a);
}

static void ask_admission(struct hls_service *s, struct http_request *r, const struct ask *ask,
                          const char *token)
{
    struct admission *a = NEW(struct admission);
    char referrer[1024] = "", agent[512] = "";
    /* What does not fit is no page of anybody's list. */
    const struct span page = http_header_in(r, "referer"),
                      program = http_header_in(r, "user-agent");
    (void)span_cstr(span_head(page, sizeof referrer - 1), referrer, sizeof referrer);
    (void)span_cstr(span_head(program, sizeof agent - 1), agent, sizeof agent);
    *a = (struct admission){s, r, ask->text, ask->kind};
    s->cfg.gate->admit(
        s->cfg.gate->self, http_param(r, 0),
        &(struct gate_viewer){.token = token, .referrer = referrer, .agent = agent, .use = "v"},
        on_admit, a);
}

/* What a viewer asks for by the id alone: with a token, with wishes. */
static void open_request(struct hls_service *s, struct http_request *r, struct ask *ask)
{
    char token[LIMIT_JWT_BYTES + 1];
    if (!is_id(http_param(r, 0), HLS_ID_CAP)) {
        unknown(r);
        return;
    }
    const enum err e = http_query_get(r, "token", token, sizeof token);
    if (e == E_LIMIT || e == E_PROTO)
        answer_error(r, 403, "forbidden", "This is not a valid token.");
    else if (e == E_OK)
        ask_admission(s, r, ask, token[0] ? token : "-");
    else if (read_wishes(r, &ask->wish))
        submit(s, r, ask);
}

static void on_multi(struct http_request *r, void *ctx)
{
    struct ask ask = {.kind = ASK_MULTI};
    open_request(ctx, r, &ask);
}

static void text_file(struct hls_service *s, struct http_request *r, enum text_what what)
{
    struct ask ask = {.kind = ASK_TEXT, .text = {.what = what}};
    if (is_id(http_param(r, 1), HLS_ID_CAP) &&
        span_cstr(span_str(http_param(r, 1)), ask.text.id, sizeof ask.text.id))
        open_request(s, r, &ask);
    else
        unknown(r);
}

static void on_text(struct http_request *r, void *ctx)
{
    text_file(ctx, r, TEXT_FILE);
}

static void on_plain(struct http_request *r, void *ctx)
{
    text_file(ctx, r, TEXT_PLAIN);
}

/* The element of the path that names broadcast and view; its signature is looked at by the entry,
 * which knows what it must be about. False: the reply is made. */
static bool read_run(struct http_request *r, struct ask *ask)
{
    const struct span text = span_str(http_param(r, 1));
    struct hls_path p;
    if (hls_path_parse(text, &p) != E_OK) {
        unknown(r);
        return false;
    }
    snprintf(ask->run, sizeof ask->run, "%s", p.run);
    ask->view = p.view;
    if (p.is_signed && !span_cstr(text, ask->path, sizeof ask->path)) {
        unknown(r);
        return false;
    }
    return true;
}

/* Playback id and rendition of the path. */
static bool read_path(struct http_request *r, struct ask *ask)
{
    const char *rendition = http_param(r, 2);
    if (!is_id(http_param(r, 0), HLS_ID_CAP)) return false;
    const size_t n = strlen(rendition);
    ask->vod = ask->kind == ASK_MEDIA && n == 6 && !strcmp(rendition + 2, "-vod");
    if (n != 2 && !ask->vod) return false;
    snprintf(ask->rendition, sizeof ask->rendition, "%.2s", rendition);
    return is_id(ask->rendition, sizeof ask->rendition);
}

/* Playlists of text tracks, and the pieces that they name. */
static void on_text_part(struct http_request *r, struct hls_service *s, const char *piece)
{
    struct ask ask = {.kind = ASK_TEXT};
    if (!is_id(http_param(r, 0), HLS_ID_CAP) ||
        !text_read_path(http_param(r, 2), piece, &ask.text) ||
        !is_id(ask.text.id, sizeof ask.text.id)) {
        unknown(r);
        return;
    }
    if (read_run(r, &ask)) entry_request(loop_of(s, r), r, http_param(r, 0), &ask);
}

static void on_piece(struct http_request *r, void *ctx)
{
    on_text_part(r, ctx, http_param(r, 3));
}

static void on_media(struct http_request *r, void *ctx)
{
    struct ask ask = {.kind = ASK_MEDIA};
    if (!strncmp(http_param(r, 2), "text-", 5)) {
        on_text_part(r, ctx, NULL);
        return;
    }
    if (!strcmp(http_param(r, 2), "images") && is_id(http_param(r, 0), HLS_ID_CAP)) {
        ask.kind = ASK_IMAGES;
        if (read_run(r, &ask)) entry_request(loop_of(ctx, r), r, http_param(r, 0), &ask);
        return;
    }
    if (!read_path(r, &ask)) {
        unknown(r);
        return;
    }
    if (m3u8_directives_parse(http_query(r), &ask.d) != E_OK) {
        answer_error(r, 400, "bad_request", "The _HLS_ parameters are wrong.");
        return;
    }
    if (read_run(r, &ask)) entry_request(loop_of(ctx, r), r, http_param(r, 0), &ask);
}

static void on_resource(struct http_request *r, struct hls_service *s, bool init)
{
    struct ask ask = {.kind = ASK_RESOURCE};
    if (!read_path(r, &ask) || hls_resource_parse(span_str(http_param(r, 3)), &ask.id) != E_OK ||
        (ask.id.kind == HLS_INIT) != init) {
        unknown(r);
        return;
    }
    if (read_run(r, &ask)) entry_request(loop_of(s, r), r, http_param(r, 0), &ask);
}

static void on_m4s(struct http_request *r, void *ctx)
{
    on_resource(r, ctx, false);
}

static void on_mp4(struct http_request *r, void *ctx)
{
    on_resource(r, ctx, true);
}

static void on_file(struct http_request *r, void *ctx)
{
    files_request(ctx, r, false);
}

static void on_sound(struct http_request *r, void *ctx)
{
    files_request(ctx, r, true);
}

static void on_master(struct http_request *r, void *ctx)
{
    files_master(ctx, r);
}

static void on_preflight(struct http_request *r, void *ctx)
{
    static const struct http_header h[] = {{"access-control-allow-origin", "*"},
                                           {"access-control-allow-methods", "GET, HEAD, OPTIONS"},
                                           {"access-control-allow-headers", "range"},
                                           {"access-control-max-age", "86400"}};
    (void)ctx;
    http_reply(r, 204, h, 4, NULL, 0);
}

/* --- life --------------------------------------------------------------------------------------
 */

static const struct {
    const char *pattern;
    void (*handler)(struct http_request *r, void *ctx);
} ROUTES[] = {
    {"/{}.m3u8", on_multi},         {"/{}/{}/{}.m3u8", on_media}, {"/{}/{}/{}/{}.m4s", on_m4s},
    {"/{}/{}/{}/{}.mp4", on_mp4},   {"/{}/{}.mp4", on_file},      {"/{}/{}.m4a", on_sound},
    {"/{}/{}/{}/{}.vtt", on_piece}, {"/{}/text/{}.vtt", on_text}, {"/{}/text/{}.txt", on_plain},
    {"/master/{}/{}", on_master},
};
#define N_ROUTES (sizeof ROUTES / sizeof *ROUTES)

static uint64_t seed_of(const struct hls_service *s)
{
    uint8_t key[SECRET_LEN];
    uint64_t seed;
    if (!s->cfg.secret) return rand_u64();
    secret_derive(s->cfg.secret, "viewers", key);
    memcpy(&seed, key, sizeof seed);
    return seed;
}

struct hls_service *hls_service_new(const struct hls_config *cfg)
{
    struct hls_service *s = NEW(struct hls_service);
    CHECK(cfg->n_loops <= LIMIT_LOOPS_MAX);
    s->cfg = *cfg;
    s->vods = vod_cache_new();
    s->texts = text_cache_new();
    if (cfg->secret)
        secret_derive(cfg->secret, "hls-path", s->key);
    else
        rand_bytes(s->key, sizeof s->key);
    s->book = hls_audience_new(seed_of(s));
    for (unsigned i = 0; i < cfg->n_loops; i++) {
        struct hls_loop *h = &s->loops[loop_id(cfg->loops[i])];
        h->s = s;
        h->loop = cfg->loops[i];
        entry_init(h);
    }
    s->n_routes = 2 * N_ROUTES;
    s->routes = xcalloc(s->n_routes, sizeof *s->routes);
    for (size_t i = 0; i < N_ROUTES; i++) {
        s->routes[2 * i] =
            (struct http_route){HTTP_GET, ROUTES[i].pattern, ROUTES[i].handler, s, 0};
        s->routes[2 * i + 1] =
            (struct http_route){HTTP_OPTIONS, ROUTES[i].pattern, on_preflight, s, 0};
    }
    return s;
}

const struct http_route *hls_routes(const struct hls_service *s, size_t *n)
{
    *n = s->n_routes;
    return s->routes;
}

void hls_service_drain_loop(struct hls_service *s)
{
    entry_drain(&s->loops[loop_id(loop_current())]);
}

void hls_service_free(struct hls_service *s)
{
    for (unsigned i = 0; i < LIMIT_LOOPS_MAX; i++) map_fini(&s->loops[i].by_id);
    vod_cache_free(s->vods);
    text_cache_free(s->texts);
    hls_audience_free(s->book);
    free(s->routes);
    free(s);
}

unsigned hls_viewers(struct hls_service *s, const char *stream_id)
{
    return hls_audience_count(s->book, stream_id, clock_mono_us());
}

void hls_on_new_viewer(struct hls_service *s, hls_new_viewer_fn *fn, void *ctx)
{
    hls_audience_on_new(s->book, fn, ctx);
}

uint64_t hls_viewer_who(const struct hls_service *s, const char *stream_id, struct span address,
                        struct span program)
{
    return hls_audience_who(s->book, stream_id, address, program);
}

void hls_viewer_left(struct hls_service *s, const char *stream_id, uint64_t who, bool elsewhere)
{
    hls_audience_forget(s->book, stream_id, who);
    if (elsewhere) hls_audience_tell(s->book, stream_id, who);
}
