/* SPDX-License-Identifier: MIT */
/* /ID/highest.mp4, /ID/audio.m4a, /master/KEY/master.mp4: files made of a recording, or what it was
 * made of, whole or in ranges. */
#include "base/xalloc.h"
#include "serve/hls/hls_priv.h"
#include <stdio.h>

#define NAME_CAP     64
#define DOWNLOAD_CAP 200

struct file_ask {
    struct http_request *r;
    const char *type;            /* of its content */
    const char *cache;           /* Cache-Control */
    char download[DOWNLOAD_CAP]; /* the value of a Content-Disposition; "": none */
};

/* RFC 6266, and RFC 8187 for what is not ASCII. Slashes and the like become '_'. */
static void disposition(const char *name, char *out, size_t cap)
{
    size_t n = (size_t)snprintf(out, cap, "attachment; filename*=UTF-8''");
    for (const char *p = name; *p && n + 4 < cap; p++) {
        const unsigned char c = (unsigned char)*p;
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
        if (c < 0x20 || c == '/' || c == '\\')
            out[n++] = '_';
        else if (plain)
            out[n++] = (char)c;
        else
            n += (size_t)snprintf(out + n, cap - n, "%%%02X", c);
    }
    out[n] = 0;
}

static void on_file(void *ctx, enum err e, const char *reason, struct file *f, uint64_t size)
{
    struct file_ask *a = ctx;
    const struct http_header h[] = {
        {"access-control-allow-origin", "*"},
        {"content-type", a->type},
        {"cache-control", a->cache},
        {"x-content-type-options", "nosniff"},
        {"access-control-expose-headers", "content-length, content-range, content-disposition"},
        {"content-disposition", a->download}};
    const size_t n = sizeof h / sizeof *h - (a->download[0] ? 0 : 1);
    if (e == E_OK)
        http_reply_file(a->r, 200, h, n, f, 0, size, HTTP_RANGES);
    else if (e == E_AUTH)
        answer_error(a->r, 403, "forbidden", reason);
    else if (e == E_CLOSED)
        answer_error(a->r, 412, "preparing", "This file is still being made.");
    else if (e == E_NOTFOUND)
        answer_error(a->r, 404, "not_found", "There is no such file here, or not any more.");
    else
        answer_error(a->r, 503, "busy", "The file cannot be read now.");
    free(a);
}

void files_request(struct hls_service *s, struct http_request *r, bool audio)
{
    char token[LIMIT_JWT_BYTES + 1] = "", referrer[1024] = "", agent[512] = "", name[NAME_CAP],
                                 wanted[DOWNLOAD_CAP / 4];
    struct file_ask *a = NEW(struct file_ask);
    a->r = r;
    a->type = audio ? "audio/mp4" : "video/mp4";
    a->cache = "public, max-age=3600";
    const enum err e = http_query_get(r, "token", token, sizeof token);
    if (e != E_NOTFOUND) a->cache = "private, max-age=3600";
    if (e != E_OK) snprintf(token, sizeof token, "%s", e == E_NOTFOUND ? "" : "-");
    if (http_query_get(r, "download", wanted, sizeof wanted) == E_OK && wanted[0])
        disposition(wanted, a->download, sizeof a->download);
    (void)span_cstr(span_head(http_header_in(r, "referer"), sizeof referrer - 1), referrer,
                    sizeof referrer);
    (void)span_cstr(span_head(http_header_in(r, "user-agent"), sizeof agent - 1), agent,
                    sizeof agent);
    snprintf(name, sizeof name, "%.*s.%s", NAME_CAP - 6, http_param(r, 1), audio ? "m4a" : "mp4");
    s->cfg.gate->file(
        s->cfg.gate->self, http_param(r, 0),
        &(struct gate_viewer){.token = token, .referrer = referrer, .agent = agent, .use = "v"},
        name, on_file, a);
}

static const char *type_of(const char *name)
{
    static const struct {
        const char *extension, *type;
    } KNOWN[] = {
        {"mp4", "video/mp4"},        {"mov", "video/quicktime"}, {"webm", "video/webm"},
        {"mkv", "video/x-matroska"}, {"ts", "video/mp2t"},       {"mp3", "audio/mpeg"},
        {"wav", "audio/wav"},        {"flac", "audio/flac"},     {"ogg", "application/ogg"}};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (!strcmp(dot + 1, KNOWN[i].extension)) return KNOWN[i].type;
    return "application/octet-stream";
}

void files_master(struct hls_service *s, struct http_request *r)
{
    char wanted[DOWNLOAD_CAP / 4];
    struct file_ask *a = NEW(struct file_ask);
    const char *name = http_param(r, 1);
    a->r = r;
    a->type = type_of(name);
    a->cache = "private, no-store"; /* it stops working */
    const bool named =
        http_query_get(r, "download", wanted, sizeof wanted) == E_OK && wanted[0] != 0;
    disposition(named ? wanted : name, a->download, sizeof a->download);
    s->cfg.gate->master(s->cfg.gate->self, http_param(r, 0), name, on_file, a);
}
