/* SPDX-License-Identifier: MIT */
/* /robots.txt and the site map (sitemaps.org 0.9): an index, whose parts name the public streams
 * and the channels that have some. */
#include "api/api_priv.h"
#include "api/page_head.h"
#include "base/clock.h"
#include "product/visibility.h"
#include <stdio.h>

static void reply_text(struct call *c, struct str *text, const char *type)
{
    c->reply = str_take_buf(text);
    c->type = type;
    c->status = 200;
}

static void robots(struct call *c)
{
    struct str t = {0};
    str_addf(&t,
             "User-agent: *\nDisallow: /api/\nDisallow: /dashboard\nDisallow: /admin\n"
             "Disallow: /account\nDisallow: /upload/\n\nSitemap: %s/sitemap.xml\n",
             c->origin);
    reply_text(c, &t, "text/plain; charset=utf-8");
}

/* What is live, was recorded, or is announced, and plays by a public id. */
#define SHOWN                                                                                      \
    VISIBILITY_LISTED_SQL "AND (s.status = 'LIVE' OR (s.status = 'ENDED' AND "                     \
                          "s.recording_status = 'READY') OR (s.status = 'CREATED' AND "            \
                          "s.scheduled_at IS NOT NULL)) AND EXISTS (SELECT 1 FROM playback_ids "   \
                          "o WHERE o.object_id = s.live_stream_id AND o.policy = 'public') "

static const struct part {
    const char *name, *path, *count, *rows;
} PARTS[] = {
    {"streams", "/stream/", "SELECT count(*) FROM streams s WHERE " SHOWN,
     "SELECT s.id, s.updated_at FROM streams s WHERE " SHOWN
     "ORDER BY s.created_at, s.id LIMIT ?1 OFFSET ?2"},
    {"channels", "/@",
     "SELECT count(*) FROM users u WHERE u.handle IS NOT NULL AND EXISTS (SELECT 1 FROM streams s "
     "WHERE s.user_id = u.id AND " SHOWN ")",
     "SELECT u.handle, max(s.updated_at) FROM users u JOIN streams s ON s.user_id = u.id WHERE "
     "u.handle IS NOT NULL AND " SHOWN "GROUP BY u.id, u.handle ORDER BY u.id LIMIT ?1 OFFSET ?2"},
};
#define N_PARTS (sizeof PARTS / sizeof *PARTS)

#define XML_HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define XML_NS   " xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n"

static enum err count(struct db *db, const struct part *p, int64_t *n)
{
    struct db_rows *q = db_query(db, p->count, "");
    *n = db_next(q) ? db_int(q, 0) : 0;
    return db_done(q);
}

static void map_index(struct call *c)
{
    struct str x = {0};
    enum err e = E_OK;
    str_adds(&x, XML_HEAD "<sitemapindex" XML_NS);
    for (size_t i = 0; i < N_PARTS && e == E_OK; i++) {
        int64_t n = 0;
        e = count(c->db, &PARTS[i], &n);
        for (int64_t at = 0; at < n && at / LIMIT_SITEMAP_URLS < LIMIT_SITEMAP_PARTS;
             at += LIMIT_SITEMAP_URLS)
            str_addf(&x, "<sitemap><loc>%s/sitemap/%s-%lld.xml</loc></sitemap>\n", c->origin,
                     PARTS[i].name, (long long)(at / LIMIT_SITEMAP_URLS + 1));
    }
    str_adds(&x, "</sitemapindex>\n");
    if (e == E_OK)
        reply_text(c, &x, "application/xml; charset=utf-8");
    else
        call_fail(c, e, 0);
    str_fini(&x);
}

/* "streams-3" */
static const struct part *read_name(const char *text, int64_t *page)
{
    struct span rest = span_str(text);
    uint64_t n;
    const struct span name = span_cut(&rest, '-');
    for (size_t i = 0; i < N_PARTS; i++) {
        if (!span_is(name, PARTS[i].name) || !span_u64(rest, LIMIT_SITEMAP_PARTS, &n) || !n)
            continue;
        *page = (int64_t)n - 1;
        return &PARTS[i];
    }
    return NULL;
}

static void map_part(struct call *c)
{
    struct str x = {0};
    int64_t page = 0;
    size_t n = 0;
    enum err e = E_NOTFOUND;
    const struct part *p = read_name(c->param[0], &page);
    str_adds(&x, XML_HEAD "<urlset" XML_NS);
    if (p) {
        struct db_rows *q =
            db_query(c->db, p->rows, "ii", (int64_t)LIMIT_SITEMAP_URLS, page * LIMIT_SITEMAP_URLS);
        for (; db_next(q); n++) {
            char iso[CLOCK_ISO_LEN];
            clock_iso(db_int(q, 1), iso);
            str_addf(&x, "<url><loc>%s%s", c->origin, p->path);
            page_escape(&x, db_text(q, 0));
            str_addf(&x, "</loc><lastmod>%s</lastmod></url>\n", iso);
        }
        e = db_done(q);
    }
    str_adds(&x, "</urlset>\n");
    if (e == E_OK && n)
        reply_text(c, &x, "application/xml; charset=utf-8");
    else
        call_fail(c,
                  e != E_OK && e != E_NOTFOUND
                      ? e
                      : problem_set(&c->problem, E_NOTFOUND, "not_found", NULL,
                                    "There is no such part of the site map."),
                  0);
    str_fini(&x);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_GET, "/robots.txt", robots, 0, {0}},
    {HTTP_GET, "/sitemap.xml", map_index, 0, {0}},
    {HTTP_GET, "/sitemap/{}.xml", map_part, 0, {0}},
};
const struct endpoint_table app_sitemap = ENDPOINT_TABLE(ENDPOINTS);
