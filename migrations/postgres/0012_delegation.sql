-- Records of delegations: who set whom to work, signed. Rows are added and never changed or taken away.
-- Whom their names meant stands in `party`, in roles of their own; `seq` there is the record's number here.
CREATE TABLE delegation (
    number       BIGINT NOT NULL PRIMARY KEY, -- from 1, without gaps
    digest       BYTEA NOT NULL,           -- sha-256 of the record
    kind         TEXT COLLATE "C" NOT NULL,           -- grant, acceptance, interaction, outcome, capability, verdict
    record       BYTEA NOT NULL,           -- its RFC 8785 bytes
    envelope     BYTEA NOT NULL,           -- what was signed, byte for byte as it came
    form         TEXT COLLATE "C" NOT NULL,           -- the form of the envelope
    of_grant     BYTEA,                    -- the grant whose run it is about; of a grant the one above
    issuer       BIGINT NOT NULL,        -- name
    spoken_by    BIGINT,                 -- name: the account that signed for an issuer that is an agent
    named        BIGINT,                 -- name: the child of a grant, or of whom a capability is
    said_at      BIGINT NOT NULL,        -- unix seconds, like all times here
    received_at  BIGINT NOT NULL,
    proof        TEXT COLLATE "C" NOT NULL,           -- by what the signature counts, as JSON
    key          TEXT COLLATE "C",                    -- the key that signed, as a Multikey; null where an account did
    key_from     BIGINT,                 -- since when, and until when, it is known to have been the issuer's
    key_to       BIGINT,
    answered_by  TEXT COLLATE "C",                    -- how a contract took the signature for its own, and at the end of which block
    answer_block BIGINT,
    answer_hash  BYTEA
);
CREATE UNIQUE INDEX delegation_by_digest ON delegation (digest);
CREATE INDEX delegation_by_grant ON delegation (of_grant, kind, issuer, number) WHERE of_grant IS NOT NULL;

-- Each hop as its records have it now. Derived from them and from whom their names meant.
CREATE TABLE delegation_edge (
    hop             BYTEA NOT NULL PRIMARY KEY, -- digest of the grant
    state           BIGINT NOT NULL,     -- 0 claimed by the parent, 1 claimed by the child, 2 signed by both
    above           BYTEA,                 -- digest of the grant above
    parent          BIGINT NOT NULL,     -- name
    child           BIGINT,              -- name; null for a skill that nobody is known to have published
    is_sub          BIGINT NOT NULL,     -- 1 where there is a grant above
    may_delegate    BIGINT NOT NULL,
    has_below       BIGINT NOT NULL,     -- 1 where a hop below is signed by both
    is_disputed     BIGINT NOT NULL,     -- 1 where somebody else judged that it failed
    chars           BIGINT NOT NULL,     -- the inputs of beta
    parent_ppm      BIGINT,
    child_ppm       BIGINT,
    interactions    BIGINT NOT NULL,
    beta_ppb        BIGINT NOT NULL,     -- clamped
    parent_snapshot BYTEA,                 -- digests of the capability records that the grant names
    child_snapshot  BYTEA
);
CREATE INDEX delegation_edge_by_beta ON delegation_edge (state, beta_ppb, chars, is_sub, may_delegate, has_below, is_disputed);
CREATE INDEX delegation_edge_by_above ON delegation_edge (above, state) WHERE above IS NOT NULL;
CREATE INDEX delegation_edge_by_parent_snapshot ON delegation_edge (parent_snapshot) WHERE parent_snapshot IS NOT NULL;
CREATE INDEX delegation_edge_by_child_snapshot ON delegation_edge (child_snapshot) WHERE child_snapshot IS NOT NULL;

-- What the records of a hop say against each other, or against the hop above. Derived, as the hop is.
CREATE TABLE delegation_finding (
    hop    BYTEA NOT NULL,
    number BIGINT NOT NULL,
    record BYTEA,
    kind   TEXT COLLATE "C" NOT NULL,
    detail TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (hop, number)
);

-- Verdicts that something failed, and which report was published last.
CREATE TABLE dispute (
    verdict BYTEA NOT NULL PRIMARY KEY,    -- digest of the verdict
    changes BIGINT NOT NULL,             -- how often something changed since its report was computed
    report  BYTEA                          -- digest of the report that was published last
);
CREATE INDEX dispute_due ON dispute (changes, verdict) WHERE changes > 0;

-- The hops on which the report of a dispute rests, those that are missing included.
CREATE TABLE dispute_hop (
    hop     BYTEA NOT NULL,
    verdict BYTEA NOT NULL,
    PRIMARY KEY (hop, verdict)
);

-- The attestations by which the newest report of a dispute was published.
CREATE TABLE dispute_attestation (
    verdict BYTEA NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,                -- canonical text of the agent
    digest  BYTEA NOT NULL,                -- of the attestation
    PRIMARY KEY (verdict, subject)
);
