-- The last record that the tables hold, in each partition of the log; written in the same transaction as they are.
CREATE TABLE applied_places (
  partition INTEGER NOT NULL PRIMARY KEY,
  offset    INTEGER NOT NULL,
  hash      TEXT    NOT NULL
) WITHOUT ROWID;
