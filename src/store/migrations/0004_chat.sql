-- SPDX-License-Identifier: MIT
-- The room of a stream. A message's id is the id of its event: ids grow in the order of commits,
-- also over restarts, so that a reader who comes back says the last one it has seen. When a message
-- is deleted its row stays (who wrote and who deleted it is a moderator's to know), and the change
-- has an id of the same kind.
CREATE TABLE chat_messages (
    id            BIGINT PRIMARY KEY,
    stream_id     TEXT NOT NULL REFERENCES streams(id) ON DELETE CASCADE,
    user_id       TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    content       TEXT NOT NULL,
    program_at    BIGINT NOT NULL, -- the programme time at which its writer saw the picture
    created_at    BIGINT NOT NULL,
    deleted_event BIGINT,
    deleted_by    TEXT
);
CREATE INDEX chat_messages_stream ON chat_messages (stream_id, id);
CREATE INDEX chat_messages_deleted ON chat_messages (stream_id, deleted_event)
    WHERE deleted_event IS NOT NULL;
CREATE INDEX chat_messages_user ON chat_messages (user_id, stream_id, id);
