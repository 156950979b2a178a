-- What cards are counted from: each record in some bytes, by the name that it is about, in the order of the log. Derived from the log
-- alone, and never rewritten: whom a name meant is looked up when a card is computed.

-- Types of claims, words of claims, and games, each once. Number 0 is none of them.
CREATE TABLE term (
    id   INTEGER NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL,                 -- sha-256 of the text
    text TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX term_by_hash ON term (hash);

CREATE TABLE posting (
    name      INTEGER NOT NULL,            -- name: the subject in the records
    first_seq INTEGER NOT NULL,            -- of the records in it
    last_seq  INTEGER NOT NULL,
    entries   BLOB NOT NULL,            -- one behind the other, as project::Posting writes them
    PRIMARY KEY (name, first_seq)
) STRICT;

-- How far the log is posted. One row.
CREATE TABLE posting_progress (
    seq INTEGER NOT NULL
) STRICT;
INSERT INTO posting_progress (seq) VALUES (0);

-- Projectors that the operator installed, beside those that ship.
CREATE TABLE plugin (
    id         TEXT NOT NULL PRIMARY KEY, -- the name that the component gives itself
    version    TEXT NOT NULL,
    digest     BLOB NOT NULL,           -- sha-256 of the component
    component  BLOB NOT NULL,
    parameters TEXT NOT NULL,           -- a JSON object
    added_at   INTEGER NOT NULL
) STRICT;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('term', 'term_by_hash', '100000 1'),
    ('posting', 'sqlite_autoindex_posting_1', '200000 2 1');
ANALYZE sqlite_schema;
