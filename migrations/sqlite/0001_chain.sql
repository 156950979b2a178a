-- What the chain handed over, kept as it came. All else is derived from these tables and can be thrown away.

-- The one chain this database follows. A row is made at first use and never changes its number.
CREATE TABLE chain (
    chain_id INTEGER NOT NULL PRIMARY KEY,
    halted   TEXT                              -- why the writer stopped for good, if it did
) STRICT;

-- The contracts followed, and from which block on.
CREATE TABLE registry (
    kind        TEXT    NOT NULL PRIMARY KEY,  -- identity, reputation, validation
    address     BLOB    NOT NULL,              -- 20 bytes
    start_block INTEGER NOT NULL
) STRICT;

-- Blocks that are held: all above the finalized one, and those below it that hold an event or end a range.
CREATE TABLE block (
    number      INTEGER NOT NULL PRIMARY KEY,
    hash        BLOB    NOT NULL,              -- 32 bytes
    parent_hash BLOB,                          -- known only where the header was read
    time        INTEGER NOT NULL               -- unix seconds
) STRICT;
CREATE INDEX block_by_time ON block (time, number);

-- The node's tags and our own place: head, safe, finalized, and indexed (the cursor).
CREATE TABLE chain_tag (
    tag    TEXT    NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL,
    hash   BLOB    NOT NULL,
    time   INTEGER NOT NULL
) STRICT;

-- Reorganisations that were followed, oldest first.
CREATE TABLE reorg (
    seq             INTEGER NOT NULL PRIMARY KEY,
    ancestor_number INTEGER NOT NULL,          -- the last block both chains share
    ancestor_hash   BLOB    NOT NULL,
    orphaned_number INTEGER NOT NULL,          -- the last block that was undone
    orphaned_hash   BLOB    NOT NULL
) STRICT;

-- Every log of the registries, undecoded ones with a null name.
CREATE TABLE registry_event (
    block     INTEGER NOT NULL,
    log_index INTEGER NOT NULL,
    registry  TEXT    NOT NULL,
    name      TEXT,
    agent     TEXT,                            -- sortable agent id, see migrations/README.md
    thread    BLOB,                            -- what a feedback or a validation and all that follows on it share
    tx_hash   BLOB    NOT NULL,
    topics    BLOB    NOT NULL,                -- 32 bytes each, one after the other
    data      BLOB    NOT NULL,
    PRIMARY KEY (block, log_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX registry_event_by_agent ON registry_event (agent, block, log_index) WHERE agent IS NOT NULL;
CREATE INDEX registry_event_by_name ON registry_event (agent, name, block, log_index) WHERE agent IS NOT NULL;
CREATE INDEX registry_event_by_thread ON registry_event (thread, name, block, log_index) WHERE thread IS NOT NULL;
CREATE INDEX registry_event_undecoded ON registry_event (registry, block, log_index) WHERE name IS NULL;

-- What a contract answered when it was asked.
CREATE TABLE observation (
    block      INTEGER NOT NULL,
    block_hash BLOB    NOT NULL,
    kind       TEXT    NOT NULL,               -- wallet, implementation
    subject    TEXT    NOT NULL,               -- sortable agent id, or kind of registry
    answer     BLOB,                           -- 20 bytes; null where the node could not say
    PRIMARY KEY (block, kind, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX observation_by_subject ON observation (kind, subject, block);
