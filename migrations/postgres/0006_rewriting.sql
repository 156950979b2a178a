-- How often what was recorded has been rewritten otherwise than by following: by a rebuild, a repair, or by being emptied. Who holds a
-- part of the record in memory reads it again when this has moved. One row, from the first day on.
CREATE TABLE rewriting (
    count BIGINT NOT NULL PRIMARY KEY
);
INSERT INTO rewriting (count) VALUES (0);
