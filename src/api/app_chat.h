/* SPDX-License-Identifier: MIT */
/* api/app_chat.h - what the endpoints of a room share. Pool threads. */
#pragma once
#include "api/app_streams.h"
#include "product/chat_ban.h"
#include "product/stream.h"

/* The stream of the path, which the caller finishes, for who moderates its room: the owner,
 * moderators, administrators. False: the reply is made. */
bool chat_call_moderated(struct call *c, struct stream *s);
enum err chat_call_moderates(struct call *c, const struct stream *s, bool *may) WARN_UNUSED;
struct chat_writer chat_call_writer(struct call *c, const struct stream *s);
/* A number of the query from 1 to `max`; *out stays when it is not given. False: the reply is made.
 */
bool chat_call_number(struct call *c, unsigned at, const char *name, int64_t max, int64_t *out);

json_t *chat_id_json(int64_t id);
json_t *chat_role_json(enum chat_role role);
json_t *chat_message_json(const struct chat_message *m);
json_t *chat_settings_json(const struct chat_room *room);
