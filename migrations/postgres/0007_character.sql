-- Human participants and the wallets they proved. Nothing of this comes from the chain: a rebuild or a reorganisation leaves it alone,
-- and nothing of it is ever undone. Each change of a character has a number, which is the id of a version of its document.
CREATE TABLE character (
    id          BIGINT           NOT NULL PRIMARY KEY,
    handle      TEXT COLLATE "C" NOT NULL,        -- as its owner writes it
    folded      TEXT COLLATE "C" NOT NULL,        -- in lower case: no two differ in letter case alone
    token_hash  BYTEA            NOT NULL,        -- sha-256 of the token that manages it
    created_at  BIGINT           NOT NULL,        -- unix seconds, like all times here
    last_change BIGINT           NOT NULL,        -- the number of the newest change; 1 is the creation
    changed_at  BIGINT           NOT NULL,        -- when that was
    is_removed  BIGINT           NOT NULL         -- 1 where the newest change was the last
);
CREATE UNIQUE INDEX character_by_folded ON character (folded);

-- Half-open: a link holds from the change that made it to the one that ended it.
CREATE TABLE character_wallet (
    character_id BIGINT           NOT NULL,
    from_change  BIGINT           NOT NULL,
    from_time    BIGINT           NOT NULL,
    to_change    BIGINT,
    to_time      BIGINT,
    ended_by     TEXT COLLATE "C",                -- character, wallet, removal
    chain        BIGINT           NOT NULL,
    address      BYTEA            NOT NULL,
    signed_by    TEXT COLLATE "C" NOT NULL,       -- key, erc1271, erc6492
    block        BIGINT,                          -- at whose end the chain was asked, where it was
    block_hash   BYTEA,
    message      TEXT COLLATE "C" NOT NULL,       -- what was signed, byte for byte
    signature    BYTEA            NOT NULL,
    PRIMARY KEY (character_id, from_change)
);
CREATE UNIQUE INDEX character_wallet_open ON character_wallet (character_id, address, chain) WHERE to_change IS NULL;
CREATE INDEX character_wallet_by_account ON character_wallet (address, chain, character_id, from_change);

-- Of use once, and for five minutes.
CREATE TABLE wallet_challenge (
    nonce        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    character_id BIGINT           NOT NULL,
    chain        BIGINT           NOT NULL,
    address      BYTEA            NOT NULL,
    purpose      TEXT COLLATE "C" NOT NULL,       -- link, unlink, token
    message      TEXT COLLATE "C" NOT NULL,
    expires_at   BIGINT           NOT NULL,
    attempts     BIGINT           NOT NULL,
    used_at      BIGINT
);
CREATE INDEX wallet_challenge_by_end ON wallet_challenge (expires_at);
CREATE INDEX wallet_challenge_by_account ON wallet_challenge (address, chain, expires_at);

CREATE TABLE invitation (
    hash         BYTEA            NOT NULL PRIMARY KEY, -- sha-256 of the invitation
    expires_at   BIGINT           NOT NULL,
    used_at      BIGINT
);
CREATE INDEX invitation_by_end ON invitation (expires_at);
