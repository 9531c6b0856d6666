-- Every record of every stream, as stored: what streams are folded from, what auditors read, and what readers of the log
-- that are behind are given, partition by partition.
CREATE TABLE history (
  place    INTEGER PRIMARY KEY, -- partition * 2^43 + offset
  subject  TEXT    NOT NULL,
  revision INTEGER NOT NULL,
  canonical BLOB   NOT NULL, -- the bytes that the hash is computed over
  hash     TEXT    NOT NULL
);
-- ListEvents and the fold of one stream: all revisions of a subject in order.
CREATE UNIQUE INDEX history_by_subject ON history (subject, revision);
