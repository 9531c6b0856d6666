import { readFileSync } from 'node:fs';
import type { Projection } from '../../src/projector/projection.ts';
import type { TaskState } from '../../src/domain/task/task-state.ts';
import { overdueTimeOf } from '../../src/domain/task/decide-failure.ts';
import type { Timer } from './queries.ts';

/** Keeps, for each task, what will be due next. */
export const timers: Projection = {
  name: 'timers',
  version: 1,
  schema: readFileSync(new URL('schema.sql', import.meta.url), 'utf8'),
  prepare(db, { stageTimeoutMs }) {
    const upsert = db.prepare('INSERT OR REPLACE INTO timers VALUES (?, ?, ?)');
    const remove = db.prepare('DELETE FROM timers WHERE task_id = ?');
    return ({ changes }) => {
      for (const { stream } of changes) {
        if (stream?.kind !== 'task' || stream.state.status === 'absent') continue;
        const next = nextTimer(stream.state, stageTimeoutMs);
        if (next !== undefined) upsert.run(stream.state.id, next.kind, next.dueTime.getTime());
        else if (stream.state.revision > 1n) remove.run(stream.state.id);
      }
    };
  },
};

function nextTimer(state: TaskState, stageTimeoutMs: number): Pick<Timer, 'kind'> & { dueTime: Date } | undefined {
  switch (state.status) {
    case 'pending':
      return state.retryTime === undefined ? undefined : { kind: 'retry', dueTime: state.retryTime };
    case 'running':
      return { kind: 'overdue', dueTime: overdueTimeOf(state, stageTimeoutMs) };
    case 'succeeded':
    case 'failed':
    case 'canceled':
      return { kind: 'expire', dueTime: state.expireTime };
    case 'absent':
    case 'committed':
    case 'expired':
      return undefined;
    default:
      return state satisfies never;
  }
}
