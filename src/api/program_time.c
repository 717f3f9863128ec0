/* SPDX-License-Identifier: MIT */
#include "api/program_time.h"
#include "base/clock.h"
#include "product/when.h"

/* A programme time may be this much ahead of ours: clocks differ. */
#define AHEAD_US (2 * US_PER_SEC)

bool program_time_read(struct call *c, const struct body_field *f, const struct stream *s,
                       int64_t *out)
{
    const int64_t now = clock_wall_us();
    *out = now;
    if (!f->value || json_is_null(f->value)) return true;
    if (when_parse(body_text(f), out) != E_OK) {
        call_fail(c,
                  problem_set(&c->problem, E_INVALID, "invalid", f->name,
                              "This must be a time such as 2026-01-31T20:00:00.250Z."),
                  0);
        return false;
    }
    if (*out > now + AHEAD_US || *out < s->started_at || !s->started_at) *out = now;
    return true;
}
