/* SPDX-License-Identifier: MIT */
#include "product/advice_rules.h"

static const char *setting_of(const struct advice_rule *r, enum encoder_kind kind)
{
    const char *s = r->obs;
    if (kind == ENCODER_FFMPEG && r->ffmpeg) s = r->ffmpeg;
    if (kind == ENCODER_BROWSER && r->browser) s = r->browser;
    return s ? s : "";
}

size_t advice_give(const struct ingest_state *in, struct advice out[ADVICE_MAX])
{
    static const char *const LEVELS[] = {"error", "warning", "info"};
    static const struct advice_rules *const ALL[] = {&ADVICE_WAY, &ADVICE_PICTURE, &ADVICE_SOUND};
    size_t n = 0;
    for (unsigned level = ADVICE_ERROR; level <= ADVICE_INFO; level++)
        for (size_t g = 0; g < sizeof ALL / sizeof *ALL; g++)
            for (size_t i = 0; i < ALL[g]->n && n < ADVICE_MAX; i++) {
                const struct advice_rule *r = &ALL[g]->rules[i];
                struct advice *a = &out[n];
                if (r->level != level || !r->fn(in, a->text, sizeof a->text)) continue;
                a->level = LEVELS[level];
                a->code = r->code;
                a->setting = setting_of(r, in->encoder);
                n++;
            }
    if (n) return n;
    out[0] = (struct advice){"ok", "ok", "Everything looks good.", ""};
    return 1;
}
