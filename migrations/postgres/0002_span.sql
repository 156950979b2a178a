-- Every timeline, as half-open spans of positions. Derived from events and observations alone: `hallmark rebuild` makes it anew.
CREATE TABLE span (
    kind       TEXT COLLATE "C" NOT NULL,               -- owner, wallet, uri, metadata, approved, operator, implementation
    subject    TEXT COLLATE "C" NOT NULL,               -- sortable agent id, owner's address, or kind of registry
    name       BYTEA            NOT NULL,               -- keccak256 of a metadata key, an operator's address, or empty
    account    BYTEA,                                   -- 20 bytes; the value of all kinds but uri and metadata
    label      BYTEA,                                   -- the metadata key itself
    value      BYTEA,                                   -- the value of uri and metadata
    cause      TEXT COLLATE "C",
    ended_by   TEXT COLLATE "C",
    from_block BIGINT           NOT NULL,
    from_log   BIGINT           NOT NULL,
    to_block   BIGINT,
    to_log     BIGINT,
    PRIMARY KEY (kind, subject, name, from_block, from_log)
);
CREATE UNIQUE INDEX span_open ON span (kind, subject, name) WHERE to_block IS NULL;
CREATE INDEX span_by_account ON span (account, kind, subject, from_block, from_log, to_block, to_log) WHERE account IS NOT NULL;
CREATE INDEX span_by_beginning ON span (from_block);
CREATE INDEX span_by_end ON span (to_block) WHERE to_block IS NOT NULL;
CREATE INDEX span_minted ON span (kind, cause, from_block) WHERE kind = 'owner' AND cause = 'registered';
