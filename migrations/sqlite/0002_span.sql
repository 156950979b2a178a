-- Every timeline, as half-open spans of positions. Derived from events and observations alone: `hallmark rebuild` makes it anew.
CREATE TABLE span (
    kind       TEXT    NOT NULL,               -- owner, wallet, uri, metadata, approved, operator, implementation
    subject    TEXT    NOT NULL,               -- sortable agent id, owner's address, or kind of registry
    name       BLOB    NOT NULL,               -- keccak256 of a metadata key, an operator's address, or empty
    account    BLOB,                           -- 20 bytes; the value of all kinds but uri and metadata
    label      BLOB,                           -- the metadata key itself
    value      BLOB,                           -- the value of uri and metadata
    cause      TEXT,
    ended_by   TEXT,
    from_block INTEGER NOT NULL,
    from_log   INTEGER NOT NULL,
    to_block   INTEGER,
    to_log     INTEGER,
    PRIMARY KEY (kind, subject, name, from_block, from_log)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX span_open ON span (kind, subject, name) WHERE to_block IS NULL;
CREATE INDEX span_by_account ON span (account, kind, subject, from_block, from_log, to_block, to_log) WHERE account IS NOT NULL;
CREATE INDEX span_by_beginning ON span (from_block);
CREATE INDEX span_by_end ON span (to_block) WHERE to_block IS NOT NULL;
CREATE INDEX span_minted ON span (kind, cause, from_block) WHERE kind = 'owner' AND cause = 'registered';

-- SQLite plans by these figures and never by what is in the tables, so that a plan that was tested is the plan that runs. They are of a
-- registry with some hundred thousand agents: rows, then how many of them share the first column of the index, the first two, …
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('span', 'span', '1000000 150000 4 2 1 1'),
    ('span', 'span_open', '700000 150000 3 1'),
    ('span', 'span_by_account', '700000 10 5 2 1 1 1 1'),
    ('span', 'span_by_beginning', '1000000 2'),
    ('span', 'span_by_end', '300000 2'),
    ('span', 'span_minted', '150000 150000 150000 2'),
    ('registry_event', 'registry_event', '1000000 2 1'),
    ('registry_event', 'registry_event_by_agent', '900000 8 2 1'),
    ('registry_event', 'registry_event_by_name', '900000 8 2 1 1'),
    ('registry_event', 'registry_event_by_thread', '400000 2 1 1'),
    ('registry_event', 'registry_event_undecoded', '1000 500 2 1'),
    ('observation', 'observation', '10000 2 1 1'),
    ('observation', 'observation_by_subject', '10000 5000 2 1'),
    ('block', NULL, '1000000'),
    ('block', 'block_by_time', '1000000 1 1');
ANALYZE sqlite_schema;
