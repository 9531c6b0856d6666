import type { Database } from 'better-sqlite3';

/** Something that will be due for a task. */
export interface Timer {
  readonly taskId: string;
  readonly kind: 'retry' | 'overdue' | 'expire';
  /** Milliseconds since 1970. */
  readonly dueTimeMs: number;
}

/** A place in the order of timers: by due time, then by task. */
export interface TimerPlace {
  readonly dueTimeMs: number;
  readonly taskId: string;
}

/** Reads the timers. */
export interface TimerQueries {
  /** When the next one after `place` is due, in milliseconds since 1970; undefined where there is none. */
  nextDueTimeMs(place: TimerPlace): number | undefined;
  /** At most `limit` timers after `place` that are due by `nowMs`, in order. */
  due(place: TimerPlace, nowMs: number, limit: number): Timer[];
}

export function timerQueries(db: Database): TimerQueries {
  const next = db.prepare<[number, string], number>(
    'SELECT due_time FROM timers WHERE (due_time, task_id) > (?, ?) ORDER BY due_time, task_id LIMIT 1',
  ).pluck();
  const due = db.prepare<[number, string, number, number], Timer>(
    `SELECT task_id AS taskId, kind, due_time AS dueTimeMs FROM timers
     WHERE (due_time, task_id) > (?, ?) AND due_time <= ? ORDER BY due_time, task_id LIMIT ?`,
  );
  return {
    nextDueTimeMs: ({ dueTimeMs, taskId }) => next.get(dueTimeMs, taskId),
    due: ({ dueTimeMs, taskId }, nowMs, limit) => due.all(dueTimeMs, taskId, nowMs, limit),
  };
}
