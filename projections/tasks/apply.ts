import { readFileSync } from 'node:fs';
import { describeTask } from '../../src/domain/task/describe-task.ts';
import { kindOfSpec } from '../../src/domain/task/kind.ts';
import { Task } from '../../src/gen/lehr/v1/task.ts';
import type { Projection } from '../../src/projector/projection.ts';

/** Keeps each task as the API shows it. */
export const tasks: Projection = {
  name: 'tasks',
  version: 1,
  schema: readFileSync(new URL('schema.sql', import.meta.url), 'utf8'),
  prepare(db) {
    const upsert = db.prepare('INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    return ({ changes }) => {
      for (const { stream, partition, offset } of changes) {
        if (stream?.kind !== 'task' || stream.state.status === 'absent') continue;
        const task = describeTask(stream.state);
        const { id, owner, state, labels, createTime, updateTime, endTime, expireTime } = task;
        upsert.run(
          id, owner, state, kindOfSpec(stream.state.spec), createTime?.getTime(), updateTime?.getTime(),
          endTime?.getTime() ?? null, expireTime?.getTime() ?? null,
          JSON.stringify(labels), Task.encode(task).finish(), partition, offset,
        );
      }
    };
  },
};
