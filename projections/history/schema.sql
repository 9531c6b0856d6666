-- Every record of every stream, as stored: what streams are folded from and what auditors read.
CREATE TABLE history (
  subject  TEXT    NOT NULL,
  revision INTEGER NOT NULL,
  partition INTEGER NOT NULL,
  offset   INTEGER NOT NULL,
  canonical BLOB   NOT NULL, -- the bytes that the hash is computed over
  hash     TEXT    NOT NULL
);
-- ListEvents and the fold of one stream: all revisions of a subject in order.
CREATE UNIQUE INDEX history_by_subject ON history (subject, revision);
