-- The log: one row a record, in the order in which they were accepted. Rows are only ever added.
CREATE TABLE IF NOT EXISTS log (
  position           INTEGER PRIMARY KEY, -- 1, 2, 3 … without gaps
  ce_id              TEXT NOT NULL,
  ce_owner           TEXT NOT NULL,
  ce_predecessorhash TEXT NOT NULL,
  ce_sequence        TEXT NOT NULL,
  ce_source          TEXT NOT NULL,
  ce_specversion     TEXT NOT NULL,
  ce_subject         TEXT NOT NULL,
  ce_time            TEXT NOT NULL,
  ce_type            TEXT NOT NULL,
  value              BLOB NOT NULL, -- the event as protobuf
  hash               TEXT NOT NULL  -- of this record; the next one of the stream names it
);

-- The head of a stream, and the last defence of the log's rule: no revision twice.
CREATE UNIQUE INDEX IF NOT EXISTS log_by_subject ON log (ce_subject, ce_sequence);
