-- Indexes that cost every event and block of a backfill more than they give to those who ask.
-- An agent's events of all names are those of each name, merged; a time is found among the blocks by halving their numbers; and of a
-- thread only what follows on its beginning is looked for, since whoever has the thread has read that.
DROP INDEX registry_event_by_agent;
DROP INDEX block_by_time;
DROP INDEX registry_event_by_thread;
CREATE INDEX registry_event_following ON registry_event (thread, name, block, log_index) WHERE thread IS NOT NULL AND name <> 'NewFeedback';

ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('registry_event', 'registry_event_following', '50000 2 1 1'),
    ('block', NULL, '1000000');
ANALYZE sqlite_schema;
