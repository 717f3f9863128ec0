/* SPDX-License-Identifier: MIT */
/* api/webhook_json.h - what both APIs' webhook endpoints share. */
#pragma once
#include "api/api_priv.h"
#include "base/clock.h"
#include "product/webhook.h"

/* ISO 8601; null for 0. */
static inline json_t *webhook_time_json(int64_t us)
{
    char iso[CLOCK_ISO_LEN];
    if (!us) return json_null();
    clock_iso(us, iso);
    return json_string(iso);
}

static inline struct webhook_rules webhook_rules(const struct api *a)
{
    return (struct webhook_rules){a->cfg.secret, a->cfg.settings->webhook_allow_private};
}
