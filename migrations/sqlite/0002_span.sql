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
CREATE INDEX span_by_account ON span (account, kind, subject, from_block, from_log) WHERE account IS NOT NULL;
CREATE INDEX span_by_beginning ON span (from_block);
CREATE INDEX span_by_end ON span (to_block) WHERE to_block IS NOT NULL;
