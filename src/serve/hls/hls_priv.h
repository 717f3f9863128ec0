/* SPDX-License-Identifier: MIT */
/* serve/hls/hls_priv.h - the inside of the HLS service.
 *
 * A request is first an `ask`: what it wants, parsed. It goes to the loop's `entry` of its playback
 * id, which knows, or finds out through the gate, what is behind that id: a running log, whose
 * latest snapshots it holds, or the archive of a finished recording. What cannot be answered yet
 * waits in the entry's list and is tried again with every snapshot. */
#pragma once
#include "base/map.h"
#include "engine/hls_view.h"
#include "hub/hub.h"
#include "serve/hls/audience.h"
#include "serve/hls/hls_service.h"
#include "serve/hls/playlist.h"
#include "wire/subtitles.h"

#define HLS_ID_CAP  65
#define HLS_DIR_CAP 4096

/* An answer of the gate is believed for so long, and an entry without requests kept. */
#define HLS_BELIEVE_US (5 * INT64_C(1000000))
/* Later than this nothing is answered before the gate has been asked again. */
#define HLS_STALE_US (8 * INT64_C(1000000))
#define HLS_IDLE_US  (60 * INT64_C(1000000))
/* What was delivered is told so often. */
#define HLS_TELL_US (20 * INT64_C(1000000))
/* Between going live and the first part, and for the gate. */
#define HLS_FIRST_PART_US (8 * INT64_C(1000000))

struct hls_loop;

enum ask_kind { ASK_MULTI, ASK_MEDIA, ASK_RESOURCE, ASK_TEXT, ASK_IMAGES };

/* Of a text track: its playlist, a piece of it, or the whole as a file. */
enum text_what { TEXT_LIST, TEXT_PIECE, TEXT_FILE, TEXT_PLAIN };
struct text_ask {
    enum text_what what;
    char id[HLS_ID_CAP];
    uint64_t first, last; /* PIECE: of segments */
};

struct ask {
    enum ask_kind kind;
    bool vod; /* NAME-vod.m3u8 */
    bool by_token;
    int64_t access_epoch; /* by_token: which the token is of */
    bool admitted;        /* by a token, or by a signature of ours in the path */
    char run[ARCHIVE_RUN_CAP];
    char path[HLS_VIEW_PATH_CAP]; /* the path's element with a signature, or "" */
    struct hls_view view;         /* MEDIA, RESOURCE: of the path */
    struct hls_wish wish;         /* MULTI */
    char rendition[HLS_NAME_CAP];
    struct m3u8_directives d;
    struct hls_resource_id id;
    struct text_ask text; /* TEXT; its view is the path's, or the wish's of a file */
};

struct wait {
    struct list node;
    struct entry *entry;
    struct http_request *r;
    struct ask ask;
    int64_t until_us;
    bool blocked; /* by a directive, not by the gate */
};

/* Texts of one rendition that were made here, for one snapshot. */
struct made {
    const struct log_snapshot *of; /* not a reference: only compared with the latest */
    struct buf *text[2], *gz[2];   /* whole, delta; NULL text: not made */
    struct buf *viewed[4];         /* the whole, as views without a clip have it */
};

struct entry {
    struct list node; /* of hls_loop.entries */
    struct hls_loop *loop;
    char id[HLS_ID_CAP];
    char stream_id[CHANNEL_ID_CAP];
    enum gate_media kind;
    bool asking, loading, reading, dead;
    bool is_signed;       /* as the gate says */
    int64_t access_epoch; /* of a private stream; 0: of another */
    int64_t duration_us;
    bool over_asked;  /* the gate has just been asked about a log that has ended */
    int64_t ended_us; /* when the log was seen to have ended, 0: not */
    int64_t answered_us, used_us;
    struct record_log *log;
    struct archive *archive; /* the log's, borrowed from a snapshot; NULL: none yet */
    struct feed_reader reader;
    struct log_snapshot *snap[LIMIT_RECORD_RENDITIONS];
    unsigned n_renditions; /* that the log has, as far as known */
    struct made made[LIMIT_RECORD_RENDITIONS];
    char asset_id[HLS_ID_CAP]; /* whose segments these are */
    struct {
        unsigned height;
        int64_t us;
    } delivered[LIMIT_RECORD_RENDITIONS]; /* not told yet */
    struct gate_text *texts;              /* of `vod`, owned */
    unsigned n_texts;
    struct archive *vod;
    char *vod_dir; /* where it is from: an id may come to lead elsewhere */
    struct made vod_made[LIMIT_RECORD_RENDITIONS]; /* VOD, EVENT in text[0], text[1] */
    struct list waits;
};

struct hls_loop {
    struct hls_service *s;
    struct loop *loop;
    struct map by_id;
    struct list entries;
    struct timer timer;
    unsigned n_waits;
    bool closed;
    struct hls_audience_seen seen;
};

struct hls_service {
    struct hls_config cfg;
    struct hls_audience *book;
    struct vod_cache *vods;
    struct text_cache *texts;
    uint8_t key[SHA256_LEN]; /* signs the paths of signed playback */
    struct hls_loop loops[LIMIT_LOOPS_MAX];
    struct http_route *routes;
    size_t n_routes;
};

/* entry.c: loop's thread, all of them. */
void entry_request(struct hls_loop *h, struct http_request *r, const char *id, struct ask *ask);
/* Who may keep a copy, in the words of Cache-Control. */
static inline const char *entry_whose(const struct entry *e)
{
    return e->access_epoch ? "private" : "public";
}
void entry_timer(struct hls_loop *h, int64_t at_us);
void entry_drain(struct hls_loop *h);
void entry_init(struct hls_loop *h); /* before the loops run */
/* Of this rendition so much media goes out. */
void entry_delivered(struct entry *e, unsigned rendition, unsigned height, int64_t us);

/* answer.c */
enum answered { ANSWERED, ANSWER_WAIT, ANSWER_ASK_GATE };
/* Answers if it can be answered from what the entry has. */
enum answered answer(struct entry *e, struct http_request *r, struct ask *ask);
void answer_error(struct http_request *r, int status, const char *code, const char *message);
/* What the gate has said of an id with nothing to play: E_NOTFOUND, E_CLOSED, E_AUTH. */
void answer_nothing(struct http_request *r, const struct ask *ask, enum err e);
void answer_timeout(struct http_request *r, const struct ask *ask, bool blocked);
void answer_made_clear(struct made *m);

/* files.c: of the path's id and name, with "mp4" or "m4a" behind it. */
void files_request(struct hls_service *s, struct http_request *r, bool audio);
void files_master(struct hls_service *s, struct http_request *r); /* of the path's key and name */

/* text_cache.c: any thread. Subtitles that were read, for some seconds. */
struct text_doc {
    _Atomic uint32_t refs;
    struct subtitles s; /* nobody changes it */
};
struct text_doc *text_doc_new(struct subtitles *s); /* takes them */
void text_doc_unref(struct text_doc *d);            /* NULL is fine */
struct text_cache *text_cache_new(void);
void text_cache_free(struct text_cache *c);
/* A reference, or NULL. By both ids: whether the one has the other was asked then. */
struct text_doc *text_cache_get(struct text_cache *c, const char *playback_id,
                                const char *track_id);
void text_cache_put(struct text_cache *c, const char *playback_id, const char *track_id,
                    struct text_doc *d);

/* texts.c: text tracks. "text-ID" and "ID", "3-9". False: none of these. */
bool text_read_path(const char *rendition, const char *piece, struct text_ask *out);
enum answered text_answer(struct entry *e, struct http_request *r, const struct ask *ask);

/* trick_play.c: is asked for, and can be had; its line of the multivariant playlist; its own one.
 */
bool trick_play_there(const struct entry *e, const struct ask *ask);
void trick_play_stream(const struct archive *a, const char *id, const char *path, struct str *out);
enum answered trick_play_answer(struct entry *e, struct http_request *r, const struct ask *ask);

/* vod_cache.c: finished recordings by folder, shared by the loops. */
struct vod_cache *vod_cache_new(void);
void vod_cache_free(struct vod_cache *c);
/* From the cache or from disk; blocks, for the pool. */
enum err vod_cache_get(struct vod_cache *c, const char *dir, struct archive **out) WARN_UNUSED;
