/* SPDX-License-Identifier: MIT */
/* video/provider.h - who takes in and plays what encoders stream: this program, or Mux
 * (--media-provider).
 *
 * With `mux`, a product stream of an encoder is a live stream at Mux. What is to be done there is a
 * row of provider_jobs, written in the transaction of the change that wants it; one thread does
 * them (provider_mux.c), again with growing gaps until Mux has answered, and never creates anything
 * twice: before a creation whose answer was lost is repeated, Mux's list is searched for our
 * passthrough, which is the stream's id. Mux's webhooks are hints: the object that they name is
 * read, and the stream's row follows it. Streams of browsers are this program's as ever, but what
 * browsers record of them is uploaded to Mux, straight from the browser: a direct upload there is a
 * row of provider_uploads here (provider_uploads.c).
 *
 * With `embedded`, the functions that write jobs are asked only for streams that were made with
 * `mux`, and what they write waits.
 *
 * Source: Mux's API and its published client (@mux/mux-node 15.3).
 * Threads: as each says. */
#pragma once
#include "base/secret.h"
#include "base/settings.h"
#include "client/http_client.h"
#include "store/store.h"

struct provider;

#define REMOTE_ID_CAP          129
#define REMOTE_KEY_CAP         129
#define REMOTE_PROBLEM_CAP     160
#define REMOTE_PASSTHROUGH_CAP 256
#define REMOTE_URL_CAP         2048 /* of an upload: it has a token in it */
#define REMOTE_ORIGINS_CAP     600

/* Objects of Mux's, as far as they matter; "" for what is not there. */
struct remote_live {
    char id[REMOTE_ID_CAP], stream_key[REMOTE_KEY_CAP], playback_id[REMOTE_ID_CAP];
    char status[16], passthrough[REMOTE_PASSTHROUGH_CAP];
    char active_asset_id[REMOTE_ID_CAP], last_asset_id[REMOTE_ID_CAP];
};
struct remote_asset {
    char id[REMOTE_ID_CAP], playback_id[REMOTE_ID_CAP], live_stream_id[REMOTE_ID_CAP];
    char upload_id[REMOTE_ID_CAP];
    char status[16], problem[REMOTE_PROBLEM_CAP];
    bool is_live;
    int64_t duration_s; /* -1: not known */
};
struct remote_upload {
    char id[REMOTE_ID_CAP], asset_id[REMOTE_ID_CAP], passthrough[REMOTE_PASSTHROUGH_CAP];
    char status[16], url[REMOTE_URL_CAP], problem[REMOTE_PROBLEM_CAP];
};

/* JSON is read above us. Each false: it is not what it should be. */
struct provider_words {
    bool (*live)(struct span json, struct remote_live *out);
    bool (*asset)(struct span json, struct remote_asset *out);
    /* The one of a list with this passthrough; `n`: how many there are in the list. */
    bool (*find_live)(struct span json, const char *passthrough, struct remote_live *out,
                      bool *found, size_t *n);
    bool (*upload)(struct span json, struct remote_upload *out);
    bool (*find_upload)(struct span json, const char *passthrough, struct remote_upload *out,
                        bool *found, size_t *n);
};

struct provider_config {
    const struct settings *settings;
    const struct secret *secret;
    struct store *store;
    struct http_client *client; /* outlives provider_stop() */
    struct provider_words words;
    /* A stream key for its row; returns the length, at most `cap`. */
    size_t (*seal)(const struct secret *s, const char *row_id, const char *text, uint8_t *out,
                   size_t cap);
    void (*on_changed)(void *ctx, const char *stream_id); /* its row has changed. Our thread */
    void *ctx;
};

/* *out is NULL with `embedded`. E_INVALID: something is missing in the settings; words in
 * `problem`. */
enum err provider_new(const struct provider_config *cfg, struct provider **out, char *problem,
                      size_t cap) WARN_UNUSED;
void provider_start(struct provider *p);
void provider_stop(struct provider *p); /* a request that runs is given up. NULL is fine */
void provider_free(struct provider *p); /* NULL is fine */

/* --- for the product: pool threads --- */

/* Whether new streams of encoders are Mux's. */
bool provider_is_mux(void);
/* Within the caller's transaction; provider_wake() after its commit. */
enum err provider_want_live(struct db *db, const char *live_id, const char *stream_id) WARN_UNUSED;
enum err provider_end_live(struct db *db, const char *stream_id) WARN_UNUSED;
enum err provider_renew_key(struct db *db, const char *live_id, const char *stream_id) WARN_UNUSED;
/* Removes it there, with its recording. Before the row goes. */
enum err provider_drop_live(struct db *db, const char *live_id, const char *stream_id) WARN_UNUSED;
void provider_wake(void);
/* Waits until the stream has its key, LIMIT_PROVIDER_WAIT_MS at most; not at all when others wait
 * already. */
void provider_wait_key(struct db *db, const char *live_id);

/* --- recordings that browsers upload: pool threads --- */

#define PROVIDER_UPLOAD_ID_CAP  25
#define PROVIDER_UPLOAD_KEY_CAP 129
#define PROVIDER_ORIGIN_CAP     256

struct provider_upload_ask {
    const char *stream_id, *user_id;
    const char
        *client_key; /* the same one again: the same upload, while it is not over; "": none */
    const char *cors_origin; /* whose pages may send it */
};
struct provider_upload {
    char id[PROVIDER_UPLOAD_ID_CAP], remote_id[REMOTE_ID_CAP], url[REMOTE_URL_CAP];
    char problem[REMOTE_PROBLEM_CAP];
    bool over; /* it has failed, or was cancelled */
};

/* A direct upload at Mux is wished for. E_LIMIT: too many of this user's are waiting. */
enum err provider_upload_want(struct db *db, const struct provider_upload_ask *ask,
                              struct provider_upload *out) WARN_UNUSED;
/* Waits until it has its `url`, or is over; LIMIT_PROVIDER_WAIT_MS at most, as above. */
enum err provider_upload_wait(struct db *db, const char *id,
                              struct provider_upload *out) WARN_UNUSED;
/* By our id or Mux's. E_NOTFOUND; E_CONFLICT: it waits for nothing any more. */
enum err provider_upload_cancel(struct db *db, const char *stream_id, const char *id) WARN_UNUSED;
/* By our id: it is removed, there too, whatever has become of it; the stream has what recording is
 * left. E_NOTFOUND. */
enum err provider_upload_remove(struct db *db, const char *stream_id, const char *id) WARN_UNUSED;
/* Within the caller's transaction, before the stream's row goes: they go at Mux too. */
enum err provider_drop_uploads(struct db *db, const char *stream_id) WARN_UNUSED;

/* Where such uploads go, as a list of origins with a space between (for a page's policy). */
void provider_upload_origins(const struct settings *s, char out[REMOTE_ORIGINS_CAP]);
/* Whether one of them is that of the URL; "*." stands for every name below it. Pure. */
bool provider_origin_fits(struct span origins, struct span url);

/* --- for the webhook: pool threads --- */

enum { PROVIDER_TOLERANCE_S = 300 };
/* Whether `header` ("t=…,v1=…", also with several v1) signs these bytes now. */
bool provider_signed(struct span header, struct span secret, struct span body, int64_t now_s);
/* Takes a hint: `kind` is "live", "asset" or "upload". One whose event id was taken before does
 * nothing. */
enum err provider_hint(struct db *db, const char *event_id, const char *kind,
                       const char *remote_id) WARN_UNUSED;
