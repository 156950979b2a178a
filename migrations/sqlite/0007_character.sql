-- Human participants and the wallets they proved. Nothing of this comes from the chain: a rebuild or a reorganisation leaves it alone,
-- and nothing of it is ever undone. Each change of a character has a number, which is the id of a version of its document.
CREATE TABLE character (
    id          INTEGER NOT NULL PRIMARY KEY,
    handle      TEXT    NOT NULL,             -- as its owner writes it
    folded      TEXT    NOT NULL,             -- in lower case: no two differ in letter case alone
    token_hash  BLOB    NOT NULL,             -- sha-256 of the token that manages it
    created_at  INTEGER NOT NULL,             -- unix seconds, like all times here
    last_change INTEGER NOT NULL,             -- the number of the newest change; 1 is the creation
    changed_at  INTEGER NOT NULL,             -- when that was
    is_removed  INTEGER NOT NULL              -- 1 where the newest change was the last
) STRICT;
CREATE UNIQUE INDEX character_by_folded ON character (folded);

-- Half-open: a link holds from the change that made it to the one that ended it.
CREATE TABLE character_wallet (
    character_id INTEGER NOT NULL,
    from_change  INTEGER NOT NULL,
    from_time    INTEGER NOT NULL,
    to_change    INTEGER,
    to_time      INTEGER,
    ended_by     TEXT,                        -- character, wallet, removal
    chain        INTEGER NOT NULL,
    address      BLOB    NOT NULL,
    signed_by    TEXT    NOT NULL,            -- key, erc1271, erc6492
    block        INTEGER,                     -- at whose end the chain was asked, where it was
    block_hash   BLOB,
    message      TEXT    NOT NULL,            -- what was signed, byte for byte
    signature    BLOB    NOT NULL,
    PRIMARY KEY (character_id, from_change)
) STRICT;
CREATE UNIQUE INDEX character_wallet_open ON character_wallet (character_id, address, chain) WHERE to_change IS NULL;
CREATE INDEX character_wallet_by_account ON character_wallet (address, chain, character_id, from_change);

-- Of use once, and for five minutes.
CREATE TABLE wallet_challenge (
    nonce        TEXT    NOT NULL PRIMARY KEY,
    character_id INTEGER NOT NULL,
    chain        INTEGER NOT NULL,
    address      BLOB    NOT NULL,
    purpose      TEXT    NOT NULL,            -- link, unlink, token
    message      TEXT    NOT NULL,
    expires_at   INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    used_at      INTEGER
) STRICT;
CREATE INDEX wallet_challenge_by_end ON wallet_challenge (expires_at);
CREATE INDEX wallet_challenge_by_account ON wallet_challenge (address, chain, expires_at);

CREATE TABLE invitation (
    hash         BLOB    NOT NULL PRIMARY KEY, -- sha-256 of the invitation
    expires_at   INTEGER NOT NULL,
    used_at      INTEGER
) STRICT;
CREATE INDEX invitation_by_end ON invitation (expires_at);

ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('character', 'character_by_folded', '100000 1'),
    ('character_wallet', 'sqlite_autoindex_character_wallet_1', '200000 2 1'),
    ('character_wallet', 'character_wallet_open', '150000 2 1 1'),
    ('character_wallet', 'character_wallet_by_account', '200000 2 2 2 1'),
    ('wallet_challenge', 'sqlite_autoindex_wallet_challenge_1', '10000 1'),
    ('wallet_challenge', 'wallet_challenge_by_end', '10000 10'),
    ('wallet_challenge', 'wallet_challenge_by_account', '10000 2 2 1'),
    ('invitation', 'sqlite_autoindex_invitation_1', '10000 1'),
    ('invitation', 'invitation_by_end', '10000 10');
ANALYZE sqlite_schema;
