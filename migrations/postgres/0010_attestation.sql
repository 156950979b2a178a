-- What was said, by whom and of whom. Rows are added and never changed or taken away; no reorganisation and no rebuild touches them.

-- The names that records use, each once: agents, accounts, DIDs, ids of platforms.
CREATE TABLE name (
    id   BIGINT NOT NULL PRIMARY KEY,
    hash BYTEA NOT NULL,                 -- sha-256 of the text
    text TEXT COLLATE "C" NOT NULL                  -- canonical, as vocab::Subject writes it
);
CREATE UNIQUE INDEX name_by_hash ON name (hash);

CREATE TABLE attestation (
    seq           BIGINT NOT NULL PRIMARY KEY, -- from 1, without gaps: the size of the log
    digest        BYTEA NOT NULL,        -- sha-256 of the record
    record        BYTEA NOT NULL,        -- the RFC 8785 bytes of the record with its context
    envelope      BYTEA,                 -- what was signed, byte for byte as it came; null where nothing was
    form          TEXT COLLATE "C",                 -- the form of the envelope
    source        TEXT COLLATE "C" NOT NULL,        -- signed, origin, relay, chain, issued
    place         TEXT COLLATE "C",                 -- where in its source
    issuer        BIGINT NOT NULL,        -- name: who signed or sent it
    spoken_by     BIGINT,           -- name: the account that signed for an issuer that is an agent; null for any other
    subject       BIGINT NOT NULL,        -- name
    issuer_class  TEXT COLLATE "C",                 -- system, plugin, agent; null for nobody that is known
    claim_type    TEXT COLLATE "C" NOT NULL,
    origin        TEXT COLLATE "C",
    game          TEXT COLLATE "C",
    round         BIGINT,
    said_at       BIGINT NOT NULL,        -- unix seconds, like all times here
    is_dated      BIGINT NOT NULL,        -- 1 where the issuer gave that time, 0 where it is that of receipt
    received_at   BIGINT NOT NULL,
    claimed_key   BIGINT NOT NULL,        -- the beginning of the sha-256 of the origin's name and the id that the origin gave
    proof         TEXT COLLATE "C",                 -- by what the signature counts, as JSON
    supersedes    BYTEA                  -- digest of the earlier record of the same issuer that this one replaces
);
CREATE UNIQUE INDEX attestation_by_digest ON attestation (digest, issuer);
CREATE INDEX attestation_by_issuer ON attestation (issuer, seq);
CREATE INDEX attestation_by_game ON attestation (game, seq) WHERE game IS NOT NULL;
CREATE INDEX attestation_by_type ON attestation (claim_type, seq);
CREATE INDEX attestation_by_claimed ON attestation (claimed_key);
CREATE INDEX attestation_linking ON attestation (issuer, subject) WHERE claim_type = 'identity.link';
CREATE INDEX attestation_superseding ON attestation (supersedes) WHERE supersedes IS NOT NULL;

-- What was seen of a record that ought not to be; it changes nothing.
CREATE TABLE attestation_finding (
    seq    BIGINT NOT NULL,
    number BIGINT NOT NULL,
    kind   TEXT COLLATE "C" NOT NULL,
    detail TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (seq, number)
);

-- Whom the issuer and the subject of each record meant. Derived from names, links and timelines alone.
CREATE TABLE party (
    name       BIGINT NOT NULL,
    said_at    BIGINT NOT NULL,
    seq        BIGINT NOT NULL,
    role       BIGINT NOT NULL,           -- 1 issuer, 2 subject
    state      BIGINT NOT NULL,           -- 0 to be looked up, 1 looked up, 2 looked up for good
    outcome    TEXT COLLATE "C" NOT NULL,           -- not_yet, agent, none, several
    agent      TEXT COLLATE "C",                    -- sortable agent id
    count      BIGINT,                    -- how many agents, where there are several
    rule       TEXT COLLATE "C",
    span_block BIGINT,                    -- where the span of the wallet began
    span_log   BIGINT,
    link       BIGINT,
    PRIMARY KEY (name, said_at, seq, role)
);
CREATE INDEX party_by_agent ON party (agent, role, seq) WHERE agent IS NOT NULL;
CREATE INDEX party_unsettled ON party (state, said_at, name, seq, role) WHERE state < 2;

-- What a party was found to be before it was found to be something else.
CREATE TABLE rekeying (
    seq         BIGINT NOT NULL,
    role        BIGINT NOT NULL,
    number      BIGINT NOT NULL,          -- that of the turn in which it was replaced
    outcome     TEXT COLLATE "C" NOT NULL,
    agent       TEXT COLLATE "C",
    count       BIGINT,
    rule        TEXT COLLATE "C",
    span_block  BIGINT,
    span_log    BIGINT,
    link        BIGINT,
    replaced_at BIGINT NOT NULL,
    PRIMARY KEY (seq, role, number)
);

-- That a name means an account or an agent, by whose word and since when.
CREATE TABLE name_link (
    number    BIGINT NOT NULL PRIMARY KEY,
    name      BIGINT NOT NULL,
    target    TEXT COLLATE "C" NOT NULL,            -- canonical text of an account or agent
    from_time BIGINT NOT NULL,
    to_time   BIGINT,
    basis     TEXT COLLATE "C" NOT NULL,            -- origin, mutual
    seq       BIGINT,                     -- the record that says so
    other_seq BIGINT                      -- the record that says so from the other side
);
CREATE INDEX name_link_by_name ON name_link (name, from_time);

-- Names whose parties have to be looked up again, and how far that is.
CREATE TABLE rekey_pending (
    name       BIGINT NOT NULL PRIMARY KEY,
    after_time BIGINT NOT NULL,           -- all parties after this place
    after_seq  BIGINT NOT NULL,
    after_role BIGINT NOT NULL
);

-- How far records of the chain are taken in, and which rewriting of the spans was heeded. One row.
CREATE TABLE record_progress (
    chain_block BIGINT NOT NULL,          -- the last event taken in
    chain_log   BIGINT NOT NULL,
    rewritings  BIGINT NOT NULL,
    rekeyed     BIGINT NOT NULL           -- the number of the newest re-keying that replaced another
);
INSERT INTO record_progress (chain_block, chain_log, rewritings, rekeyed) VALUES (-1, -1, 0, 0);

-- How often an agent said something of another in one round; the key is a hash of them.
CREATE TABLE round_quota (
    key   BYTEA NOT NULL PRIMARY KEY,
    count BIGINT NOT NULL
);

-- What was refused, the newest of it.
CREATE TABLE refused_record (
    number      BIGINT NOT NULL PRIMARY KEY,
    received_at BIGINT NOT NULL,
    reason      TEXT COLLATE "C" NOT NULL,
    detail      TEXT COLLATE "C" NOT NULL,
    issuer      TEXT COLLATE "C",
    digest      BYTEA
);

-- When a key was first seen in the document of another host.
CREATE TABLE key_sighting (
    hash       BYTEA NOT NULL PRIMARY KEY, -- sha-256 of the method's DID URL and its key
    first_seen BIGINT NOT NULL
);

-- How far each game of each origin is read.
CREATE TABLE relay_progress (
    origin     TEXT COLLATE "C" NOT NULL,
    game       TEXT COLLATE "C" NOT NULL,
    next_index BIGINT NOT NULL,
    is_finished BIGINT NOT NULL,
    PRIMARY KEY (origin, game)
);
