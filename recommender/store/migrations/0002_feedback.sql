-- Why a senior put a suggestion aside: a key of the catalogue, never free text.
ALTER TABLE interactions ADD COLUMN reason TEXT DEFAULT '';

-- What was read in the words: the chance of each competence, and the asker's level where it was told.
ALTER TABLE requests ADD COLUMN competences MAP(TEXT, DOUBLE) DEFAULT MAP {};
ALTER TABLE requests ADD COLUMN level DOUBLE;

-- Whether chance had a hand in the order.
ALTER TABLE slates ADD COLUMN explored BOOLEAN DEFAULT false;

-- How a session went, said by each side apart. Neither sees the other's; a correction replaces.
CREATE TABLE outcomes (
    slate_id TEXT NOT NULL, side TEXT NOT NULL, rating INTEGER NOT NULL, happened_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (slate_id, side)
);
