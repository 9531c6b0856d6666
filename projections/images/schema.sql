-- Images as the API shows them. Deleted ones have no row.
CREATE TABLE images (
  id                 TEXT    NOT NULL PRIMARY KEY,
  owner              TEXT    NOT NULL,
  name               TEXT    NOT NULL,
  format             TEXT    NOT NULL, -- DISK_FORMAT_QCOW2 …
  size_bytes         INTEGER NOT NULL,
  virtual_size_bytes INTEGER NOT NULL,
  digest             TEXT    NOT NULL,
  guest_digest       TEXT    NOT NULL,
  tags               TEXT    NOT NULL, -- JSON array
  properties         TEXT    NOT NULL, -- JSON object
  create_time        INTEGER NOT NULL, -- milliseconds since 1970
  update_time        INTEGER NOT NULL,
  file               TEXT    NOT NULL, -- its name in the store
  image              BLOB    NOT NULL  -- lehr.v1.Image
) WITHOUT ROWID;

-- ListImages in its default order.
CREATE INDEX images_by_create_time ON images (owner, create_time, id);
