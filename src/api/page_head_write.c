/* SPDX-License-Identifier: MIT */
#include "api/page_head.h"

void page_escape(struct str *out, const char *text)
{
    for (const char *p = text ? text : ""; *p; p++) {
        switch (*p) {
        case '&':
            str_adds(out, "&amp;");
            break;
        case '<':
            str_adds(out, "&lt;");
            break;
        case '>':
            str_adds(out, "&gt;");
            break;
        case '"':
            str_adds(out, "&quot;");
            break;
        case '\'':
            str_adds(out, "&#39;");
            break;
        case '\n':
        case '\t':
            str_addc(out, ' ');
            break;
        default:
            if ((unsigned char)*p >= 0x20) str_addc(out, *p);
        }
    }
}

void page_encode(struct str *out, const char *text)
{
    for (const char *p = text ? text : ""; *p; p++) {
        const unsigned char c = (unsigned char)*p;
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.' || c == '~';
        if (plain)
            str_addc(out, (char)c);
        else
            str_addf(out, "%%%02X", c);
    }
}

/* `attribute` is "name" or "property"; nothing when there is no value. */
static void meta(struct str *out, const char *attribute, const char *name, const char *value)
{
    if (!value || !*value) return;
    str_addf(out, "<meta %s=\"%s\" content=\"", attribute, name);
    page_escape(out, value);
    str_adds(out, "\">\n");
}

static void link_to(struct str *out, const char *rel, const char *more, const char *href)
{
    if (!href || !*href) return;
    str_addf(out, "<link rel=\"%s\"%s href=\"", rel, more);
    page_escape(out, href);
    str_adds(out, "\">\n");
}

static void write_card(const struct page_card *c, struct str *out)
{
    if (c->noindex) meta(out, "name", "robots", "noindex");
    link_to(out, "canonical", "", c->url);
    link_to(out, "alternate", " type=\"application/json+oembed\"", c->oembed);
    meta(out, "property", "og:site_name", "bspnode");
    meta(out, "property", "og:type", c->kind);
    meta(out, "property", "og:title", c->title);
    meta(out, "property", "og:description", c->description);
    meta(out, "property", "og:url", c->url);
    meta(out, "property", "og:image", c->image);
    meta(out, "property", "video:release_date", c->published);
    if (c->video && *c->video) {
        meta(out, "property", "og:video", c->video);
        meta(out, "property", "og:video:type", "text/html");
        meta(out, "property", "og:video:width", "1280");
        meta(out, "property", "og:video:height", "720");
    }
    /* A frame in a card must come by HTTPS. */
    const bool plays = c->video && !strncmp(c->video, "https:", 6) && c->image && *c->image;
    meta(out, "name", "twitter:card",
         plays                   ? "player"
         : c->image && *c->image ? "summary_large_image"
                                 : "summary");
    meta(out, "name", "twitter:title", c->title);
    meta(out, "name", "twitter:description", c->description);
    meta(out, "name", "twitter:image", c->image);
    if (!plays) return;
    meta(out, "name", "twitter:player", c->video);
    meta(out, "name", "twitter:player:width", "1280");
    meta(out, "name", "twitter:player:height", "720");
}

/* What stands between the two marks gives way to `text`; without them nothing does. */
static bool replace(struct span *html, const char *from, const char *to, const char *text,
                    struct str *out)
{
    const uint8_t *at = memmem(html->p, html->len, from, strlen(from));
    if (!at) return false;
    const size_t head = (size_t)(at - html->p) + strlen(from);
    const struct span rest = span_skip(*html, head);
    const uint8_t *end = memmem(rest.p, rest.len, to, strlen(to));
    if (!end) return false;
    str_add(out, span_head(*html, head));
    page_escape(out, text);
    *html = span_skip(rest, (size_t)(end - rest.p));
    return true;
}

void page_head_write(struct span html, const struct page_card *c, struct str *out)
{
    if (c->title && *c->title) (void)replace(&html, "<title>", "</title>", c->title, out);
    if (c->description)
        (void)replace(&html, "<meta name=\"description\" content=\"", "\"", c->description, out);
    const uint8_t *end = memmem(html.p, html.len, "</head>", 7);
    const size_t head = end ? (size_t)(end - html.p) : 0;
    str_add(out, span_head(html, head));
    if (end) write_card(c, out);
    str_add(out, span_skip(html, head));
}
