/* SPDX-License-Identifier: MIT */
#include "engine/rtc_layers.h"
#include "base/clock.h"

#define WAIT_US     (4 * US_PER_SEC)
#define WAIT_MAX_US (64 * US_PER_SEC)
#define CALM_US     (30 * US_PER_SEC) /* up for this long: the rise was right */
#define STARVE_US   (2 * US_PER_SEC)

void rtc_layers_init(struct rtc_layers *l)
{
    *l = (struct rtc_layers){.target = RTC_LAYER_NONE, .wish = RTC_LAYER_NONE, .wait_us = WAIT_US};
}

/* Its place from the worst; -1: it has nothing in it. */
static int rank(const struct rtc_layers_there *t, uint8_t layer)
{
    for (unsigned i = 0; i < t->n; i++)
        if (t->order[i] == layer) return (int)i;
    return -1;
}

static uint64_t rate_at(const struct rtc_layers_there *t, int at)
{
    return t->rate[t->order[at]];
}

/* The best one up to `top` whose rate times num / 100 fits; -1: none does. */
static int best(const struct rtc_layers_there *t, int top, uint64_t bps, unsigned num)
{
    for (int i = top; i >= 0; i--)
        if (rate_at(t, i) * num / 100 <= bps) return i;
    return -1;
}

static int top_of(const struct rtc_layers *l, const struct rtc_layers_there *t)
{
    const int wish = l->wish == RTC_LAYER_NONE ? -1 : rank(t, l->wish);
    return wish >= 0 ? wish : (int)t->n - 1;
}

static void fell(struct rtc_layers *l, int64_t now)
{
    if (l->rose_us && now - l->rose_us > CALM_US) l->wait_us = WAIT_US;
    l->up_us = now + l->wait_us;
    if (l->wait_us < WAIT_MAX_US) l->wait_us *= 2;
}

/* Too little for the layer that is sent. */
static uint8_t down(struct rtc_layers *l, const struct rtc_layers_there *t, int at, uint64_t bps,
                    int64_t now)
{
    const bool starving = bps < rate_at(t, 0) * 2 / 5;
    if (!starving) l->short_us = 0;
    if (starving && !l->short_us) l->short_us = now;
    int to = best(t, at > 0 ? at - 1 : 0, bps, 105);
    if (to < 0) to = 0;
    if (starving && now - l->short_us >= STARVE_US) {
        l->short_us = 0;
        fell(l, now);
        return RTC_LAYER_NONE;
    }
    if (to < at) fell(l, now);
    return t->order[to];
}

uint8_t rtc_layers_choose(struct rtc_layers *l, const struct rtc_layers_there *t,
                          const struct rtc_layers_line *line, int64_t now)
{
    if (t->n == 0) return l->target;
    const int top = top_of(l, t), at = l->target == RTC_LAYER_NONE ? -1 : rank(t, l->target);
    if (at < 0 && (l->target != RTC_LAYER_NONE || !l->up_us)) { /* the first, or it went away */
        const int to = best(t, top, line->bps, 100);
        return l->target = t->order[to < 0 ? 0 : to];
    }
    if (at > top) return l->target = t->order[top]; /* by request */
    if (at >= 0 && line->limited && line->bps < rate_at(t, at) * 8 / 10)
        return l->target = down(l, t, at, line->bps, now);
    l->short_us = 0;
    if (at == top || now < l->up_us) return l->target;
    int to = best(t, top, line->bps, at < 0 ? 110 : 120);
    if (!line->limited && l->wish != RTC_LAYER_NONE) to = top;
    if (to <= at && line->blind) {
        to = at + 1; /* it may be wrong, and then waits longer for the next */
        l->up_us = now + l->wait_us;
    }
    if (to <= at) return l->target;
    l->rose_us = now;
    return l->target = t->order[to];
}

uint64_t rtc_layers_lack(const struct rtc_layers *l, const struct rtc_layers_there *t,
                         const struct rtc_layers_line *line, int64_t now)
{
    const int at = l->target == RTC_LAYER_NONE ? -1 : rank(t, l->target);
    if (t->n == 0 || at >= top_of(l, t) || now < l->up_us) return 0;
    const uint64_t want = rate_at(t, at + 1) * 125 / 100;
    return line->bps < want ? want : 0;
}
