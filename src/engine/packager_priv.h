/* SPDX-License-Identifier: MIT */
/* engine/packager_priv.h - the inside of a packager, between the files that make it:
 *
 *   packager.c         what the owner calls, and the engine that takes one step after the other
 *   packager_source.c  what has come and is not placed yet
 *   packager_period.c  where periods begin and end
 *   packager_video.c   pictures: which frames belong together, where all renditions are cut
 *   packager_audio.c   sound, behind the pictures
 *   packager_lane.c    one rendition: samples, parts, numbers */
#pragma once
#include "base/limits.h"
#include "engine/packager_lane.h"
#include "media/segmenter.h"

#define PACKAGER_VIDEOS           4
#define PACKAGER_PART_BYTES_MAX   (32u << 20) /* a part is closed at this, whatever its duration */
#define PACKAGER_PART_FRAMES_MAX  4096
#define PACKAGER_AUDIO_FRAMES_MAX 2048 /* held of a configuration that waits for a key frame */

/* A frame that is not placed yet, under the configuration in force when it came. */
struct item {
    struct frame *f;
    struct track *t;
    int64_t pushed_us;
};

struct queue {
    struct item *v;
    unsigned head, len, cap;
    size_t bytes;
};

/* What is known of one track since the last break. */
struct source {
    struct track *given; /* as packager_track() got it; owned */
    struct track *track; /* with what key frames say; owned */
    bool expected, lost;
    struct queue q;
};

/* One of the renditions of the picture. `l.used`: it takes part now; otherwise its segments are
 * gaps until it has a key frame where all are cut. */
struct video {
    uint8_t id; /* of its tracks */
    struct source s;
    struct packager_lane l;
    bool late;       /* it is not waited for */
    int64_t part_us; /* start of the open part */
    bool pulled;     /* its next picture is shown at pull_us: see packager_video.c */
    int64_t pull_us;
};

enum packager_state { IDLE, WAIT, RUN, DRAIN };

struct packager {
    enum packager_state state;
    bool forced;   /* flushing: nothing is waited for */
    bool first;    /* no period yet */
    bool switched; /* the period before ended by itself: wait only for what was in it */
    bool pending_break;
    int64_t since_us; /* of WAIT or DRAIN */
    int64_t deadline_us;
    int64_t start_us, drain_us;
    int64_t wall_offset_us; /* UTC minus stream clock, of the period */
    struct video v[PACKAGER_VIDEOS];
    unsigned n_v; /* that have ever been */
    struct source audio;
    struct packager_lane a;
    struct packager_events events;
    struct segmenter cut;
    uint64_t dropped;
};

/* packager.c */
void packager_wait_until(struct packager *p, int64_t t_us);
void packager_enter(struct packager *p, enum packager_state s, int64_t now_us);

/* packager_source.c */
void queue_push(struct queue *q, struct frame *f, struct track *t, int64_t now_us);
struct item *queue_head(struct queue *q);  /* NULL: empty */
struct frame *queue_take(struct queue *q); /* moves the head's frame out */
void queue_drop(struct packager *p, struct queue *q);
void source_fini(struct packager *p, struct source *s);
size_t packager_held_bytes(const struct packager *p);
/* Gives frames of this track a frame rate measured over those that are held. */
bool source_fps_wanted(const struct packager *p, const struct video *v);
void source_set_fps(const struct packager *p, struct video *v);

/* packager_period.c */
bool packager_step_wait(struct packager *p, int64_t now_us);
bool packager_step_drain(struct packager *p, int64_t now_us);
/* Video takes part in the period. */
bool packager_has_video(const struct packager *p);
/* The first video rendition that takes part; NULL: none. */
struct video *packager_lead(struct packager *p);
/* Video stops here; audio up to here is still wanted. */
void packager_end_video(struct packager *p, int64_t t_us, int64_t now_us);
/* When the newest picture ends by itself, if none follows. */
int64_t packager_video_end_us(const struct packager *p);
void packager_end_audio_only(struct packager *p, int64_t now_us);
/* A rendition joins the period. */
void packager_join(struct packager *p, struct video *v, const struct item *i, int64_t start_us);

/* packager_video.c */
bool packager_step_video(struct packager *p, int64_t now_us);
bool packager_video_waits(struct packager *p); /* there are frames that are not placed */
/* A part ends at `tick`, where a frame of about step_us begins; returns where the next one began.
 */
int64_t packager_end_part(struct packager *p, struct packager_lane *l, uint64_t tick,
                          int64_t step_us);
bool packager_part_full(const struct packager_lane *l, const struct frame *f);
/* All renditions end their segments at t_us. */
void packager_cut_video(struct packager *p, int64_t t_us);
/* A rendition that has been there before and has nothing now gets a gap over what was just closed,
 * so that its numbers keep step. */
void packager_keep_step(struct packager *p, struct packager_lane *other,
                        const struct packager_lane *lead);

/* packager_audio.c */
bool packager_step_audio(struct packager *p, int64_t now_us);
void packager_close_audio(struct packager *p, uint64_t tick);
int64_t packager_audio_us(const struct track *t, const struct frame *f);
bool packager_audio_lost(struct packager *p, int64_t t_us);
