-- What one person did at once, with every row it changed: the audit trail, and what an undo goes back by.
CREATE SEQUENCE step_order;
CREATE TABLE steps (
    id TEXT PRIMARY KEY, number BIGINT NOT NULL DEFAULT nextval('step_order'), kind TEXT NOT NULL, who TEXT NOT NULL,
    about TEXT NOT NULL, happened_at TIMESTAMPTZ NOT NULL
);
-- Values are JSON. A new row has no before, a removed one no after; a change holds the columns that changed.
CREATE TABLE changes (
    step_id TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, before TEXT, after TEXT
);
CREATE TABLE undone (step_id TEXT PRIMARY KEY, by_step TEXT NOT NULL);

-- One whole-group matching. The version changes with every step, so that nobody overwrites what they haven't seen.
CREATE TABLE rounds (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, state TEXT NOT NULL, version INTEGER NOT NULL, options TEXT NOT NULL,
    made_by TEXT NOT NULL, made_at TIMESTAMPTZ NOT NULL, published_at TIMESTAMPTZ
);
-- Who takes part. The slate holds the candidates; without one there is nobody for them.
CREATE TABLE round_people (
    round_id TEXT NOT NULL, senior_id TEXT NOT NULL, slate_id TEXT NOT NULL, waiting_since TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (round_id, senior_id)
);
CREATE TABLE round_pairs (
    round_id TEXT NOT NULL, senior_id TEXT NOT NULL, junior_id TEXT NOT NULL, quality DOUBLE NOT NULL,
    locked BOOLEAN NOT NULL, source TEXT NOT NULL, PRIMARY KEY (round_id, senior_id)
);
-- Whether a round asked it for somebody, in the words of their profile.
ALTER TABLE requests ADD COLUMN for_round BOOLEAN DEFAULT false;

-- Two who know each other already, or asked for each other: they come first.
CREATE TABLE known_pairs (
    senior_id TEXT NOT NULL, junior_id TEXT NOT NULL, PRIMARY KEY (senior_id, junior_id)
);

-- Two people in the programme, from invitation to end. `matches` holds the place meanwhile.
CREATE TABLE pairs (
    id TEXT PRIMARY KEY, slate_id TEXT NOT NULL, senior_id TEXT NOT NULL, junior_id TEXT NOT NULL, round_id TEXT,
    state TEXT NOT NULL, invited_at TIMESTAMPTZ NOT NULL, expires_at TIMESTAMPTZ NOT NULL, senior_said TEXT NOT NULL,
    junior_said TEXT NOT NULL, agreement TEXT NOT NULL, started_at TIMESTAMPTZ, paused_at TIMESTAMPTZ,
    ended_at TIMESTAMPTZ, end_reason TEXT NOT NULL
);
CREATE TABLE meetings (
    id TEXT PRIMARY KEY, pair_id TEXT NOT NULL, starts_at TIMESTAMPTZ NOT NULL, minutes INTEGER NOT NULL,
    place TEXT NOT NULL, state TEXT NOT NULL, cancelled_by TEXT NOT NULL, reason TEXT NOT NULL, sequence INTEGER NOT NULL
);
CREATE TABLE check_ins (
    pair_id TEXT NOT NULL, week INTEGER NOT NULL, side TEXT NOT NULL, due_at TIMESTAMPTZ NOT NULL,
    answered_at TIMESTAMPTZ, answers TEXT NOT NULL, PRIMARY KEY (pair_id, week, side)
);

-- Letters that are to leave, and those that left. The id says what a letter is about: the same one is never made twice.
CREATE TABLE outbox (
    id TEXT PRIMARY KEY, person_id TEXT NOT NULL, kind TEXT NOT NULL, told TEXT NOT NULL, state TEXT NOT NULL,
    attempts INTEGER NOT NULL, next_at TIMESTAMPTZ NOT NULL, error TEXT NOT NULL, made_at TIMESTAMPTZ NOT NULL,
    sent_at TIMESTAMPTZ
);

-- What coordinators write about a choice, and what they ask of the senior before they decide.
CREATE TABLE notes (
    id TEXT PRIMARY KEY, slate_id TEXT NOT NULL, kind TEXT NOT NULL, who TEXT NOT NULL, text TEXT NOT NULL,
    answer TEXT NOT NULL, happened_at TIMESTAMPTZ NOT NULL
);
