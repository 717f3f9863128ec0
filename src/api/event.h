/* SPDX-License-Identifier: MIT */
/* api/event.h - one server-sent event, serialised once for all its readers (the HTML standard,
 * "Server-sent events"). Reference-counted, immutable once made; any thread. */
#pragma once
#include "api/api.h"
#include "product/stream.h"
#include <stdatomic.h>

/* The latest event of a kind is what a newcomer needs to know. */
enum event_kind { EVENT_STREAM, EVENT_VIEWERS, EVENT_WARNING, EVENT_KINDS };

struct event {
    _Atomic uint32_t refs;
    enum event_kind kind;
    int64_t id; /* grows, also over a restart: Last-Event-ID */
    bool live;  /* STREAM: of the state it tells */
    char stream_id[ID_CAP];
    /* The same bytes for everybody, or for each origin its own; then [LIMIT_SSE_ORIGINS] is for
     * readers whose origin has none: it makes the page ask for the stream itself. */
    struct buf *text[LIMIT_SSE_ORIGINS + 1];
};

struct event *event_new(enum event_kind kind, const char *stream_id);
struct event *event_ref(struct event *e);
void event_unref(struct event *e); /* NULL is fine */
/* The bytes of an event on the wire: id, name, one line of data. */
struct buf *event_text(int64_t id, enum event_kind kind, const char *json);
/* --- news.c ---------------------------------------------------------------------------------- */

/* The stream as it is now, for each origin that somebody reads it by. NULL and *e: why not. Event
 * lane. */
struct event *api_stream_event(struct api *a, const char *id, enum err *e);
/* Counting viewers and what else comes round, on loops[0]. */
void api_news_start(struct api *a);
void api_news_stop(struct api *a);

/* --- app_events.c ---------------------------------------------------------------------------- */

/* To all readers of the stream, on every loop; takes over the reference. Event lane. */
void api_events_send(struct api *a, struct event *e);

static inline struct buf *event_for(const struct event *e, unsigned origin)
{
    return e->text[origin] ? e->text[origin] : e->text[LIMIT_SSE_ORIGINS];
}
