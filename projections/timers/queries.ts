import type { Database } from 'better-sqlite3';

/** Something that will be due for a task. */
export interface Timer {
  readonly taskId: string;
  readonly kind: 'retry' | 'overdue' | 'expire';
  /** Milliseconds since 1970. */
  readonly dueTimeMs: number;
}

/** Reads the timers. */
export interface TimerQueries {
  /** When the next one is due, in milliseconds since 1970; undefined where there is none. */
  nextDueTimeMs(): number | undefined;
  /** At most `limit` timers that are due by `nowMs`, the longest due first. */
  due(nowMs: number, limit: number): Timer[];
}

export function timerQueries(db: Database): TimerQueries {
  const next = db.prepare<[], number>('SELECT due_time FROM timers ORDER BY due_time LIMIT 1').pluck();
  const due = db.prepare<[number, number], Timer>(
    'SELECT task_id AS taskId, kind, due_time AS dueTimeMs FROM timers WHERE due_time <= ? ORDER BY due_time LIMIT ?',
  );
  return { nextDueTimeMs: () => next.get(), due: (nowMs, limit) => due.all(nowMs, limit) };
}
