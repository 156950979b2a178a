-- What anybody may ask for is given to all who ask, so that nobody takes another's place; what links an account is counted by character.
DROP INDEX wallet_challenge_by_account;
DELETE FROM sqlite_stat1 WHERE idx = 'wallet_challenge_by_account';
ALTER TABLE wallet_challenge DROP COLUMN is_managers;
CREATE INDEX wallet_challenge_by_character ON wallet_challenge (character_id, expires_at, nonce);
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('wallet_challenge', 'wallet_challenge_by_character', '10000 8 2 1');
ANALYZE sqlite_schema;
