-- Records of delegations: who set whom to work, signed. Rows are added and never changed or taken away.
-- Whom their names meant stands in `party`, in roles of their own; `seq` there is the record's number here.
CREATE TABLE delegation (
    number       INTEGER NOT NULL PRIMARY KEY, -- from 1, without gaps
    digest       BLOB NOT NULL,           -- sha-256 of the record
    kind         TEXT NOT NULL,           -- grant, acceptance, interaction, outcome, capability, verdict
    record       BLOB NOT NULL,           -- its RFC 8785 bytes
    envelope     BLOB NOT NULL,           -- what was signed, byte for byte as it came
    form         TEXT NOT NULL,           -- the form of the envelope
    of_grant     BLOB,                    -- the grant whose run it is about; of a grant the one above
    issuer       INTEGER NOT NULL,        -- name
    spoken_by    INTEGER,                 -- name: the account that signed for an issuer that is an agent
    named        INTEGER,                 -- name: the child of a grant, or of whom a capability is
    said_at      INTEGER NOT NULL,        -- unix seconds, like all times here
    received_at  INTEGER NOT NULL,
    proof        TEXT NOT NULL,           -- by what the signature counts, as JSON
    key          TEXT,                    -- the key that signed, as a Multikey; null where an account did
    key_from     INTEGER,                 -- since when, and until when, it is known to have been the issuer's
    key_to       INTEGER,
    answered_by  TEXT,                    -- how a contract took the signature for its own, and at the end of which block
    answer_block INTEGER,
    answer_hash  BLOB
) STRICT;
CREATE UNIQUE INDEX delegation_by_digest ON delegation (digest);
CREATE INDEX delegation_by_grant ON delegation (of_grant, kind, issuer, number) WHERE of_grant IS NOT NULL;

-- Each hop as its records have it now. Derived from them and from whom their names meant.
CREATE TABLE delegation_edge (
    hop             BLOB NOT NULL PRIMARY KEY, -- digest of the grant
    state           INTEGER NOT NULL,     -- 0 claimed by the parent, 1 claimed by the child, 2 signed by both
    above           BLOB,                 -- digest of the grant above
    parent          INTEGER NOT NULL,     -- name
    child           INTEGER,              -- name; null for a skill that nobody is known to have published
    is_sub          INTEGER NOT NULL,     -- 1 where there is a grant above
    may_delegate    INTEGER NOT NULL,
    has_below       INTEGER NOT NULL,     -- 1 where a hop below is signed by both
    is_disputed     INTEGER NOT NULL,     -- 1 where somebody else judged that it failed
    chars           INTEGER NOT NULL,     -- the inputs of beta
    parent_ppm      INTEGER,
    child_ppm       INTEGER,
    interactions    INTEGER NOT NULL,
    beta_ppb        INTEGER NOT NULL,     -- clamped
    parent_snapshot BLOB,                 -- digests of the capability records that the grant names
    child_snapshot  BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX delegation_edge_by_beta ON delegation_edge (state, beta_ppb, chars, is_sub, may_delegate, has_below, is_disputed);
CREATE INDEX delegation_edge_by_above ON delegation_edge (above, state) WHERE above IS NOT NULL;
CREATE INDEX delegation_edge_by_parent_snapshot ON delegation_edge (parent_snapshot) WHERE parent_snapshot IS NOT NULL;
CREATE INDEX delegation_edge_by_child_snapshot ON delegation_edge (child_snapshot) WHERE child_snapshot IS NOT NULL;

-- What the records of a hop say against each other, or against the hop above. Derived, as the hop is.
CREATE TABLE delegation_finding (
    hop    BLOB NOT NULL,
    number INTEGER NOT NULL,
    record BLOB,
    kind   TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (hop, number)
) STRICT, WITHOUT ROWID;

-- Verdicts that something failed, and which report was published last.
CREATE TABLE dispute (
    verdict BLOB NOT NULL PRIMARY KEY,    -- digest of the verdict
    changes INTEGER NOT NULL,             -- how often something changed since its report was computed
    report  BLOB                          -- digest of the report that was published last
) STRICT, WITHOUT ROWID;
CREATE INDEX dispute_due ON dispute (changes, verdict) WHERE changes > 0;

-- The hops on which the report of a dispute rests, those that are missing included.
CREATE TABLE dispute_hop (
    hop     BLOB NOT NULL,
    verdict BLOB NOT NULL,
    PRIMARY KEY (hop, verdict)
) STRICT, WITHOUT ROWID;

-- The attestations by which the newest report of a dispute was published.
CREATE TABLE dispute_attestation (
    verdict BLOB NOT NULL,
    subject TEXT NOT NULL,                -- canonical text of the agent
    digest  BLOB NOT NULL,                -- of the attestation
    PRIMARY KEY (verdict, subject)
) STRICT, WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('delegation', 'delegation_by_digest', '10000000 1'),
    ('delegation', 'delegation_by_grant', '9000000 9 3 2 1'),
    ('delegation_edge', 'delegation_edge', '1000000 1'),
    ('delegation_edge', 'delegation_edge_by_beta', '1000000 300000 10 1 1 1 1 1'),
    ('delegation_edge', 'delegation_edge_by_above', '500000 2 2'),
    ('delegation_edge', 'delegation_edge_by_parent_snapshot', '500000 4'),
    ('delegation_edge', 'delegation_edge_by_child_snapshot', '500000 4'),
    ('delegation_finding', 'delegation_finding', '100000 2 1'),
    ('dispute', 'dispute', '10000 1'),
    ('dispute', 'dispute_due', '10 5 1'),
    ('dispute_hop', 'dispute_hop', '50000 1 1'),
    ('dispute_attestation', 'dispute_attestation', '50000 5 1');
ANALYZE sqlite_schema;
