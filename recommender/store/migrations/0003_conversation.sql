-- What a turn carries beside words: wishes, a question with its options, what a reply is about. JSON.
ALTER TABLE turns ADD COLUMN told TEXT DEFAULT '{}';

-- Conversations that a senior has given to a person.
CREATE TABLE hand_overs (
    conversation_id TEXT NOT NULL, happened_at TIMESTAMPTZ NOT NULL, done_at TIMESTAMPTZ, done_by TEXT DEFAULT ''
);
