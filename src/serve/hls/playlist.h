/* SPDX-License-Identifier: MIT */
/* serve/hls/playlist.h - the playlists that are made when they are asked for: everything from the
 * start of a running stream (EVENT), a finished recording (VOD), multivariant ones. Pure. */
#pragma once
#include "engine/hls_view.h"
#include "record/log.h"
#include "serve/gate.h"

/* Of rendition `i` among the latest snapshots of all. `delta`: leave out what may be left out;
 * false when that is nothing: *out is untouched. */
bool playlist_event(struct log_snapshot *const *all, unsigned n, unsigned i, bool delta,
                    struct str *out);
/* A finished recording. As VOD: exact target duration. As EVENT: what a client that has followed
 * the running stream gets in the end. False: there is nothing in this rendition. */
bool playlist_archive(const struct archive *a, unsigned rendition, enum m3u8_type type,
                      struct str *out);

/* The segments within a clip, without parts: VOD when no more of them can come, else EVENT. False:
 * there are none. */
bool playlist_clip_live(const struct log_snapshot *s, const struct hls_view *v, struct str *out);
bool playlist_clip_archive(const struct archive *a, unsigned rendition, const struct hls_view *v,
                           struct str *out);
bool playlist_clip_live_has(const struct log_snapshot *s, const struct hls_view *v, uint64_t msn);
bool playlist_clip_archive_has(const struct archive *a, unsigned rendition,
                               const struct hls_view *v, uint64_t msn);

/* Multivariant; `id` is the playback id, `path` the element that names the run. snapshots[i] is of
 * rendition i, all there. */
void playlist_multi_live(struct log_snapshot *const *snapshots, unsigned n, const char *id,
                         const char *path, const struct hls_wish *wish, struct str *out);
/* With the text tracks of the recording. */
void playlist_multi_archive(const struct archive *a, const char *id, const char *path,
                            const struct hls_wish *wish, const struct gate_text *texts,
                            unsigned n_texts, struct str *out);
/* Indices of the segments within a clip; without a clip all. False: there are none. */
bool playlist_clip_archive_range(const struct archive *a, unsigned rendition,
                                 const struct hls_view *v, uint64_t *first, uint64_t *end);
/* The text track for a language: the same tag, else the same language. -1: none. */
int playlist_text_for(const struct gate_text *texts, unsigned n, const char *language);
/* The rendition is one of a picture, and has stopped while others go on (a browser switches layers
 * off): players shall go to another now, and not wait for what does not come. */
bool playlist_stopped(struct log_snapshot *const *all, unsigned n, unsigned self);
