-- Files that agents' URIs lead to, and what those files name in turn: what hosts gave, and when. No rebuild makes it again, and nothing
-- that was fetched is forgotten. Only `file_agent` and `file_progress` follow from the chain.

-- What can be fetched, each once however many agents name it.
CREATE TABLE file_source (
    source   BLOB    NOT NULL PRIMARY KEY,     -- sha256 of kind and target
    kind     TEXT    NOT NULL,                 -- web, ipfs, domain, did
    target   TEXT    NOT NULL,                 -- a URL, a path under a CID, host and port, a DID
    next_try INTEGER,                          -- unix seconds; null where nobody names it any more
    tried_at INTEGER,
    failures INTEGER NOT NULL,                 -- since it last succeeded
    failure  TEXT                              -- why it last failed
) STRICT;
CREATE INDEX file_source_due ON file_source (next_try) WHERE next_try IS NOT NULL;

-- What was fetched, each content once.
CREATE TABLE file_content (
    hash BLOB NOT NULL PRIMARY KEY,            -- sha256 of the body
    body BLOB NOT NULL
) STRICT;

-- Which content a source had, from when on: until the source's next row.
CREATE TABLE file_version (
    seq        INTEGER NOT NULL PRIMARY KEY,
    source     BLOB    NOT NULL,
    hash       BLOB,                           -- null: the host said that there is nothing
    since      INTEGER NOT NULL,               -- unix seconds, when it was first seen
    checked_at INTEGER NOT NULL,               -- when it was last seen
    is_proven  INTEGER NOT NULL                -- 1 where the content was checked against the identifier that names it
) STRICT;
CREATE INDEX file_version_of ON file_version (source, seq);

-- Where an agent's URI and its metadata entry `did` lead.
CREATE TABLE file_agent (
    agent      TEXT    NOT NULL,               -- sortable agent id
    entry      TEXT    NOT NULL,               -- uri, did
    source     BLOB    NOT NULL,
    from_block INTEGER NOT NULL,               -- where the span of that value began
    PRIMARY KEY (agent, entry)
) STRICT, WITHOUT ROWID;
CREATE INDEX file_agent_of ON file_agent (source, agent);
CREATE INDEX file_agent_since ON file_agent (from_block);

-- What a file names: domains and DIDs that may name the agent back.
CREATE TABLE file_mention (
    source BLOB NOT NULL,
    named  BLOB NOT NULL,
    PRIMARY KEY (source, named)
) STRICT, WITHOUT ROWID;
CREATE INDEX file_mention_of ON file_mention (named, source);

-- How far the record was looked through for URIs, and how fetching is going. One row, from the first day on.
CREATE TABLE file_progress (
    through_block INTEGER,                     -- null: nothing was looked through
    rewrites      INTEGER NOT NULL,
    reorgs        INTEGER NOT NULL,
    sources       INTEGER NOT NULL,            -- as they were last counted
    read_sources  INTEGER NOT NULL,
    failing       INTEGER NOT NULL,
    waiting       INTEGER NOT NULL,
    counted_at    INTEGER
) STRICT;
INSERT INTO file_progress (rewrites, reorgs, sources, read_sources, failing, waiting) VALUES (0, 0, 0, 0, 0, 0);

ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('file_source', 'file_source_due', '60000 2'),
    ('file_source', 'sqlite_autoindex_file_source_1', '100000 1'),
    ('file_content', 'sqlite_autoindex_file_content_1', '50000 1'),
    ('file_version', 'file_version_of', '100000 2 1'),
    ('file_agent', 'file_agent', '60000 1 1'),
    ('file_agent', 'file_agent_of', '60000 2 1'),
    ('file_agent', 'file_agent_since', '60000 2'),
    ('file_mention', 'file_mention', '60000 2 1'),
    ('file_mention', 'file_mention_of', '60000 3 1');
ANALYZE sqlite_schema;
