/* SPDX-License-Identifier: MIT */
/* api/page_head.h - what a page says of itself to who does not run its script: search engines, and
 * the programs that draw a card for an address (Open Graph, ogp.me; Twitter cards; oEmbed's
 * discovery link, oembed.com section 4). */
#pragma once
#include "api/api_priv.h"
#include "api/web_assets.h"
#include "base/str.h"

/* Texts as people wrote them: they are escaped here. NULL or "": not said. */
struct page_card {
    const char *title, *description;
    const char *url;       /* canonical */
    const char *image;     /* JPEG, 1280 wide */
    const char *video;     /* address of the player, for a frame */
    const char *oembed;    /* with its own address as a parameter, percent-encoded */
    const char *kind;      /* og:type */
    const char *published; /* ISO 8601 */
    bool noindex;
};

/* "<" and the four others as HTML and XML have them, also within quotes. Bytes that XML has no
 * place for are left out. Any thread. */
void page_escape(struct str *out, const char *text);
/* Percent-encoded, as a part of a query. */
void page_encode(struct str *out, const char *text);
/* `html` with the card in its head: its title and description in place of the page's own. Pure. */
void page_head_write(struct span html, const struct page_card *c, struct str *out);

/* A page that has words of its own: answers later, and true. False: not such a page. Loop. */
bool page_head_begin(struct api *a, struct http_request *r, const struct web_asset *page,
                     bool embed);
/* pages.c: the page, with `body` in place of its text (borrowed), or NULL. Loop. */
void pages_reply(const struct api *a, struct http_request *r, const struct web_asset *page,
                 int status, bool embed, struct buf *body);
