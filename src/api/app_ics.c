/* SPDX-License-Identifier: MIT */
/* /stream/{id}.ics and /@{handle}.ics: calendars, for programs that have no session. */
#include "api/api_priv.h"
#include "api/app_streams.h"
#include "base/xalloc.h"
#include "product/channel.h"
#include "product/ics.h"
#include "product/schedule.h"
#include <stdio.h>

static void reply(struct call *c, struct str *text)
{
    c->reply = str_take_buf(text);
    c->type = "text/calendar; charset=utf-8";
    c->status = 200;
}

static void add(struct call *c, struct str *out, const struct stream *s, bool alone)
{
    char uid[ID_CAP + 16], url[CALL_ORIGIN_CAP + ID_CAP + 16];
    snprintf(uid, sizeof uid, "%s@bspnode", s->id);
    snprintf(url, sizeof url, "%s/stream/%s", c->origin, s->id);
    ics_add(out, &(struct ics_event){
                     .uid = uid,
                     .title = s->title,
                     .text = s->description,
                     .url = url,
                     .start = schedule_time(s),
                     .end = s->started_at ? s->ended_at : 0,
                     .created = s->created_at,
                     .changed = s->schedule_changed_at ? s->schedule_changed_at : s->created_at,
                     .number = s->schedule_number,
                     .cancelled = s->cancelled_at || (s->ended_at && !s->started_at),
                     .reminder = alone,
                 });
}

static void one(struct call *c)
{
    struct stream s;
    struct str out = {0};
    if (!app_stream_find(c, &s)) return;
    if (schedule_time(&s)) {
        ics_begin(&out, s.title);
        add(c, &out, &s, true);
        ics_end(&out);
        reply(c, &out);
    } else {
        call_fail(c,
                  problem_set(&c->problem, E_NOTFOUND, "not_scheduled", NULL,
                              "This stream has no start time."),
                  0);
    }
    stream_fini(&s);
}

static void feed(struct call *c)
{
    size_t n = LIMIT_CALENDAR_EVENTS;
    struct str out = {0};
    struct channel *ch = NEW(struct channel);
    struct stream *s = xcalloc(n, sizeof *s);
    enum err e = channel_get(c->db, c->param[0], ch, &c->problem);
    if (e == E_OK) e = schedule_list(c->db, ch->id, s, &n);
    if (e == E_OK) {
        ics_begin(&out, ch->name);
        for (size_t i = 0; i < n; i++) {
            add(c, &out, &s[i], false);
            stream_fini(&s[i]);
        }
        ics_end(&out);
        reply(c, &out);
    } else {
        call_fail(c, e, 0);
    }
    free(s);
    free(ch);
}

static const struct endpoint ENDPOINTS[] = {
    {HTTP_GET, "/stream/{}.ics", one, CALL_USER_MAYBE, {0}},
    {HTTP_GET, "/@{}.ics", feed, 0, {0}},
};
const struct endpoint_table app_ics = ENDPOINT_TABLE(ENDPOINTS);
