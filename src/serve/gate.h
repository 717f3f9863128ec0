/* SPDX-License-Identifier: MIT */
/* serve/gate.h - what the protocol servers ask the rest of the program: "may this key publish?",
 * "what is behind this playback id?". main.c hands in the table; serve/ knows no database.
 *
 * Each question is asked on a loop and answered later on the same loop by calling `answer`
 * exactly once. `reason` in an answer is for people and contains no secret. */
#pragma once
#include "base/limits.h"
#include "base/span.h"
#include "hub/hub.h"

struct gate_publish {
    const char *key;      /* stream key as given, without query */
    const char *protocol; /* "rtmp", "rtmps" */
    const char *peer;     /* address */
    bool only_ask;        /* whether it may: nothing begins, and `ch` is NULL */
};
/* E_OK: publish into `ch` (borrowed during the call: ref it). Otherwise why, and a sentence:
 * E_AUTH unknown key, E_CONFLICT somebody publishes already, E_CLOSED ended or disabled. */
typedef void gate_publish_answer(void *ctx, enum err e, const char *reason, struct channel *ch);

/* Who wants to play something. NULL or "": he gave none. */
struct gate_viewer {
    const char *token; /* JWT */
    const char *referrer, *agent;
    const char *use; /* what the token must be for: "v" video, "t" thumbnail, "g" animated, "s"
                        storyboard */
};

/* RTMP and WHEP play; `who` may be NULL. E_OK: subscribe to `ch` (borrowed). E_NOTFOUND: no such
 * playback id; E_CLOSED: known, not live now; E_AUTH: a signed id, and no token for it. */
typedef void gate_play_answer(void *ctx, enum err e, const char *reason, struct channel *ch);

/* May this token play this id? What the token's claims say of how: */
struct gate_pass {
    bool by_query;        /* the token says nothing of that: the query does, as for a public id */
    int64_t access_epoch; /* of a private stream, as in gate_media_answer; 0 */
    unsigned n;
    struct {
        char name[32], value[64];
    } claims[LIMIT_PASS_CLAIMS];
};
/* E_OK. E_AUTH: no, and why. E_NOTFOUND: no such playback id. `p` is NULL unless E_OK, and valid
 * during the call. */
typedef void gate_admit_fn(void *ctx, enum err e, const char *reason, const struct gate_pass *p);

/* HLS: what is behind a playback id. */
struct record_log; /* record/log.h: the segment log of a running stream, shared by reference */
enum gate_media {
    GATE_MEDIA_LIVE,  /* a live stream's own playback id */
    GATE_MEDIA_ASSET, /* a recording: EVENT while its stream is live, VOD afterwards */
};
/* A text track of a recording. */
struct gate_text {
    char id[64], language[40]; /* a language tag, checked */
    char name[4 * LIMIT_TEXT_NAME + 1];
    bool closed_captions;
};
struct gate_media_answer {
    enum gate_media kind;
    struct record_log
        *log;              /* the running log, borrowed: ref it; NULL when the stream is not live */
    const char *dir;       /* ASSET: folder of the recording */
    const char *stream_id; /* the channel behind it, for counting viewers */
    bool is_signed;        /* only with a token (admit), or with a signature of ours */
    int64_t access_epoch;  /* of a private stream: what was let in by another one is not in; 0 */
    int64_t duration_us;   /* how long it may play at most, without pauses */
    int64_t thumbnail_us;  /* ASSET: the time of its picture that its owner has chosen; -1: none */
    const char *asset_id;  /* whose segments these are, for counting; "": of none */
    const struct gate_text *texts; /* ASSET that is finished: those that are ready */
    unsigned n_texts;
};
/* E_OK; E_NOTFOUND: no such playback id; E_CLOSED: known, nothing to play now (412); E_AUTH: the
 * same of a signed id. `m` is NULL unless E_OK, and valid during the call. */
typedef void gate_media_fn(void *ctx, enum err e, const struct gate_media_answer *m);

/* A file made of a recording: "highest.mp4". E_OK, and `f` is borrowed. E_NOTFOUND: no such id, or
 * no such file; E_CLOSED: it is being made; E_AUTH. */
struct file;
typedef void gate_file_fn(void *ctx, enum err e, const char *reason, struct file *f, uint64_t size);

/* The WebVTT of a text track: clean (wire/subtitles.h), borrowed. E_NOTFOUND: no such track behind
 * this id; E_CLOSED: it is being made. Whether it may be seen the asker knows already. */
typedef void gate_text_fn(void *ctx, enum err e, struct buf *vtt);

/* So much media of an asset has gone out, since the last time. */
struct gate_delivered {
    char asset_id[64];
    unsigned height; /* the shorter side of the picture; 0: sound without one */
    int64_t us;
};

struct gate {
    void *self;
    void (*publish)(void *self, const struct gate_publish *ask, gate_publish_answer *answer,
                    void *ctx);
    void (*play)(void *self, const char *playback_id, const struct gate_viewer *who,
                 gate_play_answer *answer, void *ctx);
    /* Asked of everybody who brings a token. */
    void (*admit)(void *self, const char *playback_id, const struct gate_viewer *who,
                  gate_admit_fn *answer, void *ctx);
    void (*file)(void *self, const char *playback_id, const struct gate_viewer *who,
                 const char *name, gate_file_fn *answer, void *ctx);
    /* The whole of an asset, by the key of its address: "master.mp4". */
    void (*master)(void *self, const char *key, const char *name, gate_file_fn *answer, void *ctx);
    void (*text)(void *self, const char *playback_id, const char *track_id, gate_text_fn *answer,
                 void *ctx);
    void (*media)(void *self, const char *playback_id, gate_media_fn *answer, void *ctx);
    /* Nothing is answered; the list is the caller's. May be NULL. */
    void (*delivered)(void *self, const struct gate_delivered *list, size_t n);
};
