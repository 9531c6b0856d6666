-- The one thing that will be due for a task next. A task that waits for nothing has no row.
CREATE TABLE timers (
  task_id  TEXT    NOT NULL PRIMARY KEY,
  kind     TEXT    NOT NULL, -- retry | overdue | expire
  due_time INTEGER NOT NULL  -- milliseconds since 1970
) WITHOUT ROWID;

-- The clock: what is due next, and everything that is due by now.
CREATE INDEX timers_by_due_time ON timers (due_time, task_id);
