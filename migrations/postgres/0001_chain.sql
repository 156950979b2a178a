-- What the chain handed over, kept as it came. All else is derived from these tables and can be thrown away.

-- The one chain this database follows. A row is made at first use and never changes its number.
CREATE TABLE chain (
    chain_id BIGINT           NOT NULL PRIMARY KEY,
    halted   TEXT COLLATE "C"                           -- why the writer stopped for good, if it did
);

-- The contracts followed, and from which block on.
CREATE TABLE registry (
    kind        TEXT COLLATE "C" NOT NULL PRIMARY KEY,  -- identity, reputation, validation
    address     BYTEA            NOT NULL,              -- 20 bytes
    start_block BIGINT           NOT NULL
);

-- Blocks that are held: all above the finalized one, and those below it that hold an event or end a range.
CREATE TABLE block (
    number      BIGINT           NOT NULL PRIMARY KEY,
    hash        BYTEA            NOT NULL,              -- 32 bytes
    parent_hash BYTEA,                                  -- known only where the header was read
    time        BIGINT           NOT NULL               -- unix seconds
);
CREATE INDEX block_by_time ON block (time, number);

-- The node's tags and our own place: head, safe, finalized, and indexed (the cursor).
CREATE TABLE chain_tag (
    tag    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    number BIGINT           NOT NULL,
    hash   BYTEA            NOT NULL,
    time   BIGINT           NOT NULL
);

-- Reorganisations that were followed, oldest first.
CREATE TABLE reorg (
    seq             BIGINT           NOT NULL PRIMARY KEY,
    ancestor_number BIGINT           NOT NULL,          -- the last block both chains share
    ancestor_hash   BYTEA            NOT NULL,
    orphaned_number BIGINT           NOT NULL,          -- the last block that was undone
    orphaned_hash   BYTEA            NOT NULL
);

-- Every log of the registries, undecoded ones with a null name.
CREATE TABLE registry_event (
    block     BIGINT           NOT NULL,
    log_index BIGINT           NOT NULL,
    registry  TEXT COLLATE "C" NOT NULL,
    name      TEXT COLLATE "C",
    agent     TEXT COLLATE "C",                         -- sortable agent id, see migrations/README.md
    thread    BYTEA,                                    -- what a feedback or a validation and all that follows on it share
    tx_hash   BYTEA            NOT NULL,
    topics    BYTEA            NOT NULL,                -- 32 bytes each, one after the other
    data      BYTEA            NOT NULL,
    PRIMARY KEY (block, log_index)
);
CREATE INDEX registry_event_by_agent ON registry_event (agent, block, log_index) WHERE agent IS NOT NULL;
CREATE INDEX registry_event_by_name ON registry_event (agent, name, block, log_index) WHERE agent IS NOT NULL;
CREATE INDEX registry_event_by_thread ON registry_event (thread, name, block, log_index) WHERE thread IS NOT NULL;
CREATE INDEX registry_event_undecoded ON registry_event (registry, block, log_index) WHERE name IS NULL;

-- What a contract answered when it was asked.
CREATE TABLE observation (
    block      BIGINT           NOT NULL,
    block_hash BYTEA            NOT NULL,
    kind       TEXT COLLATE "C" NOT NULL,               -- wallet, implementation
    subject    TEXT COLLATE "C" NOT NULL,               -- sortable agent id, or kind of registry
    answer     BYTEA,                                   -- 20 bytes; null where the node could not say
    PRIMARY KEY (block, kind, subject)
);
CREATE INDEX observation_by_subject ON observation (kind, subject, block);
