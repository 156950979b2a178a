-- What was said, by whom and of whom. Rows are added and never changed or taken away; no reorganisation and no rebuild touches them.

-- The names that records use, each once: agents, accounts, DIDs, ids of platforms.
CREATE TABLE name (
    id   INTEGER NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL,                 -- sha-256 of the text
    text TEXT NOT NULL                  -- canonical, as vocab::Subject writes it
) STRICT;
CREATE UNIQUE INDEX name_by_hash ON name (hash);

CREATE TABLE attestation (
    seq           INTEGER NOT NULL PRIMARY KEY, -- from 1, without gaps: the size of the log
    digest        BLOB NOT NULL,        -- sha-256 of the record
    record        BLOB NOT NULL,        -- the RFC 8785 bytes of the record with its context
    envelope      BLOB,                 -- what was signed, byte for byte as it came; null where nothing was
    form          TEXT,                 -- the form of the envelope
    source        TEXT NOT NULL,        -- signed, origin, relay, chain, issued
    place         TEXT,                 -- where in its source
    issuer        INTEGER NOT NULL,        -- name: who signed or sent it
    spoken_by     INTEGER,          -- name: the account that signed for an issuer that is an agent; null for any other
    subject       INTEGER NOT NULL,        -- name
    issuer_class  TEXT,                 -- system, plugin, agent; null for nobody that is known
    claim_type    TEXT NOT NULL,
    origin        TEXT,
    game          TEXT,
    round         INTEGER,
    said_at       INTEGER NOT NULL,        -- unix seconds, like all times here
    is_dated      INTEGER NOT NULL,        -- 1 where the issuer gave that time, 0 where it is that of receipt
    received_at   INTEGER NOT NULL,
    claimed_key   INTEGER NOT NULL,        -- the beginning of the sha-256 of the origin's name and the id that the origin gave
    proof         TEXT,                 -- by what the signature counts, as JSON
    supersedes    BLOB                  -- digest of the earlier record of the same issuer that this one replaces
) STRICT;
CREATE UNIQUE INDEX attestation_by_digest ON attestation (digest, issuer);
CREATE INDEX attestation_by_issuer ON attestation (issuer, seq);
CREATE INDEX attestation_by_game ON attestation (game, seq) WHERE game IS NOT NULL;
CREATE INDEX attestation_by_type ON attestation (claim_type, seq);
CREATE INDEX attestation_by_claimed ON attestation (claimed_key);
CREATE INDEX attestation_linking ON attestation (issuer, subject) WHERE claim_type = 'identity.link';
CREATE INDEX attestation_superseding ON attestation (supersedes) WHERE supersedes IS NOT NULL;

-- What was seen of a record that ought not to be; it changes nothing.
CREATE TABLE attestation_finding (
    seq    INTEGER NOT NULL,
    number INTEGER NOT NULL,
    kind   TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (seq, number)
) STRICT, WITHOUT ROWID;

-- Whom the issuer and the subject of each record meant. Derived from names, links and timelines alone.
CREATE TABLE party (
    name       INTEGER NOT NULL,
    said_at    INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    role       INTEGER NOT NULL,           -- 1 issuer, 2 subject
    state      INTEGER NOT NULL,           -- 0 to be looked up, 1 looked up, 2 looked up for good
    outcome    TEXT NOT NULL,           -- not_yet, agent, none, several
    agent      TEXT,                    -- sortable agent id
    count      INTEGER,                    -- how many agents, where there are several
    rule       TEXT,
    span_block INTEGER,                    -- where the span of the wallet began
    span_log   INTEGER,
    link       INTEGER,
    PRIMARY KEY (name, said_at, seq, role)
) STRICT, WITHOUT ROWID;
CREATE INDEX party_by_agent ON party (agent, role, seq) WHERE agent IS NOT NULL;
CREATE INDEX party_unsettled ON party (state, said_at, name, seq, role) WHERE state < 2;

-- What a party was found to be before it was found to be something else.
CREATE TABLE rekeying (
    seq         INTEGER NOT NULL,
    role        INTEGER NOT NULL,
    number      INTEGER NOT NULL,          -- that of the turn in which it was replaced
    outcome     TEXT NOT NULL,
    agent       TEXT,
    count       INTEGER,
    rule        TEXT,
    span_block  INTEGER,
    span_log    INTEGER,
    link        INTEGER,
    replaced_at INTEGER NOT NULL,
    PRIMARY KEY (seq, role, number)
) STRICT, WITHOUT ROWID;

-- That a name means an account or an agent, by whose word and since when.
CREATE TABLE name_link (
    number    INTEGER NOT NULL PRIMARY KEY,
    name      INTEGER NOT NULL,
    target    TEXT NOT NULL,            -- canonical text of an account or agent
    from_time INTEGER NOT NULL,
    to_time   INTEGER,
    basis     TEXT NOT NULL,            -- origin, mutual
    seq       INTEGER,                     -- the record that says so
    other_seq INTEGER                      -- the record that says so from the other side
) STRICT;
CREATE INDEX name_link_by_name ON name_link (name, from_time);

-- Names whose parties have to be looked up again, and how far that is.
CREATE TABLE rekey_pending (
    name       INTEGER NOT NULL PRIMARY KEY,
    after_time INTEGER NOT NULL,           -- all parties after this place
    after_seq  INTEGER NOT NULL,
    after_role INTEGER NOT NULL
) STRICT;

-- How far records of the chain are taken in, and which rewriting of the spans was heeded. One row.
CREATE TABLE record_progress (
    chain_block INTEGER NOT NULL,          -- the last event taken in
    chain_log   INTEGER NOT NULL,
    rewritings  INTEGER NOT NULL,
    rekeyed     INTEGER NOT NULL           -- the number of the newest re-keying that replaced another
) STRICT;
INSERT INTO record_progress (chain_block, chain_log, rewritings, rekeyed) VALUES (-1, -1, 0, 0);

-- How often an agent said something of another in one round; the key is a hash of them.
CREATE TABLE round_quota (
    key   BLOB NOT NULL PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was refused, the newest of it.
CREATE TABLE refused_record (
    number      INTEGER NOT NULL PRIMARY KEY,
    received_at INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    detail      TEXT NOT NULL,
    issuer      TEXT,
    digest      BLOB
) STRICT;

-- When a key was first seen in the document of another host.
CREATE TABLE key_sighting (
    hash       BLOB NOT NULL PRIMARY KEY, -- sha-256 of the method's DID URL and its key
    first_seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How far each game of each origin is read.
CREATE TABLE relay_progress (
    origin     TEXT NOT NULL,
    game       TEXT NOT NULL,
    next_index INTEGER NOT NULL,
    is_finished INTEGER NOT NULL,
    PRIMARY KEY (origin, game)
) STRICT, WITHOUT ROWID;

ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('name', 'name_by_hash', '1000000 1'),
    ('attestation', 'attestation_by_digest', '10000000 1 1'),
    ('attestation', 'attestation_by_issuer', '10000000 100 1'),
    ('attestation', 'attestation_by_game', '5000000 1000 1'),
    ('attestation', 'attestation_by_type', '10000000 100000 1'),
    ('attestation', 'attestation_by_claimed', '10000000 1'),
    ('attestation', 'attestation_linking', '100000 2 1'),
    ('attestation', 'attestation_superseding', '10000 1'),
    ('attestation_finding', 'attestation_finding', '100000 2 1'),
    ('party', 'party', '20000000 100 2 1 1'),
    ('party', 'party_by_agent', '15000000 200 100 1'),
    ('party', 'party_unsettled', '100000 50000 100 2 1 1'),
    ('rekeying', 'rekeying', '100000 2 1 1'),
    ('name_link', 'name_link_by_name', '100000 1 1'),
    ('round_quota', 'round_quota', '1000000 1'),
    ('key_sighting', 'key_sighting', '1000 1'),
    ('relay_progress', 'relay_progress', '1000 100 1');
ANALYZE sqlite_schema;
