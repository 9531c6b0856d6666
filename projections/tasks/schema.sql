-- Tasks as the API shows them. Expired ones stay as rows, so that they can be told from those that never were.
CREATE TABLE tasks (
  id          TEXT    NOT NULL PRIMARY KEY,
  owner       TEXT    NOT NULL,
  state       TEXT    NOT NULL, -- STATE_PENDING …
  kind        TEXT    NOT NULL, -- import | export | clone
  create_time INTEGER NOT NULL, -- milliseconds since 1970, as all times
  update_time INTEGER NOT NULL,
  end_time    INTEGER,
  expire_time INTEGER,
  labels      TEXT    NOT NULL, -- JSON object
  task        BLOB    NOT NULL, -- lehr.v1.Task
  partition   INTEGER NOT NULL, -- place of its last event
  offset      INTEGER NOT NULL
) WITHOUT ROWID;

-- ListTasks in its default order, and by state.
CREATE INDEX tasks_by_create_time ON tasks (owner, create_time, id);
-- The sweep: tasks that have not ended.
CREATE INDEX tasks_unfinished ON tasks (create_time, id) WHERE state IN ('STATE_PENDING', 'STATE_RUNNING');
-- A watch that resumes: tasks that changed after a place in the log.
CREATE INDEX tasks_by_offset ON tasks (partition, offset);
