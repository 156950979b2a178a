-- What cards are counted from: each record in some bytes, by the name that it is about, in the order of the log. Derived from the log
-- alone, and never rewritten: whom a name meant is looked up when a card is computed.

-- Types of claims, words of claims, and games, each once. Number 0 is none of them.
CREATE TABLE term (
    id   BIGINT NOT NULL PRIMARY KEY,
    hash BYTEA NOT NULL,                 -- sha-256 of the text
    text TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX term_by_hash ON term (hash);

CREATE TABLE posting (
    name      BIGINT NOT NULL,            -- name: the subject in the records
    first_seq BIGINT NOT NULL,            -- of the records in it
    last_seq  BIGINT NOT NULL,
    entries   BYTEA NOT NULL,            -- one behind the other, as project::Posting writes them
    PRIMARY KEY (name, first_seq)
);

-- How far the log is posted. One row.
CREATE TABLE posting_progress (
    seq BIGINT NOT NULL
);
INSERT INTO posting_progress (seq) VALUES (0);

-- Projectors that the operator installed, beside those that ship.
CREATE TABLE plugin (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- the name that the component gives itself
    version    TEXT COLLATE "C" NOT NULL,
    digest     BYTEA NOT NULL,           -- sha-256 of the component
    component  BYTEA NOT NULL,
    parameters TEXT COLLATE "C" NOT NULL,           -- a JSON object
    added_at   BIGINT NOT NULL
);
