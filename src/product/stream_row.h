/* SPDX-License-Identifier: MIT */
/* product/stream_row.h - a stream's row, for stream.c and stream_list.c. */
#pragma once
#include "product/stream.h"

/* SELECT ... FROM ... without WHERE; `s` is the stream. Playback ids: the oldest public one. */
#define STREAM_SELECT                                                                              \
    "SELECT s.id, s.user_id, s.live_stream_id, "                                                   \
    "(SELECT p.id FROM playback_ids p WHERE p.object_id = s.live_stream_id AND p.policy = "        \
    "'public' ORDER BY p.created_at LIMIT 1), s.recording_id, "                                    \
    "(SELECT p.id FROM playback_ids p WHERE p.object_id = s.recording_id AND p.policy = "          \
    "'public' ORDER BY p.created_at LIMIT 1), s.title, s.description, s.status, s.stream_type, "   \
    "s.recording_status, s.ended_reason, s.duration, s.started_at, s.ended_at, s.scheduled_at, "   \
    "s.created_at, s.updated_at, s.peak_viewers, u.name, u.image, "                                \
    "CASE a.is_live WHEN 0 THEN a.status ELSE '' END, coalesce(a.problem, ''), "                   \
    "s.webrtc_offer_at, s.webrtc_seen_at, "                                                        \
    "s.webrtc_answer IS NOT NULL, rl.reusable, coalesce(a.is_live, 1), rl.remote, "                \
    "rl.remote_playback_id, rl.remote_asset_playback_id, s.uploaded_playback_id, u.handle, "       \
    "max(s.total_pages, s.total_players), "                                                        \
    "s.was_scheduled_at, s.cancelled_at, s.schedule_number, s.schedule_changed_at, "               \
    "s.visibility, s.watch_password_hash <> '', s.access_epoch, s.password_at "                    \
    "FROM streams s JOIN users u ON u.id = s.user_id LEFT JOIN assets a ON a.id = s.recording_id " \
    "JOIN live_streams rl ON rl.id = s.live_stream_id "

void stream_read(struct db_rows *q, struct stream *out);
