/* SPDX-License-Identifier: MIT */
#include "product/ics.h"
#include "base/clock.h"
#include <stdio.h>
#include <time.h>

#define FOLD_OCTETS 75

/* One content line, folded: never within a character, of which only the first byte begins anew. */
static void line(struct str *out, struct span text)
{
    size_t room = FOLD_OCTETS;
    while (text.len > room) {
        size_t n = room;
        while (n && (text.p[n] & 0xc0) == 0x80) n--;
        if (n == 0) n = room; /* no UTF-8: somewhere */
        str_add(out, span_head(text, n));
        str_adds(out, "\r\n ");
        text = span_skip(text, n);
        room = FOLD_OCTETS - 1; /* the space counts */
    }
    str_add(out, text);
    str_adds(out, "\r\n");
}

static void fixed(struct str *out, const char *text)
{
    line(out, span_str(text));
}

static void escape(struct str *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n')
            str_adds(out, "\\n");
        else if ((unsigned char)*text < ' ' && *text != '\t')
            continue;
        else if (strchr("\\;,", *text))
            str_addc(out, '\\'), str_addc(out, *text);
        else if (*text != 0x7f)
            str_addc(out, *text);
    }
}

static void text_line(struct str *out, const char *name, const char *text)
{
    struct str s = {0};
    str_adds(&s, name);
    escape(&s, text);
    line(out, str_span(&s));
    str_fini(&s);
}

/* A URI is no TEXT: it is not escaped, and what cannot be in one ends it. */
static void uri_line(struct str *out, const char *url)
{
    struct str s = {0};
    str_adds(&s, "URL:");
    str_add(&s, span_of(url, strcspn(url, " \r\n\t\"<>")));
    line(out, str_span(&s));
    str_fini(&s);
}

static void time_line(struct str *out, const char *name, int64_t us)
{
    char text[96];
    const time_t t = (time_t)(us / US_PER_SEC);
    struct tm tm = {0};
    gmtime_r(&t, &tm);
    snprintf(text, sizeof text, "%s:%04d%02d%02dT%02d%02d%02dZ", name, tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    fixed(out, text);
}

void ics_begin(struct str *out, const char *name)
{
    fixed(out, "BEGIN:VCALENDAR");
    fixed(out, "VERSION:2.0");
    fixed(out, "PRODID:-//bspnode//streams//EN");
    fixed(out, "CALSCALE:GREGORIAN");
    fixed(out, "METHOD:PUBLISH");
    text_line(out, "NAME:", name);
    text_line(out, "X-WR-CALNAME:", name);
    fixed(out, "REFRESH-INTERVAL;VALUE=DURATION:PT30M");
    fixed(out, "X-PUBLISHED-TTL:PT30M");
}

static void reminder(struct str *out, const char *title)
{
    fixed(out, "BEGIN:VALARM");
    fixed(out, "ACTION:DISPLAY");
    fixed(out, "TRIGGER:-PT10M");
    text_line(out, "DESCRIPTION:", title);
    fixed(out, "END:VALARM");
}

void ics_add(struct str *out, const struct ics_event *e)
{
    char number[48];
    struct str text = {0};
    fixed(out, "BEGIN:VEVENT");
    text_line(out, "UID:", e->uid);
    time_line(out, "DTSTAMP", e->changed);
    time_line(out, "CREATED", e->created);
    time_line(out, "LAST-MODIFIED", e->changed);
    snprintf(number, sizeof number, "SEQUENCE:%lld", (long long)e->number);
    fixed(out, number);
    time_line(out, "DTSTART", e->start);
    if (e->end > e->start)
        time_line(out, "DTEND", e->end);
    else
        fixed(out, "DURATION:PT1H");
    fixed(out, e->cancelled ? "STATUS:CANCELLED" : "STATUS:CONFIRMED");
    fixed(out, "TRANSP:TRANSPARENT"); /* watching leaves one's time free */
    text_line(out, "SUMMARY:", e->title);
    str_addf(&text, "%s%s%s", e->text, *e->text ? "\n\n" : "", e->url);
    text_line(out, "DESCRIPTION:", str_c(&text));
    uri_line(out, e->url);
    if (e->reminder && !e->cancelled) reminder(out, e->title);
    fixed(out, "END:VEVENT");
    str_fini(&text);
}

void ics_end(struct str *out)
{
    fixed(out, "END:VCALENDAR");
}
