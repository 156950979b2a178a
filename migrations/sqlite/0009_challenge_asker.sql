-- Who asked for a challenge: with the character's token (or the operator's), or without. What anybody may ask never takes the place of
-- what was asked with the token.
ALTER TABLE wallet_challenge ADD COLUMN is_managers INTEGER NOT NULL DEFAULT 0;
