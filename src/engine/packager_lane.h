/* SPDX-License-Identifier: MIT */
/* engine/packager_lane.h - one rendition of a packager: the open part and the numbering.
 *
 * Private to engine/packager*.c. A lane is given samples with their decoding time and closed at a
 * time; it builds the part and puts events into the packager's queue. It decides nothing. */
#pragma once
#include "engine/packager.h"
#include "wire/fmp4.h"

/* Events in order of their making, taken from the front. */
struct packager_events {
    struct packager_event *v;
    unsigned head, len, cap;
};

struct packager_event *packager_event_add(struct packager_events *q);
bool packager_event_take(struct packager_events *q, struct packager_event *out);

struct packager_lane {
    char name; /* 'v' or 'a' */
    uint8_t number;
    bool used;           /* in this period */
    bool existed;        /* has been announced: has a segment for every number from then on */
    struct track *track; /* of the last INIT; owned */
    uint32_t init_id, timescale, sequence;
    int64_t start_us;       /* of the period */
    int64_t shift_us;       /* presentation minus decoding time of the period's first sample */
    int64_t wall_offset_us; /* UTC minus stream clock */
    uint64_t msn;           /* of the open segment */
    uint32_t parts;         /* closed ones of the open segment */
    uint64_t segment_tfdt;
    bool segment_independent;
    uint64_t end; /* where the newest sample ends at least; nothing may begin before it */
    /* The open part. */
    struct frame **frames; /* owned */
    uint64_t *ticks;
    struct fmp4_sample *samples;
    unsigned n, cap;
    size_t bytes;
};

void packager_lane_init(struct packager_lane *l, char name, uint8_t number);
void packager_lane_fini(struct packager_lane *l);
/* Joins a period; emits INIT when the track is another one than before. */
void packager_lane_start(struct packager_lane *l, struct packager_events *q, struct track *t,
                         int64_t start_us, int64_t shift_us, int64_t wall_offset_us);
/* The same initialisation segment does for both. */
bool packager_same_init(const struct track *a, const struct track *b);
/* Presentation time to decoding ticks, and back. */
uint64_t packager_lane_tick(const struct packager_lane *l, int64_t us);
int64_t packager_lane_us(const struct packager_lane *l, uint64_t tick);
/* Takes over the reference. `tick` is moved behind the sample before it if it is not. */
void packager_lane_add(struct packager_lane *l, struct frame *f, uint64_t tick, int64_t offset);
/* The part ends at `tick`, or later when its last sample begins later. Nothing when it is empty. */
void packager_lane_close_part(struct packager_lane *l, struct packager_events *q, uint64_t tick,
                              bool last);
/* If the part, ending at `tick`, lasts longer than that, because a frame is missing in front of
 * `tick`, it ends before its last sample instead, and that one is the beginning of the next. */
bool packager_lane_fit_part(struct packager_lane *l, struct packager_events *q, uint64_t tick,
                            int64_t most_us);
/* The segment, and its last part; a gap from its start to `tick` when it is empty. */
void packager_lane_close_segment(struct packager_lane *l, struct packager_events *q, uint64_t tick);
/* Something is in the segment that is open. */
bool packager_lane_begun(const struct packager_lane *l);

uint64_t packager_ticks(int64_t us, uint32_t timescale); /* nearest; negative counts as 0 */
int64_t packager_us(uint64_t ticks, uint32_t timescale);
