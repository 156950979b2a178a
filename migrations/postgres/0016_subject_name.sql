-- The names by which records mean an agent as their subject, or once did: a card is counted from the postings of each. Never deleted from, so
-- that it may hold a name that no longer means the agent; whom a name meant is looked up when a card is computed.
CREATE TABLE subject_name (
    agent TEXT COLLATE "C" NOT NULL,
    name  BIGINT NOT NULL,              -- name
    PRIMARY KEY (agent, name)
);
INSERT INTO subject_name (agent, name)
SELECT DISTINCT agent, name FROM party WHERE agent IS NOT NULL AND role = 2;

-- What takes back a record about another name is posted by that name too: the log is posted anew.
DELETE FROM posting;
UPDATE posting_progress SET seq = 0;
