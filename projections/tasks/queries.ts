import type { Database } from 'better-sqlite3';
import { Task } from '../../src/gen/lehr/v1/task.ts';
import { listStatements } from '../../src/projector/list-statements.ts';
import type { SqlCondition } from '../../src/projector/sql-condition.ts';

/** A task and the place of its last event. */
export interface TaskRow {
  readonly task: Task;
  readonly partition: number;
  readonly offset: number;
}

interface StoredRow {
  readonly task: Buffer;
  readonly partition: number;
  readonly offset: number;
}

/** A place in the order of tasks by age. */
export interface TaskPlace {
  readonly createTimeMs: number;
  readonly id: string;
}

/** Reads the tasks. */
export interface TaskQueries {
  /** One task, expired ones too; undefined where there never was one. */
  get(id: string): Task | undefined;
  /** At most `limit` tasks that meet `condition`, in the order of `orderBy`. */
  list(condition: SqlCondition, orderBy: string, limit: number): Task[];
  /** At most `limit` ids of tasks that have not ended, the oldest first, after the one that was returned last. */
  unfinished(after: TaskPlace | undefined, limit: number): TaskPlace[];
  /** At most `limit` tasks of `owner` whose last event in `partition` is after `offset`, in that order. */
  changedAfter(owner: string, partition: number, offset: number, limit: number): TaskRow[];
  /** How many tasks stand in each state, expired ones left out. */
  countByState(): { readonly state: string; readonly kind: string; readonly count: number }[];
}

export function taskQueries(db: Database): TaskQueries {
  const get = db.prepare<[string], Buffer>('SELECT task FROM tasks WHERE id = ?').pluck();
  const unfinished = db.prepare<[number, string, number], TaskPlace>(
    `SELECT id, create_time AS createTimeMs FROM tasks WHERE state IN ('STATE_PENDING', 'STATE_RUNNING')
     AND (create_time, id) > (?, ?) ORDER BY create_time, id LIMIT ?`,
  );
  const changed = db.prepare<[string, number, number, number], StoredRow>(
    'SELECT task, partition, offset FROM tasks WHERE owner = ? AND partition = ? AND offset > ? ORDER BY offset LIMIT ?',
  );
  const count = db.prepare<[], { state: string; kind: string; count: number }>(
    `SELECT state, kind, count(*) AS count FROM tasks WHERE state <> 'STATE_EXPIRED' GROUP BY state, kind`,
  );
  const list = listStatements(db, 'tasks', 'task');
  return {
    get(id) {
      const bytes = get.get(id);
      return bytes === undefined ? undefined : Task.decode(bytes);
    },
    list: (condition, orderBy, limit) => list(condition, orderBy, limit).map((bytes) => Task.decode(bytes)),
    unfinished: (after, limit) => unfinished.all(after?.createTimeMs ?? 0, after?.id ?? '', limit),
    changedAfter: (owner, partition, offset, limit) =>
      changed.all(owner, partition, offset, limit).map((row) => ({ ...row, task: Task.decode(row.task) })),
    countByState: () => count.all(),
  };
}
