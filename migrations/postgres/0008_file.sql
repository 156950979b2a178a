-- Files that agents' URIs lead to, and what those files name in turn: what hosts gave, and when. No rebuild makes it again, and nothing
-- that was fetched is forgotten. Only `file_agent` and `file_progress` follow from the chain.

-- What can be fetched, each once however many agents name it.
CREATE TABLE file_source (
    source   BYTEA NOT NULL PRIMARY KEY,        -- sha256 of kind and target
    kind     TEXT COLLATE "C" NOT NULL,         -- web, ipfs, domain, did
    target   TEXT COLLATE "C" NOT NULL,         -- a URL, a path under a CID, host and port, a DID
    next_try BIGINT,                            -- unix seconds; null where nobody names it any more
    tried_at BIGINT,
    failures BIGINT NOT NULL,                   -- since it last succeeded
    failure  TEXT COLLATE "C"                   -- why it last failed
);
CREATE INDEX file_source_due ON file_source (next_try) WHERE next_try IS NOT NULL;

-- What was fetched, each content once.
CREATE TABLE file_content (
    hash BYTEA NOT NULL PRIMARY KEY,            -- sha256 of the body
    body BYTEA NOT NULL
);

-- Which content a source had, from when on: until the source's next row.
CREATE TABLE file_version (
    seq        BIGINT NOT NULL PRIMARY KEY,
    source     BYTEA NOT NULL,
    hash       BYTEA,                           -- null: the host said that there is nothing
    since      BIGINT NOT NULL,                 -- unix seconds, when it was first seen
    checked_at BIGINT NOT NULL,                 -- when it was last seen
    is_proven  BIGINT NOT NULL                  -- 1 where the content was checked against the identifier that names it
);
CREATE INDEX file_version_of ON file_version (source, seq);

-- Where an agent's URI and its metadata entry `did` lead.
CREATE TABLE file_agent (
    agent      TEXT COLLATE "C" NOT NULL,       -- sortable agent id
    entry      TEXT COLLATE "C" NOT NULL,       -- uri, did
    source     BYTEA NOT NULL,
    from_block BIGINT NOT NULL,                 -- where the span of that value began
    PRIMARY KEY (agent, entry)
);
CREATE INDEX file_agent_of ON file_agent (source, agent);
CREATE INDEX file_agent_since ON file_agent (from_block);

-- What a file names: domains and DIDs that may name the agent back.
CREATE TABLE file_mention (
    source BYTEA NOT NULL,
    named  BYTEA NOT NULL,
    PRIMARY KEY (source, named)
);
CREATE INDEX file_mention_of ON file_mention (named, source);

-- How far the record was looked through for URIs, and how fetching is going. One row, from the first day on.
CREATE TABLE file_progress (
    through_block BIGINT,                       -- null: nothing was looked through
    rewrites      BIGINT NOT NULL,
    reorgs        BIGINT NOT NULL,
    sources       BIGINT NOT NULL,              -- as they were last counted
    read_sources  BIGINT NOT NULL,
    failing       BIGINT NOT NULL,
    waiting       BIGINT NOT NULL,
    counted_at    BIGINT
);
INSERT INTO file_progress (rewrites, reorgs, sources, read_sources, failing, waiting) VALUES (0, 0, 0, 0, 0, 0);

