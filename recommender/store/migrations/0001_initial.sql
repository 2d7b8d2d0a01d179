-- Never edit a migration after release; add the next number.
-- No foreign keys: DuckDB turns an update of a referenced row into delete and insert, which then fails.

CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE juniors (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, text TEXT NOT NULL, wants TEXT NOT NULL, department TEXT NOT NULL,
    site TEXT NOT NULL, remote TEXT NOT NULL, rank INTEGER, manager_id TEXT, languages TEXT[] NOT NULL,
    days TEXT[] NOT NULL, capacity INTEGER NOT NULL, wish_to_teach INTEGER, level INTEGER, active BOOLEAN NOT NULL,
    consent BOOLEAN NOT NULL, email TEXT NOT NULL
);
CREATE TABLE seniors (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, text TEXT NOT NULL, offers TEXT NOT NULL, department TEXT NOT NULL,
    site TEXT NOT NULL, remote TEXT NOT NULL, rank INTEGER, manager_id TEXT, languages TEXT[] NOT NULL,
    days TEXT[] NOT NULL, active BOOLEAN NOT NULL, consent BOOLEAN NOT NULL, email TEXT NOT NULL
);
CREATE TABLE do_not_pair (
    junior_id TEXT NOT NULL, senior_id TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (junior_id, senior_id)
);

-- One idea of a junior's profile a row; content_hash leads to its embedding.
CREATE TABLE statements (
    owner TEXT NOT NULL, position INTEGER NOT NULL, text TEXT NOT NULL, content_hash TEXT NOT NULL,
    PRIMARY KEY (owner, position)
);
-- Embeddings live in embeddings_<dim> (encoder_id, content_hash, vector FLOAT[dim]), made when an encoder of that
-- dimension is first used: DuckDB's vector type carries its length.

CREATE TABLE requests (
    id TEXT PRIMARY KEY, senior_id TEXT, text TEXT NOT NULL, goal TEXT NOT NULL, language TEXT NOT NULL,
    happened_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE slates (
    id TEXT PRIMARY KEY, request_id TEXT NOT NULL, model_id TEXT NOT NULL, encoder_id TEXT NOT NULL,
    intercept DOUBLE NOT NULL, excluded MAP(TEXT, INTEGER) NOT NULL, doubtful BOOLEAN NOT NULL, happened_at TIMESTAMPTZ NOT NULL
);
-- The features that were seen and what each added, so that any slate can be explained and learnt from later.
CREATE TABLE suggestions (
    slate_id TEXT NOT NULL, rank INTEGER NOT NULL, junior_id TEXT NOT NULL, score DOUBLE NOT NULL,
    contributions MAP(TEXT, DOUBLE) NOT NULL, feature_values MAP(TEXT, DOUBLE) NOT NULL, evidence TEXT[] NOT NULL,
    minus TEXT, propensity DOUBLE NOT NULL, PRIMARY KEY (slate_id, junior_id)
);
CREATE TABLE impressions (
    slate_id TEXT NOT NULL, junior_id TEXT NOT NULL, happened_at TIMESTAMPTZ NOT NULL, PRIMARY KEY (slate_id, junior_id)
);
CREATE SEQUENCE interaction_order;
CREATE TABLE interactions (
    id BIGINT PRIMARY KEY DEFAULT nextval('interaction_order'), slate_id TEXT NOT NULL, junior_id TEXT NOT NULL,
    action TEXT NOT NULL, happened_at TIMESTAMPTZ NOT NULL
);

-- A choice waits for a coordinator; one open choice per slate.
CREATE TABLE choices (
    slate_id TEXT PRIMARY KEY, junior_id TEXT NOT NULL, senior_id TEXT, conversation_id TEXT, happened_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE reviews (
    slate_id TEXT PRIMARY KEY, junior_id TEXT NOT NULL, decision TEXT NOT NULL, reason TEXT NOT NULL,
    note TEXT NOT NULL, reviewer TEXT NOT NULL, happened_at TIMESTAMPTZ NOT NULL
);
-- The slot makes the capacity a key: two coordinators can't give away the same place.
CREATE TABLE matches (
    junior_id TEXT NOT NULL, slot INTEGER NOT NULL, senior_id TEXT, slate_id TEXT NOT NULL, happened_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (junior_id, slot)
);

CREATE TABLE conversations (
    id TEXT PRIMARY KEY, senior_id TEXT, language TEXT NOT NULL, started_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE turns (
    conversation_id TEXT NOT NULL, position INTEGER NOT NULL, speaker TEXT NOT NULL, kind TEXT NOT NULL,
    said TEXT NOT NULL, slate_id TEXT, junior_id TEXT, happened_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (conversation_id, position)
);
