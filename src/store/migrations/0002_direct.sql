-- SPDX-License-Identifier: MIT
-- The direct preview: webrtc_offer and webrtc_answer are in use. When the offer came is its name for
-- whoever answers; when it was last confirmed tells one whose page is gone.
ALTER TABLE streams ADD COLUMN webrtc_offer_at BIGINT;
ALTER TABLE streams ADD COLUMN webrtc_seen_at BIGINT;
