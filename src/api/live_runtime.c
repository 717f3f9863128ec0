/* SPDX-License-Identifier: MIT */
/* The wires between the product and the media domain's running broadcasts. */
#include "api/api_priv.h"
#include <stdio.h>

static enum err end(void *self, struct db *db, const char *stream_id)
{
    return live_end(self, db, stream_id);
}

static void kick(void *self, const char *stream_id, const char *reason)
{
    live_kick(self, stream_id, reason);
}

static enum err remove_media(void *self, struct db *db, const char *stream_id)
{
    return live_remove_media(self, db, stream_id);
}

struct stream_runtime api_live_runtime(struct live *live)
{
    return (struct stream_runtime){end, kick, remove_media, live};
}

static void on_changed(void *ctx, const char *stream_id)
{
    api_stream_changed(ctx, stream_id);
}

/* The event tells it as `connected`, which is asked for when it is built. */
static void on_away(void *ctx, const char *stream_id, bool is_away)
{
    (void)is_away;
    api_stream_changed(ctx, stream_id);
}

static void on_limit(void *ctx, const char *stream_id, int seconds_left)
{
    char text[160];
    if (seconds_left >= 120)
        snprintf(
            text, sizeof text,
            "This stream will be ended in %d minutes: it has reached the longest time allowed.",
            seconds_left / 60);
    else
        snprintf(
            text, sizeof text,
            "This stream will be ended in %d seconds: it has reached the longest time allowed.",
            seconds_left);
    api_stream_warning(ctx, stream_id, "limit_near", text);
}

struct live_events api_live_events(struct api *a)
{
    return (struct live_events){on_changed, on_away, on_limit, a};
}
