-- What anybody may ask for is given to all who ask, so that nobody takes another's place; what links an account is counted by character.
DROP INDEX wallet_challenge_by_account;
ALTER TABLE wallet_challenge DROP COLUMN is_managers;
CREATE INDEX wallet_challenge_by_character ON wallet_challenge (character_id, expires_at, nonce);
