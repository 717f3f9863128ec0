/* SPDX-License-Identifier: MIT */
#include "api/event.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/xalloc.h"
#include <stdio.h>

static const char *const NAMES[EVENT_KINDS] = {
    [EVENT_STREAM] = "stream",
    [EVENT_VIEWERS] = "viewers",
    [EVENT_WARNING] = "warning",
    [EVENT_CHAT] = "chat",
    [EVENT_CHAT_DELETED] = "chat-deleted",
    [EVENT_CHAT_SETTINGS] = "chat-settings",
    [EVENT_CHAT_PINNED] = "chat-pinned",
    [EVENT_CHAT_MEMBER] = "chat-member",
    [EVENT_CHAT_RESET] = "chat-reset",
    [EVENT_REACTION] = "reaction",
};

static _Atomic int64_t last;

/* Milliseconds, or one more than the last when that is not later. */
int64_t event_next_id(void)
{
    int64_t seen = atomic_load(&last), id;
    do {
        const int64_t now = clock_wall_us() / US_PER_MS;
        id = now > seen ? now : seen + 1;
    } while (!atomic_compare_exchange_weak(&last, &seen, id));
    return id;
}

void event_begin_after(int64_t id)
{
    int64_t seen = atomic_load(&last);
    while (seen < id && !atomic_compare_exchange_weak(&last, &seen, id)) {
    }
}

struct event *event_new(enum event_kind kind, const char *stream_id)
{
    return event_with(event_next_id(), kind, stream_id);
}

struct event *event_with(int64_t id, enum event_kind kind, const char *stream_id)
{
    struct event *e = NEW(struct event);
    atomic_init(&e->refs, 1);
    e->kind = kind;
    e->id = id;
    snprintf(e->stream_id, sizeof e->stream_id, "%s", stream_id);
    return e;
}

struct event *event_ref(struct event *e)
{
    atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
    return e;
}

void event_unref(struct event *e)
{
    if (!e || atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) != 1) return;
    for (unsigned i = 0; i <= LIMIT_SSE_ORIGINS; i++) buf_unref(e->text[i]);
    free(e);
}

struct buf *event_text(int64_t id, enum event_kind kind, const char *json)
{
    struct str s = {0};
    str_addf(&s, "id: %lld\nevent: %s\ndata: %s\n\n", (long long)id, NAMES[kind], json);
    return str_take_buf(&s);
}
