/* SPDX-License-Identifier: MIT */
/* product/advice_rules.h - the rules of advice.c, in three groups: the picture, the sound, the way
 * that both come. */
#pragma once
#include "product/advice.h"
#include <stdio.h>

/* Writes what is the matter, and says true, when it has something to say. */
typedef bool advice_fn(const struct ingest_state *in, char *text, size_t cap);

struct advice_rule {
    enum { ADVICE_ERROR, ADVICE_WARNING, ADVICE_INFO } level;
    const char *code;
    advice_fn *fn;
    /* What to change, by kind of encoder: OBS, ffmpeg, a browser. NULL: as for OBS, with its name
     * (it is what most have); "": nothing to change. */
    const char *obs, *ffmpeg, *browser;
};

struct advice_rules {
    const struct advice_rule *rules;
    size_t n;
};
extern const struct advice_rules ADVICE_PICTURE, ADVICE_SOUND, ADVICE_WAY;

#define ADVICE_SAY(...) return snprintf(text, cap, __VA_ARGS__) > 0
#define ADVICE_RULES(t)                                                                            \
    {                                                                                              \
        t, sizeof(t) / sizeof *(t)                                                                 \
    }
