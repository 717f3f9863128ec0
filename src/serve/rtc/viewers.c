/* SPDX-License-Identifier: MIT */
/* How many watch each stream by WebRTC, over all loops. */
#include "base/metrics.h"
#include "base/xalloc.h"
#include "serve/rtc/rtc_priv.h"

struct viewer_count {
    unsigned n;
};

void rtc_viewers_init(struct rtc_viewers *v)
{
    pthread_mutex_init(&v->lock, NULL);
}

void rtc_viewers_fini(struct rtc_viewers *v)
{
    size_t pos = 0;
    void *value;
    while (map_next(&v->by_channel, &pos, NULL, &value)) free(value);
    map_fini(&v->by_channel);
    pthread_mutex_destroy(&v->lock);
}

void rtc_viewer_count(struct rtc_service *s, const char *channel_id, int change)
{
    const struct span id = span_str(channel_id);
    metric_add(M_RTC_VIEWERS, change);
    pthread_mutex_lock(&s->viewers.lock);
    struct viewer_count *c = map_get(&s->viewers.by_channel, id);
    if (!c) {
        c = NEW(struct viewer_count);
        map_put(&s->viewers.by_channel, id, c);
    }
    c->n += (unsigned)change;
    if (c->n == 0) free(map_del(&s->viewers.by_channel, id));
    pthread_mutex_unlock(&s->viewers.lock);
}

void rtc_viewer_came(struct rtc_service *s, struct http_request *r, const char *channel_id)
{
    if (s->cfg.on_viewer)
        s->cfg.on_viewer(s->cfg.on_viewer_ctx, channel_id, span_str(http_peer(r)),
                         http_header_in(r, "user-agent"));
}

unsigned rtc_service_viewers(struct rtc_service *s, const char *channel_id)
{
    pthread_mutex_lock(&s->viewers.lock);
    const struct viewer_count *c = map_get(&s->viewers.by_channel, span_str(channel_id));
    const unsigned n = c ? c->n : 0;
    pthread_mutex_unlock(&s->viewers.lock);
    return n;
}
