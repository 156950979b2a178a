-- The account that signed for an issuer that is an agent, beside whom that issuer meant: looking parties up again reads parties alone, and
-- not the records, which lie far apart.
ALTER TABLE party ADD COLUMN spoken_by BIGINT;

UPDATE party SET spoken_by = a.spoken_by
FROM attestation a
WHERE a.spoken_by IS NOT NULL
  AND party.name = a.issuer AND party.said_at = a.said_at AND party.seq = a.seq AND party.role = 1;
