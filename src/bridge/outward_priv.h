/* SPDX-License-Identifier: MIT */
/* bridge/outward_priv.h - one bridge, between its files: outward.c (who asks, when it ends),
 * outward_tracks.c (what is done with the tracks), outward_send.c (frames out, and their time). */
#pragma once
#include "base/clock.h"
#include "bridge/outward.h"
#include "bridge/outward_plan.h"
#include "bridge/packer.h"
#include "bridge/transcoder.h"

#define OUTWARD_HELD 256 /* frames that wait until it is known what they are */

enum outward_phase {
    OUTWARD_WAITING,  /* for tracks */
    OUTWARD_WATCHING, /* whether pictures are in order; frames are held */
    OUTWARD_STARTING, /* the transcoder, which has no picture yet */
    OUTWARD_RUNNING,
    OUTWARD_REFUSING,
};

/* Time as viewers have it: microseconds on the stream clock, plus `shift_us`, which grows when the
 * source has been away; wall_us is where its zero lies. */
struct outward_line {
    bool set;
    int64_t wall_us, shift_us;
    int64_t newest_us; /* of what was sent */
    int64_t told_us;   /* monotonic, when clocks were last sent */
};

struct outward {
    struct lane_bridge bridge;
    struct channel *channel;
    struct loop *home;
    struct feed_reader reader;
    struct timer timer;
    struct list asks;
    int64_t wanted_us; /* monotonic, when somebody last asked or watched */
    bool over, again;  /* again: the feed tells once more what it told */

    struct hub_item *tracks; /* the last set; NULL: none yet */
    enum outward_phase phase;
    enum outward_way way[2];
    struct frame *held[OUTWARD_HELD];
    unsigned n_held;
    int64_t watch_until_us;
    int64_t top_us;                /* highest pts */
    unsigned n_video, n_back;      /* pictures seen of this source, and those that stepped back */
    bool likely;                   /* that there are B-frames: the SPS allows them */
    const char *reason;            /* REFUSING */
    int64_t refused_us;            /* monotonic */
    struct transcoder *transcoder; /* NULL: none */
    int64_t fed_again_us;          /* monotonic: it was given the group of pictures once more */
    struct track *coded[2];        /* what it takes; references */

    struct packer packer;
    struct lane_track lane[2]; /* as described */
    struct outward_line line;
};

/* --- outward_tracks.c --- */
void outward_on_tracks(struct outward *o, struct hub_item *item);
void outward_on_frame(struct outward *o, struct frame *f);
/* Watching takes no longer than it may. */
void outward_tick(struct outward *o, int64_t now_us);
/* Refused for want of a transcoder, which there may be by now: reads the feed again. */
void outward_try_again(struct outward *o, int64_t now_us);
void outward_drop(struct outward *o); /* what is held, and the transcoder */

/* --- outward.c --- */
void outward_read_again(struct outward *o); /* from the last key frame */

/* --- outward_send.c --- */
/* Of every frame that comes, before anything is done with it: where it lies in viewers' time. */
void outward_mark(struct outward *o, const struct frame *f);
void outward_send(struct outward *o, const struct frame *f);
void outward_describe(struct outward *o);
void outward_undescribe(struct outward *o);
