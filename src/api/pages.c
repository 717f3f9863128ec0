/* SPDX-License-Identifier: MIT */
/* The embedded pages (api/web_assets.h): files under their own paths, index.html for the addresses
 * that its script draws, and a 404 for the rest. Constant data but for a nonce, answered on the
 * loop. */
#include "api/api_priv.h"
#include "api/page_head.h"
#include "api/web_assets.h"
#include "base/hash.h"
#include "base/rand.h"
#include "video/provider.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* What a page may load: only from here, and media from the public URL when pages are reached by
 * another. The player writes style sheets into its shadow roots: those that carry the nonce of this
 * reply, which a page's script gives them (web/src/ui/style-nonce.ts), are let in, and no style
 * attribute. It plays from blobs and makes its worker from one (tried in Chromium: web/README.md).
 * The nonce follows as `style-src`. %1$s: " https://media.example.org" or "";
 * %3$s: the same, of where recordings are uploaded to. */
static const char CSP[] =
    "default-src 'none'; script-src 'self'; img-src 'self' "
    "data:%1$s; media-src 'self' blob:%1$s; connect-src 'self'%1$s%3$s; worker-src 'self' blob:; "
    "manifest-src 'self'; base-uri "
    "'none'; form-action 'self'; frame-ancestors %2$s";
static const char PERMISSIONS[] = "camera=(self), microphone=(self), display-capture=(self), "
                                  "geolocation=(), payment=(), usb=()";

/* A policy is a list: what would end an item is not let into it. */
static void allow(char *media, size_t cap, const char *url)
{
    const size_t n = strlen(media);
    if (url && *url && !strpbrk(url, " ;,'\"") && strlen(url) < CALL_ORIGIN_CAP)
        snprintf(media + n, cap - n, " %s", url);
}

/* Where players get what Mux plays: its playlists lead to hosts of several names. */
static void allow_mux(char *media, size_t cap, const struct settings *s)
{
    if (strcmp(s->media_provider, "mux") != 0) return;
    if (strstr(s->mux_stream_url, ".mux.com"))
        allow(media, cap, "https://*.mux.com");
    else
        allow(media, cap, s->mux_stream_url);
    /* A domain of one's own has the pictures beside it (stream_json.c). */
    if (span_starts(span_str(s->mux_stream_url), "https://stream.") &&
        !strstr(s->mux_stream_url, ".mux.com")) {
        char image[CALL_ORIGIN_CAP];
        snprintf(image, sizeof image, "https://image.%s", s->mux_stream_url + 15);
        allow(media, cap, image);
    }
}

static void allow_uploads(char uploads[REMOTE_ORIGINS_CAP + 1], const struct settings *s)
{
    if (strcmp(s->media_provider, "mux") != 0) return;
    uploads[0] = ' ';
    provider_upload_origins(s, uploads + 1);
    if (!uploads[1]) uploads[0] = 0;
}

void api_pages_init(struct api *a)
{
    char media[3 * CALL_ORIGIN_CAP + 3] = "", uploads[REMOTE_ORIGINS_CAP + 1] = "";
    allow(media, sizeof media, a->cfg.settings->public_url);
    allow_mux(media, sizeof media, a->cfg.settings);
    allow_uploads(uploads, a->cfg.settings);
    snprintf(a->csp_page, sizeof a->csp_page, CSP, media, "'none'", uploads);
    snprintf(a->csp_embed, sizeof a->csp_embed, CSP, media, "*", ""); /* nobody records there */
}

static const struct web_asset **sorted;

static int by_path(const void *a, const void *b)
{
    return strcmp((*(const struct web_asset *const *)a)->path,
                  (*(const struct web_asset *const *)b)->path);
}

static void sort_once(void)
{
    sorted = calloc(web_assets_len + 1, sizeof *sorted);
    for (size_t i = 0; sorted && i < web_assets_len; i++) sorted[i] = &web_assets[i];
    if (sorted) qsort(sorted, web_assets_len, sizeof *sorted, by_path);
}

static const struct web_asset *find(struct span path)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, sort_once);
    char text[256];
    const struct web_asset key = {.path = text}, *key_p = &key;
    if (!sorted || !span_cstr(path, text, sizeof text)) return NULL;
    const struct web_asset **hit = bsearch(&key_p, sorted, web_assets_len, sizeof *sorted, by_path);
    return hit ? *hit : NULL;
}

/* "/dashboard", "/stream/{id}", "/stream/{id}/broadcast" ... : pages that index.html draws. */
static bool is_page(struct span path)
{
    static const char *const EXACT[] = {"/",        "/login",       "/register",     "/dashboard",
                                        "/account", "/forgot",      "/reset",        "/confirm",
                                        "/admin",   "/unsubscribe", "/notifications"};
    for (size_t i = 0; i < sizeof EXACT / sizeof *EXACT; i++)
        if (span_is(path, EXACT[i])) return true;
    if (span_starts(path, "/admin/")) return true;
    if (span_starts(path, "/@")) return !memchr(path.p + 1, '/', path.len - 1);
    const bool stream = span_starts(path, "/stream/");
    if (!stream && !span_starts(path, "/dashboard/")) return false;
    struct span rest = span_skip(path, stream ? 8 : 11);
    const struct span id = span_cut(&rest, '/');
    return id.len && (!rest.p || (stream && span_is(rest, "broadcast")));
}

static bool is_embed(struct span path)
{
    if (!span_starts(path, "/embed/")) return false;
    const struct span id = span_skip(path, 7);
    return id.len && !memchr(id.p, '/', id.len);
}

/* RFC 9110, 13.1.2: a list of tags, weak comparison; our tags hold no comma. */
static bool tag_matches(struct span header, const char *etag)
{
    while (header.p) {
        struct span one = span_trim(span_cut(&header, ','));
        if (span_starts(one, "W/")) one = span_skip(one, 2);
        if (span_is(one, "*") || span_is(one, etag)) return true;
    }
    return false;
}

/* Where a page's HTML has its nonce, which is as long as its place. A text that somebody wrote has
 * no such quotes in it: they are escaped there. */
static const char NONCE_PLACE[] = "nonce=\"nonce-goes-here--------\"";
#define NONCE_AT    7
#define NONCE_BYTES 17
#define NONCE_CHARS ((NONCE_BYTES * 8 + 5) / 6)
_Static_assert(sizeof NONCE_PLACE == NONCE_AT + NONCE_CHARS + 2, "as long as a nonce");

/* A page, with a nonce of its own: for the style sheets that its script makes. Nothing to be kept:
 * policy and page belong together. */
static void reply_page(const struct api *api, struct http_request *r, const struct web_asset *a,
                       int status, bool embed, const struct buf *body)
{
    uint8_t random[NONCE_BYTES];
    char nonce[HASH_B64_LEN(NONCE_BYTES)], csp[sizeof api->csp_page + 64];
    struct http_header h[12];
    size_t n = 0;
    rand_bytes(random, sizeof random);
    hash_b64url(span_of(random, sizeof random), nonce);
    snprintf(csp, sizeof csp, "%s; style-src 'self' 'nonce-%s'",
             embed ? api->csp_embed : api->csp_page, nonce);
    struct buf *b = buf_copy(body ? buf_span(body) : span_of(a->data, a->len));
    for (uint8_t *at = b->data, *end = at + b->len;
         (at = memmem(at, (size_t)(end - at), NONCE_PLACE, sizeof NONCE_PLACE - 1));)
        memcpy(at + NONCE_AT, nonce, NONCE_CHARS);
    h[n++] = (struct http_header){"content-type", a->type};
    h[n++] = (struct http_header){"cache-control", "no-cache"};
    h[n++] = (struct http_header){"x-content-type-options", "nosniff"};
    h[n++] = (struct http_header){"referrer-policy", "strict-origin-when-cross-origin"};
    h[n++] = (struct http_header){"content-security-policy", csp};
    h[n++] = (struct http_header){"permissions-policy", PERMISSIONS};
    /* Without TLS browsers ignore these two, and complain. */
    if (http_secure(r)) {
        if (!embed) h[n++] = (struct http_header){"cross-origin-opener-policy", "same-origin"};
        h[n++] = (struct http_header){"strict-transport-security", "max-age=31536000"};
    }
    if (!embed) h[n++] = (struct http_header){"x-frame-options", "DENY"};
    http_reply(r, status, h, n, b, 0);
    buf_unref(b);
}

void pages_reply(const struct api *api, struct http_request *r, const struct web_asset *a,
                 int status, bool embed, struct buf *body)
{
    char etag[80];
    struct http_header h[12];
    size_t n = 0;
    if (strncmp(a->type, "text/html", 9) == 0) {
        reply_page(api, r, a, status, embed, body);
        return;
    }
    /* Weak: the gzip twin is another representation of the same thing. */
    snprintf(etag, sizeof etag, "W/%s", a->etag);
    h[n++] = (struct http_header){"etag", etag};
    h[n++] = (struct http_header){
        "cache-control", a->immutable ? "public, max-age=31536000, immutable" : "no-cache"};
    h[n++] = (struct http_header){"x-content-type-options", "nosniff"};
    h[n++] = (struct http_header){"referrer-policy", "strict-origin-when-cross-origin"};
    const struct span had = http_header_in(r, "if-none-match");
    if (status == 200 && had.p && tag_matches(had, a->etag)) {
        if (a->gz) h[n++] = (struct http_header){"vary", "accept-encoding"};
        http_reply(r, 304, h, n, NULL, 0);
        return;
    }
    h[n++] = (struct http_header){"content-type", a->type};
    http_reply_const(r, status, h, n, span_of(a->data, a->len), span_of(a->gz, a->gz_len), 0);
}

static bool wants_html(const struct http_request *r)
{
    const struct span accept = http_header_in(r, "accept");
    return accept.p && memmem(accept.p, accept.len, "text/html", 9);
}

void api_pages(struct http_request *r, void *ctx)
{
    const struct span path = http_path(r);
    const bool embed = is_embed(path);
    const struct web_asset *a = find(path);
    if (!a && embed) a = find(SPAN_LIT("/embed.html"));
    const struct web_asset *index = find(SPAN_LIT("/index.html"));
    if (!a && is_page(path)) a = index;
    const bool drawn = a && (a == index || embed);
    if (drawn && page_head_begin(ctx, r, a, embed)) return;
    if (a)
        pages_reply(ctx, r, a, 200, embed || span_is(path, "/embed.html"), NULL);
    else if (index && !span_starts(path, "/api/") && wants_html(r))
        pages_reply(ctx, r, index, 404, false, NULL);
    else
        http_reply_error(r, 404, "not_found", "There is nothing here.", NULL, NULL, 0);
}
