/* SPDX-License-Identifier: MIT */
#include "product/account_export.h"

const struct export_file ACCOUNT_EXPORT[] = {
    {"profile.json",
     "SELECT id, id, name, handle, about, email, email_confirmed_at, role, created_at FROM users "
     "WHERE id = ?1 AND id > ?2 LIMIT ?3",
     {{"id", EXPORT_TEXT},
      {"name", EXPORT_TEXT},
      {"handle", EXPORT_TEXT},
      {"about", EXPORT_TEXT},
      {"email", EXPORT_TEXT},
      {"emailConfirmedAt", EXPORT_TIME},
      {"role", EXPORT_TEXT},
      {"createdAt", EXPORT_TIME}}},
    {"streams.json",
     "SELECT id, id, title, description, status, stream_type, scheduled_at, started_at, ended_at, "
     "duration, peak_viewers, created_at, ?4 || '/stream/' || id FROM streams "
     "WHERE user_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
     {{"id", EXPORT_TEXT},
      {"title", EXPORT_TEXT},
      {"description", EXPORT_TEXT},
      {"status", EXPORT_TEXT},
      {"streamType", EXPORT_TEXT},
      {"scheduledAt", EXPORT_TIME},
      {"startedAt", EXPORT_TIME},
      {"endedAt", EXPORT_TIME},
      {"duration", EXPORT_NUMBER},
      {"peakViewers", EXPORT_NUMBER},
      {"createdAt", EXPORT_TIME},
      {"url", EXPORT_TEXT}}},
    {"recordings.json",
     "SELECT a.id, a.id, a.stream_id, s.title, a.status, a.duration_us / 1000000, a.width, "
     "a.height, a.created_at, ?4 || '/' || p.id || '.m3u8', ?4 || '/' || p.id || '/' || "
     "(SELECT r.name FROM static_renditions r WHERE r.asset_id = a.id AND r.status = 'ready' "
     "ORDER BY r.height DESC LIMIT 1), p.policy FROM assets a "
     "LEFT JOIN streams s ON s.id = a.stream_id LEFT JOIN playback_ids p ON p.id = (SELECT x.id "
     "FROM playback_ids x WHERE x.object_id = a.id AND x.kind = 'asset' ORDER BY x.policy LIMIT 1) "
     "WHERE a.user_id = ?1 AND a.id > ?2 ORDER BY a.id LIMIT ?3",
     {{"id", EXPORT_TEXT},
      {"streamId", EXPORT_TEXT},
      {"streamTitle", EXPORT_TEXT},
      {"status", EXPORT_TEXT},
      {"duration", EXPORT_NUMBER},
      {"width", EXPORT_NUMBER},
      {"height", EXPORT_NUMBER},
      {"createdAt", EXPORT_TIME},
      {"hlsUrl", EXPORT_TEXT},
      {"downloadUrl", EXPORT_TEXT},
      {"policy", EXPORT_TEXT}}},
    {"chat-messages.json",
     "SELECT m.id, m.id, m.stream_id, s.title, m.content, m.program_at, m.created_at, "
     "m.deleted_event IS NOT NULL FROM chat_messages m JOIN streams s ON s.id = m.stream_id "
     "WHERE m.user_id = ?1 AND m.id > CAST(?2 AS BIGINT) ORDER BY m.id LIMIT ?3",
     {{"id", EXPORT_NUMBER},
      {"streamId", EXPORT_TEXT},
      {"streamTitle", EXPORT_TEXT},
      {"content", EXPORT_TEXT},
      {"programTime", EXPORT_TIME},
      {"createdAt", EXPORT_TIME},
      {"deleted", EXPORT_YES}}},
    {"follows.json",
     "SELECT f.user_id, u.name, u.handle, f.by_mail, f.by_push, f.created_at FROM follows f "
     "JOIN users u ON u.id = f.user_id WHERE f.follower_id = ?1 AND f.user_id > ?2 "
     "ORDER BY f.user_id LIMIT ?3",
     {{"name", EXPORT_TEXT},
      {"handle", EXPORT_TEXT},
      {"byMail", EXPORT_YES},
      {"byPush", EXPORT_YES},
      {"createdAt", EXPORT_TIME}}},
    {"access-tokens.json",
     "SELECT id, id, name, created_at, last_used_at FROM api_tokens WHERE user_id = ?1 AND "
     "id > ?2 ORDER BY id LIMIT ?3",
     {{"id", EXPORT_TEXT},
      {"name", EXPORT_TEXT},
      {"createdAt", EXPORT_TIME},
      {"lastUsedAt", EXPORT_TIME}}},
    {"webhooks.json",
     "SELECT id, id, address, enabled, created_at FROM webhooks WHERE user_id = ?1 AND id > ?2 "
     "ORDER BY id LIMIT ?3",
     {{"id", EXPORT_TEXT},
      {"address", EXPORT_TEXT},
      {"enabled", EXPORT_YES},
      {"createdAt", EXPORT_TIME}}},
    {"sessions.json",
     "SELECT token_hash, user_agent, address, created_at, used_at FROM sessions WHERE "
     "user_id = ?1 AND token_hash > ?2 ORDER BY token_hash LIMIT ?3",
     {{"browser", EXPORT_TEXT},
      {"network", EXPORT_TEXT},
      {"createdAt", EXPORT_TIME},
      {"lastUsedAt", EXPORT_TIME}}},
    {"identities.json",
     "SELECT id, issuer, email, created_at, used_at FROM identities WHERE user_id = ?1 AND "
     "id > ?2 ORDER BY id LIMIT ?3",
     {{"provider", EXPORT_TEXT},
      {"email", EXPORT_TEXT},
      {"createdAt", EXPORT_TIME},
      {"lastUsedAt", EXPORT_TIME}}},
};
const unsigned ACCOUNT_EXPORT_FILES = sizeof ACCOUNT_EXPORT / sizeof *ACCOUNT_EXPORT;

struct db_rows *export_page(struct db *db, const struct export_file *f, const char *user_id,
                            const char *key, const char *origin)
{
    const int64_t rows = LIMIT_EXPORT_ROWS;
    return strstr(f->sql, "?4") ? db_query(db, f->sql, "ssis", user_id, key, rows, origin)
                                : db_query(db, f->sql, "ssi", user_id, key, rows);
}
