/* SPDX-License-Identifier: MIT */
/* hub/ingest_stats.h - what a publisher sends, in numbers, for the health page and its advice.
 *
 * A meter belongs to one publisher and its loop: it is shown every frame and every burst of
 * packets, keeps sums over the last seconds, and makes a struct ingest_stats of them once a second,
 * which travels to the channel like everything else and is read there by any thread
 * (channel_get_ingest). Time is passed in; embedded by value; nothing allocated, no lock.
 *
 * Delay of a frame here: when it arrived minus its timestamp. Its unknown constant falls out of
 * every difference: between tracks (offset of sound and picture), against the best ever seen (how
 * far the source is behind), from frame to frame (jitter, RFC 3550 A.8). The smallest of a second
 * counts, so that what waits in a socket does not. */
#pragma once
#include "hub/packets.h"

#define INGEST_TEXT_CAP 96
#define INGEST_SAMPLES  11 /* seconds looked back at, and one */
#define INGEST_KEYS     8  /* key-frame intervals looked back at */
#define INGEST_CONNECTS 16 /* connections looked back at */
/* Decibels relative to full scale, in tenths: the mean square of the samples. */
#define INGEST_LEVEL_NONE    INT16_MIN
#define INGEST_LEVEL_SILENCE (-1270)

/* Who publishes, as far as the protocol tells. */
struct ingest_source {
    char protocol[8];              /* "rtmp", "rtmps", "whip" */
    char encoder[INGEST_TEXT_CAP]; /* what the encoder calls itself; "": it does not say */
    char peer[64];                 /* its address */
};

/* What only a transport knows. */
struct ingest_network {
    bool is;           /* false: a reliable transport, nothing here is set */
    int64_t jitter_us; /* of the packets of its pictures */
    double loss;       /* 0 to 1, of the last report's interval; found again counts as lost */
    int64_t nacks;     /* packets asked for again, since it connected */
    int64_t rtt_us;    /* -1: not known */
};

struct ingest_video {
    bool is;
    enum codec codec;
    int64_t bps;
    double fps;
    double best_fps;         /* the highest of this publisher */
    int64_t key_interval_us; /* 0: not yet known */
    int64_t key_longest_us, key_shortest_us;
    int64_t since_key_us;
    bool b_frames;   /* in the last seconds: pts != dts */
    bool varies;     /* the time from frame to frame is not steady */
    unsigned layers; /* of simulcast; 1: none */
    int64_t layer_bps[LANE_LAYERS];
    bool transcoded; /* what segments are made of is another codec than what comes */
};

struct ingest_audio {
    bool is;
    enum codec codec;
    int64_t bps;
    int16_t level;      /* over the last seconds; INGEST_LEVEL_NONE: not known */
    int16_t peak_level; /* the loudest of the last seconds */
    int64_t silent_us;  /* how long there has been nothing to hear */
};

struct ingest_stats {
    bool is; /* somebody has published for a second at least */
    struct ingest_source source;
    int64_t connected_wall_us;
    unsigned connects; /* in the last ten minutes, this one too */
    struct ingest_video video;
    struct ingest_audio audio;
    bool has_offset;
    int64_t offset_us; /* positive: the sound is ahead of the picture */
    bool has_start_gap;
    int64_t start_gap_us; /* positive: the first sound is of a later time than the first picture */
    int64_t behind_us;    /* compared with the earliest that frames have come */
    int64_t drift_us;     /* mean of that since it connected: Mux's "stream drift" */
    int64_t drift_now_us; /* what it is now beyond the mean of about the last 30 s */
    double speed;         /* media seconds a second; 0: not yet known */
    int64_t jitter_us;    /* of whole frames */
    unsigned jumps;       /* of timestamps, since it connected */
    struct ingest_network network;
};

/* --- the meter, on the publisher's loop --- */

struct ingest_flow { /* one kind of frames, or one layer of packets */
    bool is;
    int64_t bytes, frames;
    int64_t first_us;             /* timestamp, of the connection's first */
    int64_t last_us, last_key_us; /* timestamps; last_key_us -1: none */
    int64_t keys[INGEST_KEYS];    /* intervals */
    unsigned n_keys;
    double step_us, spread_us; /* from frame to frame: mean, and mean distance from it */
    uint32_t last_ts;          /* packets: to tell frames apart, and to unwrap */
};

struct ingest_sample {
    int64_t at_us;
    int64_t bytes[2], frames[2]; /* of the frames lane, by enum media_kind */
    int64_t lane_bytes[LANE_LAYERS], lane_frames[LANE_LAYERS], lane_audio_bytes;
    int64_t newest_us[2]; /* timestamps */
    int64_t delay_us[2];  /* the smallest of the second; INT64_MAX: none */
    double power;         /* mean of the second, relative to full scale; -1: not known */
    double peak;
};

struct ingest_meter {
    int64_t opened_us, opened_wall_us, due_us;
    struct ingest_flow frames[2];
    struct ingest_flow lane[LANE_LAYERS], lane_audio;
    struct lane_track lane_tracks[2];
    enum codec codec[2]; /* of the frames lane */
    int64_t reorder_us;  /* when pts != dts was seen last */
    double best_fps;
    int64_t best_delay_us, last_delay_us;
    int64_t drifts;              /* seconds that are in the means */
    double drift_us, rolling_us; /* means of how far it was behind: of all, of about 30 */
    int64_t jitter16;
    unsigned jumps;
    uint32_t aac_rate; /* 0: not AAC-LC, or not known */
    double power_sum, power_peak;
    unsigned power_n;
    int64_t heard_us; /* when there was last something to hear */
    bool levels;
    int64_t delay_us[2];
    struct ingest_sample samples[INGEST_SAMPLES];
    unsigned n_samples;
    unsigned jumped_at; /* how many there were when time jumped: those before have another clock */
    struct ingest_source source;
    struct ingest_network network;
};

void ingest_meter_open(struct ingest_meter *m, int64_t now_us, int64_t wall_us);
void ingest_meter_frame(struct ingest_meter *m, const struct frame *f, int64_t arrived_us);
/* The sound's configuration: how loud AAC is can be told with it. */
void ingest_meter_track(struct ingest_meter *m, const struct track *t);
void ingest_meter_describe(struct ingest_meter *m, const struct lane_track tracks[2]);
void ingest_meter_burst(struct ingest_meter *m, const struct lane_burst *b);
/* A level of the sound, as the transport tells it or as the frame does. */
void ingest_meter_level(struct ingest_meter *m, int16_t level, int64_t now_us);
/* Once a second, first a little earlier: true, and the numbers; `connects` is the channel's to
 * fill. */
bool ingest_meter_take(struct ingest_meter *m, int64_t now_us, struct ingest_stats *out);

/* --- the publisher's side, after on_ready, on its loop; the frames are seen by themselves --- */

void publisher_describe(struct publisher *p, const struct ingest_source *s);
void publisher_network(struct publisher *p, const struct ingest_network *n);
void publisher_level(struct publisher *p, int16_t level);

/* The latest numbers; `is` is false while nobody publishes. Any thread. */
void channel_get_ingest(const struct channel *c, struct ingest_stats *out);
