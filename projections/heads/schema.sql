-- The last accepted record of each stream: what the next one must name.
CREATE TABLE heads (
  subject  TEXT    NOT NULL PRIMARY KEY,
  owner    TEXT    NOT NULL,
  revision INTEGER NOT NULL,
  hash     TEXT    NOT NULL
) WITHOUT ROWID;
