-- What happened to the identities of human participants, one after the other for all of them: what a stream of it goes by. Rows are added
-- and never changed or taken away, each in the transaction of what it tells of; nothing of it comes from the chain.
CREATE TABLE participant_change (
    number       INTEGER NOT NULL PRIMARY KEY, -- from 1, without gaps
    character_id INTEGER NOT NULL,
    change       INTEGER NOT NULL,             -- of the character's record; a removal is one change, and here also the end of each link
    time         INTEGER NOT NULL,
    kind         TEXT    NOT NULL,             -- created, linked, unlinked, removed
    chain        INTEGER,                      -- which account was linked or unlinked
    address      BLOB,
    ended_by     TEXT                          -- of what was unlinked: character, wallet, removal
) STRICT;

-- What happened before there was this table. The order within a change: links end before their character does.
INSERT INTO participant_change (number, character_id, change, time, kind, chain, address, ended_by)
SELECT ROW_NUMBER() OVER (ORDER BY time, character_id, change, place, begun),
    character_id, change, time, kind, chain, address, ended_by
FROM (
    SELECT id AS character_id, 1 AS change, created_at AS time, 0 AS place, 'created' AS kind, NULL AS begun,
        NULL AS chain, NULL AS address, NULL AS ended_by
    FROM character
    UNION ALL
    SELECT character_id, from_change, from_time, 1, 'linked', from_change, chain, address, NULL FROM character_wallet
    UNION ALL
    SELECT character_id, to_change, to_time, 2, 'unlinked', from_change, chain, address, ended_by
    FROM character_wallet WHERE to_change IS NOT NULL
    UNION ALL
    SELECT id, last_change, changed_at, 3, 'removed', NULL, NULL, NULL, NULL FROM character WHERE is_removed = 1
) AS happened;

-- Which names mean an account or an agent: what else they mean is close to it.
CREATE INDEX name_link_by_target ON name_link (target, number);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('name_link', 'name_link_by_target', '100000 2 1');
ANALYZE sqlite_schema;
