/* SPDX-License-Identifier: MIT */
/* From a request to an ask, and back. */
#include "serve/images/image_service.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "serve/images/images_priv.h"
#include <stdio.h>

#define CORS                                                                                       \
    {                                                                                              \
        "access-control-allow-origin", "*"                                                         \
    }

static void refuse(struct http_request *r, int status, const char *code, const char *message,
                   unsigned retry_s)
{
    char wait[16];
    snprintf(wait, sizeof wait, "%u", retry_s);
    const struct http_header h[] = {CORS, {"cache-control", "no-store"}, {"retry-after", wait}};
    http_reply_error(r, status, code, message, NULL, h, retry_s ? 3 : 2);
}

/* Ids are letters, digits, '-' and '_'. */
static bool is_id(const char *s)
{
    size_t n = 0;
    for (; s[n]; n++) {
        const char c = s[n];
        const bool ok = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                        (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
        if (!ok || n + 1 >= IMAGE_ID_CAP) return false;
    }
    return n > 0;
}

/* --- answering: on the request's loop --- */

static bool has_it(struct http_request *r, const char *etag)
{
    struct span list = http_header_in(r, "if-none-match");
    while (list.p) {
        struct span one = span_trim(span_cut(&list, ','));
        if (span_starts(one, "W/")) one = span_skip(one, 2);
        if (span_is(one, etag)) return true;
    }
    return false;
}

static void reply_text(struct http_request *r, const struct image_ask *ask)
{
    const bool vtt = ask->params.text == IMAGE_VTT;
    struct str url = {0}, text = {0};
    str_addf(&url, "%s/%s/storyboard.%s", http_origin(r), ask->id,
             image_format_name(ask->params.format));
    if (ask->token) str_addf(&url, "?token=%s", ask->token); /* it is good for the sheet too */
    if (vtt)
        image_tiles_vtt(&ask->answer.tiles, str_c(&url), &text);
    else
        image_tiles_json(&ask->answer.tiles, str_c(&url), &text);
    struct buf *b = str_take_buf(&text);
    const struct http_header h[] = {
        CORS,
        {"content-type", vtt ? "text/vtt; charset=utf-8" : "application/json"},
        {"cache-control", ask->answer.life}};
    http_reply(r, 200, h, 3, b, 0);
    buf_unref(b);
    str_fini(&url);
}

static void reply_image(struct http_request *r, const struct image_ask *ask)
{
    const struct image_answer *a = &ask->answer;
    const struct http_header h[] = {CORS,
                                    {"cache-control", a->life},
                                    {"etag", a->etag},
                                    {"content-type", image_format_type(ask->params.format)},
                                    {"x-content-type-options", "nosniff"},
                                    {"cross-origin-resource-policy", "cross-origin"}};
    if (has_it(r, a->etag))
        http_reply(r, 304, h, 3, NULL, 0);
    else
        http_reply(r, 200, h, 6, a->image, 0);
}

static void free_ask(struct image_ask *ask)
{
    buf_unref(ask->answer.image);
    free(ask->token);
    free(ask);
}

static void deliver(void *arg)
{
    struct image_ask *ask = arg;
    const struct image_answer *a = &ask->answer;
    if (a->status != 200)
        refuse(ask->request, a->status, a->code, a->message, a->retry_s);
    else if (ask->params.text)
        reply_text(ask->request, ask);
    else
        reply_image(ask->request, ask);
    free_ask(ask);
}

void image_ask_reply(struct image_ask *ask)
{
    loop_post(ask->loop, deliver, ask);
}

void image_ask_refuse(struct image_ask *ask, int status, const char *code, const char *message)
{
    ask->answer.status = status;
    snprintf(ask->answer.code, sizeof ask->answer.code, "%s", code);
    snprintf(ask->answer.message, sizeof ask->answer.message, "%s", message);
    image_ask_reply(ask);
}

/* --- asking --- */

static void at_home(void *arg)
{
    struct image_ask *ask = arg;
    image_job_ask(ask->service, ask);
}

static void go(struct image_ask *ask)
{
    loop_post(ask->service->home, at_home, ask);
}

/* False: refused, and the ask is gone. */
static bool good(struct image_ask *ask, enum err e, const char *problem)
{
    if (e == E_OK) return true;
    refuse(ask->request, 400, "invalid_parameters", problem, 0);
    free_ask(ask);
    return false;
}

/* With a token, its claims are the parameters. */
static void on_admit(void *ctx, enum err e, const char *reason, const struct gate_pass *pass)
{
    struct image_ask *ask = ctx;
    const char *problem = "";
    if (e != E_OK) {
        if (e == E_AUTH)
            refuse(ask->request, 403, "forbidden", reason, 0);
        else if (e == E_NOTFOUND)
            refuse(ask->request, 404, "not_found", "There is no such playback id.", 0);
        else
            refuse(ask->request, 503, "busy", "The server cannot check the token now.", 2);
        free_ask(ask);
        return;
    }
    for (unsigned i = 0; i < pass->n; i++) {
        const struct span name = span_str(pass->claims[i].name);
        e = image_params_set(&ask->params, name, span_str(pass->claims[i].value), &problem);
        if (!good(ask, e, problem)) return;
    }
    e = pass->by_query ? image_params_query(&ask->params, http_query(ask->request), &problem)
                       : image_params_check(&ask->params, &problem);
    if (good(ask, e, problem)) go(ask);
}

static void ask_admission(struct image_ask *ask, const char *token)
{
    static const char *const USE[] = {[IMAGE_THUMBNAIL] = "t",
                                      [IMAGE_ANIMATED] = "g",
                                      [IMAGE_STORYBOARD] = "s",
                                      [IMAGE_TILES] = "s"};
    const struct gate *g = ask->service->cfg.gate;
    struct http_request *r = ask->request;
    char referrer[1024] = "", agent[512] = "";
    const struct span page = http_header_in(r, "referer");
    const struct span program = http_header_in(r, "user-agent");
    /* What does not fit is no page of anybody's list. */
    (void)span_cstr(span_head(page, sizeof referrer - 1), referrer, sizeof referrer);
    (void)span_cstr(span_head(program, sizeof agent - 1), agent, sizeof agent);
    ask->token = xstrdup(token);
    g->admit(g->self, ask->id,
             &(struct gate_viewer){.token = ask->token,
                                   .referrer = referrer,
                                   .agent = agent,
                                   .use = USE[ask->params.kind]},
             on_admit, ask);
}

static struct image_ask *new_ask(struct image_service *s, struct http_request *r,
                                 const struct image_params *p)
{
    struct image_ask *ask = NEW(struct image_ask);
    list_init(&ask->node);
    ask->service = s;
    ask->request = r;
    ask->loop = http_loop(r);
    ask->params = *p;
    snprintf(ask->id, sizeof ask->id, "%s", http_param(r, 0));
    snprintf(ask->peer, sizeof ask->peer, "%s", http_peer(r));
    return ask;
}

static void on_image(struct http_request *r, void *ctx, const char *name)
{
    struct image_service *s = ctx;
    struct image_params p;
    char token[LIMIT_JWT_BYTES + 1];
    const char *problem = "";
    unsigned wait = 0;
    if (!is_id(http_param(r, 0)) || image_params_name(span_str(name), &p) != E_OK) {
        refuse(r, 404, "not_found", "There is no image at this address.", 0);
        return;
    }
    if (!peer_limit_ask(s->often, http_peer(r), loop_now_us(http_loop(r)), &wait)) {
        refuse(r, 429, "too_many_requests", "Too many images are being asked for.", wait);
        return;
    }
    enum err e = http_query_get(r, "token", token, sizeof token);
    if (e == E_OK || e == E_LIMIT || e == E_PROTO) {
        ask_admission(new_ask(s, r, &p), e == E_OK && token[0] ? token : "-");
        return;
    }
    struct image_ask *ask = new_ask(s, r, &p);
    e = image_params_query(&ask->params, http_query(r), &problem);
    if (good(ask, e, problem)) go(ask);
}

/* --- routes --- */

static void on_thumbnail(struct http_request *r, void *ctx)
{
    char name[64];
    snprintf(name, sizeof name, "thumbnail.%.40s", http_param(r, 1));
    on_image(r, ctx, name);
}

static void on_animated(struct http_request *r, void *ctx)
{
    char name[64];
    snprintf(name, sizeof name, "animated.%.40s", http_param(r, 1));
    on_image(r, ctx, name);
}

static void on_storyboard(struct http_request *r, void *ctx)
{
    char name[64];
    snprintf(name, sizeof name, "storyboard.%.40s", http_param(r, 1));
    on_image(r, ctx, name);
}

static const struct {
    const char *pattern;
    void (*handler)(struct http_request *r, void *ctx);
} ROUTES[] = {
    {"/{}/thumbnail.{}", on_thumbnail},
    {"/{}/animated.{}", on_animated},
    {"/{}/storyboard.{}", on_storyboard},
};
#define N_ROUTES (sizeof ROUTES / sizeof *ROUTES)

struct image_service *image_service_new(const struct image_config *cfg)
{
    struct image_service *s = NEW(struct image_service);
    s->cfg = *cfg;
    s->home = cfg->loops[0];
    s->cache = image_cache_new(cfg->settings->data, cfg->settings->image_cache_size,
                               cfg->settings->min_free_disk);
    s->often = peer_limit_new(LIMIT_IMAGE_BURST, LIMIT_IMAGE_PER_S, 1);
    s->fresh = peer_limit_new(LIMIT_IMAGE_NEW_BURST, LIMIT_IMAGE_NEW_PER_S, 1);
    image_jobs_init(s);
    s->n_routes = 2 * N_ROUTES;
    s->routes = xcalloc(s->n_routes, sizeof *s->routes);
    for (size_t i = 0; i < N_ROUTES; i++) {
        s->routes[2 * i] =
            (struct http_route){HTTP_GET, ROUTES[i].pattern, ROUTES[i].handler, s, 0};
        s->routes[2 * i + 1] =
            (struct http_route){HTTP_OPTIONS, ROUTES[i].pattern, http_preflight, s, 0};
    }
    return s;
}

const struct http_route *image_routes(const struct image_service *s, size_t *n)
{
    *n = s->n_routes;
    return s->routes;
}

void image_service_drain(struct image_service *s)
{
    image_jobs_close(s);
}

void image_service_free(struct image_service *s)
{
    if (!s) return;
    map_fini(&s->by_key);
    image_cache_free(s->cache);
    peer_limit_free(s->often);
    peer_limit_free(s->fresh);
    free(s->routes);
    free(s);
}
