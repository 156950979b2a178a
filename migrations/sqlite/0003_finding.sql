-- What was seen that ought not to be: nodes that left logs out, made them up or disagree. Only the newest are kept.
CREATE TABLE finding (
    seq        INTEGER NOT NULL PRIMARY KEY,
    kind       TEXT    NOT NULL,              -- logs-left-out, logs-invented, nodes-disagree, node-unfit, agents-missing
    from_block INTEGER,
    to_block   INTEGER,
    provider   TEXT,                          -- scheme and host, never a key
    detail     TEXT    NOT NULL,
    noted_at   INTEGER NOT NULL               -- unix seconds
) STRICT;
