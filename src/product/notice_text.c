/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "product/mail.h"
#include "product/notice_priv.h"
#include <stdio.h>
#include <time.h>

static void add_time(struct str *out, int64_t us)
{
    char text[64];
    const time_t t = (time_t)(us / US_PER_SEC);
    struct tm d;
    gmtime_r(&t, &d);
    strftime(text, sizeof text, "%Y-%m-%d, %H:%M UTC", &d);
    str_adds(out, text);
}

void notice_subject(const struct notice *n, struct str *out)
{
    static const char *const WORDS[] = {
        [NOTICE_LIVE] = "is live",
        [NOTICE_SCHEDULED] = "has planned",
        [NOTICE_MOVED] = "has another time for",
        [NOTICE_CANCELLED] = "has cancelled",
        [NOTICE_SOON] = "begins in a few minutes",
    };
    str_addf(out, "%s %s: %s", n->user_name, WORDS[n->kind], n->title);
}

void notice_body(const struct notice *n, const char *unsubscribe, struct str *out)
{
    notice_subject(n, out);
    str_adds(out, "\n\n");
    if (n->kind == NOTICE_MOVED || n->kind == NOTICE_CANCELLED) {
        str_adds(out, "It was planned for ");
        add_time(out, n->kind == NOTICE_MOVED ? n->was_at : n->at);
        str_adds(out, ".\n");
    }
    if (n->kind != NOTICE_LIVE && n->kind != NOTICE_CANCELLED) {
        str_adds(out, n->kind == NOTICE_MOVED ? "It begins now at " : "It begins at ");
        add_time(out, n->at);
        str_adds(out, ".\n");
    }
    if (n->kind != NOTICE_CANCELLED) str_addf(out, "\n%s/stream/%s\n", mail_origin(), n->stream_id);
    str_addf(out,
             "\n-- \nYou get this mail because you follow %s.\nNo more of it, with one click: %s\n"
             "All you are told of: %s/notifications\n",
             n->user_name, unsubscribe, mail_origin());
}

/* RFC 8259, 7; the text is UTF-8 already. */
static void add_json(struct str *out, const char *name, const char *text)
{
    str_addf(out, "\"%s\":\"", name);
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '"' || *p == '\\')
            str_addf(out, "\\%c", *p);
        else if (*p < ' ')
            str_addf(out, "\\u%04x", *p);
        else
            str_addc(out, (char)*p);
    }
    str_addc(out, '"');
}

void notice_payload(const struct notice *n, struct str *out)
{
    char path[ID_CAP + 16], at[CLOCK_ISO_LEN] = "";
    snprintf(path, sizeof path, "/stream/%s", n->stream_id);
    if (n->at) clock_iso(n->at, at);
    str_addc(out, '{');
    add_json(out, "kind", NOTICE_KINDS[n->kind]);
    str_addc(out, ',');
    add_json(out, "name", n->user_name);
    str_addc(out, ',');
    add_json(out, "title", n->title);
    str_addc(out, ',');
    add_json(out, "url", path);
    str_addc(out, ',');
    add_json(out, "tag", n->stream_id);
    str_addc(out, ',');
    add_json(out, "at", at);
    str_addc(out, '}');
}
