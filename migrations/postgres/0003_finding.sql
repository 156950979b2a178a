-- What was seen that ought not to be: nodes that left logs out, made them up or disagree. Only the newest are kept.
CREATE TABLE finding (
    seq        BIGINT           NOT NULL PRIMARY KEY,
    kind       TEXT COLLATE "C" NOT NULL,     -- logs-left-out, logs-invented, nodes-disagree, node-unfit, agents-missing
    from_block BIGINT,
    to_block   BIGINT,
    provider   TEXT COLLATE "C",              -- scheme and host, never a key
    detail     TEXT COLLATE "C" NOT NULL,
    noted_at   BIGINT           NOT NULL      -- unix seconds
);
